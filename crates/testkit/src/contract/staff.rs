//! Storing staff accounts.

use exit3_domain::paging::{PageNumber, PageRequest};
use exit3_domain::staff::{
    Language, NewStaff, PasswordHash, Preferences, Role, Staff, StaffId, StaffProfile, Theme,
};
use exit3_ports::staff::USERNAME_TAKEN;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::invitations::owner;
use crate::builders::{at, some_act};

/// A staff account of that name that no password matches.
pub fn staff(username: &str) -> NewStaff {
    NewStaff {
        profile: StaffProfile {
            username: username.to_owned(),
            first_name: "Ana".to_owned(),
            last_name: "Horvat".to_owned(),
            email: "ana@exit3.agency".to_owned(),
            is_staff: true,
            is_active: true,
            is_superuser: false,
            role: Some(Role::Sales),
        },
        password: PasswordHash::kept("!".to_owned()),
        date_joined: at(1_790_000_000_000_001),
    }
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let account = create(harness, "ana").await;
    harness.staff.set_preferences(&account, &rich(), &some_act()).await.unwrap();
}

/// Preferences of which none is the default.
pub(crate) fn rich() -> Preferences {
    Preferences { language: Some(Language::Croatian), theme: Some(Theme::Dark), single_keys: false }
}

async fn create(harness: &Harness, username: &str) -> Staff {
    harness.staff.create(&staff(username), &some_act()).await.unwrap()
}

async fn find(harness: &Harness, id: StaffId) -> Staff {
    harness.staff.find(id).await.unwrap().unwrap()
}

/// The account after a sign-in.
async fn signed_in(harness: &Harness, account: Staff) -> Staff {
    super::sign_ins::begin(harness, &account, 1).await;
    let after = find(harness, account.id).await;
    assert_eq!(after, Staff { last_login: after.last_login, ..account });
    assert!(after.last_login.is_some());
    after
}

fn kept(text: &str) -> PasswordHash {
    PasswordHash::kept(text.to_owned())
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let rich = NewStaff {
        profile: StaffProfile {
            username: "đ".repeat(150),
            first_name: "č".repeat(150),
            last_name: "<b>'; DROP TABLE staff".to_owned(),
            email: "ž".repeat(254),
            is_staff: false,
            is_active: false,
            is_superuser: true,
            role: None,
        },
        password: kept(&"$".repeat(255)),
        date_joined: at(1_790_000_000_000_001),
    };
    for given in [rich, staff("ana"), staff("")] {
        let created = harness.staff.create(&given, &some_act()).await.unwrap();
        assert_eq!(created.profile, given.profile);
        assert_eq!(created.password, given.password);
        assert_eq!((created.date_joined, created.last_login), (given.date_joined, None));
        assert_eq!(created.preferences, Preferences::default());
        assert_eq!(find(harness, created.id).await, created);
    }
}

pub async fn refuses_texts_that_are_too_long_or_have_nul(harness: &Harness) {
    let usual = staff("ana");
    for refused in [
        staff(&"đ".repeat(151)),
        NewStaff { password: kept(&"$".repeat(256)), ..usual.clone() },
        staff("a\0na"),
        NewStaff {
            profile: StaffProfile { first_name: "đ".repeat(151), ..usual.profile.clone() },
            ..usual.clone()
        },
        NewStaff {
            profile: StaffProfile { last_name: "\0".to_owned(), ..usual.profile.clone() },
            ..usual.clone()
        },
        NewStaff {
            profile: StaffProfile { email: "đ".repeat(255), ..usual.profile.clone() },
            ..usual
        },
    ] {
        let outcome = harness.staff.create(&refused, &some_act()).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{refused:?}");
    }
}

pub async fn names_of_accounts_are_unique(harness: &Harness) {
    let first = create(harness, "ana").await;
    let taken = harness.staff.create(&staff("ana"), &some_act()).await;
    assert!(matches!(taken, Err(StoreError::Conflict(USERNAME_TAKEN))));
    let other = create(harness, "Ana").await;
    let taken = harness.staff.update(&other, &first.profile, &some_act()).await;
    assert!(matches!(taken, Err(StoreError::Conflict(USERNAME_TAKEN))));
    assert_eq!(find(harness, other.id).await, other);
}

pub async fn finds_by_the_very_name(harness: &Harness) {
    let lower = create(harness, "ana").await;
    let upper = create(harness, "ANA").await;
    let named = async |name: &str| harness.staff.find_by_username(name).await.unwrap();
    assert_eq!(named("ana").await, Some(lower));
    assert_eq!(named("ANA").await, Some(upper));
    for name in ["Ana", "", "%", "an\0a", "ana "] {
        assert_eq!(named(name).await, None, "{name:?}");
    }
}

pub async fn lists_by_name(harness: &Harness) {
    for name in ["č", "b", "A", "c", "a"] {
        create(harness, name).await;
    }
    let listed = async |number| {
        let page = harness.staff.list(PageRequest { number, size: 2 }).await.unwrap()?;
        let names: Vec<String> = page.rows.into_iter().map(|row| row.profile.username).collect();
        Some((page.count, page.number, names.concat()))
    };
    assert_eq!(listed(PageNumber::Number(1)).await, Some((5, 1, "Aa".to_owned())));
    assert_eq!(listed(PageNumber::Number(2)).await, Some((5, 2, "bc".to_owned())));
    assert_eq!(listed(PageNumber::Number(3)).await, Some((5, 3, "č".to_owned())));
    assert_eq!(listed(PageNumber::Last).await, Some((5, 3, "č".to_owned())));
    assert_eq!(listed(PageNumber::Number(4)).await, None);
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    let page = harness.staff.list(PageRequest::first()).await.unwrap().unwrap();
    assert_eq!((page.count, page.number, page.rows.len()), (0, 1, 0));
}

pub async fn an_update_changes_only_the_profile(harness: &Harness) {
    let (created, other) = (create(harness, "ana").await, create(harness, "ivo").await);
    let created = signed_in(harness, created).await;
    let profile = StaffProfile { is_active: false, ..staff("eva").profile };
    let updated = harness.staff.update(&created, &profile, &some_act()).await.unwrap();
    assert_eq!(updated, Staff { profile, ..created });
    assert_eq!(find(harness, updated.id).await, updated);
    assert_eq!(find(harness, other.id).await, other);
}

pub async fn refuses_to_update_a_profile_that_has_changed(harness: &Harness) {
    // Another owner, so that this account may become one and stop being one.
    harness.staff.create(&owner("boss"), &some_act()).await.unwrap();
    let seen = create(harness, "ana").await;
    let changes: [fn(&mut StaffProfile); 8] = [
        |profile| profile.username.push('x'),
        |profile| profile.first_name.push('x'),
        |profile| profile.last_name.push('x'),
        |profile| profile.email.push('x'),
        |profile| profile.is_staff = false,
        |profile| profile.is_active = false,
        |profile| profile.is_superuser = true,
        |profile| profile.role = None,
    ];
    let mut now = seen.clone();
    for change in changes {
        let stale = now.clone();
        change(&mut now.profile);
        harness.staff.update(&stale, &now.profile, &some_act()).await.unwrap();
        for profile in [&staff("eva").profile, &now.profile] {
            let refused = harness.staff.update(&stale, profile, &some_act()).await;
            let is_stale = matches!(refused, Err(StoreError::Conflict(Constraint::Stale)));
            assert!(is_stale, "{refused:?}");
        }
        assert_eq!(find(harness, seen.id).await, now);
    }
    // A sign-in or another password is no change of the profile.
    let revived = StaffProfile { is_active: true, ..now.profile.clone() };
    let now = harness.staff.update(&now, &revived, &some_act()).await.unwrap();
    let last_login = signed_in(harness, now.clone()).await.last_login;
    harness.staff.set_password(&now, &kept("second"), &some_act()).await.unwrap();
    let updated = harness.staff.update(&now, &staff("eva").profile, &some_act()).await.unwrap();
    let expected =
        Staff { profile: staff("eva").profile, password: kept("second"), last_login, ..seen };
    assert_eq!(updated, expected);
}

pub async fn replaces_the_password_that_was_seen(harness: &Harness) {
    let (seen, other) = (create(harness, "ana").await, create(harness, "ivo").await);
    harness.staff.set_password(&seen, &kept("second"), &some_act()).await.unwrap();
    let now = find(harness, seen.id).await;
    assert_eq!(now, Staff { password: kept("second"), ..seen.clone() });
    assert_eq!(find(harness, other.id).await, other);
    let stale = harness.staff.set_password(&seen, &kept("third"), &some_act()).await;
    assert!(matches!(stale, Err(StoreError::Conflict(Constraint::Stale))));
    assert_eq!(find(harness, seen.id).await, now);
}

pub async fn missing_accounts_are_not_found(harness: &Harness) {
    let created = create(harness, "ana").await;
    let gone = Staff { id: StaffId(created.id.0 + 1), ..created };
    assert_eq!(harness.staff.find(gone.id).await.unwrap(), None);
    let updated = harness.staff.update(&gone, &gone.profile, &some_act()).await;
    assert!(matches!(updated, Err(StoreError::NotFound)));
    let set = harness.staff.set_password(&gone, &kept("second"), &some_act()).await;
    assert!(matches!(set, Err(StoreError::NotFound)));
    let set = harness.staff.set_preferences(&gone, &rich(), &some_act()).await;
    assert!(matches!(set, Err(StoreError::NotFound)));
}

pub async fn keeps_every_role_and_preference(harness: &Harness) {
    let mut account = create(harness, "ana").await;
    harness.staff.create(&owner("boss"), &some_act()).await.unwrap();
    for role in Role::ALL.iter().chain(Role::ALL) {
        let mut profile = account.profile.clone();
        profile.set_role(*role);
        account = harness.staff.update(&account, &profile, &some_act()).await.unwrap();
        assert_eq!((&account.profile, account.profile.works_as()), (&profile, Some(*role)));
        assert_eq!(find(harness, account.id).await, account);
    }
    let languages = Language::ALL.iter().map(|one| Some(*one)).chain([None]);
    for language in languages {
        let themes = Theme::ALL.iter().map(|one| Some(*one)).chain([None]);
        for theme in themes {
            for single_keys in [false, true] {
                let preferences = Preferences { language, theme, single_keys };
                harness.staff.set_preferences(&account, &preferences, &some_act()).await.unwrap();
                account.preferences = preferences;
                assert_eq!(find(harness, account.id).await, account);
            }
        }
    }
}

pub async fn refuses_preferences_that_were_not_seen(harness: &Harness) {
    let (seen, other) = (create(harness, "ana").await, create(harness, "ivo").await);
    harness.staff.set_preferences(&seen, &rich(), &some_act()).await.unwrap();
    let now = find(harness, seen.id).await;
    assert_eq!(now, Staff { preferences: rich(), ..seen.clone() });
    for stale in [
        Preferences::default(),
        Preferences { language: None, ..rich() },
        Preferences { theme: None, ..rich() },
        Preferences { single_keys: true, ..rich() },
    ] {
        let stale = Staff { preferences: stale, ..seen.clone() };
        let preferences = Preferences::default();
        let set = harness.staff.set_preferences(&stale, &preferences, &some_act()).await;
        assert!(matches!(set, Err(StoreError::Conflict(Constraint::Stale))), "{set:?}");
    }
    assert_eq!(find(harness, seen.id).await, now);
    assert_eq!(find(harness, other.id).await, other);
}
