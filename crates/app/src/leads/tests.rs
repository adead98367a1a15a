use chrono::TimeDelta;
use exit3_domain::raw::RawValue;
use exit3_domain::versions::{Version, Versions};
use exit3_ports::Constraint;

use super::*;
use crate::testing::{Mocks, act, ana, author, away, stored};

const ANY: Expected = Expected { only: None, except: None };

#[tokio::test]
async fn stores_the_valid_lead_with_the_time_of_the_clock() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .leads
        .expect_create()
        .times(1)
        .withf(|lead, now| lead.full_name == "Ana Horvat" && *now == act())
        .returning(|_, _| Ok(stored(7)));
    let made = create(&mocks.into_app(), ana(), &author()).await.unwrap();
    assert_eq!(made, Made { row: stored(7), is_repeated: false, is_spooled: false });
}

#[tokio::test]
async fn an_invalid_lead_never_reaches_the_database() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create().never();
    let outcome = create(&mocks.into_app(), LeadInput::default(), &author()).await;
    assert!(matches!(outcome, Err(SaveError::Invalid(_))));
}

#[tokio::test]
async fn passes_on_that_the_database_is_away() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create().returning(|_, _| Err(away()));
    let outcome = create(&mocks.into_app(), ana(), &author()).await;
    assert!(matches!(outcome, Err(SaveError::Store(StoreError::Unavailable(_)))));
}

#[tokio::test]
async fn finds_a_lead_or_says_that_there_is_none() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok((id.0 == 1).then(|| stored(1))));
    let app = mocks.into_app();
    assert_eq!(find(&app, LeadId(1)).await.unwrap(), stored(1));
    assert!(matches!(find(&app, LeadId(2)).await, Err(FindError::NotFound)));
}

#[tokio::test]
async fn tells_the_end_of_the_list_from_a_database_that_is_away() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_list().times(1).returning(|_, _, _| Ok(None));
    mocks.repositories.leads.expect_list().times(1).returning(|_, _, _| Err(away()));
    let app = mocks.into_app();
    let filter = LeadFilter::default();
    let page = PageRequest::first();
    let end = list(&app, &filter, LeadOrder::NEWEST, page).await;
    assert!(matches!(end, Err(ListError::PastTheEnd)));
    let away = list(&app, &filter, LeadOrder::NEWEST, page).await;
    assert!(matches!(away, Err(ListError::Store(StoreError::Unavailable(_)))));
}

fn no_email() -> LeadInput {
    LeadInput { email: RawValue::Null, ..LeadInput::default() }
}

fn stale() -> StoreError {
    StoreError::Conflict(Constraint::Stale)
}

#[tokio::test]
async fn checks_the_change_again_when_someone_else_was_faster() {
    let mut mocks = Mocks::new();
    let mut with_phone = stored(1);
    with_phone.details.phone_number = Some("0911234567".into());
    mocks
        .repositories
        .leads
        .expect_find()
        .times(1)
        .returning(move |_| Ok(Some(with_phone.clone())));
    // The phone number was removed in the meantime, so the e-mail address must stay.
    mocks.repositories.leads.expect_update().times(1).returning(|_, _, _, _| Err(stale()));
    mocks.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(stored(1))));
    let outcome = change(&mocks.into_app(), LeadId(1), no_email(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Invalid(_))));
}

#[tokio::test]
async fn outlasts_a_hundred_others_that_change_the_lead() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_update().times(100).returning(|_, _, _, _| Err(stale()));
    mocks.repositories.leads.expect_update().times(1).returning(|seen, _, _, _| Ok(seen.clone()));
    let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default(), &ANY, &author()).await;
    assert!(outcome.is_ok());
}

#[tokio::test]
async fn gives_up_when_others_never_stop_changing_the_lead() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_update().times(ATTEMPTS).returning(|_, _, _, _| Err(stale()));
    let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Contended)));
}

#[tokio::test]
async fn a_missing_lead_is_reported_even_if_the_input_is_invalid() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(None));
    let app = mocks.into_app();
    let outcome = replace(&app, LeadId(1), LeadInput::default(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::NotFound)));
    assert!(matches!(
        change(&app, LeadId(1), no_email(), &ANY, &author()).await,
        Err(UpdateError::NotFound)
    ));
}

#[tokio::test]
async fn a_lead_that_goes_away_meanwhile_is_not_found() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_update().returning(|_, _, _, _| Err(StoreError::NotFound));
    let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::NotFound)));
}

#[tokio::test]
async fn says_that_there_is_nothing_to_delete() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(None));
    let outcome = delete(&mocks.into_app(), LeadId(2), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::NotFound)));
}

#[tokio::test]
async fn a_delete_is_tried_again_when_someone_else_was_faster() {
    let mut mocks = Mocks::new();
    let mut changed = stored(1);
    changed.updated_at += TimeDelta::microseconds(1);
    let now = changed.clone();
    mocks.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_find().times(1).returning(move |_| Ok(Some(now.clone())));
    mocks.repositories.leads.expect_delete().times(1).returning(|_, _| Err(stale()));
    mocks
        .repositories
        .leads
        .expect_delete()
        .times(1)
        .withf(move |seen, by| *seen == changed && *by == act())
        .returning(|_, _| Ok(()));
    assert!(delete(&mocks.into_app(), LeadId(1), &ANY, &author()).await.is_ok());
}

#[tokio::test]
async fn a_delete_gives_up_when_others_never_stop_changing_the_lead() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_delete().times(ATTEMPTS).returning(|_, _| Err(stale()));
    let outcome = delete(&mocks.into_app(), LeadId(1), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Contended)));
}

/// Expects the version of this row.
fn only(lead: &Lead) -> Expected {
    Expected { only: Some(Versions::These(vec![Version::of(lead)])), except: None }
}

#[tokio::test]
async fn an_unexpected_version_is_neither_changed_nor_deleted() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_update().never();
    mocks.repositories.leads.expect_delete().never();
    let app = mocks.into_app();
    let (id, other) = (LeadId(1), only(&stored(2)));
    // Even if the input is invalid.
    let outcome = replace(&app, id, LeadInput::default(), &other, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    let outcome = change(&app, id, no_email(), &other, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    let outcome = delete(&app, id, &other, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
}

#[tokio::test]
async fn a_version_that_others_replace_meanwhile_is_unexpected() {
    let mut mocks = Mocks::new();
    let mut changed = stored(1);
    changed.details.notes = Some("changed".into());
    for _ in 0..2 {
        let now = changed.clone();
        mocks.repositories.leads.expect_find().times(1).returning(|_| Ok(Some(stored(1))));
        mocks.repositories.leads.expect_find().times(1).returning(move |_| Ok(Some(now.clone())));
    }
    mocks.repositories.leads.expect_update().times(1).returning(|_, _, _, _| Err(stale()));
    mocks.repositories.leads.expect_delete().times(1).returning(|_, _| Err(stale()));
    let app = mocks.into_app();
    let (id, seen) = (LeadId(1), only(&stored(1)));
    let outcome = change(&app, id, LeadInput::default(), &seen, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    let outcome = delete(&app, id, &seen, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
}
