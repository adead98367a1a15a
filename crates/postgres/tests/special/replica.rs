//! Lists from a replica: never too old, never without what their client has seen, and available
//! while the replica fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::{Direction, PageRequest, Step};
use exit3_domain::subscribers::{NewSubscriber, SubscriberFilter, SubscriberOrder};
use exit3_ports::{Consistency, LogPosition};
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::builders;
use exit3_testkit::postgres::{TestPostgres, client};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_postgres::Client;

use crate::{migrated, until};

const LAG: Duration = Duration::from_secs(3);
/// For tests that are not about age: longer than any of them takes.
const LONG: Duration = Duration::from_secs(600);

/// A database whose lists may come from a replica.
struct Pair {
    database: PgDatabase,
    primary: TestPostgres,
    copy: TestPostgres,
    /// A superuser at the standby, if there is one.
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
        self.database
            .repositories()
            .leads
            .create(&builders::lead().build(), &builders::act(builders::at(1)))
            .await
            .unwrap();
    }

    async fn count(&self) -> u64 {
        count(&self.database).await
    }

    async fn count_of_primary(&self) -> u64 {
        rows(&client(&self.primary.url("postgres")).await).await.unwrap()
    }

    /// Pauses or resumes replay at the standby.
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

    /// Writes a lead that the replica does not replay, so that lists show where they come from,
    /// until the replica is too old.
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
            // The replica was not in use yet.
            self.replay(true).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn count(database: &PgDatabase) -> u64 {
    let (leads, all) = (database.repositories().leads, LeadFilter::default());
    let page = leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await;
    page.unwrap().unwrap().count
}

/// The number of leads on a server; a standby may not have replayed the table yet.
async fn rows(server: &Client) -> Result<u64, tokio_postgres::Error> {
    let row = server.query_one("SELECT count(*) FROM leads", &[]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_never_older_than_allowed() {
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
    // The replica is used again once it has caught up.
    pair.replay(true).await;
    pair.fall_behind().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_caller_of_a_group_learns_the_position_of_its_write() {
    let pair = pair(TestPostgres::replica, LONG).await;
    let leads = pair.database.repositories().leads;
    let callers: Vec<_> = (1..=5).map(Consistency::new).collect();
    let creates = callers.iter().map(|caller| {
        let new = builders::lead().build();
        let leads = Arc::clone(&leads);
        caller
            .run(async move { leads.create(&new, &builders::act(builders::at(1))).await.unwrap() })
    });
    join_all(creates).await;
    let reached: Vec<_> = callers.iter().map(|caller| caller.reached().unwrap()).collect();
    // The first create is alone; the others share a statement.
    assert!(reached[0] < reached[1] && reached[1] < LogPosition::NEVER, "{reached:?}");
    assert!(reached[1..].iter().all(|position| *position == reached[1]), "{reached:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_their_own_writes_and_others_see_recent_data() {
    let pair = pair(TestPostgres::replica, LONG).await;
    let subscriber = NewSubscriber { email: "ana@acme.hr".into(), is_subscribed: true };
    let (known, _) = pair.fall_behind().await;
    let (writer, stranger) = (Consistency::new(1), Consistency::new(2));
    writer.run(pair.create()).await;
    let wrote = writer.reached().unwrap();
    assert!(wrote < LogPosition::NEVER);
    assert_eq!(stranger.run(pair.count()).await, known, "the replica is not used");
    assert!(stranger.reached().unwrap() < wrote);
    // The same client in its next request.
    assert_eq!(Consistency::new(1).run(pair.count()).await, known + 2);
    let told = Consistency::new(3);
    told.has_seen(wrote);
    assert_eq!(told.run(pair.count()).await, known + 2);
    assert!(told.reached().unwrap() >= wrote);

    // Walks and lists of subscribers behave like other lists, and all writes like this one.
    let leads = pair.database.repositories().leads;
    let step = Step { from: None, direction: Direction::Forward, size: 50 };
    let all = LeadFilter::default();
    let walk = || async { leads.walk(&all, LeadOrder::NEWEST, &step).await.unwrap().rows };
    assert_eq!(stranger.run(walk()).await.len() as u64, known);
    let newest = Consistency::new(1).run(walk()).await.remove(0);
    let remover = Consistency::new(4);
    remover.run(async { leads.delete(&newest, &builders::some_act()).await.unwrap() }).await;
    assert_eq!(Consistency::new(4).run(walk()).await.len() as u64, known + 1);
    let subscribers = pair.database.repositories().subscribers;
    let subscribed = async || {
        let (all, first) = (SubscriberFilter::default(), PageRequest::first());
        let page = subscribers.list(&all, SubscriberOrder::NEWEST, first).await;
        page.unwrap().unwrap().count
    };
    let many = Consistency::new(5);
    many.run(async {
        subscribers.create_many(&[subscriber], &builders::some_act()).await.unwrap()
    })
    .await;
    assert_eq!(many.run(subscribed()).await, 1);
    assert_eq!(stranger.run(subscribed()).await, 0);

    // Every replica in use has old writes.
    pair.replay(true).await;
    until(async || Consistency::new(1).run(pair.count()).await == known + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_replica_is_bypassed_and_used_again_later() {
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
async fn a_promoted_replica_is_no_longer_used() {
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
async fn a_server_that_is_not_a_replica_is_not_used() {
    // An independent server, and its standby; both have the same tables.
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
