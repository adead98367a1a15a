use std::sync::{Arc, Mutex};

use exit3_domain::access::Worker;
use exit3_domain::clients::{ClientFilter, ClientSort};
use exit3_domain::exports::Separator;
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadId, LeadOwner, LeadSort, LeadStatus,
};
use exit3_domain::paging::Page;
use exit3_domain::staff::{PasswordHash, Preferences, Role, Staff, StaffId, StaffProfile};
use exit3_domain::subscribers::{Subscriber, SubscriberFilter, SubscriberId, SubscriberSort};

use super::*;
use crate::testing::{Mocks, author, away, doer, now, stored};

const PLAIN: Format = Format { separator: Separator::Comma, has_mark: false };

/// Mocks with one account, and a record of all events.
fn mocks() -> (Mocks, Arc<Mutex<Vec<NewEvent>>>) {
    let (mut mocks, events) = (Mocks::new(), Arc::new(Mutex::new(Vec::new())));
    let ivo = Staff {
        id: StaffId(3),
        profile: StaffProfile {
            username: "ivo".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            // An account that is disabled still owns leads.
            is_active: false,
            is_superuser: false,
            role: None,
        },
        password: PasswordHash::kept("x".to_owned()),
        preferences: Preferences::default(),
        date_joined: now(),
        last_login: None,
    };
    let page = move |_| Ok(Some(Page { count: 1, number: 1, rows: vec![ivo.clone()] }));
    mocks.repositories.staff.expect_list().returning(page);
    let noted = Arc::clone(&events);
    mocks.repositories.events.expect_note().returning(move |event, act| {
        assert_eq!(act.author, author());
        noted.lock().unwrap().push(event.clone());
        Ok(())
    });
    (mocks, events)
}

fn slice(ids: &[i64], has_next: bool) -> Slice<Lead> {
    Slice { rows: ids.iter().map(|id| stored(*id)).collect(), has_next, has_previous: false }
}

/// A step: the id after which it begins, and what it finds.
type Taken = (Option<i64>, Result<Slice<Lead>, StoreError>);

/// Steps that are taken one after another.
fn walk(mocks: &mut Mocks, steps: Vec<Taken>) {
    for (after, found) in steps {
        mocks.repositories.leads.expect_walk().times(1).return_once(move |_, order, step| {
            assert_eq!(order, Order::NEWEST);
            assert_eq!(step.from.as_ref().map(|from| from.id), after);
            assert_eq!((step.direction, step.size), (Direction::Forward, MAX_PAGE_SIZE));
            found
        });
    }
}

async fn pieces(mut export: Export<LeadSort>) -> (String, Option<ExportError>) {
    let mut file = Vec::new();
    loop {
        match export.next().await {
            Ok(Some(piece)) if piece.is_empty() => panic!("an empty piece ends a response"),
            Ok(Some(piece)) => file.extend(piece),
            Ok(None) => return (String::from_utf8(file).unwrap(), None),
            Err(error) => return (String::from_utf8(file).unwrap(), Some(error)),
        }
    }
}

async fn export(mocks: Mocks, columns: &[&str]) -> (String, Option<ExportError>) {
    let (app, all) = (mocks.into_app(), LeadFilter::default());
    pieces(begin(&app, all, columns, PLAIN, &doer()).await.unwrap()).await
}

fn verbs(events: &Mutex<Vec<NewEvent>>) -> Vec<String> {
    events.lock().unwrap().iter().map(|event| event.verb.to_string()).collect()
}

#[tokio::test]
async fn a_file_is_made_of_all_steps() {
    let (mut mocks, events) = mocks();
    let steps = vec![
        (None, Ok(slice(&[9, 8], true))),
        (Some(8), Ok(slice(&[7], true))),
        (Some(7), Ok(slice(&[6], false))),
    ];
    walk(&mut mocks, steps);
    let (file, error) = export(mocks, &["email", "id", "no such column"]).await;
    assert!(error.is_none(), "{error:?}");
    let row = |id: i64| format!("\"{id}\",\"ana@acme.hr\"\r\n");
    let rows: String = [9, 8, 7, 6].map(row).concat();
    assert_eq!(file, format!("\"id\",\"email\"\r\n{rows}"));
    assert_eq!(verbs(&events), ["lead.exported", "lead.export_ended"]);
    let events = events.lock().unwrap();
    let told = |event: &NewEvent| event.changes.to_text().unwrap();
    assert_eq!(told(&events[0]), r#"{"filter":{},"columns":["id","email"]}"#);
    assert_eq!(told(&events[1]), r#"{"rows":4}"#);
    assert!(events.iter().all(|event| event.subject.id == 0 && &*event.subject.resource == "lead"));
    assert!(events.iter().all(|event| event.verb.has_values()));
}

#[tokio::test]
async fn rows_that_are_deleted_meanwhile_do_not_end_the_file() {
    let (mut mocks, _) = mocks();
    let steps = vec![
        (None, Ok(slice(&[], true))),
        (None, Ok(slice(&[9], true))),
        (Some(9), Ok(slice(&[], true))),
        (Some(9), Ok(slice(&[5], true))),
        (Some(5), Ok(slice(&[], false))),
    ];
    walk(&mut mocks, steps);
    let (file, error) = export(mocks, &["id"]).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(file, "\"id\"\r\n\"9\"\r\n\"5\"\r\n");
}

#[tokio::test]
async fn an_empty_list_is_a_head() {
    let (mut mocks, events) = mocks();
    walk(&mut mocks, vec![(None, Ok(slice(&[], false)))]);
    assert_eq!(export(mocks, &["id"]).await.0, "\"id\"\r\n");
    assert_eq!(events.lock().unwrap()[1].changes.to_text().unwrap(), r#"{"rows":0}"#);
}

#[tokio::test]
async fn a_file_that_breaks_off_has_no_end() {
    let (mut mocks, events) = mocks();
    walk(&mut mocks, vec![(None, Ok(slice(&[9], true))), (Some(9), Err(away()))]);
    let (file, error) = export(mocks, &["id"]).await;
    assert_eq!(file, "\"id\"\r\n\"9\"\r\n");
    assert!(matches!(error, Some(ExportError::Store(_))), "{error:?}");
    assert_eq!(verbs(&events), ["lead.exported"]);
}

#[tokio::test]
async fn no_file_ends_without_its_last_event() {
    let (mut mocks, _) = mocks();
    let mut events = exit3_ports::events::MockEventRepository::new();
    events.expect_note().times(1).returning(|_, _| Ok(()));
    events.expect_note().times(1).returning(|_, _| Err(away()));
    mocks.repositories.events = events;
    walk(&mut mocks, vec![(None, Ok(slice(&[9], false)))]);
    let (file, error) = export(mocks, &["id"]).await;
    assert_eq!(file, "");
    assert!(matches!(error, Some(ExportError::Store(_))), "{error:?}");
}

#[tokio::test]
async fn no_row_is_read_before_the_first_event_is_stored() {
    let (mut mocks, _) = mocks();
    let mut events = exit3_ports::events::MockEventRepository::new();
    events.expect_note().times(1).returning(|_, _| Err(away()));
    mocks.repositories.events = events;
    let (app, all) = (mocks.into_app(), LeadFilter::default());
    let outcome = begin::<LeadSort>(&app, all, &["id"], PLAIN, &doer()).await;
    assert!(matches!(outcome.err(), Some(ExportError::Store(_))));
}

#[tokio::test]
async fn managers_and_owners_export() {
    for role in Role::ALL.iter().copied() {
        let (mocks, events) = mocks();
        let doer = Doer::worker(author(), Worker { id: StaffId(1), role });
        let (app, all) = (mocks.into_app(), LeadFilter::default());
        let outcome = begin::<LeadSort>(&app, all, &["id"], PLAIN, &doer).await;
        let may = matches!(role, Role::Owner | Role::Manager);
        assert_eq!(outcome.is_ok(), may, "{role}");
        assert_eq!(verbs(&events).len(), usize::from(may), "{role}");
        let forbidden = matches!(outcome.err(), Some(ExportError::Forbidden(_)));
        assert_eq!(forbidden, !may, "{role}");
    }
}

#[tokio::test]
async fn a_file_without_columns_is_refused() {
    let (mocks, events) = mocks();
    let (app, all) = (mocks.into_app(), LeadFilter::default());
    let outcome = begin::<LeadSort>(&app, all, &["no such column"], PLAIN, &doer()).await;
    assert!(matches!(outcome.err(), Some(ExportError::NoColumns)));
    assert_eq!(verbs(&events), [""; 0]);
}

#[tokio::test]
async fn the_owner_of_a_lead_is_named_even_if_the_account_is_disabled() {
    let (mut mocks, _) = mocks();
    let mut owned = stored(9);
    owned.work.owner = Some(StaffId(3));
    let found = Slice { rows: vec![owned], has_next: false, has_previous: false };
    walk(&mut mocks, vec![(None, Ok(found))]);
    assert_eq!(export(mocks, &["owner"]).await.0, "\"owner\"\r\n\"ivo\"\r\n");
}

/// What the event of an export of these leads tells.
async fn told(filter: LeadFilter) -> String {
    let (mocks, events) = mocks();
    begin::<LeadSort>(&mocks.into_app(), filter, &["id"], PLAIN, &doer()).await.unwrap();
    let events = events.lock().unwrap();
    events[0].changes.to_text().unwrap()
}

#[tokio::test]
async fn an_event_tells_the_filter_without_words_of_a_search() {
    let filter = LeadFilter {
        statuses: Some(vec![LeadStatus::New, LeadStatus::Closed]),
        owner: Some(LeadOwner::Nobody),
        created_after: Some(now()),
        words: vec!["ana".to_owned(), "horvat".to_owned()],
        ..LeadFilter::default()
    };
    let expected = format!(
        "{{\"filter\":{{\"status\":[\"new\",\"closed\"],\"created_after\":\"{}\",\
         \"owner\":\"nobody\",\"search\":true}},\"columns\":[\"id\"]}}",
        now().to_rfc3339()
    );
    assert_eq!(told(filter).await, expected);
    let with_a_next_step = LeadFilter::default().ordered_by(LeadSort::NextStepAt);
    let expected = r#"{"filter":{"due":"any"},"columns":["id"]}"#;
    assert_eq!(told(with_a_next_step).await, expected);
}

#[tokio::test]
async fn subscribers_are_exported_too() {
    let (mut mocks, events) = mocks();
    mocks.repositories.subscribers.expect_walk().times(1).returning(|filter, order, step| {
        assert_eq!(filter.is_subscribed, Some(false));
        assert_eq!((order, step.from.is_none()), (Order::NEWEST, true));
        let iva =
            Subscriber { id: SubscriberId(7), email: "iva@acme.hr".into(), is_subscribed: false };
        Ok(Slice { rows: vec![iva], has_next: false, has_previous: false })
    });
    let filter = SubscriberFilter { is_subscribed: Some(false), words: vec!["iva".to_owned()] };
    let app = mocks.into_app();
    let begun = begin::<SubscriberSort>(&app, filter, &["email"], PLAIN, &doer()).await;
    let piece = begun.unwrap().next().await.unwrap().unwrap();
    assert_eq!(String::from_utf8(piece).unwrap(), "\"email\"\r\n\"iva@acme.hr\"\r\n");
    assert_eq!(verbs(&events), ["subscriber.exported", "subscriber.export_ended"]);
    let told = events.lock().unwrap()[0].changes.to_text().unwrap();
    let expected = r#"{"filter":{"is_subscribed":false,"search":true},"columns":["email"]}"#;
    assert_eq!(told, expected);
}

#[tokio::test]
async fn clients_are_exported_too() {
    let (mut mocks, events) = mocks();
    mocks.repositories.clients.expect_walk().times(1).returning(|filter, order, step| {
        assert_eq!(filter.team_id.as_deref(), Some("T1"));
        assert_eq!((order, step.from.is_none()), (Order::NEWEST, true));
        Ok(Slice { rows: Vec::new(), has_next: false, has_previous: false })
    });
    let filter = ClientFilter {
        categories: Some(vec![LeadCategory::WebDev]),
        team_id: Some("T1".to_owned()),
        lead: Some(LeadId(3)),
        has_contract: Some(true),
        words: vec!["iva".to_owned()],
    };
    let app = mocks.into_app();
    let begun = begin::<ClientSort>(&app, filter, &["monthly_charge"], PLAIN, &doer()).await;
    let piece = begun.unwrap().next().await.unwrap().unwrap();
    assert_eq!(String::from_utf8(piece).unwrap(), "\"monthly_charge\"\r\n");
    assert_eq!(verbs(&events), ["client.exported", "client.export_ended"]);
    let told = events.lock().unwrap()[0].changes.to_text().unwrap();
    let expected = "{\"filter\":{\"category\":[\"web_dev\"],\"team_id\":\"T1\",\"lead\":3,\
                    \"has_contract\":true,\"search\":true},\"columns\":[\"monthly_charge\"]}";
    assert_eq!(told, expected);
}
