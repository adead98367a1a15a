//! Copying a whole database, and the state of its backups.

use std::time::Duration;

use exit3_domain::clients::{ClientFilter, ClientOrder};
use exit3_domain::leads::{LeadFilter, LeadId, LeadOrder};
use exit3_ports::{Column, NOT_MOVED, PAGE_BYTES, Row, Shape, Snapshot, TABLES, Value, table};

use super::model::{NOW, page, searching};
use super::{Harness, fill};
use crate::builders::{act, at, lead, some_act, subscriber, time};

/// Asserts that copies include every column of a schema (given as pairs of table and column), apart
/// from deliberate exceptions.
pub fn assert_nothing_is_left_out(columns: &[(String, String)]) {
    assert!(columns.len() > TABLES.len());
    for (of, name) in columns {
        let known = table(of);
        let is_known = known.is_some_and(|table| {
            let follows = name == "search_document" && !table.searched_by.is_empty();
            follows || table.columns.iter().any(|column| column.name == name)
        });
        // A transaction of another database says nothing.
        let is_of_one_database = (of.as_str(), name.as_str()) == ("events", "transaction_id");
        let decided =
            NOT_MOVED.contains(&of.as_str()) || of.starts_with("sqlite_") || is_of_one_database;
        assert!(is_known || decided, "{of}.{name} is in no backup: see exit3_ports::TABLES");
    }
}

/// Stores a row in every table that has no port.
pub(crate) async fn fill_memory(harness: &Harness) {
    let mut load = harness.transfer.load().await.unwrap();
    for table in TABLES.iter().filter(|table| table.name.starts_with("django_")) {
        let (digest, original) = (Value::Bytes(vec![7; 32]), Value::Text("{}".to_owned()));
        let shape = Shape::of(table, |_| true).unwrap();
        load.write(&shape, vec![vec![Value::Integer(1), digest, original]]).await.unwrap();
    }
    load.commit().await.unwrap();
}

async fn everything(snapshot: &mut dyn Snapshot) -> Vec<(Shape, Vec<Row>)> {
    let mut all = Vec::new();
    for shape in snapshot.shapes().await.unwrap() {
        let rows = snapshot.rows(&shape, i64::MIN, 1_000).await.unwrap();
        assert_eq!(snapshot.count(shape.table).await.unwrap(), rows.len() as u64);
        all.push((shape, rows));
    }
    all
}

pub(crate) async fn now(harness: &Harness) -> Vec<(Shape, Vec<Row>)> {
    everything(harness.transfer.snapshot().await.unwrap().as_mut()).await
}

async fn count(harness: &Harness, filter: &LeadFilter) -> u64 {
    harness.leads.list(filter, LeadOrder::NEWEST, page(1, 1)).await.unwrap().unwrap().count
}

fn leads_shape() -> Shape {
    Shape::of(table("leads").unwrap(), |_| true).unwrap()
}

/// A lead as a row. Columns that are not set are NULL.
fn lead_row(id: i64, name: &str) -> Row {
    let value = |column: &&Column| match column.name {
        "id" => Value::Integer(id),
        "full_name" => Value::Text(name.to_owned()),
        "position" => Value::Text("CTO".to_owned()),
        "email" => Value::Text("x@example.com".to_owned()),
        "source" => Value::Text("referral".to_owned()),
        "status" => Value::Text("contacted".to_owned()),
        "category" => Value::Text("web_dev".to_owned()),
        "created_at" => Value::Time(1),
        "updated_at" => Value::Time(-1),
        _ => Value::Null,
    };
    leads_shape().columns.iter().map(value).collect()
}

/// The position of a column of leads.
fn at_column(name: &str) -> usize {
    leads_shape().columns.iter().position(|column| column.name == name).unwrap()
}

pub async fn a_snapshot_has_all_tables_and_columns(harness: &Harness) {
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let shapes = snapshot.shapes().await.unwrap();
    let whole: Vec<Shape> =
        TABLES.iter().map(|table| Shape::of(table, |_| true).unwrap()).collect();
    assert_eq!(shapes, whole);
    assert_eq!(snapshot.schema().await.unwrap(), harness.transfer.newest_schema());
}

pub async fn a_snapshot_has_every_row_as_it_was_stored(harness: &Harness) {
    fill(harness).await;
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    assert_eq!(snapshot.damage().await.unwrap(), None);
    drop(snapshot);
    let all = now(harness).await;
    let leads = &all[0].1;
    assert_eq!(leads.len(), 3);
    assert_eq!(leads[0][at_column("full_name")], Value::Text("Đuro \"Ω\" \\ 🦀\u{1}".to_owned()));
    assert_eq!(leads[0][at_column("created_at")], Value::Time(time(NOW).timestamp_micros()));
    assert_eq!(leads[1][at_column("company_name")], Value::Null);
    assert_eq!(leads[1][at_column("email")], Value::Text(String::new()));
    assert_eq!(leads[1][at_column("created_at")], Value::Time(253_402_300_799_999_999));
    assert_eq!(leads[2][at_column("created_at")], Value::Time(-62_135_596_800_000_000));
    let subscribers = &all[1].1;
    assert_eq!(subscribers[1][1..], [Value::Text("đ@ž.hr".to_owned()), Value::Boolean(false)]);
    let keys = &all[2].1;
    assert!(matches!(&keys[0][3], Value::Bytes(digest) if digest.len() == 32));
    assert_eq!(keys[0][10], Value::Null);
    assert_eq!(keys[1][10], Value::Time(time(NOW).timestamp_micros()));
}

pub async fn rows_come_by_id_and_so_many_at_a_time(harness: &Harness) {
    fill(harness).await;
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let whole = snapshot.rows(&leads_shape(), i64::MIN, 10).await.unwrap();
    let first = snapshot.rows(&leads_shape(), i64::MIN, 2).await.unwrap();
    assert_eq!(first[..], whole[..2]);
    let Value::Integer(after) = first[1][0] else { panic!("an id") };
    assert_eq!(snapshot.rows(&leads_shape(), after, 2).await.unwrap()[..], whole[2..]);
}

pub async fn no_more_rows_come_at_once_than_fit(harness: &Harness) {
    let mut load = harness.transfer.load().await.unwrap();
    let mut rows: Vec<Row> = (1..=9).map(|id| lead_row(id, "Ana")).collect();
    for row in &mut rows[4..8] {
        row[at_column("notes")] = Value::Text("a".repeat(PAGE_BYTES));
    }
    load.write(&leads_shape(), rows.clone()).await.unwrap();
    let (mut came, mut pages) = (Vec::new(), Vec::new());
    loop {
        let after = came.last().map_or(i64::MIN, |row: &Row| match row[0] {
            Value::Integer(id) => id,
            _ => panic!("an id"),
        });
        // Rows that did not fit must not appear in the next query.
        let page = load.rows(&leads_shape(), after, 10).await.unwrap();
        assert_eq!(load.count(leads_shape().table).await.unwrap(), 9);
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
        came.extend(page);
    }
    assert!(came == rows, "all come, as they are");
    assert_eq!(pages, [5, 1, 1, 1, 1]);
}

pub async fn a_snapshot_holds_no_writer_up_and_sees_nothing_of_it(harness: &Harness) {
    fill(harness).await;
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let before = everything(snapshot.as_mut()).await;
    let write = async {
        let created = harness.leads.create(&lead().build(), &act(time(NOW))).await.unwrap();
        let all = harness.leads.list(&LeadFilter::default(), LeadOrder::NEWEST, page(1, 9)).await;
        let mut all = all.unwrap().unwrap().rows.into_iter();
        let other = all.find(|lead| lead.id != created.id).unwrap();
        harness.leads.delete(&other, &some_act()).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(1), write).await.expect("a writer does not wait");
    assert_eq!(everything(snapshot.as_mut()).await, before);
    assert_ne!(now(harness).await, before);
}

pub async fn loaded_rows_keep_their_ids_and_are_found(harness: &Harness) {
    let mut load = harness.transfer.load().await.unwrap();
    let rows = vec![lead_row(7, "Žana Ω"), lead_row(70, "Marko")];
    load.write(&leads_shape(), rows.clone()).await.unwrap();
    assert_eq!(load.rows(&leads_shape(), i64::MIN, 10).await.unwrap(), rows);
    load.commit().await.unwrap();
    let found = harness.leads.find(LeadId(7)).await.unwrap().unwrap();
    assert_eq!((found.created_at, found.updated_at), (at(1), at(-1)));
    assert_eq!(count(harness, &LeadFilter::default()).await, 2);
    assert_eq!(count(harness, &searching("ŽANA")).await, 1);
}

pub async fn copying_rows_twice_gives_the_same_rows(harness: &Harness) {
    fill(harness).await;
    let before = now(harness).await;
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    for (shape, rows) in &before {
        load.write(shape, rows.clone()).await.unwrap();
    }
    load.commit().await.unwrap();
    assert_eq!(now(harness).await, before);
}

pub async fn a_load_that_is_dropped_has_not_happened(harness: &Harness) {
    fill(harness).await;
    let before = now(harness).await;
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    load.write(&leads_shape(), vec![lead_row(7, "Ana")]).await.unwrap();
    drop(load);
    assert_eq!(now(harness).await, before);
    // The counts are rolled back too.
    assert_eq!(count(harness, &LeadFilter::default()).await, 3);
}

pub async fn a_row_that_the_database_refuses_undoes_the_load(harness: &Harness) {
    fill(harness).await;
    let before = now(harness).await;
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    let twice = vec![lead_row(7, "Ana"), lead_row(7, "Ana")];
    // Some databases report it only at the next operation.
    let refused = async {
        load.write(&leads_shape(), twice).await?;
        load.commit().await
    };
    assert!(refused.await.is_err());
    assert_eq!(now(harness).await, before);
}

pub async fn a_row_that_is_replaced_keeps_what_refers_to_it(harness: &Harness) {
    fill(harness).await;
    let (filter, order) = (ClientFilter::default(), ClientOrder::NEWEST);
    let clients = harness.clients.list(&filter, order, page(1, 10)).await.unwrap().unwrap();
    let client = clients.rows[1].clone();
    let lead = client.details.lead.unwrap();
    let mut load = harness.transfer.load().await.unwrap();
    load.replace(&leads_shape(), vec![lead_row(lead.0, "Replaced")]).await.unwrap();
    load.commit().await.unwrap();
    let found = harness.leads.find(lead).await.unwrap().unwrap();
    assert_eq!(found.details.full_name, "Replaced");
    assert_eq!(harness.clients.find(client.id).await.unwrap(), Some(client));
    assert_eq!(count(harness, &searching("replaced")).await, 1);
    assert_eq!(count(harness, &LeadFilter::default()).await, 3);
}

pub async fn a_row_that_is_replaced_keeps_the_columns_that_are_not_named(harness: &Harness) {
    let kept = harness.leads.create(&lead().build(), &act(time(NOW))).await.unwrap();
    let shape = Shape::of(table("leads").unwrap(), |name| name != "notes").unwrap();
    let mut row = lead_row(kept.id.0, "Replaced");
    row.remove(at_column("notes"));
    let mut load = harness.transfer.load().await.unwrap();
    load.replace(&shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
    let found = harness.leads.find(kept.id).await.unwrap().unwrap().details;
    assert_eq!((found.full_name.as_str(), found.notes), ("Replaced", kept.details.notes));
}

pub async fn removes_the_rows_that_are_named(harness: &Harness) {
    fill(harness).await;
    let leads = now(harness).await.remove(0).1;
    let Value::Integer(id) = leads[0][0] else { panic!("an id") };
    let mut load = harness.transfer.load().await.unwrap();
    load.remove(leads_shape().table, vec![id, 999_999]).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(now(harness).await[0].1[..], leads[1..]);
    assert_eq!(count(harness, &LeadFilter::default()).await, 2);
}

pub async fn an_id_that_was_ever_given_is_not_given_again(harness: &Harness) {
    let mut load = harness.transfer.load().await.unwrap();
    load.write(&leads_shape(), vec![lead_row(7, "Ana")]).await.unwrap();
    load.keep_ids(table("leads").unwrap(), 40).await.unwrap();
    load.keep_ids(table("subscribers").unwrap(), 0).await.unwrap();
    load.commit().await.unwrap();
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    assert_eq!(snapshot.last_id(table("leads").unwrap()).await.unwrap(), 40);
    drop(snapshot);
    let created = harness.leads.create(&lead().build(), &act(time(NOW))).await.unwrap();
    assert_eq!(created.id, LeadId(41));
    assert_eq!(
        harness.subscribers.create(&subscriber("a@b.hr"), &some_act()).await.unwrap().id.0,
        1
    );
}

pub async fn an_older_archive_lacks_columns(harness: &Harness) {
    let shape = Shape::of(table("leads").unwrap(), |name| name != "notes").unwrap();
    let mut row = lead_row(7, "Ana");
    row.remove(at_column("notes"));
    let mut load = harness.transfer.load().await.unwrap();
    load.write(&shape, vec![row.clone()]).await.unwrap();
    assert_eq!(load.rows(&shape, i64::MIN, 10).await.unwrap(), [row]);
    load.commit().await.unwrap();
    assert_eq!(harness.leads.find(LeadId(7)).await.unwrap().unwrap().details.notes, None);
}

pub async fn remembers_when_backups_were_made_and_tried(harness: &Harness) {
    let log = &harness.backups;
    assert_eq!(log.status().await.unwrap(), exit3_ports::BackupStatus::default());
    log.note_backup(at(1)).await.unwrap();
    log.note_backup(at(2)).await.unwrap();
    log.note_verification(true, at(3)).await.unwrap();
    log.note_verification(false, at(4)).await.unwrap();
    let status = log.status().await.unwrap();
    assert_eq!(status.backed_up_at, Some(at(2)));
    assert_eq!(status.verified_at, Some(at(3)));
    assert_eq!(status.verification_ok, Some(false));
    log.note_verification(true, at(5)).await.unwrap();
    let status = log.status().await.unwrap();
    assert_eq!((status.verified_at, status.verification_ok), (Some(at(5)), Some(true)));
}
