//! Connections that are lost silently: a firewall has forgotten them, but new ones work.

use std::time::{Duration, Instant};

use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::StoreError;
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::builders;
use exit3_testkit::postgres::{TestDatabase, TestPostgres, client};
use exit3_testkit::relay::Relay;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::{migrated, shared, until};

/// Longer than the service's default, so that a busy machine does not fail the test.
const TIMEOUT: Duration = Duration::from_secs(6);
const SIZE: usize = 16;

struct Lost {
    database: PgDatabase,
    admin: Client,
    relay: Relay,
    _kept: TestDatabase,
}

fn settings(url: &str) -> PgSettings {
    let mut settings = PgSettings::parse(url).unwrap();
    settings.pool_size = SIZE;
    (settings.timeout, settings.wait) = (TIMEOUT, TIMEOUT * 5 / 6);
    settings
}

/// A pool whose connections are all open and lost.
async fn lost() -> Lost {
    let (_, kept) = shared().await;
    let relay = Relay::before(kept.url()).await;
    let database = connect(&settings(relay.url()), Handle::current());
    open_all(std::slice::from_ref(&database), kept.url()).await;
    relay.lose_connections();
    let admin = client(kept.url()).await;
    Lost { database, admin, relay, _kept: kept }
}

/// Opens as many connections as allowed: no query is answered before all have been sent.
async fn open_all(workers: &[PgDatabase], url: &str) {
    let mut holder = client(url).await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let lists: Vec<_> = (0..SIZE)
        .map(|n| {
            let database = workers[n % workers.len()].clone();
            tokio::spawn(async move { list(&database).await.unwrap() })
        })
        .collect();
    let admin = client(url).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || {
        let row = admin.query_one(waiting, &[]).await.unwrap();
        row.get::<_, i64>(0) == SIZE as i64
    })
    .await;
    lock.rollback().await.unwrap();
    for list in lists {
        list.await.unwrap();
    }
}

async fn list(database: &PgDatabase) -> Result<u64, StoreError> {
    let (leads, all) = (database.repositories().leads, LeadFilter::default());
    let page = leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await?;
    Ok(page.unwrap().count)
}

async fn create(database: &PgDatabase) -> Result<(), StoreError> {
    let lead = builders::lead().build();
    database.repositories().leads.create(&lead, &builders::act(builders::at(1))).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_without_an_answer_succeed_on_another_connection() {
    let lost = lost().await;
    for _ in 0..2 * SIZE {
        list(&lost.database).await.unwrap();
    }
    create(&lost.database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_reads_at_once_succeed_on_other_connections() {
    let lost = lost().await;
    let crowd = (0..2 * SIZE).map(|_| {
        let database = lost.database.clone();
        tokio::spawn(async move { list(&database).await })
    });
    for one in crowd.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_succeed_while_writes_hold_all_connections() {
    let lost = lost().await;
    let spawn = |is_write| {
        let database = lost.database.clone();
        tokio::spawn(async move {
            if is_write { create(&database).await } else { list(&database).await.map(drop) }
        })
    };
    let writes: Vec<_> = (0..SIZE).map(|_| spawn(true)).collect();
    // The writes take all connections.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let reads: Vec<_> = (0..2 * SIZE).map(|_| spawn(false)).collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
    // These writes may or may not have happened.
    for write in writes {
        assert!(matches!(write.await.unwrap(), Err(StoreError::Unavailable(_))));
    }
    let row = lost.admin.query_one("SELECT count(*) FROM leads", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_all_workers_succeed_if_they_wait_while_lost_ones_hold_all_connections() {
    let (_, kept) = shared().await;
    let relay = Relay::before(kept.url()).await;
    let database = connect(&settings(relay.url()), Handle::current());
    let workers = [0, 1].map(|_| database.of_worker(2, Handle::current()));
    // Each worker has seven connections of its own, and all share two.
    let of = |n| if n < 2 { &database } else { &workers[n % 2] };
    open_all(&(0..SIZE).map(|n| of(n).clone()).collect::<Vec<_>>(), kept.url()).await;
    relay.lose_connections();
    let spawn = |n: usize| {
        let database = workers[n % 2].clone();
        tokio::spawn(async move { create(&database).await })
    };
    let lost: Vec<_> = (0..SIZE).map(spawn).collect();
    // These writes take all connections.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let waiting: Vec<_> = (0..5 * SIZE).map(spawn).collect();
    for write in waiting {
        write.await.unwrap().unwrap();
    }
    let mut stored = 5 * SIZE as i64;
    for write in lost {
        stored += i64::from(write.await.unwrap().is_ok());
    }
    let row = client(kept.url()).await.query_one("SELECT count(*) FROM leads", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_writes_are_not_given_up_while_connections_answer() {
    let (_, kept) = shared().await;
    let database = connect(&settings(kept.url()), Handle::current());
    open_all(std::slice::from_ref(&database), kept.url()).await;
    let mut holder = client(kept.url()).await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE leads IN EXCLUSIVE MODE").await.unwrap();
    let spawn = || {
        let database = database.clone();
        tokio::spawn(async move { create(&database).await })
    };
    let writes: Vec<_> = (0..SIZE - 1).map(|_| spawn()).collect();
    // Readers use the remaining connection, and wait for it.
    let readers = (0..4).map(|_| {
        let database = database.clone();
        tokio::spawn(async move {
            let begun = Instant::now();
            while begun.elapsed() < TIMEOUT * 5 / 8 {
                list(&database).await.unwrap();
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    lock.rollback().await.unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_one_lost_write_the_others_succeed_and_none_is_repeated() {
    let lost = lost().await;
    assert!(matches!(create(&lost.database).await, Err(StoreError::Unavailable(_))));
    for _ in 0..SIZE {
        create(&lost.database).await.unwrap();
    }
    let row = lost.admin.query_one("SELECT count(*) FROM leads", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), SIZE as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_tested_before_a_write() {
    let lost = lost().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..SIZE {
        create(&lost.database).await.unwrap();
    }
    assert!(lost.relay.accepted() > SIZE);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_with_lost_idle_connections_succeed() {
    let lost = lost().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let crowd = (0..3 * SIZE).map(|n| {
        let database = lost.database.clone();
        tokio::spawn(async move {
            match n % 2 {
                0 => create(&database).await,
                _ => list(&database).await.map(drop),
            }
        })
    });
    for one in crowd.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_continue_when_the_connections_to_the_replica_are_lost() {
    let (primary, copy) = TestPostgres::with_replica().await;
    migrated(&primary.url("postgres")).await;
    let relay = Relay::before(&copy.url("postgres")).await;
    let of_copy = settings(relay.url());
    let settings = settings(&primary.url("postgres")).with_replica(of_copy, LONG);
    let database = connect(&settings, Handle::current());
    let watched = database.clone();
    let watch = tokio::spawn(async move { watched.watch_replica().await });
    let standby = client(&copy.url("postgres")).await;
    let statements = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM leads%' \
                   AND pid <> pg_backend_pid()";
        standby.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let from_copy = async || {
        list(&database).await.unwrap();
        statements().await > 0
    };
    until(from_copy).await;
    let before = relay.accepted();
    relay.lose_connections();
    let begun = Instant::now();
    for _ in 0..SIZE {
        list(&database).await.unwrap();
    }
    assert!(begun.elapsed() < TIMEOUT, "{:?}", begun.elapsed());
    until(async || relay.accepted() > before && from_copy().await).await;
    watch.abort();
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn keepalives_are_sent_every_minute_by_default() {
    let text = |url: &str| format!("{:?}", PgSettings::parse(url).unwrap());
    assert!(text("postgres://a@b/c").contains("keepalives_idle: 60s"));
    assert!(text("postgres://a@b/c?keepalives_idle=9").contains("keepalives_idle: 9s"));
}
