//! Connections through a pooler.

use exit3_domain::leads::{Lead, LeadId};
use exit3_ports::{Rows, StoreError, Target, Transfer};
use exit3_postgres::Unfit;
use exit3_testkit::builders;
use exit3_testkit::postgres::{self, Statements, TestDatabase, TestPgBouncer};
use tokio_postgres::Client;

use crate::{open, shared};

async fn pooled(
    database: &TestDatabase,
    mode: &str,
    statements: Statements,
    sessions: u8,
) -> TestPgBouncer {
    TestPgBouncer::start(database.url(), mode, statements, sessions).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_forgets_statements_is_refused_and_left_unchanged() {
    let (_, database) = shared().await;
    let pooler = pooled(&database, "transaction", Statements::PassedOn, 3).await;
    let node = open(&pooler.url_of(database.url()));
    assert_eq!(node.check_fitness().await, Err(Unfit::ForgetsStatements));
    let refused = node.repositories().leads.find(LeadId(1)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    // Nothing is left in the sessions, which other clients share.
    let other = postgres::client(&pooler.url_of(database.url())).await;
    let names = "SELECT count(*) FROM pg_prepared_statements";
    assert_eq!(number(&other, names).await, 0);
    let set = "SELECT count(*) FROM pg_settings WHERE source = 'session' \
               AND name IN ('statement_timeout', 'lock_timeout', 'jit', 'synchronous_commit')";
    assert_eq!(number(&other, set).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_without_transactions_is_refused() {
    let (_, database) = shared().await;
    let pooler = pooled(&database, "statement", Statements::PassedOn, 3).await;
    let node = open(&pooler.url_of(database.url()));
    assert_eq!(node.check_fitness().await, Err(Unfit::NoTransactions));
}

/// Two nodes that alternate between the same sessions.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_behind_one_pooler_run_only_their_own_statements() {
    for (mode, statements) in [
        ("transaction", Statements::Kept),
        ("session", Statements::Kept),
        ("session", Statements::PassedOn),
    ] {
        let (direct, database) = shared().await;
        durable(&database).await;
        let sessions = if mode == "session" { 60 } else { 2 };
        let pooler = pooled(&database, mode, statements, sessions).await;
        let [one, two] = [(); 2].map(|()| open(&pooler.url_of(database.url())));
        for node in [&one, &two] {
            assert_eq!(node.check_fitness().await, Ok(()), "{mode} {statements:?}");
        }
        let leads = direct.repositories().leads;
        let many: Vec<_> = (0..120)
            .map(|number| builders::lead().full_name(format!("Ana {number}")).build())
            .collect();
        let mut all = Vec::new();
        for lead in &many {
            all.push(leads.create(lead, &builders::act(builders::at(5))).await.unwrap());
        }
        let (deleted, kept): (Vec<Lead>, Vec<Lead>) =
            all.into_iter().partition(|lead| lead.id.0 % 2 == 0);
        let deleting = tokio::spawn({
            let leads = one.repositories().leads;
            async move {
                for lead in deleted {
                    leads.delete(&lead, &builders::some_act()).await.unwrap();
                }
            }
        });
        for Lead { id, .. } in &kept {
            let found = two.repositories().leads.find(*id).await.unwrap();
            assert!(found.is_some(), "{mode} {statements:?}: {id:?}");
        }
        deleting.await.unwrap();
        let admin = postgres::client(database.url()).await;
        let left = number(&admin, "SELECT count(*) FROM leads").await;
        assert_eq!(usize::try_from(left).unwrap(), kept.len(), "{mode} {statements:?}");
    }
}

/// Behind a pooler that keeps statements, the sessions' defaults must be safe, because the service
/// cannot set them.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_with_sessions_that_may_lose_writes_is_refused() {
    let (_, database) = shared().await;
    durable(&database).await;
    for (setting, refused) in [
        ("synchronous_commit = off", Unfit::LosesCommits("postgres".to_owned())),
        (
            "default_transaction_isolation = 'serializable'",
            Unfit::OtherIsolation("postgres".to_owned(), "serializable".to_owned()),
        ),
    ] {
        let admin = postgres::client(database.url()).await;
        let name = setting.split(' ').next().unwrap();
        alter(&admin, &format!("SET {setting}")).await;
        let pooler = pooled(&database, "transaction", Statements::Kept, 3).await;
        let node = open(&pooler.url_of(database.url()));
        assert_eq!(node.check_fitness().await, Err(refused));
        alter(&admin, &format!("RESET {name}")).await;
        durable(&database).await;
    }
}

/// In shared sessions too, a connection's settings must not reach others.
#[tokio::test(flavor = "multi_thread")]
async fn copies_and_migrations_leave_nothing_in_the_sessions_of_a_pooler() {
    let database = postgres::shared().create_database().await;
    for statements in [Statements::PassedOn, Statements::Kept] {
        let pooler = pooled(&database, "transaction", statements, 1).await;
        let node = open(&pooler.url_of(database.url()));
        node.migrate().await.unwrap();
        let transfer = node.transfer();
        drop(transfer.snapshot().await.unwrap());
        transfer.load().await.unwrap().commit().await.unwrap();
        let other = postgres::client(&pooler.url_of(database.url())).await;
        let changed = "SELECT count(*) FROM pg_settings WHERE source = 'session' \
                       AND name IN ('statement_timeout', 'lock_timeout', 'TimeZone', 'DateStyle', \
                       'idle_in_transaction_session_timeout', 'synchronous_commit')";
        assert_eq!(number(&other, changed).await, 0);
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        let admin = postgres::client(database.url()).await;
        let locks = format!(
            "{locks} AND database = (SELECT oid FROM pg_database \
                             WHERE datname = current_database())"
        );
        assert_eq!(number(&admin, &locks).await, 0);
        // With the pooler still there, another program migrates without it.
        open(database.url()).migrate_to(Target::Version(1), Rows::Keep).await.unwrap();
    }
}

/// Makes the sessions of the database flush their commits, unlike other tests.
async fn durable(database: &TestDatabase) {
    alter(&postgres::client(database.url()).await, "SET synchronous_commit = on").await;
}

async fn alter(admin: &Client, what: &str) {
    let name: String =
        admin.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    admin.batch_execute(&format!("ALTER DATABASE {name} {what}")).await.unwrap();
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_typed_one(sql, &[]).await.unwrap().get(0)
}
