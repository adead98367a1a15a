//! Sign-ins of staff.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::EventFilter;
use exit3_domain::sign_ins::{NewInvitation, NewSignIn, SignIn, SignInId};
use exit3_domain::staff::{PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::sign_ins::Ending;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::model::NOW;
use super::staff::staff;
use crate::builders::{act, some_act, time};

/// A sign-in of this account, with a token of this number.
pub fn sign_in(account: &Staff, token: u8) -> NewSignIn {
    NewSignIn {
        digest: TokenDigest::of(&[token]),
        staff: account.id,
        password: account.password.digest(),
        created_at: now(0),
        ends_at: now(1_000),
        agent: "Mozilla/5.0 đ".to_owned(),
        address: "2001:db8::1".to_owned(),
    }
}

/// An invitation of this account, or of the first owner, with a token of this number.
pub fn invitation(account: Option<&Staff>, token: u8) -> NewInvitation {
    NewInvitation {
        digest: TokenDigest::of(&[token]),
        staff: account.map(|account| account.id),
        created_at: now(0),
        ends_at: now(1_000),
    }
}

/// A time so many seconds later.
pub(crate) fn now(seconds: i64) -> DateTime<Utc> {
    time(NOW) + TimeDelta::seconds(seconds)
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let by = &act(now(0));
    let account = create(harness, "signed-in").await;
    harness.sign_ins.begin(&sign_in(&account, 1), by).await.unwrap();
    let second = NewSignIn { agent: String::new(), ..sign_in(&account, 2) };
    let second = harness.sign_ins.begin(&second, by).await.unwrap();
    harness.sign_ins.note_seen(second.id, now(70)).await.unwrap();
    harness.invitations.invite(&invitation(None, 3), by).await.unwrap();
    harness.invitations.invite(&invitation(Some(&account), 4), by).await.unwrap();
}

pub(crate) async fn create(harness: &Harness, name: &str) -> Staff {
    harness.staff.create(&staff(name), &some_act()).await.unwrap()
}

pub(crate) async fn begin(harness: &Harness, account: &Staff, token: u8) -> SignIn {
    harness.sign_ins.begin(&sign_in(account, token), &some_act()).await.unwrap()
}

async fn find(harness: &Harness, token: u8) -> Option<(SignIn, Staff)> {
    harness.sign_ins.find(&TokenDigest::of(&[token])).await.unwrap()
}

pub(crate) async fn are_alive<const N: usize>(harness: &Harness, tokens: [u8; N]) -> [bool; N] {
    let mut alive = [false; N];
    for (alive, token) in alive.iter_mut().zip(tokens) {
        *alive = find(harness, token).await.is_some();
    }
    alive
}

pub(crate) async fn verbs(harness: &Harness) -> Vec<String> {
    let mut events = harness.events.list(&EventFilter::default(), None, 100).await.unwrap();
    // Lists are ordered by time, and rules choose the times.
    events.sort_by_key(|event| event.id);
    events.iter().map(|event| event.verb.to_string()).collect()
}

fn kept(text: &str) -> PasswordHash {
    PasswordHash::kept(text.to_owned())
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let account = create(harness, "ana").await;
    for (token, agent) in [(1, "đ".repeat(255)), (2, String::new())] {
        let new = NewSignIn { agent, address: "x".repeat(64), ..sign_in(&account, token) };
        let begun = harness.sign_ins.begin(&new, &some_act()).await.unwrap();
        let NewSignIn { digest: _, staff, password, created_at, ends_at, agent, address } = new;
        let expected = SignIn {
            id: begun.id,
            staff,
            password,
            created_at,
            seen_at: created_at,
            ends_at,
            agent,
            address,
        };
        assert_eq!(begun, expected);
        let noted = Staff { last_login: Some(now(0)), ..account.clone() };
        assert_eq!(find(harness, token).await, Some((begun, noted)));
    }
    assert_eq!(find(harness, 3).await, None);
}

pub async fn notes_the_latest_sign_in_in_the_account(harness: &Harness) {
    let (account, other) = (create(harness, "ana").await, create(harness, "ivo").await);
    for (token, seconds) in [(1, 5), (2, 9), (3, 7)] {
        let new = NewSignIn { created_at: now(seconds), ..sign_in(&account, token) };
        harness.sign_ins.begin(&new, &some_act()).await.unwrap();
    }
    let last = async |id| harness.staff.find(id).await.unwrap().unwrap().last_login;
    assert_eq!((last(account.id).await, last(other.id).await), (Some(now(9)), None));
}

pub async fn refuses_texts_that_are_too_long_or_have_nul(harness: &Harness) {
    let account = create(harness, "ana").await;
    for wrong in [
        NewSignIn { agent: "đ".repeat(256), ..sign_in(&account, 1) },
        NewSignIn { agent: "a\0b".to_owned(), ..sign_in(&account, 1) },
        NewSignIn { address: "x".repeat(65), ..sign_in(&account, 1) },
        NewSignIn { address: "\0".to_owned(), ..sign_in(&account, 1) },
    ] {
        let outcome = harness.sign_ins.begin(&wrong, &some_act()).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{wrong:?}");
    }
    assert_eq!(harness.staff.find(account.id).await.unwrap(), Some(account));
}

pub async fn only_active_accounts_begin_one(harness: &Harness) {
    let account = create(harness, "ana").await;
    let missing = NewSignIn { staff: StaffId(account.id.0 + 1), ..sign_in(&account, 1) };
    let outcome = harness.sign_ins.begin(&missing, &some_act()).await;
    assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    let profile = StaffProfile { is_active: false, ..account.profile.clone() };
    harness.staff.update(&account, &profile, &some_act()).await.unwrap();
    let outcome = harness.sign_ins.begin(&sign_in(&account, 1), &some_act()).await;
    assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
    assert_eq!(verbs(harness).await, ["staff.created", "staff.updated"]);
}

pub async fn notes_the_latest_use(harness: &Harness) {
    let account = create(harness, "ana").await;
    let (first, second) = (begin(harness, &account, 1).await, begin(harness, &account, 2).await);
    for seconds in [60, 90, 70] {
        harness.sign_ins.note_seen(first.id, now(seconds)).await.unwrap();
    }
    harness.sign_ins.note_seen(SignInId(second.id.0 + 1), now(60)).await.unwrap();
    let first = SignIn { seen_at: now(90), ..first };
    // Those that were used last come first.
    let listed = harness.sign_ins.list(account.id).await.unwrap();
    assert_eq!(listed, [first.clone(), second.clone()]);
    harness.sign_ins.note_seen(second.id, now(91)).await.unwrap();
    let listed = harness.sign_ins.list(account.id).await.unwrap();
    assert_eq!(listed, [SignIn { seen_at: now(91), ..second }, first]);
}

pub async fn ends_one_or_all_but_one_or_all(harness: &Harness) {
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    let mut all = Vec::new();
    for token in 1..=4 {
        all.push(begin(harness, &ana, token).await.id);
    }
    let of_ivo = begin(harness, &ivo, 5).await.id;
    let end = async |account: &Staff, which| {
        harness.sign_ins.end(account.id, which, &some_act()).await.unwrap()
    };
    // That of somebody else is none of the account.
    assert_eq!(end(&ana, Ending::One(of_ivo)).await, 0);
    assert_eq!(end(&ana, Ending::One(all[0])).await, 1);
    assert_eq!(end(&ana, Ending::One(all[0])).await, 0);
    assert_eq!(are_alive(harness, [1, 2, 3, 4, 5]).await, [false, true, true, true, true]);
    assert_eq!(end(&ana, Ending::AllBut(all[1])).await, 2);
    assert_eq!(are_alive(harness, [2, 3, 4, 5]).await, [true, false, false, true]);
    assert_eq!(end(&ana, Ending::AllBut(all[1])).await, 0);
    assert_eq!(end(&ana, Ending::All).await, 1);
    assert_eq!(are_alive(harness, [2, 5]).await, [false, true]);
    let ended = verbs(harness).await.iter().filter(|verb| *verb == "staff.signed_out").count();
    assert_eq!(ended, 3, "one event for each call that has ended something");
}

pub async fn a_new_password_ends_the_others(harness: &Harness) {
    let by = &some_act();
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    let kept_one = begin(harness, &ana, 1).await;
    begin(harness, &ana, 2).await;
    begin(harness, &ivo, 3).await;
    harness.invitations.invite(&invitation(Some(&ana), 4), by).await.unwrap();
    harness.invitations.invite(&invitation(Some(&ivo), 5), by).await.unwrap();
    let invited = async |token: u8| {
        harness.invitations.find(&TokenDigest::of(&[token]), now(1)).await.unwrap().is_some()
    };
    let change = async |seen: &Staff, text, keep| {
        harness.sign_ins.change_password(seen, &kept(text), keep, by).await
    };
    change(&ana, "second", Some(kept_one.id)).await.unwrap();
    assert_eq!(are_alive(harness, [1, 2, 3]).await, [true, false, true]);
    assert_eq!((invited(4).await, invited(5).await), (false, true));
    let (sign_in, account) = find(harness, 1).await.unwrap();
    assert_eq!(account.password, kept("second"));
    assert_eq!(sign_in, SignIn { password: kept("second").digest(), ..kept_one });
    let stale = change(&ana, "third", None).await;
    assert!(matches!(stale, Err(StoreError::Conflict(Constraint::Stale))), "{stale:?}");
    assert_eq!(are_alive(harness, [1, 3]).await, [true, true]);
    // The sign-in of somebody else is not kept for this account, and is not changed.
    let of_ivo = find(harness, 3).await.unwrap();
    change(&account, "third", Some(of_ivo.0.id)).await.unwrap();
    assert_eq!(are_alive(harness, [1]).await, [false]);
    assert_eq!(find(harness, 3).await, Some(of_ivo));
    let missing = Staff { id: StaffId(ivo.id.0 + 1), ..ivo };
    let outcome = change(&missing, "third", None).await;
    assert!(matches!(outcome, Err(StoreError::NotFound)), "{outcome:?}");
}

pub async fn a_disabled_account_has_none(harness: &Harness) {
    let by = &some_act();
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    begin(harness, &ana, 1).await;
    begin(harness, &ivo, 2).await;
    harness.invitations.invite(&invitation(Some(&ana), 3), by).await.unwrap();
    // Another change of the profile ends nothing.
    let renamed = StaffProfile { last_name: "Novak".to_owned(), ..ana.profile.clone() };
    let ana = harness.staff.update(&ana, &renamed, by).await.unwrap();
    assert_eq!(are_alive(harness, [1, 2]).await, [true, true]);
    let disabled = StaffProfile { is_active: false, ..renamed.clone() };
    let ana = harness.staff.update(&ana, &disabled, by).await.unwrap();
    harness.staff.update(&ana, &renamed, by).await.unwrap();
    assert_eq!(are_alive(harness, [1, 2]).await, [false, true]);
    let invited = harness.invitations.find(&TokenDigest::of(&[3]), now(1)).await.unwrap();
    assert_eq!(invited, None);
}

pub async fn removes_what_has_ended(harness: &Harness) {
    let by = &some_act();
    let account = create(harness, "ana").await;
    for token in 1..=5 {
        let new = NewSignIn {
            created_at: now(i64::from(token)),
            ends_at: now(100 + i64::from(token)),
            ..sign_in(&account, token)
        };
        harness.sign_ins.begin(&new, by).await.unwrap();
    }
    harness.invitations.invite(&invitation(Some(&account), 9), by).await.unwrap();
    let remove = async |at, seen, most| {
        harness.sign_ins.remove_ended(now(at), now(seen), most).await.unwrap()
    };
    assert_eq!(remove(100, 0, 10).await, 0);
    assert_eq!(remove(102, 0, 10).await, 2);
    assert_eq!(are_alive(harness, [1, 2, 3, 4, 5]).await, [false, false, true, true, true]);
    assert_eq!(remove(102, 3, 10).await, 1);
    assert_eq!(are_alive(harness, [3, 4, 5]).await, [false, true, true]);
    assert_eq!(remove(999, 0, 1).await, 1);
    let invited = harness.invitations.find(&TokenDigest::of(&[9]), now(1)).await.unwrap();
    assert!(invited.is_some());
    assert_eq!(remove(1_000, 0, 1).await, 1);
    assert_eq!(remove(1_000, 0, 1).await, 0);
    let invited = harness.invitations.find(&TokenDigest::of(&[9]), now(1)).await.unwrap();
    assert_eq!(invited, None);
}

pub async fn knows_when_a_person_left(harness: &Harness) {
    let (ana, ivo) = (create(harness, "ana").await, create(harness, "ivo").await);
    let left = async |account: &Staff| harness.sign_ins.left_at(account.id).await.unwrap();
    assert_eq!(left(&ana).await, None);
    let hours = |hours: i64| hours * 3600;
    let first = begin(harness, &ana, 1).await;
    harness.sign_ins.note_seen(first.id, now(hours(1))).await.unwrap();
    assert_eq!(left(&ana).await, None, "the first visit");
    // A pause belongs to the visit, and a second browser too.
    let again = NewSignIn { created_at: now(hours(3)), ..sign_in(&ana, 2) };
    let second = harness.sign_ins.begin(&again, &some_act()).await.unwrap();
    harness.sign_ins.note_seen(second.id, now(hours(6))).await.unwrap();
    assert_eq!(left(&ana).await, None);
    // In the first browser, the person was away for long, but not in the second one.
    harness.sign_ins.note_seen(first.id, now(hours(8))).await.unwrap();
    assert_eq!(left(&ana).await, None);
    // The next visit begins with a request.
    harness.sign_ins.note_seen(second.id, now(hours(12))).await.unwrap();
    assert_eq!(left(&ana).await, Some(now(hours(8))));
    for seconds in [hours(13), hours(12) + 60, hours(15)] {
        harness.sign_ins.note_seen(second.id, now(seconds)).await.unwrap();
    }
    assert_eq!(left(&ana).await, Some(now(hours(8))), "the same visit");
    // Signing out forgets nothing, and the next visit begins with a sign-in.
    harness.sign_ins.end(ana.id, Ending::All, &some_act()).await.unwrap();
    let third = NewSignIn { created_at: now(hours(30)), ..sign_in(&ana, 3) };
    harness.sign_ins.begin(&third, &some_act()).await.unwrap();
    assert_eq!(left(&ana).await, Some(now(hours(15))));
    // A sign-in that does not exist belongs to nobody.
    harness.sign_ins.note_seen(SignInId(999), now(hours(90))).await.unwrap();
    assert_eq!((left(&ana).await, left(&ivo).await), (Some(now(hours(15))), None));
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(left(&ana).await, None, "the account may be another person");
}

pub async fn a_restore_ends_all(harness: &Harness) {
    fill(harness).await;
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(are_alive(harness, [1, 2]).await, [false, false]);
    for token in [3, 4] {
        let digest = TokenDigest::of(&[token]);
        assert_eq!(harness.invitations.find(&digest, now(1)).await.unwrap(), None);
    }
    assert_eq!(harness.sign_ins.remove_ended(now(9_999), now(9_999), 9).await.unwrap(), 0);
}
