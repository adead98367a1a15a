//! A lead is deleted while another transaction gives it a client or takes its client away. The
//! events must say what happened to the client.

use std::sync::Arc;

use exit3_domain::clients::{Client, NewClient};
use exit3_domain::events::{Changes, EventFilter, Verb};
use exit3_domain::leads::{Lead, LeadId};
use exit3_ports::clients::LEAD_MISSING;
use exit3_ports::{Constraint, Repositories, StoreError};
use exit3_testkit::builders::{lead, some_act};
use exit3_testkit::contract::clients::client;
use exit3_testkit::postgres::{self, TestDatabase};
use tokio_postgres::Client as Connection;

use crate::{shared, until};

/// Two leads. The first one has a client, or may get it.
struct Scene {
    repositories: Repositories,
    lead: Lead,
    other: Lead,
    client: Client,
    /// Another transaction.
    holder: Connection,
    admin: Connection,
    _kept: TestDatabase,
}

impl Scene {
    async fn new(is_client: bool) -> Self {
        let (database, kept) = shared().await;
        let repositories = database.repositories();
        let create =
            async || repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
        let (lead, other) = (create().await, create().await);
        let details = NewClient { lead: is_client.then_some(lead.id), ..client("a") };
        let client = repositories.clients.create(&details, &some_act()).await.unwrap();
        let holder = postgres::client(kept.url()).await;
        let admin = postgres::client(kept.url()).await;
        Self { repositories, lead, other, client, holder, admin, _kept: kept }
    }

    /// Waits until so many statements wait for a lock.
    async fn wait_for(&self, count: i64) {
        let query = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until(async || self.admin.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == count)
            .await;
    }

    /// Deletes the first lead while `sql` is not committed, and then lets `end` end it.
    async fn delete_during(&self, sql: &str, end: &str) {
        self.holder.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
        let release = async {
            self.wait_for(1).await;
            self.holder.batch_execute(end).await.unwrap();
        };
        let act = some_act();
        let (deleted, ()) = tokio::join!(self.repositories.leads.delete(&self.lead, &act), release);
        deleted.unwrap();
        assert_eq!(self.repositories.leads.find(self.lead.id).await.unwrap(), None);
    }

    /// The lead of the client now, and the changes of its lead that events tell of.
    async fn told(&self) -> (Option<LeadId>, Vec<Changes>) {
        let id = self.client.id;
        let filter =
            EventFilter { verb: Some(Verb::from_word("client.updated")), ..EventFilter::default() };
        let events = self.repositories.events.list(&filter, None, 100).await.unwrap();
        assert!(events.iter().all(|event| event.subject.id == id.0), "{events:?}");
        let now = self.repositories.clients.find(id).await.unwrap();
        let changes = events.into_iter().map(|event| event.changes).collect();
        (now.and_then(|client| client.details.lead), changes)
    }

    fn lost(&self) -> Changes {
        Changes::one("lead", Some(self.lead.id), None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_the_lead_gets_meanwhile_loses_it_with_an_event() {
    for is_new in [false, true] {
        let mut scene = Scene::new(false).await;
        let (lead, id) = (scene.lead.id.0, scene.client.id.0);
        let sql = if is_new {
            scene.client.id.0 += 1;
            format!(
                "INSERT INTO clients (lead_id, team_id, short_description, category) \
                 VALUES ({lead}, 'b', '', 'web_dev')"
            )
        } else {
            format!("UPDATE clients SET lead_id = {lead} WHERE id = {id}")
        };
        scene.delete_during(&sql, "COMMIT").await;
        assert_eq!(scene.told().await, (None, vec![scene.lost()]));
    }
    let scene = Scene::new(false).await;
    let (lead, id) = (scene.lead.id.0, scene.client.id.0);
    let sql = format!("UPDATE clients SET lead_id = {lead} WHERE id = {id}");
    scene.delete_during(&sql, "ROLLBACK").await;
    assert_eq!(scene.told().await, (None, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_taken_from_the_lead_meanwhile_has_no_event_of_the_deletion() {
    for to_other in [false, true] {
        let scene = Scene::new(true).await;
        let now = to_other.then_some(scene.other.id);
        let value = now.map_or("NULL".to_owned(), |lead| lead.0.to_string());
        let sql = format!("UPDATE clients SET lead_id = {value} WHERE id = {}", scene.client.id.0);
        scene.delete_during(&sql, "COMMIT").await;
        assert_eq!(scene.told().await, (now, vec![]));
    }
    let scene = Scene::new(true).await;
    let sql = format!("DELETE FROM clients WHERE id = {}", scene.client.id.0);
    scene.delete_during(&sql, "COMMIT").await;
    assert_eq!(scene.told().await, (None, vec![]));
    let scene = Scene::new(true).await;
    let sql = format!("UPDATE clients SET lead_id = NULL WHERE id = {}", scene.client.id.0);
    scene.delete_during(&sql, "ROLLBACK").await;
    assert_eq!(scene.told().await, (None, vec![scene.lost()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_of_one_client_goes_to_another_one_meanwhile() {
    let scene = Scene::new(true).await;
    let (lead, id) = (scene.lead.id.0, scene.client.id.0);
    let second = scene.repositories.clients.create(&client("b"), &some_act()).await.unwrap();
    let sql = format!(
        "UPDATE clients SET lead_id = NULL WHERE id = {id}; \
         UPDATE clients SET lead_id = {lead} WHERE id = {}",
        second.id.0
    );
    scene.delete_during(&sql, "COMMIT").await;
    let scene = Scene { client: second, ..scene };
    assert_eq!(scene.told().await, (None, vec![scene.lost()]));
}

/// The other write comes while the deletion has the lead and is not committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_comes_after_the_deletion_sees_it() {
    for is_client in [false, true] {
        let scene = Scene::new(is_client).await;
        // A write that stores an event waits then, with all its locks.
        let wait = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN new; END $$; \
                    CREATE TRIGGER wait BEFORE INSERT ON events \
                    FOR EACH ROW EXECUTE FUNCTION wait()";
        scene.admin.batch_execute(wait).await.unwrap();
        scene.holder.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7)").await.unwrap();
        let act = some_act();
        let wanted = NewClient { lead: (!is_client).then_some(scene.lead.id), ..client("a") };
        let deletion = scene.repositories.leads.delete(&scene.lead, &act);
        let clients = Arc::clone(&scene.repositories.clients);
        let write = async {
            scene.wait_for(1).await;
            clients.update(&scene.client, &wanted, &act).await
        };
        let release = async {
            scene.wait_for(2).await;
            scene.holder.batch_execute("COMMIT").await.unwrap();
        };
        let (deleted, written, ()) = tokio::join!(deletion, write, release);
        deleted.unwrap();
        if is_client {
            // One of the two took the lead away, and says so.
            let is_stale = matches!(written, Err(StoreError::Conflict(Constraint::Stale)));
            assert!(written.is_ok() || is_stale, "{written:?}");
            assert_eq!(scene.told().await, (None, vec![scene.lost()]));
        } else {
            let is_missing =
                matches!(written, Err(StoreError::Conflict(why)) if why == LEAD_MISSING);
            assert!(is_missing, "{written:?}");
            assert_eq!(scene.told().await, (None, vec![]));
        }
    }
}

/// The statements of a deletion are sent together, and none of them is left behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_leaves_no_transaction_open() {
    let scene = Scene::new(true).await;
    let act = some_act();
    let rule = "ALTER TABLE events ADD CONSTRAINT no_deletions CHECK (verb <> 'client.updated')";
    scene.admin.batch_execute(rule).await.unwrap();
    for _ in 0..3 {
        scene.repositories.leads.delete(&scene.lead, &act).await.unwrap_err();
    }
    let idle = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let count = scene.admin.query_one(idle, &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 0);
    assert_eq!(scene.told().await, (Some(scene.lead.id), vec![]));
    scene.admin.batch_execute("ALTER TABLE events DROP CONSTRAINT no_deletions").await.unwrap();
    scene.repositories.leads.delete(&scene.lead, &act).await.unwrap();
    assert_eq!(scene.told().await, (None, vec![scene.lost()]));
}
