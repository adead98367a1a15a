//! Creates that wait at the same time share a statement.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::leads::Lead;
use exit3_ports::{StoreError, with_causes};
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::builders::{act, at, lead};
use exit3_testkit::postgres::{TestDatabase, client};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::{shared, until};

type Create = Pin<Box<dyn Future<Output = Result<Lead, StoreError>>>>;

/// A database whose table of leads is locked by `holder`.
struct Locked {
    database: PgDatabase,
    holder: Client,
    admin: Client,
    _kept: TestDatabase,
}

impl Locked {
    async fn new() -> Self {
        Self::with_limit(Duration::from_secs(60)).await
    }

    /// Operations may take this long.
    async fn with_limit(limit: Duration) -> Self {
        let (_, kept) = shared().await;
        let mut settings = PgSettings::parse(kept.url()).unwrap();
        (settings.timeout, settings.wait) = (limit, limit);
        let database = connect(&settings, Handle::current());
        let (holder, admin) = (client(kept.url()).await, client(kept.url()).await);
        holder.batch_execute("BEGIN; LOCK TABLE leads IN ACCESS EXCLUSIVE MODE").await.unwrap();
        Self { database, holder, admin, _kept: kept }
    }

    /// A create for each name. The first one, when it is polled, takes the lane.
    fn creates(&self, names: &[&'static str]) -> Vec<Create> {
        let leads = self.database.repositories().leads;
        let create = |name: &'static str| -> Create {
            let leads = Arc::clone(&leads);
            Box::pin(
                async move { leads.create(&lead().full_name(name).build(), &act(at(1))).await },
            )
        };
        names.iter().map(|name| create(name)).collect()
    }

    /// Waits until a statement waits for the table.
    async fn is_waited_for(&self) {
        let query = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until(async || self.admin.query_one(query, &[]).await.unwrap().get::<_, i64>(0) > 0).await;
    }

    async fn release(&self) {
        self.is_waited_for().await;
        self.holder.batch_execute("COMMIT").await.unwrap();
    }

    /// The names of all leads, by the transaction that stored them.
    async fn stored(&self) -> Vec<HashSet<String>> {
        let query = "SELECT array_agg(full_name) FROM leads GROUP BY xmin ORDER BY min(id)";
        let rows = self.admin.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, Vec<String>>(0).into_iter().collect()).collect()
    }
}

fn set(names: &[&str]) -> HashSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_that_wait_are_stored_in_one_statement() {
    let locked = Locked::new().await;
    let names = ["Ana", "Eva", "Ivo", "Iva", "Luka"];
    let (created, ()) = tokio::join!(join_all(locked.creates(&names)), locked.release());
    for (name, created) in names.iter().zip(created) {
        assert_eq!(created.unwrap().details.full_name, *name);
    }
    assert_eq!(locked.stored().await, [set(&["Ana"]), set(&names[1..])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_a_limit() {
    let locked = Locked::new().await;
    let creates = locked.creates(&["Ana"; 130]);
    let (created, ()) = tokio::join!(join_all(creates), locked.release());
    let ids: HashSet<_> = created.into_iter().map(|created| created.unwrap().id).collect();
    assert_eq!(ids.len(), 130);
    let query = "SELECT count(*) FROM leads GROUP BY xmin ORDER BY min(id)";
    let rows = locked.admin.query(query, &[]).await.unwrap();
    let sizes: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(sizes, [1, 128, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_does_not_affect_its_group() {
    let locked = Locked::new().await;
    let rule = "ALTER TABLE leads ADD CONSTRAINT foreign_rule CHECK (full_name <> 'Eva')";
    locked.holder.batch_execute(rule).await.unwrap();
    let names = ["Ana", "Ivo", "Eva", "Iva"];
    let (created, ()) = tokio::join!(join_all(locked.creates(&names)), locked.release());
    let succeeded: Vec<_> = created.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [true, true, false, true]);
    assert_eq!(locked.stored().await, ["Ana", "Ivo", "Iva"].map(|name| set(&[name])));
}

/// A trigger of somebody else, which runs `body` for each lead that is stored.
fn trigger(body: &str) -> String {
    format!(
        "CREATE FUNCTION foreign_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             {body} RETURN NEW; END $$;
         CREATE TRIGGER foreign_trigger BEFORE INSERT ON leads
             FOR EACH ROW EXECUTE FUNCTION foreign_trigger()"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_any_kind_affects_only_its_row() {
    // A wrong value, a missing right, a limit, an internal error, and a class of its own.
    for code in ["22023", "42501", "54000", "55000", "XX000", "PT409"] {
        let locked = Locked::new().await;
        let raise = format!(
            "IF NEW.full_name = 'Eva' THEN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF;"
        );
        locked.holder.batch_execute(&trigger(&raise)).await.unwrap();
        let names = ["Ana", "Ivo", "Eva", "Iva"];
        let (created, ()) = tokio::join!(join_all(locked.creates(&names)), locked.release());
        let succeeded: Vec<_> = created.iter().map(Result::is_ok).collect();
        assert_eq!(succeeded, [true, true, false, true], "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_the_lead_of_another_caller_or_one_that_is_not_stored() {
    for (body, is_stored) in [
        ("IF NEW.full_name = 'Eva' THEN RETURN NULL; END IF;", [true, true, false, true]),
        ("RETURN NULL;", [false; 4]),
        ("NEW.id := 1000000 - NEW.id;", [true; 4]),
        ("NEW.full_name := NEW.full_name || '!';", [true; 4]),
    ] {
        let locked = Locked::new().await;
        locked.holder.batch_execute(&trigger(body)).await.unwrap();
        let names = ["Ana", "Ivo", "Eva", "Iva"];
        let (created, ()) = tokio::join!(join_all(locked.creates(&names)), locked.release());
        for ((name, created), is_stored) in names.iter().zip(created).zip(is_stored) {
            assert_eq!(created.is_ok(), is_stored, "{body} {name}: {created:?}");
            if let Ok(created) = created {
                let query = "SELECT full_name FROM leads WHERE id = $1";
                let row = locked.admin.query_one(query, &[&created.id.0]).await.unwrap();
                let stored: String = row.get(0);
                assert_eq!(
                    (&stored, stored.trim_end_matches('!')),
                    (&created.details.full_name, *name)
                );
            }
        }
        let query = "SELECT count(*) FROM leads";
        let count: i64 = locked.admin.query_one(query, &[]).await.unwrap().get(0);
        assert_eq!(count, is_stored.iter().filter(|is| **is).count() as i64, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_before_its_group_has_begun_stores_nothing() {
    let locked = Locked::new().await;
    let mut creates = locked.creates(&["Ana", "Eva", "Ivo", "Iva"]);
    for create in &mut creates {
        assert!(futures_util::poll!(create).is_pending());
    }
    // The one whose statement runs stays, so that its statement ends before the table is read.
    drop(creates.remove(1));
    let (created, ()) = tokio::join!(join_all(creates), locked.release());
    assert!(created.iter().all(Result::is_ok), "{created:?}");
    assert_eq!(locked.stored().await, [set(&["Ana"]), set(&["Ivo", "Iva"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_while_it_has_the_lane_leaves_it_to_others() {
    let locked = Locked::new().await;
    let mut creates = locked.creates(&["Ana", "Eva", "Ivo"]);
    let mut first = creates.remove(0);
    assert!(futures_util::poll!(&mut first).is_pending());
    let release = async {
        tokio::select! {
            created = &mut first => panic!("{created:?}"),
            () = locked.is_waited_for() => drop(first),
        }
        locked.holder.batch_execute("COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(join_all(creates), release);
    assert!(created.iter().all(Result::is_ok), "{created:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_fails_its_group_and_no_other() {
    let locked = Locked::new().await;
    let waiting = "SELECT pid FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    // The first statement takes the lane; the group after it loses its connection.
    let names = ["Ana", "Eva", "Ivo"];
    let end_each = async {
        let mut ended = HashSet::new();
        while ended.len() < 2 {
            for row in locked.admin.query(waiting, &[]).await.unwrap() {
                let pid: i32 = row.get(0);
                if ended.insert(pid) {
                    let end = "SELECT pg_terminate_backend($1)";
                    locked.admin.query(end, &[&pid]).await.unwrap();
                }
            }
        }
    };
    let (created, ()) = tokio::join!(join_all(locked.creates(&names)), end_each);
    for created in created {
        assert!(matches!(created, Err(StoreError::Unavailable(_))), "{created:?}");
    }
    let (created, ()) = tokio::join!(join_all(locked.creates(&["Iva"; 3])), locked.release());
    assert!(created.iter().all(Result::is_ok), "{created:?}");
    let stored: HashSet<_> = locked.stored().await.into_iter().flatten().collect();
    assert_eq!(stored, set(&["Iva"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_has_waited_for_most_of_its_time_is_not_sent() {
    let locked = Locked::with_limit(Duration::from_secs(8)).await;
    // PostgreSQL refuses the first one after three quarters of the time.
    let mut created = join_all(locked.creates(&["Ana", "Eva", "Ivo"])).await;
    assert!(created.remove(0).is_err());
    for refused in created {
        let told = with_causes(&refused.unwrap_err());
        assert!(told.contains("no connection was free in time"), "{told}");
    }
    locked.holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(locked.stored().await, []);
}
