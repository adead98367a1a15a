use exit3_domain::leads::LeadId;
use exit3_ports::StoreError;
use exit3_ports::events::REQUEST_SENT;
use exit3_ports::spool::{Accepted, Spool};

use super::Fate;
use crate::SaveError;
use crate::intake::State;
use crate::intake::tests::{app, by_request, created};
use crate::leads;
use crate::once::Made;
use crate::testing::{Mocks, ana, away, now, stored};

/// Lets the database refuse the next create: a request with the same key was answered with the lead 5.
fn refuse_key(mocks: &mut Mocks) {
    let refused = || Err(StoreError::Conflict(REQUEST_SENT));
    mocks.repositories.leads.expect_create_as().times(1).returning(move |_, _, _| refused());
    let first = created(5, &by_request(1, 1).at(now()));
    mocks.repositories.events.expect_of_request().returning(move |_| Ok(Some(first.clone())));
}

#[tokio::test]
async fn a_key_has_one_id_on_a_node_and_waits_once() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().times(1).returning(|_, _, _| Err(away()));
    let (app, spool) = app(mocks, State::There).await;
    let send = async |request| leads::create(&app, ana(), &by_request(1, request)).await;
    let first = send(1).await.unwrap();
    assert_eq!(first, Made { row: stored(5), is_repeated: false, is_spooled: true });
    assert_eq!(send(1).await.unwrap(), Made { is_repeated: true, ..first });
    assert!(matches!(send(2).await, Err(SaveError::KeyReused)));
    assert_eq!(spool.waiting(0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_the_database_has_answered_is_answered_again_while_it_is_away() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().times(1).returning(|id, _, _| Ok(stored(id.0)));
    let (app, spool) = app(mocks, State::There).await;
    let send = async || leads::create(&app, ana(), &by_request(1, 1)).await.unwrap();
    let first = send().await;
    app.intake.as_ref().unwrap().note_away(&away());
    assert_eq!(send().await, Made { is_repeated: true, ..first });
    assert!(spool.waiting(0, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_the_database_knows_is_refused_to_another_request_while_it_is_away() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().times(1).returning(|id, _, _| Ok(stored(id.0)));
    refuse_key(&mut mocks);
    mocks.repositories.leads.expect_create_as().times(1).returning(|_, _, _| Err(away()));
    let (app, spool) = app(mocks, State::There).await;
    let send = async |request| leads::create(&app, ana(), &by_request(1, request)).await;
    send(1).await.unwrap();
    // The database refuses the first one, and goes away during the second one.
    for _ in 0..3 {
        assert!(matches!(send(2).await, Err(SaveError::KeyReused)));
    }
    let again = send(1).await.unwrap();
    assert_eq!(again, Made { row: stored(5), is_repeated: true, is_spooled: false });
    assert!(spool.waiting(0, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stored_request_is_answered_from_memory_if_the_database_goes_away_during_it() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().times(1).returning(|id, _, _| Ok(stored(id.0)));
    mocks.repositories.leads.expect_create_as().times(1).returning(|_, _, _| Err(away()));
    let (app, spool) = app(mocks, State::There).await;
    let send = async || leads::create(&app, ana(), &by_request(1, 1)).await.unwrap();
    let first = send().await;
    assert_eq!(send().await, Made { is_repeated: true, ..first });
    assert!(spool.waiting(0, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_restore_nothing_counts_as_stored() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_as().times(1).returning(|id, _, _| Ok(stored(id.0)));
    let (app, spool) = app(mocks, State::There).await;
    let send = async || leads::create(&app, ana(), &by_request(1, 1)).await.unwrap();
    let first = send().await;
    let intake = app.intake.as_ref().unwrap();
    intake.forget_ids().await;
    intake.note_away(&away());
    assert_eq!(send().await, Made { is_spooled: true, ..first });
    assert_eq!(spool.waiting(0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_key_of_a_refused_request_is_free_for_another_one() {
    let (app, spool) = app(Mocks::new(), State::Away).await;
    let send = async |request| leads::create(&app, ana(), &by_request(1, request)).await;
    *spool.is_full.lock().unwrap() = true;
    assert!(matches!(send(1).await, Err(SaveError::Store(_))));
    *spool.is_full.lock().unwrap() = false;
    assert!(send(2).await.unwrap().is_spooled);
    assert!(matches!(send(1).await, Err(SaveError::KeyReused)));
    assert!(send(2).await.unwrap().is_repeated);
}

#[tokio::test]
async fn a_request_that_was_refused_before_it_waits_keeps_its_key() {
    let (app, spool) = app(Mocks::new(), State::Away).await;
    let send = async |request| leads::create(&app, ana(), &by_request(1, request)).await;
    *spool.is_full.lock().unwrap() = true;
    assert!(matches!(send(1).await, Err(SaveError::Store(_))));
    *spool.is_full.lock().unwrap() = false;
    let first = send(1).await.unwrap();
    let known = app.intake.as_ref().unwrap().keyed().get(&by_request(1, 1).at(now()));
    assert_eq!(known.unwrap().fate, Fate::Open);
    assert!(matches!(send(2).await, Err(SaveError::KeyReused)));
    assert_eq!(send(1).await.unwrap(), Made { is_repeated: true, ..first });
}

#[tokio::test]
async fn a_request_that_the_database_has_refused_for_its_key_does_not_take_it_from_one_that_waits()
{
    let mut mocks = Mocks::new();
    refuse_key(&mut mocks);
    let (app, _) = app(mocks, State::Away).await;
    let intake = app.intake.as_ref().unwrap();
    let send = async |request| leads::create(&app, ana(), &by_request(1, request)).await;
    let first = send(1).await.unwrap();
    // The lead that has waited is stored now.
    intake.spool().remove(&[1]).await.unwrap();
    intake.becomes(State::There);
    assert!(matches!(send(2).await, Err(SaveError::KeyReused)));
    intake.note_away(&away());
    assert!(matches!(send(2).await, Err(SaveError::KeyReused)));
    assert_eq!(send(1).await.unwrap().row, first.row);
}

#[tokio::test]
async fn an_id_that_waits_already_is_not_given_again() {
    let (app, spool) = app(Mocks::new(), State::Away).await;
    spool.add(Accepted::Lead(LeadId(5), stored(5).details));
    let made = leads::create(&app, ana(), &by_request(1, 1)).await.unwrap();
    assert_eq!(made.row.id, LeadId(6));
    assert_eq!(spool.waiting(0, 9).await.unwrap().len(), 2);
}
