//! An erasure searches without a lock first, and then looks at what has changed since.

use exit3_domain::leads::Lead;
use exit3_ports::{Mark, Row, Shape, Transfer, Value, jobs};
use exit3_postgres::PgDatabase;
use exit3_testkit::builders::{lead, some_act};
use exit3_testkit::postgres::client;

use crate::{alone, shared};

async fn mark(database: &PgDatabase) -> Mark {
    let mut snapshot = database.transfer().snapshot().await.unwrap();
    snapshot.mark().await.unwrap().unwrap()
}

fn of_leads(shapes: Vec<Shape>) -> Shape {
    shapes.into_iter().find(|shape| shape.table.name == "leads").unwrap()
}

/// The ids of the leads that have changed, read two at a time.
async fn changed(database: &PgDatabase, since: Mark) -> Vec<i64> {
    let mut load = database.transfer().load().await.unwrap();
    let shape = of_leads(load.shapes().await.unwrap());
    let (mut ids, mut after) = (Vec::new(), i64::MIN);
    loop {
        let rows = load.changed(&shape, since, after, 2).await.unwrap();
        let id = |row: &Row| match row[0] {
            Value::Integer(id) => id,
            _ => panic!("a row without an id"),
        };
        let Some(last) = rows.last() else { return ids };
        after = id(last);
        ids.extend(rows.iter().map(id));
    }
}

/// Needs a server of its own: a transaction that is open elsewhere makes the mark an older one.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_have_not_changed_are_not_read_again() {
    let (database, server) = alone().await;
    let leads = database.repositories().leads;
    let create = async || leads.create(&lead().build(), &some_act()).await.unwrap();
    let rename = async |seen: &Lead| {
        leads.update(seen, &lead().full_name("Eva").build(), &seen.work, &some_act()).await.unwrap()
    };
    let (one, two, three, four) = (create().await, create().await, create().await, create().await);
    rename(&four).await;
    let since = mark(&database).await;
    assert_eq!(changed(&database, since).await, [0; 0]);
    rename(&two).await;
    let new = create().await;
    leads.delete(&three, &some_act()).await.unwrap();
    let other = client(&server.url("postgres")).await;
    let quiet = format!("UPDATE leads SET notes = 'a' WHERE id = {}", one.id.0);
    other.batch_execute(&quiet).await.unwrap();
    assert_eq!(changed(&database, since).await, [one.id.0, two.id.0, new.id.0]);
    let since = mark(&database).await;
    assert_eq!(changed(&database, since).await, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_were_open_during_the_first_search_count_as_later() {
    let (database, server) = alone().await;
    let leads = database.repositories().leads;
    let create = async || leads.create(&lead().build(), &some_act()).await.unwrap();
    let one = create().await;
    let store = "INSERT INTO leads (full_name, position, source, status, category, created_at, \
                 updated_at, search_document) \
                 VALUES ('Ana', 'CTO', 'other', 'new', 'web_dev', now(), now(), '') RETURNING id";
    let (slow, slower) =
        (client(&server.url("postgres")).await, client(&server.url("postgres")).await);
    slow.batch_execute("BEGIN").await.unwrap();
    let mut ids: Vec<i64> = vec![slow.query_one(store, &[]).await.unwrap().get(0)];
    // A part of a transaction has a number of its own.
    slower.batch_execute("BEGIN; SAVEPOINT part").await.unwrap();
    ids.push(slower.query_one(store, &[]).await.unwrap().get(0));
    create().await;
    let since = mark(&database).await;
    slow.batch_execute("COMMIT").await.unwrap();
    slower.batch_execute("RELEASE part; COMMIT").await.unwrap();
    let found = changed(&database, since).await;
    assert!(ids.iter().all(|id| found.contains(id)), "{ids:?} in {found:?}");
    assert!(!found.contains(&one.id.0));
}

/// Numbers of transactions in rows have 32 bits, and begin anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_after_the_numbers_of_transactions_have_begun_anew() {
    let (database, kept) = shared().await;
    database.repositories().leads.create(&lead().build(), &some_act()).await.unwrap();
    let admin = client(kept.url()).await;
    let written = admin.query_one("SELECT xmin::text::bigint FROM leads", &[]).await.unwrap();
    let written: i64 = written.get(0);
    let round = 1_i64 << 32;
    for (since, is_changed) in [
        (written, true),
        (written + 1, false),
        (written - 1, true),
        (written + 7 * round, true),
        (written + 7 * round + 1, false),
        // Marked shortly before the end of a round, and written after it.
        (written + 7 * round - 1_000_000, true),
    ] {
        let found = changed(&database, Mark(since)).await;
        assert_eq!(found.len(), usize::from(is_changed), "{since} {written}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_add_a_job_while_the_table_is_locked() {
    let (database, kept) = shared().await;
    let mut load = database.transfer().load().await.unwrap();
    load.lock(&jobs::TABLE).await.unwrap();
    let other = client(kept.url()).await;
    let enqueue = "SET lock_timeout = '50ms'; \
                   INSERT INTO jobs (kind, payload, state, attempts, claims, due_at, enqueued_at) \
                   SELECT 'mail', '{}', 'waiting', 0, 0, now(), now()";
    let refused = other.batch_execute(enqueue).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "55P03", "{refused:?}");
    load.commit().await.unwrap();
    other.batch_execute(enqueue).await.unwrap();
}
