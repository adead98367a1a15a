//! SQLite reads lists by an index, for every filter and order, and with any statistics. The plans
//! are those of the adapter's own statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use diesel::connection::{
    Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation,
};
use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::events::{Actor, BatchId, EventFilter, EventId, Verb};
use exit3_domain::leads::{
    LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
use exit3_domain::staff::StaffId;
use exit3_domain::subscribers::{SubscriberFilter, SubscriberOrder, SubscriberSort};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::at;

static SENT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn record(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let statement = text.split(" -- binds").next().unwrap_or_default().to_owned();
        SENT.lock().unwrap_or_else(PoisonError::into_inner).insert(statement);
    }
}

/// As many old leads of all kinds as new ones of a single kind.
const ROWS: &str = "
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO leads (full_name, position, source, status, category, created_at, updated_at,
                       search_document, owner_id, next_step_at)
    SELECT 'Ana ' || i, 'CTO',
           CASE WHEN i > 1000 THEN 'website' WHEN i % 2 THEN 'other' ELSE 'referral' END,
           CASE WHEN i > 1000 THEN 'new' WHEN i / 2 % 2 THEN 'contacted' ELSE 'closed' END,
           CASE WHEN i > 1000 THEN 'web_dev' WHEN i / 4 % 2 THEN 'sales_auto' ELSE 'web_dev' END,
           i, i, 'ana', iif(i % 10, NULL, 1 + i % 3), iif(i % 15, NULL, i) FROM n;
    INSERT INTO subscribers (email, is_subscribed, search_document)
    SELECT id || '@acme.hr', id > 1000, id || '@acme.hr' FROM leads;
    INSERT INTO events (at, actor, verb, resource, resource_id, batch)
    SELECT id, iif(id % 10, 'service', 'basic_key'), iif(id % 9, 'lead.created', 'lead.updated'),
           'lead', id, iif(id % 100, NULL, 'batch') FROM leads;";

fn filters() -> Vec<LeadFilter> {
    let all = LeadFilter::default();
    let late = Some(vec![LeadStatus::Contacted, LeadStatus::Closed]);
    let sources = Some(vec![LeadSource::Referral, LeadSource::Other]);
    vec![
        LeadFilter { statuses: Some(vec![LeadStatus::Closed]), ..all.clone() },
        LeadFilter { statuses: late.clone(), ..all.clone() },
        LeadFilter { sources: Some(vec![LeadSource::Other]), ..all.clone() },
        LeadFilter { sources: sources.clone(), ..all.clone() },
        LeadFilter { categories: Some(vec![LeadCategory::SalesAuto]), ..all.clone() },
        LeadFilter { statuses: late.clone(), sources: sources.clone(), ..all.clone() },
        LeadFilter {
            statuses: late.clone(),
            sources,
            categories: Some(vec![LeadCategory::SalesAuto, LeadCategory::WebDev]),
            ..all.clone()
        },
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(1))), ..all.clone() },
        LeadFilter {
            owner: Some(LeadOwner::Staff(StaffId(1))),
            statuses: late.clone(),
            due: Some(at(500)),
            ..all.clone()
        },
        LeadFilter { owner: Some(LeadOwner::Somebody), statuses: late.clone(), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..all.clone() },
        LeadFilter {
            owner: Some(LeadOwner::Nobody),
            statuses: late.clone(),
            created_after: Some(at(400)),
            ..all.clone()
        },
        LeadFilter { due: Some(at(500)), ..all.clone() },
        LeadFilter { due: Some(at(500)), owner: Some(LeadOwner::Nobody), ..all.clone() },
        LeadFilter { statuses: late, created_after: Some(at(500)), ..all.clone() },
        LeadFilter { created_after: Some(at(400)), created_before: Some(at(600)), ..all.clone() },
        all,
    ]
}

async fn ask(database: &SqliteDatabase) {
    let (leads, subscribers) = (database.repositories().leads, database.repositories().subscribers);
    let page = |number| PageRequest { number, size: 50 };
    for filter in filters() {
        for by in LeadSort::ALL {
            for descending in [false, true] {
                let order = LeadOrder { by: *by, descending };
                for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
                    let found = leads.list(&filter, order, page(number)).await.unwrap();
                    let from = found.and_then(|mut page| page.rows.pop());
                    let from = from.map(|lead| order.position(&lead));
                    for direction in [Direction::Forward, Direction::Backward] {
                        let step = Step { from: from.clone(), direction, size: 50 };
                        leads.walk(&filter, order, &step).await.unwrap();
                    }
                }
            }
        }
    }
    for is_subscribed in [None, Some(true), Some(false)] {
        for by in SubscriberSort::ALL {
            for descending in [false, true] {
                let filter = SubscriberFilter { is_subscribed, words: Vec::new() };
                let order = SubscriberOrder { by: *by, descending };
                let found = subscribers.list(&filter, order, page(PageNumber::Number(2))).await;
                let from = found.unwrap().unwrap().rows.pop().map(|row| order.position(&row));
                for direction in [Direction::Forward, Direction::Backward] {
                    let step = Step { from: from.clone(), direction, size: 50 };
                    subscribers.walk(&filter, order, &step).await.unwrap();
                }
            }
        }
    }
}

/// Every filter of events alone, and some together.
fn event_filters() -> Vec<EventFilter> {
    let all = EventFilter::default();
    let (actor, verb) = (Some(Actor::Service), Some(Verb::from_word("lead.created")));
    let resource: Option<std::sync::Arc<str>> = Some("lead".into());
    let (after, before) = (Some(at(400)), Some(at(600)));
    vec![
        EventFilter { actor: actor.clone(), ..all.clone() },
        EventFilter { actor: Some(Actor::BasicKey), verb: verb.clone(), ..all.clone() },
        EventFilter { actor: actor.clone(), resource: resource.clone(), ..all.clone() },
        EventFilter { actor, after, before, ..all.clone() },
        EventFilter { verb: verb.clone(), ..all.clone() },
        EventFilter { verb: verb.clone(), after, before, ..all.clone() },
        EventFilter { verb, resource: resource.clone(), ..all.clone() },
        EventFilter { resource: resource.clone(), ..all.clone() },
        EventFilter { resource: resource.clone(), id: Some(7), ..all.clone() },
        EventFilter { resource: resource.clone(), id: Some(7), after, before, ..all.clone() },
        EventFilter { resource, after, ..all.clone() },
        EventFilter { batch: Some(BatchId("batch".into())), ..all.clone() },
        EventFilter { batch: Some(BatchId("batch".into())), after, ..all.clone() },
        EventFilter { after, ..all.clone() },
        EventFilter { before, ..all.clone() },
        all,
    ]
}

async fn ask_for_events(database: &SqliteDatabase) {
    let events = database.repositories().events;
    for filter in event_filters() {
        for before in [None, Some((at(1000), EventId(1000)))] {
            events.list(&filter, before, 50).await.unwrap();
        }
    }
    let intake = database.repositories().lead_intake;
    intake.first().await.unwrap();
    intake.last(at(400), at(600)).await.unwrap();
    intake.count(at(400), at(600)).await.unwrap();
    events.unread("mail", 50).await.unwrap();
    events.unread("mail", 50).await.unwrap();
    events.remove_before(at(3), 50).await.unwrap();
}

/// What is wrong with how events are read.
fn fault_of_events(statement: &str, plan: &[String]) -> Option<&'static str> {
    // Without a filter, the newest of all are read.
    let is_of_all = statement.contains("WHERE in_time() ORDER BY at DESC");
    let scans = plan.iter().any(|step| step.starts_with("SCAN events"));
    if scans && !is_of_all {
        return Some("reads all of a table or an index");
    }
    // Within the events of an actor, a row or a batch, the verb may be looked at.
    let is_narrow = ["by_actor", "by_row", "by_batch"].map(|index| statement.contains(index));
    let is_by_verb = plan.iter().any(|step| step.contains("verb=?"));
    let of_verb = ["verb = ?", "verb = 'lead.created'"];
    let of_verb = of_verb.iter().any(|condition| statement.contains(condition));
    if of_verb && !is_narrow.contains(&true) && !is_by_verb {
        return Some("reads events with other verbs");
    }
    // Times and positions must bound what is read.
    for (condition, bound) in
        [("at >= ?", "at>?"), ("at, id) < (?, ?)", "at<?"), ("at < ?", "at<?"), ("at <= ?", "at<?")]
    {
        if statement.contains(condition) && !plan.iter().any(|step| step.contains(bound)) {
            return Some("reads events beside the bounds");
        }
    }
    // Hours of the week are few.
    let is_count = statement.contains("count(*)");
    (!is_count && plan.iter().any(|step| step.contains("TEMP B-TREE"))).then_some("sorts")
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What is wrong with how a list is read.
fn fault(statement: &str, plan: &[String]) -> Option<&'static str> {
    // The indexes of few leads: all that match may be read and sorted, but not from the table.
    if statement.contains("leads_by_owner") || statement.contains("leads_by_next_step") {
        let is_fine = |step: &String| {
            let is_of_page = step.contains("SEARCH leads USING INDEX leads_by_")
                && (step.contains("created_at=? AND ") || step.contains("next_step_at=? AND "));
            !step.contains("leads") || is_of_page || step.contains("COVERING INDEX leads_by_")
        };
        return (!plan.iter().all(is_fine)).then_some("reads rows that are not on the page");
    }
    let is_filtered = ["status = ?", "source = ?", "category = ?", "is_subscribed = ?"];
    let is_filtered = is_filtered.iter().any(|one| statement.contains(one));
    // With bounds on the time and another order, all matching rows are read, also for the count.
    let is_bounded = statement.contains("created_at >= ?") || statement.contains("created_at < ?");
    let is_in_time = statement.contains("ORDER BY created_at")
        || statement.contains("ORDER BY status")
        || statement.contains("created_at AS key_")
        || statement.contains("count(*)");
    for step in plan {
        let reads = step.contains("leads") || step.contains("subscribers");
        if reads && step.starts_with("SCAN") && !step.contains("INDEX") {
            // Rows are stored in the order of their ids.
            let is_by_id = statement.contains(" NOT INDEXED WHERE 1")
                && statement.contains("ORDER BY id")
                && !is_filtered;
            if !is_by_id {
                return Some("reads all of a table");
            }
        }
        if reads && step.starts_with("SCAN") && (is_filtered || is_bounded) {
            return Some("reads all of an index");
        }
    }
    // A merge sorts the page once more.
    let sorts = plan.iter().filter(|step| step.contains("TEMP B-TREE")).count();
    let may_sort = if statement.contains("UNION ALL") { 1 } else { 0 };
    (sorts > may_sort && (is_in_time || !is_bounded)).then_some("sorts")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_uses_an_index_with_any_statistics() {
    set_default_instrumentation(|| Some(Box::new(record) as Box<dyn Instrumentation>)).unwrap();
    for (before, after) in [("", ""), ("", "ANALYZE"), ("ANALYZE", "")] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plans.sqlite3");
        let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
        database.migrate().unwrap();
        let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        if !before.is_empty() {
            // Out-of-date statistics, from when all leads were of a single kind.
            let one = "INSERT INTO leads (full_name, position, source, status, category,
                    created_at, updated_at, search_document)
                VALUES ('Ana', 'CTO', 'other', 'closed', 'web_dev', 1, 1, 'ana')";
            raw.batch_execute(one).unwrap();
            raw.batch_execute(before).unwrap();
        }
        raw.batch_execute(ROWS).unwrap();
        raw.batch_execute(after).unwrap();
        SENT.lock().unwrap().clear();
        ask(&database).await;
        ask_for_events(&database).await;
        let sent = SENT.lock().unwrap().clone();
        let of_events = |sql: &String| sql.contains("FROM events");
        let lists: Vec<_> = sent
            .iter()
            .filter(|sql| sql.contains("FROM leads") || sql.contains("FROM subscribers"))
            .collect();
        assert!(lists.len() > 100, "{} lists", lists.len());
        let events: Vec<_> = sent.iter().filter(|sql| of_events(sql)).collect();
        assert!(events.len() > 25, "{} lists of events", events.len());
        let faults = [(lists, fault as fn(&str, &[String]) -> _), (events, fault_of_events)];
        for (statements, fault) in faults {
            for statement in statements {
                let without = statement.replace("in_time()", "1");
                let explained = format!("EXPLAIN QUERY PLAN {without}");
                let plan: Vec<Plan> = diesel::sql_query(explained).load(&mut raw).unwrap();
                let plan: Vec<String> = plan.into_iter().map(|step| step.detail).collect();
                let fault = fault(statement, &plan);
                assert_eq!(fault, None, "{before:?} {after:?} {statement}\n{plan:#?}");
            }
        }
    }
}
