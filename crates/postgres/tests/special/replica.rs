//! Lists from a replica: never too old, never without what their client knows, and
//! whatever becomes of the replica, never missed.

use std::time::{Duration, Instant};

use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::{Direction, PageRequest, Step};
use exit3_domain::subscribers::{NewSubscriber, SubscriberFilter, SubscriberOrder};
use exit3_ports::{LeadRepository, Position, Session, SubscriberRepository};
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::builders;
use exit3_testkit::postgres::{TestPostgres, client};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_postgres::Client;

use crate::{migrated, until};

const LAG: Duration = Duration::from_secs(3);
/// For what is not about age: longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// A database whose lists may come from another.
struct Pair {
    database: PgDatabase,
    primary: TestPostgres,
    copy: TestPostgres,
    /// A superuser, where there is a standby.
    standby: Client,
    watch: JoinHandle<()>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn pair(make_copy: fn(&TestPostgres) -> TestPostgres, lag: Duration) -> Pair {
    let servers = spawn_blocking(move || {
        let primary = TestPostgres::start();
        let copy = make_copy(&primary);
        (primary, copy)
    });
    let (primary, copy) = servers.await.unwrap();
    migrated(&primary.url("postgres")).await;
    let settings = PgSettings::parse(&primary.url("postgres")).unwrap();
    let replica = PgSettings::parse(&copy.url("postgres")).unwrap();
    let database = connect(&settings.with_replica(replica, lag), Handle::current());
    let watched = database.clone();
    let watch = tokio::spawn(async move { watched.watch_replica().await });
    let standby = client(&copy.url("postgres")).await;
    Pair { database, primary, copy, standby, watch }
}

impl Pair {
    async fn create(&self) {
        self.database.leads().create(&builders::lead().build(), builders::at(1)).await.unwrap();
    }

    async fn count(&self) -> u64 {
        count(&self.database).await
    }

    async fn count_of_primary(&self) -> u64 {
        rows(&client(&self.primary.url("postgres")).await).await.unwrap()
    }

    /// Whether the replica is to replay what it gets.
    async fn replay(&self, replays: bool) {
        let verb = if replays { "resume" } else { "pause" };
        self.standby.batch_execute(&format!("SELECT pg_wal_replay_{verb}()")).await.unwrap();
        let state = if replays { "not paused" } else { "paused" };
        until(async || {
            let row = self.standby.query_one("SELECT pg_get_wal_replay_pause_state()", &[]).await;
            row.unwrap().get::<_, &str>(0) == state
        })
        .await;
    }

    /// Writes a lead that the replica does not get, so that it is behind, and until that
    /// is too old lists show which of the two they come from.
    async fn fall_behind(&self) -> (u64, Instant) {
        loop {
            let known = self.count_of_primary().await;
            until(async || rows(&self.standby).await.ok() == Some(known)).await;
            self.replay(false).await;
            self.create().await;
            let written = Instant::now();
            if self.count().await == known {
                return (known, written);
            }
            // The replica was not used yet.
            self.replay(true).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn count(database: &PgDatabase) -> u64 {
    let (leads, all) = (database.leads(), LeadFilter::default());
    let page = leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await;
    page.unwrap().unwrap().count
}

/// How many leads a server has; a standby may not have come to the table yet.
async fn rows(server: &Client) -> Result<u64, tokio_postgres::Error> {
    let row = server.query_one("SELECT count(*) FROM leads", &[]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_never_older_than_it_may_be() {
    let pair = pair(TestPostgres::replica, LAG).await;
    let (known, written) = pair.fall_behind().await;
    loop {
        let age = written.elapsed();
        if pair.count().await == known + 1 {
            break;
        }
        assert!(age <= LAG, "{age:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // It is used again once it has caught up.
    pair.replay(true).await;
    pair.fall_behind().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_what_it_has_written_and_seen_and_others_what_is_not_too_old() {
    let pair = pair(TestPostgres::replica, LONG).await;
    let subscriber = NewSubscriber { email: "ana@acme.hr".into(), is_subscribed: true };
    let (known, _) = pair.fall_behind().await;
    let (writer, stranger) = (Session::new(1), Session::new(2));
    writer.run(pair.create()).await;
    let wrote = writer.reached().unwrap();
    assert!(wrote < Position::NEVER);
    assert_eq!(stranger.run(pair.count()).await, known, "the replica is not used");
    assert!(stranger.reached().unwrap() < wrote);
    // The same client, as in its next request.
    assert_eq!(Session::new(1).run(pair.count()).await, known + 2);
    let told = Session::new(3);
    told.has_seen(wrote);
    assert_eq!(told.run(pair.count()).await, known + 2);
    assert!(told.reached().unwrap() >= wrote);

    // Walks and subscribers are lists as well, and all writes are writes.
    let leads = pair.database.leads();
    let step = Step { from: None, direction: Direction::Forward, size: 50 };
    let all = LeadFilter::default();
    let walk = || async { leads.walk(&all, LeadOrder::NEWEST, &step).await.unwrap().rows };
    assert_eq!(stranger.run(walk()).await.len() as u64, known);
    let newest = Session::new(1).run(walk()).await.remove(0);
    let remover = Session::new(4);
    remover.run(async { leads.delete(newest.id).await.unwrap() }).await;
    assert_eq!(Session::new(4).run(walk()).await.len() as u64, known + 1);
    let subscribers = pair.database.subscribers();
    let subscribed = async || {
        let (all, first) = (SubscriberFilter::default(), PageRequest::first());
        let page = subscribers.list(&all, SubscriberOrder::NEWEST, first).await;
        page.unwrap().unwrap().count
    };
    let many = Session::new(5);
    many.run(async { subscribers.create_many(&[subscriber]).await.unwrap() }).await;
    assert_eq!(many.run(subscribed()).await, 1);
    assert_eq!(stranger.run(subscribed()).await, 0);

    // What was written long ago every replica has that is used at all.
    pair.replay(true).await;
    until(async || Session::new(1).run(pair.count()).await == known + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_goes_away_or_hangs_is_not_missed_and_used_again_later() {
    let mut pair = pair(TestPostgres::replica, LONG).await;
    pair.fall_behind().await;
    pair.replay(true).await;
    let expected = pair.count_of_primary().await;
    until(async || pair.count().await == expected).await;
    pair.copy.pause();
    for _ in 0..20 {
        assert_eq!(pair.count().await, expected);
    }
    pair.copy.resume();
    pair.copy.stop();
    for _ in 0..20 {
        assert_eq!(pair.count().await, expected);
    }
    pair = spawn_blocking(move || {
        pair.copy.restart();
        pair
    })
    .await
    .unwrap();
    pair.standby = client(&pair.copy.url("postgres")).await;
    pair.fall_behind().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_promoted_is_left() {
    let pair = pair(TestPostgres::replica, LONG).await;
    pair.fall_behind().await;
    pair.replay(true).await;
    let expected = pair.count_of_primary().await;
    until(async || pair.count().await == expected).await;
    pair.standby.query_one("SELECT pg_promote()", &[]).await.unwrap();
    until(async || pair.standby.batch_execute("DELETE FROM leads").await.is_ok()).await;
    for _ in 0..20 {
        assert_eq!(pair.count().await, expected);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_replica_of_the_database_is_not_used() {
    // Another server, which is none, and its standby; both with the same tables.
    let stranger = |_: &TestPostgres| TestPostgres::start();
    let pair = pair(stranger, LONG).await;
    migrated(&pair.copy.url("postgres")).await;
    let standby = spawn_blocking(move || {
        let standby = pair.copy.replica();
        (pair, standby)
    });
    let (pair, standby) = standby.await.unwrap();
    let settings = PgSettings::parse(&pair.primary.url("postgres")).unwrap();
    let replica = PgSettings::parse(&standby.url("postgres")).unwrap();
    let database = connect(&settings.with_replica(replica, LONG), Handle::current());
    let watched = database.clone();
    let watch = tokio::spawn(async move { watched.watch_replica().await });
    pair.create().await;
    for _ in 0..20 {
        assert_eq!((pair.count().await, count(&database).await), (1, 1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watch.abort();
}
