//! Storing staff accounts.

use exit3_domain::paging::{PageNumber, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::staff::USERNAME_TAKEN;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::model::NOW;
use crate::builders::{at, some_act, time};

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
        },
        password: PasswordHash::kept("!".to_owned()),
        date_joined: at(1_790_000_000_000_001),
    }
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let account = create(harness, "ana").await;
    harness.staff.note_login(account.id, time(NOW)).await.unwrap();
}

async fn create(harness: &Harness, username: &str) -> Staff {
    harness.staff.create(&staff(username), &some_act()).await.unwrap()
}

async fn find(harness: &Harness, id: StaffId) -> Staff {
    harness.staff.find(id).await.unwrap().unwrap()
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
        },
        password: kept(&"$".repeat(255)),
        date_joined: at(1_790_000_000_000_001),
    };
    for given in [rich, staff("ana"), staff("")] {
        let created = harness.staff.create(&given, &some_act()).await.unwrap();
        assert_eq!(created.profile, given.profile);
        assert_eq!(created.password, given.password);
        assert_eq!((created.date_joined, created.last_login), (given.date_joined, None));
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
    harness.staff.note_login(created.id, at(7)).await.unwrap();
    let profile = StaffProfile { is_active: false, ..staff("eva").profile };
    let updated = harness.staff.update(&created, &profile, &some_act()).await.unwrap();
    assert_eq!(updated, Staff { profile, last_login: Some(at(7)), ..created });
    assert_eq!(find(harness, updated.id).await, updated);
    assert_eq!(find(harness, other.id).await, other);
}

pub async fn refuses_to_update_a_profile_that_has_changed(harness: &Harness) {
    let seen = create(harness, "ana").await;
    let changes: [fn(&mut StaffProfile); 7] = [
        |profile| profile.username.push('x'),
        |profile| profile.first_name.push('x'),
        |profile| profile.last_name.push('x'),
        |profile| profile.email.push('x'),
        |profile| profile.is_staff = false,
        |profile| profile.is_active = false,
        |profile| profile.is_superuser = true,
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
    harness.staff.note_login(seen.id, at(7)).await.unwrap();
    harness.staff.set_password(&now, &kept("second"), &some_act()).await.unwrap();
    let updated = harness.staff.update(&now, &staff("eva").profile, &some_act()).await.unwrap();
    let expected = Staff {
        profile: staff("eva").profile,
        password: kept("second"),
        last_login: Some(at(7)),
        ..seen
    };
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

pub async fn notes_the_latest_login(harness: &Harness) {
    let (created, other) = (create(harness, "ana").await, create(harness, "ivo").await);
    for time in [5, 9, 7] {
        harness.staff.note_login(created.id, at(time)).await.unwrap();
    }
    assert_eq!(find(harness, created.id).await.last_login, Some(at(9)));
    assert_eq!(find(harness, other.id).await.last_login, None);
}

pub async fn missing_accounts_are_not_found(harness: &Harness) {
    let created = create(harness, "ana").await;
    let gone = Staff { id: StaffId(created.id.0 + 1), ..created };
    assert_eq!(harness.staff.find(gone.id).await.unwrap(), None);
    let updated = harness.staff.update(&gone, &gone.profile, &some_act()).await;
    assert!(matches!(updated, Err(StoreError::NotFound)));
    let set = harness.staff.set_password(&gone, &kept("second"), &some_act()).await;
    assert!(matches!(set, Err(StoreError::NotFound)));
    harness.staff.note_login(gone.id, at(7)).await.unwrap();
}
