use exit3_domain::events::{Changes, EventId, Subject, Verb};
use exit3_domain::leads::LeadId;
use exit3_ports::Constraint;
use exit3_ports::events::REQUEST_SENT;

use super::*;
use crate::testing::{Mocks, act, ana, author, away, stored};
use crate::{clients, leads, subscribers};

/// The author of a request with a key, which says this.
fn by_request(says: u128) -> Author {
    Author { batch: Some(BatchId::of_request(7, says << 32)), ..author() }
}

/// The event of what the request that says 1 has made.
fn earlier_event(resource: &str, id: i64) -> Event {
    Event {
        id: EventId(1),
        act: by_request(1).at(act().at),
        verb: Verb::of(resource, Verb::CREATED),
        subject: Subject { resource: resource.into(), id },
        changes: Changes::None,
    }
}

fn mocks(refusal: fn() -> StoreError, event: Option<Event>) -> Mocks {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create().returning(move |_, _| Err(refusal()));
    let events = &mut mocks.repositories.events;
    events.expect_of_request().withf(|key| key.len() == 37).returning(move |_| Ok(event.clone()));
    mocks
}

fn sent() -> StoreError {
    StoreError::Conflict(REQUEST_SENT)
}

#[tokio::test]
async fn a_request_that_comes_again_gets_what_it_has_made() {
    let app = mocks(sent, Some(earlier_event("lead", 7))).into_app();
    let made = leads::create(&app, ana(), &by_request(1)).await.unwrap();
    assert_eq!(made, Made { row: stored(7), is_repeated: true, is_spooled: false });
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    // Another row of the same request is not what it has made.
    let app = mocks(sent, Some(earlier_event("client", 7))).into_app();
    let outcome = leads::create(&app, ana(), &by_request(1)).await;
    assert!(matches!(outcome, Err(SaveError::KeyReused)), "{outcome:?}");
    let app = mocks(sent, Some(earlier_event("lead", 7))).into_app();
    let outcome = leads::create(&app, ana(), &by_request(2)).await;
    assert!(matches!(outcome, Err(SaveError::KeyReused)), "{outcome:?}");
}

#[tokio::test]
async fn a_failure_without_an_earlier_request_stays_what_it_is() {
    let app = mocks(|| StoreError::Conflict(Constraint::Stale), None).into_app();
    let outcome = leads::create(&app, ana(), &by_request(1)).await;
    assert!(matches!(outcome, Err(SaveError::Store(StoreError::Conflict(_)))), "{outcome:?}");
}

#[tokio::test]
async fn a_request_that_is_forgotten_while_it_is_looked_for_may_be_sent_again() {
    let outcome = leads::create(&mocks(sent, None).into_app(), ana(), &by_request(1)).await;
    assert!(matches!(outcome, Err(SaveError::Store(StoreError::Unavailable(_)))), "{outcome:?}");
}

/// The client sends the request again in both cases, whether or not the first one was stored.
#[tokio::test]
async fn nothing_is_looked_for_while_the_database_is_away_or_without_a_key() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create().returning(|_, _| Err(away()));
    mocks.repositories.events.expect_of_request().never();
    let outcome = leads::create(&mocks.into_app(), ana(), &by_request(1)).await;
    assert!(matches!(outcome, Err(SaveError::Store(StoreError::Unavailable(_)))), "{outcome:?}");
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create().returning(|_, _| Err(sent()));
    mocks.repositories.events.expect_of_request().never();
    let form = Author { batch: Some(BatchId::of_form("a")), ..author() };
    assert!(leads::create(&mocks.into_app(), ana(), &form).await.is_err());
}

/// Its own earlier request is why the address or the lead is taken.
#[tokio::test]
async fn a_rule_that_the_earlier_request_breaks_is_no_error() {
    use exit3_domain::clients::ClientInput;
    use exit3_domain::raw::RawValue;
    use exit3_domain::subscribers::SubscriberInput;
    use exit3_ports::clients::LEAD_TAKEN;
    use exit3_ports::subscribers::EMAIL_TAKEN;

    let mut mocks = Mocks::new();
    let taken = |_: &_, _: &_| Err(StoreError::Conflict(EMAIL_TAKEN));
    mocks.repositories.subscribers.expect_create().returning(taken);
    mocks
        .repositories
        .events
        .expect_of_request()
        .returning(|_| Ok(Some(earlier_event("subscriber", 3))));
    let fields = vec![("email".to_owned(), RawValue::text("ana@acme.hr"))];
    let app = mocks.into_app();
    let made = subscribers::create(&app, SubscriberInput::of(fields), &by_request(1)).await;
    let made = made.unwrap();
    assert_eq!(
        (made.row.id.0, made.row.email.as_str(), made.is_repeated),
        (3, "ana@acme.hr", true)
    );

    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|LeadId(id)| Ok(Some(stored(id))));
    let taken = |_: &_, _: _, _: &_, _: &_| Err(StoreError::Conflict(LEAD_TAKEN));
    mocks.repositories.clients.expect_convert().returning(taken);
    mocks
        .repositories
        .events
        .expect_of_request()
        .returning(|_| Ok(Some(earlier_event("client", 5))));
    let fields = [("lead", RawValue::Number("1".to_owned())), ("team_id", RawValue::text("T1"))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let app = mocks.into_app();
    let made = clients::create(&app, ClientInput::of(fields), &by_request(1)).await.unwrap();
    assert_eq!(
        (made.row.id.0, made.row.details.lead, made.is_repeated),
        (5, Some(LeadId(1)), true)
    );
}
