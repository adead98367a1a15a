use exit3_domain::access::Worker;
use exit3_domain::raw::RawValue;
use exit3_domain::staff::{Role, StaffId};
use exit3_domain::versions::{Version, Versions};
use exit3_ports::Constraint;

use super::*;
use crate::testing::{Mocks, act, author, away, doer};

const ID: SubscriberId = SubscriberId(1);

fn stored() -> Subscriber {
    Subscriber { id: ID, email: "ana@acme.hr".into(), is_subscribed: true }
}

fn form(values: &[(&str, &str)]) -> Edit {
    let value = |(name, text): &(&str, &str)| ((*name).to_owned(), RawValue::text(*text));
    let (version, base) = (Version::of(&stored()), Vec::new());
    Edit { version, base, values: values.iter().map(value).collect() }
}

fn found() -> Mocks {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(Some(stored())));
    mocks
}

fn of(role: Role) -> Doer {
    Doer::worker(author(), Worker { id: StaffId(1), role })
}

#[tokio::test]
async fn one_field_alone_can_be_changed() {
    let mut mocks = found();
    mocks.repositories.subscribers.expect_update().times(1).returning(|seen, details, by| {
        assert_eq!(*by, act());
        let id = seen.id;
        Ok(Subscriber { id, email: details.email.clone(), is_subscribed: details.is_subscribed })
    });
    let values = [("is_subscribed", "false")];
    let edited = edit(&mocks.into_app(), ID, form(&values), &doer()).await.unwrap();
    assert_eq!(edited, Subscriber { is_subscribed: false, ..stored() });
}

#[tokio::test]
async fn a_form_that_changes_nothing_writes_nothing() {
    let values = [("email", " ANA@acme.hr "), ("is_subscribed", "true")];
    let edited = edit(&found().into_app(), ID, form(&values), &doer()).await;
    assert_eq!(edited.unwrap(), stored());
}

#[tokio::test]
async fn a_change_that_others_make_meanwhile_stays_or_is_a_conflict() {
    for (theirs, is_conflict) in [("ana@acme.hr", false), ("iva@acme.hr", true)] {
        let mut mocks = Mocks::new();
        let subscribers = &mut mocks.repositories.subscribers;
        subscribers.expect_find().times(1).returning(|_| Ok(Some(stored())));
        let now = Subscriber { email: theirs.into(), is_subscribed: false, ..stored() };
        subscribers.expect_find().times(1).returning(move |_| Ok(Some(now.clone())));
        let stale = || Err(StoreError::Conflict(Constraint::Stale));
        subscribers.expect_update().times(1).returning(move |_, _, _| stale());
        subscribers.expect_update().times(u8::from(!is_conflict) as usize).returning(
            |seen, details, _| {
                assert!(!details.is_subscribed && details.email == "eva@acme.hr");
                Ok(Subscriber { email: details.email.clone(), ..seen.clone() })
            },
        );
        let outcome = edit(&mocks.into_app(), ID, form(&[("email", "eva@acme.hr")]), &doer()).await;
        assert_eq!(matches!(outcome, Err(EditError::Conflicts(_))), is_conflict, "{outcome:?}");
    }
}

#[tokio::test]
async fn errors_are_told_apart() {
    let mut mocks = found();
    let taken = || Err(StoreError::Conflict(EMAIL_TAKEN));
    mocks.repositories.subscribers.expect_update().returning(move |_, _, _| taken());
    let app = mocks.into_app();
    for address in ["eva@acme.hr", "", "no address"] {
        let outcome = edit(&app, ID, form(&[("email", address)]), &doer()).await;
        let Err(EditError::Invalid(invalid)) = outcome else { panic!("{outcome:?}") };
        assert!(invalid.fields().map(|(name, _)| name).eq(["email"]), "{address}");
    }
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(None));
    let outcome = edit(&mocks.into_app(), ID, form(&[]), &doer()).await;
    assert!(matches!(outcome, Err(EditError::NotFound)));
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Err(away()));
    let outcome = edit(&mocks.into_app(), ID, form(&[]), &doer()).await;
    assert!(matches!(outcome, Err(EditError::Store(_))));
}

#[tokio::test]
async fn only_owners_and_managers_change_and_delete() {
    let seen = Versions::These(vec![Version::of(&stored())]);
    let expected = Expected { only: Some(seen), except: None };
    for role in Role::ALL.iter().copied() {
        let allowed = matches!(role, Role::Owner | Role::Manager);
        let mut mocks = found();
        let times = usize::from(allowed);
        let subscribers = &mut mocks.repositories.subscribers;
        subscribers.expect_update().times(times).returning(|seen, _, _| Ok(seen.clone()));
        subscribers.expect_delete().times(times).returning(|_, _| Ok(()));
        let app = mocks.into_app();
        let edited = edit(&app, ID, form(&[("email", "eva@acme.hr")]), &of(role)).await;
        let deleted = delete_by_staff(&app, ID, &expected, &of(role)).await;
        assert_eq!(edited.is_ok(), allowed, "{role}: {edited:?}");
        assert_eq!(deleted.is_ok(), allowed, "{role}: {deleted:?}");
        let is_forbidden = matches!(edited, Err(EditError::Forbidden(_)));
        assert_eq!(is_forbidden, !allowed, "{role}");
    }
}
