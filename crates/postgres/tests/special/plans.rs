//! PostgreSQL reads lists by an index, for every filter and order, and with any statistics.
//!
//! The plans are those of the adapter's own statements, as logged by the server (`auto_explain`),
//! with the numbers of rows that were really read.

use exit3_domain::events::{Actor, BatchId, Event, EventFilter, Verb};
use exit3_domain::leads::{
    LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
use exit3_domain::staff::StaffId;
use exit3_domain::subscribers::{SubscriberFilter, SubscriberOrder, SubscriberSort};
use exit3_postgres::PgDatabase;
use exit3_testkit::builders::time;
use exit3_testkit::postgres::{self, TestPostgres};

use crate::migrated;

/// The number of old leads of all kinds, and of new ones of a single kind.
const EACH: u32 = 15_000;
/// More than any of these lists may read: two pages of each of 72 combinations.
const MOST_ROWS: u64 = 8_000;
/// A look at the next rows reads each in an index and in the table, and counts it again if it is
/// left out. The second look is longer.
const MOST_ROWS_AHEAD: u64 = 12_000;

/// Realistic leads and subscribers: the newest leads all have the status "new", come from the
/// website, and have the last names.
fn rows() -> String {
    let any = |words: &[&str], every: u32, usual: &str| {
        let words = words.join("','");
        format!(
            "CASE WHEN n > {EACH} THEN '{usual}' ELSE (ARRAY['{words}'])[1 + n / {every} % 6] END"
        )
    };
    let statuses: Vec<_> = LeadStatus::ALL.iter().map(|one| one.as_str()).collect();
    let sources: Vec<_> = LeadSource::ALL.iter().map(|one| one.as_str()).collect();
    let categories: Vec<_> = LeadCategory::ALL.iter().map(|one| one.as_str()).collect();
    let all = EACH * 2;
    format!(
        "INSERT INTO leads (full_name, position, company_name, email, source, status, category,
                            created_at, updated_at, search_document, owner_id, next_step_at)
         SELECT name, 'CTO', name, name || '@acme.hr', {}, {}, {}, at, at,
                lower(name) || CASE n % 3000 WHEN 0 THEN E'\\nzvonimir' ELSE '' END,
                CASE WHEN n <= {EACH} AND n % 10 = 0 THEN 1 + n % 3 END,
                CASE WHEN n <= {EACH} AND n % 15 = 0 THEN at END
         FROM (SELECT n, 'Person ' || lpad(n::text, 7, '0') AS name,
                      timestamptz '2026-01-01Z' + n * interval '1 minute' AS at
               FROM generate_series(1, {all}) n) people;
         INSERT INTO subscribers (email, is_subscribed, search_document)
         SELECT email, n > {EACH}, email
         FROM (SELECT n, lpad(n::text, 7, '0') || '@acme.hr' AS email
               FROM generate_series(1, {all}) n) people",
        any(&sources, 1, "website"),
        any(&statuses, 6, "new"),
        any(&categories, 36, "web_dev"),
    )
}

async fn explain_everything(url: &str) {
    let admin = postgres::client(url).await;
    // For connections opened from now on.
    let settings = "ALTER DATABASE postgres SET session_preload_libraries = 'auto_explain';
         ALTER DATABASE postgres SET auto_explain.log_min_duration = 0;
         ALTER DATABASE postgres SET auto_explain.log_analyze = on;
         ALTER DATABASE postgres SET auto_explain.log_timing = off;";
    admin.batch_execute(settings).await.unwrap();
}

fn filters() -> Vec<LeadFilter> {
    let all = LeadFilter::default();
    let late = Some(vec![LeadStatus::Contacted, LeadStatus::Interested]);
    let one = |status| Some(vec![status]);
    vec![
        LeadFilter { statuses: one(LeadStatus::New), ..all.clone() },
        LeadFilter { statuses: one(LeadStatus::Closed), ..all.clone() },
        LeadFilter { statuses: late.clone(), ..all.clone() },
        LeadFilter { sources: Some(vec![LeadSource::Referral]), ..all.clone() },
        LeadFilter { sources: Some(vec![LeadSource::Referral, LeadSource::Other]), ..all.clone() },
        LeadFilter { categories: Some(vec![LeadCategory::SalesAuto]), ..all.clone() },
        LeadFilter {
            statuses: one(LeadStatus::New),
            sources: Some(vec![LeadSource::Referral]),
            ..all.clone()
        },
        LeadFilter {
            statuses: late.clone(),
            sources: Some(vec![LeadSource::Website, LeadSource::ColdCall]),
            categories: Some(vec![LeadCategory::WebDev]),
            ..all.clone()
        },
        // No row matches all of it.
        LeadFilter {
            statuses: one(LeadStatus::Closed),
            created_after: Some(time("2026-01-20T00:00:00Z")),
            ..all.clone()
        },
        LeadFilter {
            created_after: Some(time("2026-01-05T00:00:00Z")),
            created_before: Some(time("2026-01-06T00:00:00Z")),
            ..all.clone()
        },
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(1))), ..all.clone() },
        LeadFilter {
            owner: Some(LeadOwner::Staff(StaffId(1))),
            statuses: late.clone(),
            due: Some(time("2026-01-05T00:00:00Z")),
            ..all.clone()
        },
        LeadFilter { owner: Some(LeadOwner::Somebody), statuses: late.clone(), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), statuses: late.clone(), ..all.clone() },
        LeadFilter { due: Some(time("2026-01-05T00:00:00Z")), ..all.clone() },
        LeadFilter { words: vec!["zvonimir".into()], ..all.clone() },
        LeadFilter { words: vec!["zvonimir".into(), "00".into()], statuses: late, ..all.clone() },
        all,
    ]
}

/// Requests lists of all kinds, each often enough for the server to keep a plan.
async fn ask(database: &PgDatabase) {
    let (leads, subscribers) = (database.repositories().leads, database.repositories().subscribers);
    let page = |number| PageRequest { number, size: 50 };
    for filter in filters() {
        let values = [
            filter.statuses.as_ref().map_or(0, Vec::len),
            filter.sources.as_ref().map_or(0, Vec::len),
            filter.categories.as_ref().map_or(0, Vec::len),
        ];
        let is_kept = filter.is_counted() && values.iter().sum::<usize>() <= 1;
        let times = if is_kept { 6 } else { 1 };
        for by in LeadSort::ALL {
            for descending in [false, true] {
                let order = LeadOrder { by: *by, descending };
                let mut from = None;
                for _ in 0..times {
                    for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
                        let page = leads.list(&filter, order, page(number)).await.unwrap();
                        from = from.or(page.and_then(|mut page| page.rows.pop()));
                    }
                    let from = from.as_ref().map(|lead| order.position(lead));
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
                for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
                    let found = subscribers.list(&filter, order, page(number)).await.unwrap();
                    let from = found.unwrap().rows.pop().map(|row| order.position(&row));
                    for direction in [Direction::Forward, Direction::Backward] {
                        let step = Step { from: from.clone(), direction, size: 50 };
                        subscribers.walk(&filter, order, &step).await.unwrap();
                    }
                }
            }
        }
    }
}

/// The number of rows that a plan read from tables and indexes, including discarded ones.
fn rows_read(plan: &str) -> u64 {
    let number = |line: &str, before: &str| -> Option<u64> {
        let rest = line.rsplit_once(before)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let mut read = 0;
    let mut loops = 1;
    for line in plan.lines() {
        let is_scan = [" on leads", " on subscribers", " on events", "Bitmap Index Scan"];
        if line.contains("Scan") && is_scan.iter().any(|scan| line.contains(scan)) {
            loops = number(line, "loops=").unwrap_or(1);
            // The rows of a bitmap are counted where they are read.
            if !line.contains("Bitmap Index Scan") {
                read += number(line, " rows=").unwrap_or(0) * loops;
            }
        } else if line.contains("Rows Removed by") {
            read += number(line, ": ").unwrap_or(0) * loops;
        }
    }
    read
}

/// Checks that no logged list read many rows, and none a whole table.
fn assert_bounded(log: &str, rows: &str) {
    let plans: Vec<&str> = log.split("Query Text: ").skip(1).collect();
    let lists: Vec<&&str> = plans.iter().filter(|plan| plan.contains(" LIMIT ")).collect();
    assert!(lists.len() >= 1500, "the server logs its plans: {}", lists.len());
    for plan in lists {
        let read = rows_read(plan);
        let is_ahead = plan.starts_with("WITH next AS MATERIALIZED");
        let most = if is_ahead { MOST_ROWS_AHEAD } else { MOST_ROWS };
        let is_scanned = ["Seq Scan on leads", "Seq Scan on subscribers"];
        assert!(
            read <= most && !is_scanned.iter().any(|scan| plan.contains(scan)),
            "{rows}: reads {read} rows: {plan}"
        );
    }
    for index in [
        "leads_created_at",
        "leads_updated_at",
        "leads_full_name",
        "leads_company_name",
        "leads_status",
        "leads_source",
        "leads_category",
        "leads_choices_created_at",
        "leads_choices_updated_at",
        "leads_choices_full_name",
        "leads_choices_company_name",
        "leads_search",
        "leads_owner",
        "leads_next_step",
        "subscribers_choice_email",
    ] {
        assert!(log.contains(index), "{rows}: no list is read by {index}");
    }
}

async fn filled() -> (TestPostgres, PgDatabase) {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    migrated(&url).await;
    let admin = postgres::client(&url).await;
    // Prevent automatic statistics.
    let deaf = "ALTER TABLE leads SET (autovacuum_enabled = off);
         ALTER TABLE subscribers SET (autovacuum_enabled = off);";
    admin.batch_execute(deaf).await.unwrap();
    explain_everything(&url).await;
    let database = crate::open(&url);
    (server, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_use_an_index_without_statistics() {
    let (server, database) = filled().await;
    postgres::client(&server.url("postgres")).await.batch_execute(&rows()).await.unwrap();
    ask(&database).await;
    assert_bounded(&server.log(), "never analysed");
}

/// The statistics are out of date: they show leads of a single kind.
#[tokio::test(flavor = "multi_thread")]
async fn lists_do_not_depend_on_statistics() {
    let (server, database) = filled().await;
    let admin = postgres::client(&server.url("postgres")).await;
    let before = "INSERT INTO leads (full_name, position, created_at, updated_at, search_document)
         SELECT 'Ana', 'CTO', now(), now(), 'ana zvonimir' FROM generate_series(1, 2000);
         INSERT INTO subscribers (email, search_document)
         SELECT n || '@acme.hr', 'zvonimir' FROM generate_series(1, 2000) n;
         ANALYZE; DELETE FROM leads; DELETE FROM subscribers;";
    admin.batch_execute(before).await.unwrap();
    admin.batch_execute(&rows()).await.unwrap();
    ask(&database).await;
    assert_bounded(&server.log(), "analysed before");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_use_an_index_with_current_statistics() {
    let (server, database) = filled().await;
    let admin = postgres::client(&server.url("postgres")).await;
    admin.batch_execute(&rows()).await.unwrap();
    admin.batch_execute("VACUUM ANALYZE").await.unwrap();
    ask(&database).await;
    assert_bounded(&server.log(), "analysed");
}

/// Ten thousand events of an import, and later twice as many of others.
const EVENTS: &str = "
    INSERT INTO events (at, actor, verb, resource, resource_id, batch)
    SELECT timestamptz '2026-01-01Z' + n * interval '1 minute',
           CASE WHEN n > 10000 THEN 'service' ELSE 'command:import' END,
           CASE WHEN n > 10000 THEN 'lead.created' ELSE 'subscriber.created' END,
           CASE WHEN n > 10000 THEN 'lead' ELSE 'subscriber' END,
           n % 5000, CASE WHEN n <= 10000 THEN 'import' END
    FROM generate_series(1, 30000) n";

fn event_filters() -> Vec<EventFilter> {
    let all = EventFilter::default();
    let (actor, verb) = (Some(Actor::command("import")), Some(Verb::of("subscriber", "created")));
    let resource = Some("subscriber".into());
    let (after, before) = (Some(time("2026-01-03T00:00:00Z")), Some(time("2026-01-05T00:00:00Z")));
    vec![
        EventFilter { actor: actor.clone(), ..all.clone() },
        EventFilter { verb: verb.clone(), ..all.clone() },
        EventFilter { resource: resource.clone(), ..all.clone() },
        EventFilter { resource, id: Some(7), ..all.clone() },
        EventFilter { batch: Some(BatchId("import".into())), ..all.clone() },
        EventFilter { actor, after, before, ..all.clone() },
        EventFilter { verb, after, before, ..all.clone() },
        EventFilter { after, before, ..all.clone() },
        all,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_events_read_a_page_even_if_all_that_match_are_old() {
    let (server, database) = filled().await;
    let admin = postgres::client(&server.url("postgres")).await;
    admin.batch_execute(EVENTS).await.unwrap();
    admin.batch_execute("VACUUM ANALYZE events").await.unwrap();
    let events = database.repositories().events;
    for filter in event_filters() {
        let first = events.list(&filter, None, 50).await.unwrap();
        assert!(!first.is_empty());
        events.list(&filter, first.last().map(Event::position), 50).await.unwrap();
    }
    assert_eq!(events.remove_before(time("2026-01-03T00:00:00Z"), 50).await.unwrap(), 50);
    let log = server.log();
    let plans = log.split("Query Text: ").skip(1);
    let lists: Vec<&str> =
        plans.filter(|plan| plan.contains("FROM events ") && plan.contains(" LIMIT ")).collect();
    assert_eq!(lists.len(), 2 * event_filters().len() + 1);
    for plan in lists {
        assert!(rows_read(plan) <= 200, "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_for_the_last_lead_read_only_what_is_new() {
    let (server, database) = filled().await;
    let admin = postgres::client(&server.url("postgres")).await;
    admin.batch_execute(EVENTS).await.unwrap();
    // One in a hundred came through a key; the others were made by the service itself.
    let came = "UPDATE events SET actor = 'basic_key' WHERE verb = 'lead.created' AND id % 100 = 0";
    admin.batch_execute(came).await.unwrap();
    for statistics in ["", "VACUUM ANALYZE events"] {
        admin.batch_execute(statistics).await.unwrap();
        let intake = database.repositories().lead_intake;
        let (from, until) = (time("2026-01-15T00:00:00Z"), time("2026-01-15T01:00:00Z"));
        intake.first().await.unwrap().unwrap();
        intake.last(from, until).await.unwrap();
        intake.count(from, until).await.unwrap();
    }
    let log = server.log();
    let plans = log.split("Query Text: ").skip(1);
    let plans: Vec<&str> = plans.filter(|plan| plan.contains("api_key:")).collect();
    assert_eq!(plans.len(), 6);
    for plan in plans {
        // An hour has 60 events, and the first lead is among the first hundred.
        assert!(rows_read(plan) <= 130 && !plan.contains("Seq Scan"), "{plan}");
    }
}
