//! Use cases of accounts.

use exit3_domain::access::Worker;
use exit3_domain::events::Actor;
use exit3_domain::sign_ins::{SecretToken, TOKEN};
use exit3_domain::staff::Preferences;
use exit3_ports::invitations::Invited;

use super::*;
use crate::testing::{Mocks, author, now};

const PASSWORD: &str = "plavi konj trči";

fn operator() -> Doer {
    Doer::operator(author())
}

fn worker(role: Role) -> Doer {
    Doer::worker(author(), Worker { id: StaffId(1), role })
}

fn ana() -> AccountInput {
    AccountInput { role: Role::Sales, ..AccountInput::owner("ana") }
}

fn stored(profile: StaffProfile) -> Staff {
    Staff {
        id: StaffId(7),
        profile,
        password: PasswordHash::kept("!".to_owned()),
        preferences: Preferences::default(),
        date_joined: now(),
        last_login: None,
    }
}

fn codes(error: &StaffError) -> Vec<String> {
    let StaffError::Invalid(invalid) = error else { panic!("{error:?}") };
    let codes = invalid.fields().flat_map(|(field, violations)| {
        violations.iter().map(move |violation| format!("{field} {}", violation.code))
    });
    codes.collect()
}

#[tokio::test]
async fn an_account_is_created_with_its_role_and_the_hash_of_its_password() {
    let mut mocks = Mocks::new();
    mocks.repositories.staff.expect_create().times(1).returning(|new, _| {
        assert!(new.password.verify(PASSWORD).is_some());
        assert_eq!(new.date_joined, now());
        Ok(stored(new.profile.clone()))
    });
    let made = create(&mocks.into_app(), ana(), PASSWORD, &operator()).await.unwrap();
    assert_eq!(made.profile.works_as(), Some(Role::Sales));
}

#[tokio::test]
async fn all_errors_of_an_account_are_told_at_once() {
    let app = Mocks::new().into_app();
    let input = AccountInput { username: "a b".to_owned(), email: "x".to_owned(), ..ana() };
    let error = create(&app, input, "kratka", &operator()).await.unwrap_err();
    assert_eq!(codes(&error), ["username invalid", "email invalid", "password min_length"]);
    let input = AccountInput::owner("ana.horvat");
    let error = create(&app, input, "ana.horvat12", &operator()).await.unwrap_err();
    assert_eq!(codes(&error), ["password personal"]);
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .staff
        .expect_create()
        .returning(|_, _| Err(StoreError::Conflict(USERNAME_TAKEN)));
    let error = create(&mocks.into_app(), ana(), PASSWORD, &operator()).await.unwrap_err();
    assert_eq!(codes(&error), ["username unique"]);
}

#[tokio::test]
async fn only_owners_manage_accounts() {
    for role in [Role::Manager, Role::Sales, Role::Viewer] {
        // Nothing is read or written.
        let (app, doer) = (Mocks::new().into_app(), worker(role));
        let id = StaffId(7);
        let outcomes = [
            create(&app, ana(), PASSWORD, &doer).await.map(drop),
            list(&app, PageRequest::first(), &doer).await.map(drop),
            find(&app, "ana", &doer).await.map(drop),
            set_role(&app, id, Role::Owner, &doer).await.map(drop),
            set_active(&app, id, true, &doer).await.map(drop),
            set_password(&app, id, PASSWORD, &doer).await,
            invite(&app, id, &doer).await.map(drop),
            invite_new(&app, ana(), &doer).await.map(drop),
            find_by_id(&app, id, &doer).await.map(drop),
            end_sign_ins(&app, id, &doer).await.map(drop),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(StaffError::Forbidden(_))), "{role}: {outcome:?}");
        }
    }
    let mut mocks = Mocks::new();
    mocks.repositories.staff.expect_list().returning(|_| Ok(None));
    list(&mocks.into_app(), PageRequest::first(), &worker(Role::Owner)).await.unwrap();
}

#[tokio::test]
async fn a_change_is_made_to_the_account_as_it_is_now() {
    let mut mocks = Mocks::new();
    let accounts = &mut mocks.repositories.staff;
    let old = || stored(ana().into_profile().unwrap());
    accounts.expect_find().times(1).returning(move |_| Ok(Some(old())));
    accounts
        .expect_update()
        .times(1)
        .returning(|_, _, _| Err(StoreError::Conflict(Constraint::Stale)));
    accounts.expect_find().times(1).returning(move |_| {
        let mut renamed = old();
        renamed.profile.last_name = "Novak".to_owned();
        Ok(Some(renamed))
    });
    accounts.expect_update().times(1).returning(|_, profile, _| Ok(stored(profile.clone())));
    let staff = set_role(&mocks.into_app(), StaffId(7), Role::Viewer, &operator()).await.unwrap();
    assert_eq!(staff.profile.works_as(), Some(Role::Viewer));
    assert_eq!(staff.profile.last_name, "Novak");
}

#[tokio::test]
async fn the_last_owner_is_told_apart_from_other_conflicts() {
    let mut mocks = Mocks::new();
    let accounts = &mut mocks.repositories.staff;
    let owner = || stored(AccountInput::owner("ana").into_profile().unwrap());
    accounts.expect_find().returning(move |_| Ok(Some(owner())));
    accounts.expect_update().returning(|_, _, _| Err(StoreError::Conflict(Constraint::LastOwner)));
    let outcome = set_active(&mocks.into_app(), StaffId(7), false, &operator()).await;
    assert!(matches!(outcome, Err(StaffError::LastOwner)), "{outcome:?}");
}

#[tokio::test]
async fn an_account_that_is_made_with_an_invitation_has_no_password() {
    let mut mocks = Mocks::new();
    mocks.repositories.invitations.expect_invite_new().times(1).returning(
        |new, digest, ends_at, act| {
            assert_eq!(new.password.verify(""), None);
            assert_eq!(new.password.verify("!"), None);
            assert_eq!(*digest, SecretToken::of(&[7; TOKEN]).digest());
            assert_eq!((ends_at - new.date_joined, act.at), (chrono::TimeDelta::hours(72), now()));
            Ok(stored(new.profile.clone()))
        },
    );
    let app = mocks.into_app();
    let error = invite_new(&app, AccountInput::owner("a b"), &operator()).await.unwrap_err();
    assert_eq!(codes(&error), ["username invalid"]);
    let (staff, token) = invite_new(&app, ana(), &operator()).await.unwrap();
    assert_eq!(staff.profile.works_as(), Some(Role::Sales));
    assert_eq!(token, SecretToken::of(&[7; TOKEN]));
}

#[tokio::test]
async fn an_owner_ends_the_sign_ins_of_others() {
    let mut mocks = Mocks::new();
    let accounts = &mut mocks.repositories.staff;
    accounts.expect_find().times(1).returning(|_| Ok(None));
    accounts.expect_find().returning(|_| Ok(Some(stored(ana().into_profile().unwrap()))));
    mocks.repositories.sign_ins.expect_end().times(1).returning(|id, which, act| {
        assert_eq!((id, which, act.at), (StaffId(7), Ending::All, now()));
        Ok(2)
    });
    let (app, doer) = (mocks.into_app(), worker(Role::Owner));
    let outcome = end_sign_ins(&app, StaffId(7), &doer).await;
    assert!(matches!(outcome, Err(StaffError::NotFound)), "{outcome:?}");
    assert_eq!(end_sign_ins(&app, StaffId(7), &doer).await.unwrap(), 2);
}

#[tokio::test]
async fn the_first_owner_is_invited_only_while_there_is_no_account() {
    for count in [0, 1] {
        let mut mocks = Mocks::new();
        mocks
            .repositories
            .staff
            .expect_list()
            .returning(move |_| Ok(Some(Page { count, number: 1, rows: Vec::new() })));
        let times = usize::from(count == 0);
        mocks.repositories.invitations.expect_invite().times(times).returning(|new, act| {
            assert_eq!(
                (new.staff, new.ends_at - new.created_at),
                (None, chrono::TimeDelta::hours(1))
            );
            assert_eq!(act.author.actor, Actor::Service);
            Ok(())
        });
        let token = invite_first_owner(&mocks.into_app()).await.unwrap();
        assert_eq!(token.is_some(), count == 0);
    }
}

#[tokio::test]
async fn an_invitation_to_a_person_makes_no_owner() {
    let mut mocks = Mocks::new();
    mocks.repositories.invitations.expect_find().returning(|_, _| {
        Ok(Some(Invited::Person(Box::new(stored(ana().into_profile().unwrap())))))
    });
    let app = mocks.into_app();
    let token = SecretToken::of(&[3; TOKEN]);
    let outcome = accept_as_owner(&app, token.expose(), "eva", PASSWORD, None).await;
    assert!(matches!(outcome, Err(StaffError::NotFound)), "{outcome:?}");
    for text in ["", "../../x", &"a".repeat(44)] {
        assert!(invited(&app, text).await.unwrap().is_none());
        let outcome = accept(&app, text, PASSWORD, None).await;
        assert!(matches!(outcome, Err(StaffError::NotFound)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_person_accepts_with_a_password_that_follows_the_rules() {
    let mut mocks = Mocks::new();
    mocks.repositories.invitations.expect_find().returning(|_, _| {
        Ok(Some(Invited::Person(Box::new(stored(ana().into_profile().unwrap())))))
    });
    mocks.repositories.invitations.expect_accept().times(1).returning(|digest, _, hash, act| {
        assert_eq!(*digest, SecretToken::of(&[3; TOKEN]).digest());
        assert!(hash.verify(PASSWORD).is_some());
        assert_eq!(act.author.actor, Actor::Staff("ana".into()));
        assert_eq!(act.author.request.as_deref(), Some("request-7"));
        Ok(())
    });
    let app = mocks.into_app();
    let token = SecretToken::of(&[3; TOKEN]);
    let error = accept(&app, token.expose(), "password1234", None).await.unwrap_err();
    assert_eq!(codes(&error), ["password common"]);
    let request = Some("request-7".into());
    let staff = accept(&app, token.expose(), PASSWORD, request).await.unwrap();
    assert!(staff.password.verify(PASSWORD).is_some());
}
