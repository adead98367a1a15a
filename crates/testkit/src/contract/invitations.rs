//! Invitations to choose a password, and to make the account of the first owner.

use std::sync::Arc;

use exit3_domain::api_keys::TokenDigest;
use exit3_domain::staff::{NewStaff, PasswordHash, Role, Staff, StaffId, StaffProfile};
use exit3_ports::invitations::Invited;
use exit3_ports::staff::USERNAME_TAKEN;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::concurrency::together;
use super::sign_ins::{are_alive, begin, create, invitation, now, verbs};
use super::staff::staff;
use crate::builders::{act, some_act};

fn digest(token: u8) -> TokenDigest {
    TokenDigest::of(&[token])
}

async fn invite(harness: &Harness, account: Option<&Staff>, token: u8) -> Result<(), StoreError> {
    harness.invitations.invite(&invitation(account, token), &some_act()).await
}

async fn find(harness: &Harness, token: u8, seconds: i64) -> Option<Invited> {
    harness.invitations.find(&digest(token), now(seconds)).await.unwrap()
}

fn kept(text: &str) -> PasswordHash {
    PasswordHash::kept(text.to_owned())
}

/// An owner of this name.
pub(crate) fn owner(name: &str) -> NewStaff {
    let mut new = staff(name);
    new.profile.set_role(Role::Owner);
    new
}

fn is_conflict<T>(outcome: &Result<T, StoreError>, expected: Constraint) -> bool {
    matches!(outcome, Err(StoreError::Conflict(constraint)) if *constraint == expected)
}

pub async fn a_person_has_one_invitation_at_a_time(harness: &Harness) {
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    invite(harness, Some(&ana), 1).await.unwrap();
    invite(harness, Some(&ivo), 2).await.unwrap();
    let invited = |account: &Staff| Some(Invited::Person(Box::new(account.clone())));
    assert_eq!(find(harness, 1, 0).await, invited(&ana));
    assert_eq!(find(harness, 1, 999).await, invited(&ana));
    assert_eq!(find(harness, 1, 1_000).await, None, "it has ended");
    assert_eq!(find(harness, 3, 0).await, None);
    invite(harness, Some(&ana), 4).await.unwrap();
    assert_eq!(find(harness, 1, 0).await, None);
    assert_eq!(find(harness, 4, 0).await, invited(&ana));
    assert_eq!(find(harness, 2, 0).await, invited(&ivo));
}

pub async fn only_active_accounts_are_invited(harness: &Harness) {
    let account = create(harness, "ana").await;
    let missing = Staff { id: StaffId(account.id.0 + 1), ..account.clone() };
    let outcome = invite(harness, Some(&missing), 1).await;
    assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    let profile = StaffProfile { is_active: false, ..account.profile.clone() };
    let disabled = harness.staff.update(&account, &profile, &some_act()).await.unwrap();
    let outcome = invite(harness, Some(&disabled), 1).await;
    assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    assert_eq!(find(harness, 1, 0).await, None);
}

pub async fn an_account_is_stored_with_its_invitation(harness: &Harness) {
    let invite_new = async |name: &str, token| {
        let new = staff(name);
        harness.invitations.invite_new(&new, &digest(token), now(1_000), &some_act()).await
    };
    let ana = invite_new("ana", 1).await.unwrap();
    assert_eq!(ana.profile, staff("ana").profile);
    assert_eq!(harness.staff.find(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(find(harness, 1, 0).await, Some(Invited::Person(Box::new(ana.clone()))));
    assert_eq!(verbs(harness).await, ["staff.created"]);
    // Neither is stored without the other.
    let taken = invite_new("ana", 2).await;
    assert!(is_conflict(&taken, USERNAME_TAKEN), "{taken:?}");
    assert_eq!((find(harness, 2, 0).await, find(harness, 1, 1_000).await), (None, None));
    invite(harness, Some(&ana), 3).await.unwrap();
    assert_eq!(find(harness, 1, 0).await, None);
}

pub async fn an_invitation_is_used_once(harness: &Harness) {
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    invite(harness, Some(&ana), 1).await.unwrap();
    invite(harness, Some(&ivo), 2).await.unwrap();
    begin(harness, &ana, 5).await;
    begin(harness, &ivo, 6).await;
    let before = verbs(harness).await.len();
    let accept = async |token, account: &Staff, seconds, text| {
        let act = act(now(seconds));
        harness.invitations.accept(&digest(token), account, &kept(text), &act).await
    };
    for outcome in [
        accept(2, &ana, 1, "x").await,
        accept(3, &ana, 1, "x").await,
        accept(1, &ana, 1_000, "x").await,
    ] {
        assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    }
    assert_eq!(verbs(harness).await.len(), before);
    assert_eq!(are_alive(harness, [5, 6]).await, [true, true]);
    accept(1, &ana, 1, "second").await.unwrap();
    let password =
        async |account: &Staff| harness.staff.find(account.id).await.unwrap().unwrap().password;
    assert_eq!(password(&ana).await, kept("second"));
    assert_eq!(password(&ivo).await, ivo.password);
    assert_eq!(are_alive(harness, [5, 6]).await, [false, true]);
    assert_eq!(verbs(harness).await[before..], ["staff.password_set"]);
    let again = accept(1, &ana, 1, "third").await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    assert_eq!(password(&ana).await, kept("second"));
}

pub async fn the_first_owner_is_made_once(harness: &Harness) {
    assert_eq!(find(harness, 1, 0).await, None);
    invite(harness, None, 1).await.unwrap();
    assert_eq!(find(harness, 1, 0).await, Some(Invited::FirstOwner));
    // The next start makes another one.
    invite(harness, None, 2).await.unwrap();
    assert_eq!((find(harness, 1, 0).await, find(harness, 2, 1_000).await), (None, None));
    assert_eq!(verbs(harness).await, [""; 0], "an invitation of nobody is about no account");
    let accept = async |token, new: &NewStaff, seconds| {
        let act = act(now(seconds));
        harness.invitations.accept_as_owner(&digest(token), new, &act).await
    };
    for outcome in [accept(1, &owner("ana"), 1).await, accept(2, &owner("ana"), 1_000).await] {
        assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    }
    // A name that is taken does not use the invitation.
    create(harness, "ivo").await;
    let taken = accept(2, &owner("ivo"), 1).await;
    assert!(is_conflict(&taken, USERNAME_TAKEN), "{taken:?}");
    let new = owner("ana");
    let made = accept(2, &new, 1).await.unwrap();
    assert_eq!((&made.profile, &made.password), (&new.profile, &new.password));
    assert_eq!((made.date_joined, made.last_login), (new.date_joined, None));
    assert_eq!(harness.staff.find(made.id).await.unwrap(), Some(made));
    assert_eq!(verbs(harness).await, ["staff.created", "staff.created"]);
    let again = accept(2, &owner("eva"), 1).await;
    assert!(is_conflict(&again, Constraint::OwnerExists), "{again:?}");
    let outcome = invite(harness, None, 3).await;
    assert!(is_conflict(&outcome, Constraint::OwnerExists), "{outcome:?}");
    assert_eq!(find(harness, 3, 0).await, None);
}

pub async fn an_owner_who_came_first_ends_the_invitation(harness: &Harness) {
    invite(harness, None, 1).await.unwrap();
    let boss = harness.staff.create(&owner("boss"), &some_act()).await.unwrap();
    let act = act(now(1));
    let accept =
        async || harness.invitations.accept_as_owner(&digest(1), &owner("ana"), &act).await;
    let outcome = accept().await;
    assert!(is_conflict(&outcome, Constraint::OwnerExists), "{outcome:?}");
    assert_eq!(harness.staff.find_by_username("ana").await.unwrap(), None);
    assert_eq!(harness.staff.find(boss.id).await.unwrap(), Some(boss));
}

pub async fn of_fifty_who_accept_at_once_one_becomes_the_owner(harness: &Harness) {
    invite(harness, None, 1).await.unwrap();
    let made = together(50, |n| {
        let invitations = Arc::clone(&harness.invitations);
        let new = owner(&format!("owner-{n}"));
        async move { invitations.accept_as_owner(&digest(1), &new, &act(now(1))).await.is_ok() }
    })
    .await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
    let all = harness.staff.list(exit3_domain::paging::PageRequest::first()).await.unwrap();
    assert_eq!(all.unwrap().count, 1);
}
