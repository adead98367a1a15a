//! The connections of a process with several workers: their number, and who gets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::StoreError;
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::builders;
use exit3_testkit::postgres::client;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Barrier;
use tokio_postgres::Client;

use crate::{shared, until};

/// Long enough for a slow machine.
const LONG: Duration = Duration::from_secs(60);

fn with(url: &str, pool_size: usize, timeout: Duration) -> PgDatabase {
    let mut settings = PgSettings::parse(url).unwrap();
    settings.pool_size = pool_size;
    (settings.timeout, settings.wait) = (timeout, timeout);
    connect(&settings, Handle::current())
}

/// A worker thread with its own runtime, on which many tasks use the database at once.
fn worker<F: Future<Output = ()> + 'static>(
    database: &PgDatabase,
    workers: usize,
    work: impl FnOnce(PgDatabase) -> F + Send + 'static,
) -> JoinHandle<()> {
    let database = database.clone();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            work(database.of_worker(workers, Handle::current())).await;
        });
    })
}

async fn ended(threads: Vec<JoinHandle<()>>) {
    let wait = || threads.into_iter().for_each(|thread| thread.join().unwrap());
    tokio::task::spawn_blocking(wait).await.unwrap();
}

/// A role with a limit of connections.
struct Few {
    admin: Client,
    role: String,
    url: String,
}

impl Few {
    async fn new(url: &str) -> Self {
        let admin = client(url).await;
        let query = "SELECT current_database()::text";
        let name: String = admin.query_one(query, &[]).await.unwrap().get(0);
        let role = format!("few_{name}");
        let create =
            format!("CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}");
        admin.batch_execute(&create).await.unwrap();
        let url = url.replace("//postgres@", &format!("//{role}@"));
        Self { admin, role, url }
    }

    async fn limit(&self, count: i32) {
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT {count}", self.role);
        self.admin.batch_execute(&limit).await.unwrap();
    }
}

/// Eight concurrent tasks. Each of them creates and lists.
async fn use_it(database: PgDatabase) {
    let one = async || {
        let leads = database.repositories().leads;
        for n in 0..2 {
            leads.create(&builders::lead().build(), &builders::act(builders::at(n))).await.unwrap();
            leads
                .list(&LeadFilter::default(), LeadOrder::NEWEST, PageRequest::first())
                .await
                .unwrap();
            database.repositories().health.ping().await.unwrap();
        }
    };
    tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
}

/// Uses the database from several workers and the caller at once. The workers end together: a
/// runtime that ends closes its connections, which the server still counts for a moment while
/// another worker opens one instead.
async fn use_it_from(database: &PgDatabase, workers: usize) {
    let all_are_done = Arc::new(Barrier::new(workers + 1));
    let threads = (0..workers).map(|_| {
        let all_are_done = Arc::clone(&all_are_done);
        worker(database, workers, async move |database| {
            use_it(database).await;
            // If another thread has failed, the test must fail instead of hanging.
            tokio::time::timeout(LONG, all_are_done.wait()).await.unwrap();
        })
    });
    let threads = threads.collect();
    use_it(database.clone()).await;
    tokio::time::timeout(LONG, all_are_done.wait()).await.unwrap();
    ended(threads).await;
}

/// The number of other clients. Autovacuum, which comes and goes, does not count.
async fn sessions(admin: &Client) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND backend_type = 'client backend' \
                 AND pid <> pg_backend_pid()";
    admin.query_one(query, &[]).await.unwrap().get(0)
}

/// Records the highest number of sessions, until told to stop.
fn watch(admin: Client) -> (Arc<AtomicI64>, Arc<AtomicBool>) {
    let (most, end) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let (seen, ends) = (Arc::clone(&most), Arc::clone(&end));
    tokio::spawn(async move {
        // A session that has just ended may still be counted once, beside the one in its place.
        let mut before = 0;
        while !ends.load(Ordering::Relaxed) {
            let now = sessions(&admin).await;
            seen.fetch_max(now.min(before), Ordering::Relaxed);
            before = now;
        }
    });
    (most, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_together_respect_the_limit_of_connections() {
    let (_, kept) = shared().await;
    for (connections, workers) in [(1, 16), (8, 16), (17, 16), (2, 2), (16, 2)] {
        // One client polls: a session that has just ended could still be counted.
        let admin = client(kept.url()).await;
        until(async || sessions(&admin).await == 0).await;
        let database = with(kept.url(), connections, LONG);
        let (most, end) = watch(admin);
        use_it_from(&database, workers).await;
        let most = most.load(Ordering::Relaxed);
        end.store(true, Ordering::Relaxed);
        assert!(most > 0 && most <= connections as i64, "{most} of {connections}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_returns_its_share() {
    let (_, kept) = shared().await;
    let database = with(kept.url(), 4, LONG);
    for _ in 0..5 {
        ended(vec![worker(&database, 2, use_it)]).await;
    }
    let admin = client(kept.url()).await;
    // All four at once.
    let mut holder = client(kept.url()).await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waits: Vec<_> = (0..6)
        .map(|n| {
            let leads = database.repositories().leads;
            tokio::spawn(async move {
                leads
                    .create(&builders::lead().build(), &builders::act(builders::at(n)))
                    .await
                    .unwrap();
            })
        })
        .collect();
    until(async || sessions(&admin).await == 5).await;
    lock.rollback().await.unwrap();
    for wait in waits {
        wait.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_serves_all_workers_with_the_open_connections() {
    let (_, kept) = shared().await;
    let few = Few::new(kept.url()).await;
    let (admin, url) = (&few.admin, &few.url);
    // A worker's own connection serves the other workers as well.
    for usable in [1, 3] {
        // The server may still count the sessions of a runtime that has just ended.
        until(async || sessions(admin).await == 0).await;
        let database = with(url, 16, LONG);
        few.limit(usable).await;
        use_it_from(&database, 4).await;
    }
    // If the server accepts no connections at all, callers learn that at once.
    few.limit(0).await;
    let alone = with(url, 16, LONG);
    let lead = builders::lead().build();
    let refused = alone.repositories().leads.create(&lead, &builders::act(builders::at(1))).await;
    let Err(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.to_string().contains("53300"), "{why}");
    few.limit(-1).await;
    alone.repositories().leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_without_a_caller_serves_another_worker() {
    let (_, kept) = shared().await;
    let few = Few::new(kept.url()).await;
    few.limit(1).await;
    let lead = builders::lead().build();
    for n in 0..60 {
        until(async || sessions(&few.admin).await == 0).await;
        let database = with(&few.url, 16, LONG);
        let worker = || database.of_worker(2, Handle::current());
        let (one, other) = (worker(), worker());
        let leads = one.repositories().leads;
        let act = builders::act(builders::at(n));
        let gone = leads.create(&lead, &act);
        let patience = Duration::from_micros(200 * n.unsigned_abs());
        let _ = tokio::time::timeout(patience, gone).await;
        // The server may still count a connection that was closed with its statement in flight.
        let leads = other.repositories().leads;
        until(async || leads.create(&lead, &builders::act(builders::at(n))).await.is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_health_checks_share_connections() {
    let (_, kept) = shared().await;
    let database = with(kept.url(), 8, LONG);
    let crowd = (0..200).map(|_| {
        let health = database.repositories().health;
        tokio::spawn(async move {
            health.ping().await.unwrap();
            assert!(health.schema_is_current().await.unwrap());
            assert_eq!(health.obstacle().await.unwrap(), None);
        })
    });
    for one in crowd.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    let admin = client(kept.url()).await;
    // One for each of the three questions.
    assert!(sessions(&admin).await <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_leave_the_line_take_nothing_from_others() {
    let (_, kept) = shared().await;
    let database = with(kept.url(), 1, LONG);
    let lead = builders::lead().build();
    for microseconds in 0..200 {
        let leads = database.repositories().leads;
        let patience = Duration::from_micros(microseconds * 15);
        let gone = (0..4).map(|n| {
            let (leads, lead) = (leads.clone(), lead.clone());
            let create = async move { leads.create(&lead, &builders::act(builders::at(n))).await };
            tokio::spawn(tokio::time::timeout(patience, create))
        });
        let gone: Vec<_> = gone.collect();
        leads.create(&lead, &builders::act(builders::at(9))).await.unwrap();
        for one in gone {
            let _ = one.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_runtime_is_reported_at_once() {
    let (_, kept) = shared().await;
    let runtime = Runtime::new().unwrap();
    let mut settings = PgSettings::parse(kept.url()).unwrap();
    (settings.timeout, settings.wait) = (LONG, LONG);
    let database = connect(&settings, runtime.handle().clone());
    runtime.shutdown_background();
    for _ in 0..3 {
        let created = database
            .repositories()
            .leads
            .create(&builders::lead().build(), &builders::act(builders::at(1)))
            .await;
        assert!(matches!(created, Err(StoreError::Unavailable(_))), "{created:?}");
    }
}
