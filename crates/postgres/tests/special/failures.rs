//! A database that fails, hangs or is busy, and callers that go away.

use std::time::{Duration, Instant};

use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::StoreError;
use exit3_postgres::PgSettings;
use exit3_testkit::relay::Relay;
use exit3_testkit::{builders, postgres};
use tokio_postgres::Client;

use crate::{alone, shared, until};

/// The promise is 2 s; the rest allows for a machine that runs other tests.
const PROMPTLY: Duration = Duration::from_secs(3);

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

/// The number of server processes that serve other clients in `state`.
async fn sessions(admin: &Client, state: &str) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND backend_type = 'client backend' \
                 AND pid <> pg_backend_pid() AND state LIKE $1";
    admin.query_one(query, &[&state]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_server_is_reported_in_time_and_used_again_later() {
    let (database, server) = alone().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().build();
    leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
    server.pause();
    let begun = Instant::now();
    let all = LeadFilter::default();
    let (created, listed, health) = tokio::join!(
        async { leads.create(&lead, &builders::act(builders::at(2))).await },
        leads.list(&all, LeadOrder::NEWEST, PageRequest::first()),
        async { database.repositories().health.ping().await },
    );
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert!(is_unavailable(&created) && is_unavailable(&listed) && is_unavailable(&health));
    server.resume();
    until(async || leads.create(&lead, &builders::act(builders::at(3))).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_used_again_once_it_is_back() {
    let (database, mut server) = alone().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().build();
    leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
    server.stop();
    let begun = Instant::now();
    assert!(is_unavailable(&leads.create(&lead, &builders::act(builders::at(2))).await));
    assert!(is_unavailable(&leads.find(exit3_domain::leads::LeadId(1)).await));
    assert!(is_unavailable(&database.repositories().health.ping().await));
    assert!(begun.elapsed() < 2 * PROMPTLY);
    let server = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let _server = server.await.unwrap();
    until(async || leads.create(&lead, &builders::act(builders::at(3))).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closed_by_the_server_fails_no_operation() {
    let (database, admin_of) = shared().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().build();
    let admin = postgres::client(admin_of.url()).await;
    for _ in 0..5 {
        leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
        admin
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
                &[],
            )
            .await
            .unwrap();
        until(async || sessions(&admin, "%").await == 0).await;
        leads.list(&LeadFilter::default(), LeadOrder::NEWEST, PageRequest::first()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_no_transaction_or_connection_open() {
    let (_, kept) = shared().await;
    let mut settings = PgSettings::parse(kept.url()).unwrap();
    settings.pool_size = 4;
    let database = exit3_postgres::connect(&settings, tokio::runtime::Handle::current());
    let admin = postgres::client(kept.url()).await;
    let leads = database.repositories().leads;
    let many: Vec<_> = (0..200).map(|n| (builders::lead().build(), builders::at(n))).collect();
    for microseconds in 0..150 {
        let patience = Duration::from_micros(microseconds * 20);
        let lead = builders::lead().build();
        let _ =
            tokio::time::timeout(patience, leads.create(&lead, &builders::act(builders::at(1))))
                .await;
        let _ =
            tokio::time::timeout(patience, leads.create_many(&many, &builders::some_act())).await;
    }
    until(async || sessions(&admin, "idle in transaction%").await == 0).await;
    until(async || sessions(&admin, "%").await <= 4).await;
    // The pool still has all of its connections.
    let all = LeadFilter::default();
    for _ in 0..8 {
        let page = || leads.list(&all, LeadOrder::NEWEST, PageRequest::first());
        let (a, b, c, d) = tokio::join!(page(), page(), page(), page());
        assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_go_away_leave_their_connections_to_others() {
    let (_, kept) = shared().await;
    let relay = Relay::before(kept.url()).await;
    let mut settings = PgSettings::parse(relay.url()).unwrap();
    settings.pool_size = 4;
    (settings.timeout, settings.wait) = (Duration::from_secs(60), Duration::from_secs(60));
    let database = exit3_postgres::connect(&settings, tokio::runtime::Handle::current());
    let (leads, all) = (database.repositories().leads, LeadFilter::default());
    let lead = builders::lead().build();
    let list = || leads.list(&all, LeadOrder::NEWEST, PageRequest::first());
    for microseconds in 0..150 {
        let patience = Duration::from_micros(microseconds * 20);
        let _ = tokio::time::timeout(patience, list()).await;
        let _ =
            tokio::time::timeout(patience, leads.create(&lead, &builders::act(builders::at(1))))
                .await;
    }
    list().await.unwrap().unwrap();
    assert!(relay.accepted() <= 4, "{} connections", relay.accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_wait_too_long_give_up_and_free_their_connections() {
    let (database, kept) = shared().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().build();
    let mut admin = postgres::client(kept.url()).await;
    let lock = admin.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE leads IN EXCLUSIVE MODE").await.unwrap();
    let begun = Instant::now();
    let crowd = (0..60).map(|n| {
        let (leads, lead) = (leads.clone(), lead.clone());
        tokio::spawn(async move { leads.create(&lead, &builders::act(builders::at(n))).await })
    });
    for writer in crowd.collect::<Vec<_>>() {
        assert!(is_unavailable(&writer.await.unwrap()));
    }
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    lock.rollback().await.unwrap();
    until(async || leads.create(&lead, &builders::act(builders::at(1))).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_errors_are_unavailable_and_others_are_bugs() {
    let (database, kept) = shared().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().build();
    let admin = postgres::client(kept.url()).await;
    let defects = ["22000", "22P05", "23502", "42601", "54000"];
    let may_pass = [
        "08006", "08P01", // connection, pooler
        "2200H", // no more ids
        "09000", "23505", "23514", "27000", "2F005", "38000", "39000",
        "P0001", // rules of others
        "25006", "25P02", // only reads, a broken transaction
        "26000", // a prepared statement that is lost
        "28000", "28P01", // no login
        "0L000", "0P000", // no such role
        "3D000", "3F000", // no such database or schema
        "40001", "40P01", "40003", // other transactions, recovery of a standby
        "42501", // a right
        "42P01", "42703", "42883", "42704", "42809", "42804", "42P10", // another schema
        "53000", "53100", "53200", "53300", "53400", // disk, memory, connections
        "55000", "55006", "55P03", // a state, a lock
        "57014", "57P01", "57P02", "57P03", "57P04", "57P05", // the operator
        "58000", "58030", "58P01", // the system below
        "72000", "F0000", "HV000", "XX000", "XX001", "XX002", // damage
    ];
    let defects = defects.map(|state| (state, false));
    for (state, may_pass) in defects.into_iter().chain(may_pass.map(|state| (state, true))) {
        admin
            .batch_execute(&format!(
                "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{state}'; END $$;
                 CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON leads
                 FOR EACH ROW EXECUTE FUNCTION fail();"
            ))
            .await
            .unwrap();
        let outcome = leads.create(&lead, &builders::act(builders::at(1))).await;
        assert_eq!(is_unavailable(&outcome), may_pass, "{state}: {outcome:?}");
        assert!(outcome.is_err());
    }
    admin.batch_execute("DROP TRIGGER fail ON leads").await.unwrap();
    leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_printed() {
    let url = "postgres://ana:hunter2@127.0.0.1:1/leads";
    let settings = PgSettings::parse(url).unwrap();
    let database = exit3_postgres::connect(&settings, tokio::runtime::Handle::current());
    let Err(error) = database.repositories().health.ping().await else {
        panic!("there is no server");
    };
    for text in [format!("{settings:?}"), database.describe(), format!("{error:?} {error}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    for wrong in ["postgres://ana:hunter2@h:x/d", "postgres://ana:hunter2@h/d?sslmode=no"] {
        assert!(!PgSettings::parse(wrong).unwrap_err().to_string().contains("hunter2"));
    }
}
