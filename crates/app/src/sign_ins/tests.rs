//! Use cases of sign-ins.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::Actor;
use exit3_domain::sign_ins::{NewSignIn, SecretToken, SignIn, SignInId, TOKEN};
use exit3_domain::staff::{PasswordHash, Preferences, Role, Staff, StaffId, StaffProfile};
use exit3_ports::{Charge, Constraint, Standing, StoreError};

use super::*;
use crate::testing::{Mocks, away, now};

/// The hash of [`PASSWORD`] with few costs, as Django would write it.
const HASH: &str = "pbkdf2_sha256$1$salt1234$+ON8DBfoKFtSLNK8LWYztY1sn9e0o3+x7IWUXi20CO8=";
const PASSWORD: &str = "plavi konj trči";

fn staff(change: impl FnOnce(&mut Staff)) -> Staff {
    let mut staff = Staff {
        id: StaffId(7),
        profile: StaffProfile {
            username: "ana".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            is_active: true,
            is_superuser: false,
            role: Some(Role::Sales),
        },
        password: PasswordHash::kept(HASH.to_owned()),
        preferences: Preferences::default(),
        date_joined: now(),
        last_login: None,
    };
    change(&mut staff);
    staff
}

fn device() -> Device {
    Device { peer: 5, address: "192.0.2.1".to_owned(), agent: "Browser\n".repeat(99) }
}

fn begun(new: &NewSignIn) -> SignIn {
    SignIn {
        id: SignInId(3),
        staff: new.staff,
        password: new.password,
        created_at: new.created_at,
        seen_at: new.created_at,
        ends_at: new.ends_at,
        agent: new.agent.clone(),
        address: new.address.clone(),
    }
}

/// Mocks the quotas: `left` charges remain after this one. The result lists the charges that the
/// code gives back.
fn quotas(mocks: &mut Mocks, left: u32) -> Arc<Mutex<Vec<(Charge, u32)>>> {
    let back = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&back);
    mocks.quotas.expect_charge().returning(move |charges| {
        charges.iter().map(|_| Standing { remaining: left, refused_for: None }).collect()
    });
    mocks.quotas.expect_give_back().returning(move |charges| {
        own.lock().unwrap().extend_from_slice(charges);
    });
    back
}

fn counts(back: &Mutex<Vec<(Charge, u32)>>) -> Vec<(&'static str, u32)> {
    back.lock().unwrap().iter().map(|(charge, times)| (charge.quota.as_str(), *times)).collect()
}

async fn attempt(app: &App) -> Result<(SecretToken, SignedIn), SignInError> {
    sign_in(app, " ana\u{a0}", PASSWORD, &device(), Some("request-7".into())).await
}

#[tokio::test(start_paused = true)]
async fn a_right_password_of_django_opens_and_is_hashed_again() {
    let mut mocks = Mocks::new();
    let back = quotas(&mut mocks, 6);
    let all = &mut mocks.repositories;
    all.staff.expect_find_by_username().times(1).returning(|name| {
        assert_eq!(name, "ana");
        Ok(Some(staff(|_| ())))
    });
    all.staff.expect_set_password().times(1).returning(|seen, new, act| {
        assert_eq!(seen.password.as_str(), HASH);
        assert!(new.as_str().starts_with("$argon2id$") && new.verify(PASSWORD).is_some());
        assert_eq!(act.author.actor, Actor::Service);
        Ok(())
    });
    all.sign_ins.expect_begin().times(1).returning(|new, act| {
        assert_eq!(new.ends_at - new.created_at, TimeDelta::days(14));
        assert_eq!((new.agent.chars().count(), new.agent.contains('\n')), (255, false));
        assert_eq!(act.author.actor, Actor::Staff("ana".into()));
        assert_eq!(act.author.request.as_deref(), Some("request-7"));
        Ok(begun(new))
    });
    let (token, who) = attempt(&mocks.into_app()).await.unwrap();
    assert_eq!(SecretToken::digest_of(token.expose()), Some(token.digest()));
    assert_eq!(who.role, Role::Sales);
    assert_eq!(who.sign_in.password, who.staff.password.digest());
    // This charge, and those of the three wrong passwords before it.
    assert_eq!(counts(&back), [("sign-in", 4), ("sign-in-account", 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_may_not_sign_in_learns_nothing_else() {
    let accounts: [Option<Staff>; 5] = [
        None,
        Some(staff(|staff| staff.password = PasswordHash::kept("!".to_owned()))),
        Some(staff(|staff| staff.password = PasswordHash::kept(HASH.replace("$1$", "$2$")))),
        Some(staff(|staff| staff.profile.is_active = false)),
        Some(staff(|staff| staff.profile.is_staff = false)),
    ];
    for account in accounts {
        let mut mocks = Mocks::new();
        let back = quotas(&mut mocks, 9);
        let found = account.clone();
        mocks.repositories.staff.expect_find_by_username().returning(move |_| Ok(found.clone()));
        let outcome = attempt(&mocks.into_app()).await;
        assert!(matches!(outcome, Err(SignInError::Wrong)), "{account:?}: {outcome:?}");
        assert_eq!(counts(&back), [], "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_replaced_meanwhile_is_checked_again() {
    let mut mocks = Mocks::new();
    quotas(&mut mocks, 9);
    let accounts = &mut mocks.repositories.staff;
    accounts.expect_find_by_username().times(1).returning(|_| Ok(Some(staff(|_| ()))));
    accounts
        .expect_set_password()
        .times(1)
        .returning(|_, _, _| Err(StoreError::Conflict(Constraint::Stale)));
    // Somebody has set another password, which this is not.
    accounts.expect_find_by_username().times(1).returning(|_| {
        Ok(Some(staff(|staff| staff.password = PasswordHash::kept("!".to_owned()))))
    });
    let outcome = attempt(&mocks.into_app()).await;
    assert!(matches!(outcome, Err(SignInError::Wrong)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_disabled_meanwhile_does_not_open() {
    let mut mocks = Mocks::new();
    let back = quotas(&mut mocks, 9);
    let all = &mut mocks.repositories;
    all.staff.expect_find_by_username().returning(|_| Ok(Some(staff(|_| ()))));
    all.staff.expect_set_password().returning(|_, _, _| Ok(()));
    all.sign_ins.expect_begin().returning(|_, _| Err(StoreError::NotFound));
    let outcome = attempt(&mocks.into_app()).await;
    assert!(matches!(outcome, Err(SignInError::Wrong)), "{outcome:?}");
    assert_eq!(counts(&back), []);
}

#[tokio::test]
async fn a_refused_attempt_reads_nothing_and_is_not_charged() {
    for (granted, refused) in [(0, "sign-in"), (1, "sign-in-account")] {
        let mut mocks = Mocks::new();
        let wait = Duration::from_secs(900);
        mocks.quotas.expect_charge().returning(move |charges| {
            assert_eq!(charges.get(granted).map(|charge| charge.quota.as_str()), Some(refused));
            let standing = |refused_for| Standing { remaining: 0, refused_for };
            let mut standings = vec![standing(None); granted];
            standings.push(standing(Some(wait)));
            standings
        });
        let back = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&back);
        mocks.quotas.expect_give_back().returning(move |charges| {
            own.lock().unwrap().extend_from_slice(charges);
        });
        let outcome = attempt(&mocks.into_app()).await;
        let waits = matches!(outcome, Err(SignInError::Throttled(told)) if told == wait);
        assert!(waits, "{outcome:?}");
        assert_eq!(counts(&back), [("sign-in", 1)][..granted]);
    }
}

#[tokio::test]
async fn an_attempt_that_nobody_could_check_is_not_charged() {
    let mut mocks = Mocks::new();
    let back = quotas(&mut mocks, 9);
    mocks.repositories.staff.expect_find_by_username().returning(|_| Err(away()));
    let outcome = attempt(&mocks.into_app()).await;
    assert!(matches!(outcome, Err(SignInError::Store(_))), "{outcome:?}");
    assert_eq!(counts(&back), [("sign-in", 1), ("sign-in-account", 1)]);
}

#[test]
fn accounts_and_addresses_are_counted_together() {
    let all = [("ana", 1), ("ana", 2), ("ivo", 1), ("", 1), ("ana\u{1}", 0)];
    let numbers = all.map(|(name, peer)| limit::both(name, peer));
    let different: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
    assert_eq!(different.len(), all.len());
}

fn stored(staff: &Staff) -> SignIn {
    let token = TokenDigest::of(b"");
    let new = NewSignIn {
        digest: token,
        staff: staff.id,
        password: staff.password.digest(),
        created_at: now(),
        ends_at: now() + TimeDelta::days(14),
        agent: String::new(),
        address: String::new(),
    };
    begun(&new)
}

fn token() -> SecretToken {
    SecretToken::of(&[7; TOKEN])
}

/// Who has signed in, for this sign-in of this account, so many seconds after the last use that was
/// noted.
async fn seen(sign_in: SignIn, staff: Staff, seconds: i64, noted: usize) -> Option<SignedIn> {
    let mut mocks = Mocks::new();
    let sign_ins = &mut mocks.repositories.sign_ins;
    sign_ins.expect_find().times(1).returning(move |digest| {
        assert_eq!(*digest, token().digest());
        Ok(Some((sign_in.clone(), staff.clone())))
    });
    // What cannot be noted is shown all the same.
    sign_ins.expect_note_seen().times(noted).returning(|_, _| Err(away()));
    let app = mocks.into_app_at([now() + TimeDelta::seconds(seconds)]);
    signed_in(&app, token().expose()).await.unwrap()
}

#[tokio::test]
async fn a_sign_in_is_valid_as_long_as_everything_about_it() {
    let ana = staff(|_| ());
    let good = seen(stored(&ana), ana.clone(), 0, 0).await.unwrap();
    assert_eq!((good.worker().id, good.role), (StaffId(7), Role::Sales));
    let author = good.doer(Some("request-7".into())).author;
    assert_eq!(author.actor, Actor::Staff("ana".into()));
    assert!(seen(stored(&ana), ana.clone(), 59, 0).await.is_some());
    assert!(seen(stored(&ana), ana.clone(), 60, 1).await.is_some());
    assert!(seen(stored(&ana), ana.clone(), 12 * 3_600 - 1, 1).await.is_some());
    assert_eq!(seen(stored(&ana), ana.clone(), 12 * 3_600, 0).await, None);
    let ended = SignIn { ends_at: now() + TimeDelta::seconds(5), ..stored(&ana) };
    assert!(seen(ended.clone(), ana.clone(), 4, 0).await.is_some());
    assert_eq!(seen(ended, ana.clone(), 5, 0).await, None);
    for changed in [
        staff(|staff| staff.profile.is_active = false),
        staff(|staff| staff.profile.is_staff = false),
        staff(|staff| staff.password = PasswordHash::kept("another".to_owned())),
    ] {
        assert_eq!(seen(stored(&ana), changed.clone(), 0, 0).await, None, "{changed:?}");
    }
    let promoted = staff(|staff| staff.profile.is_superuser = true);
    assert_eq!(seen(stored(&ana), promoted, 0, 0).await.unwrap().role, Role::Owner);
}

#[tokio::test]
async fn texts_that_are_no_tokens_never_reach_the_database() {
    let app = Mocks::new().into_app();
    for text in ["", "a", &"a".repeat(44), &format!("{} ", token().expose())] {
        assert_eq!(signed_in(&app, text).await.unwrap(), None, "{text:?}");
    }
}

async fn changed(old: &str, new: &str, stored_now: usize) -> Result<(), PasswordError> {
    changed_while(old, new, stored_now, || Ok(())).await
}

async fn changed_while(
    old: &str,
    new: &str,
    stored_now: usize,
    outcome: impl Fn() -> Result<(), StoreError> + Send + 'static,
) -> Result<(), PasswordError> {
    let mut mocks = Mocks::new();
    quotas(&mut mocks, 9);
    mocks.repositories.sign_ins.expect_change_password().times(stored_now).returning(
        move |_, password, keep, act| {
            assert_eq!(keep, Some(SignInId(3)));
            assert!(password.as_str().starts_with("$argon2id$"));
            assert_eq!(act.author.actor, Actor::Staff("ana".into()));
            outcome()
        },
    );
    let ana = staff(|staff| staff.profile.email = "ana.horvat@exit3.agency".to_owned());
    let who = SignedIn { sign_in: stored(&ana), staff: ana, role: Role::Sales };
    let doer = who.doer(None);
    change_password(&mocks.into_app(), &who, old, new, &device(), &doer).await
}

#[tokio::test(start_paused = true)]
async fn a_new_password_needs_the_old_one_and_follows_the_rules() {
    changed(PASSWORD, "crni konj trči dalje", 1).await.unwrap();
    for (old, new, expected) in [
        ("crni konj trči", "crni konj trči dalje", "old_password wrong"),
        (PASSWORD, "kratka", "password min_length"),
        (PASSWORD, "ana.horvat12", "password personal"),
        (PASSWORD, "password1234", "password common"),
    ] {
        let Err(PasswordError::Invalid(invalid)) = changed(old, new, 0).await else {
            panic!("{new} is taken")
        };
        let (field, violations) = invalid.fields().next().unwrap();
        assert_eq!(format!("{field} {}", violations[0].code), expected);
    }
}

/// Two changes from the same page: the second finds a password that is no longer the one it checked.
#[tokio::test(start_paused = true)]
async fn a_password_that_changed_meanwhile_is_no_failure_of_the_database() {
    let stale: [fn() -> StoreError; 2] =
        [|| StoreError::Conflict(Constraint::Stale), || StoreError::NotFound];
    for meanwhile in stale {
        let outcome =
            changed_while(PASSWORD, "crni konj trči dalje", 1, move || Err(meanwhile())).await;
        assert!(matches!(outcome, Err(PasswordError::Contended)), "{outcome:?}");
    }
    let outcome = changed_while(PASSWORD, "crni konj trči dalje", 1, || Err(away())).await;
    assert!(matches!(outcome, Err(PasswordError::Store(_))), "{outcome:?}");
}

#[tokio::test]
async fn goes_on_until_none_that_has_ended_is_left() {
    let mut mocks = Mocks::new();
    let sign_ins = &mut mocks.repositories.sign_ins;
    sign_ins.expect_remove_ended().times(2).returning(|at, seen, most| {
        assert_eq!((at, at - seen), (now(), TimeDelta::hours(12)));
        Ok(most.into())
    });
    sign_ins.expect_remove_ended().times(1).returning(|_, _, _| Ok(7));
    remove_ended(mocks.into_app(), RemoveEndedSignIns {}).await.unwrap();
}
