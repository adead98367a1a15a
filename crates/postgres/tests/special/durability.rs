//! Acknowledged writes are on disk.

use exit3_ports::Transfer;
use exit3_testkit::postgres::TestDatabase;
use exit3_testkit::{builders, postgres};
use tokio_postgres::Client;

use crate::{alone, open, shared};

/// Records the durability of each statement that changes leads.
const NOTE: &str = "\
CREATE TABLE noted (id bigint GENERATED ALWAYS AS IDENTITY, how text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.noted (how) VALUES (current_setting('synchronous_commit')); RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR TRUNCATE ON leads EXECUTE FUNCTION note();";

async fn noted(admin: &Client) -> String {
    let last = "SELECT how FROM noted ORDER BY id DESC LIMIT 1";
    admin.query_one(last, &[]).await.unwrap().get(0)
}

async fn choose(admin: &Client, database: &TestDatabase, choice: &str) {
    let name = database.url().rsplit('/').next().unwrap().split('?').next().unwrap();
    let choose = format!("ALTER DATABASE {name} SET synchronous_commit = {choice}");
    admin.batch_execute(&choose).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_setting_stays_unless_it_could_lose_acknowledged_writes() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    admin.batch_execute(NOTE).await.unwrap();
    for (choice, kept) in [
        ("off", "on"),
        ("local", "local"),
        ("remote_write", "remote_write"),
        ("on", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        choose(&admin, &database, choice).await;
        let node = open(database.url());
        node.repositories()
            .leads
            .create(&builders::lead().build(), &builders::act(builders::at(5)))
            .await
            .unwrap();
        assert_eq!(noted(&admin).await, kept, "one lead, {choice}");
        node.repositories()
            .leads
            .create_many(&[(builders::lead().build(), builders::at(5))], &builders::some_act())
            .await
            .unwrap();
        assert_eq!(noted(&admin).await, kept, "many leads, {choice}");
        let mut load = node.transfer().load().await.unwrap();
        load.clear().await.unwrap();
        load.commit().await.unwrap();
        assert_eq!(noted(&admin).await, kept, "a restore, {choice}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_crash_of_a_server_with_asynchronous_commits() {
    let (node, mut server) = alone().await;
    let admin = postgres::client(&server.url("postgres")).await;
    // Prevents the WAL writer from flushing the log in time.
    admin.batch_execute("ALTER SYSTEM SET wal_writer_delay = '10s'").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    for number in 0..20 {
        let lead = builders::lead().full_name(format!("Ana {number}")).build();
        node.repositories().leads.create(&lead, &builders::act(builders::at(5))).await.unwrap();
    }
    let server = tokio::task::spawn_blocking(move || {
        server.stop();
        server.restart();
        server
    });
    let server = server.await.unwrap();
    let admin = postgres::client(&server.url("postgres")).await;
    let kept: i64 = admin.query_one("SELECT count(*) FROM leads", &[]).await.unwrap().get(0);
    assert_eq!(kept, 20);
}
