//! What the database itself enforces for every writer.

use exit3_domain::fields::FieldKind;
use exit3_domain::leads::{FIELDS, LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_testkit::{builders, postgres};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::shared;

/// Inserts a lead with `value` (SQL) in `column`.
async fn insert(admin: &Client, column: &str, value: &str) -> Result<(), SqlState> {
    let mut columns = vec![
        ("full_name", "'Ana'"),
        ("position", "'CTO'"),
        ("source", "'other'"),
        ("status", "'new'"),
        ("category", "'web_dev'"),
    ];
    if columns.iter().all(|(name, _)| *name != column) {
        columns.push((column, "NULL"));
    }
    let values: Vec<&str> =
        columns.iter().map(|(name, usual)| if *name == column { value } else { *usual }).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let statement = format!(
        "INSERT INTO leads ({}, created_at, updated_at, search_document) \
         VALUES ({}, now(), now(), '')",
        names.join(", "),
        values.join(", ")
    );
    let outcome = admin.execute(statement.as_str(), &[]).await;
    outcome.map(|_| ()).map_err(|error| error.code().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_values_that_the_domain_refuses() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    for field in FIELDS {
        let column = field.name;
        let FieldKind::Text { stored: Some(longest), .. } = field.kind else { continue };
        let of = |length: u64| format!("repeat('đ', {length})");
        assert_eq!(insert(&admin, column, &of(longest)).await, Ok(()), "{column}");
        let refused = insert(&admin, column, &of(longest + 1)).await;
        assert_eq!(refused, Err(SqlState::CHECK_VIOLATION), "{column}");
    }
    for column in ["source", "status", "category"] {
        let refused = insert(&admin, column, "'bogus'").await;
        assert_eq!(refused, Err(SqlState::CHECK_VIOLATION), "{column}");
    }
    for column in ["full_name", "position", "source", "status", "category"] {
        let refused = insert(&admin, column, "NULL").await;
        assert_eq!(refused, Err(SqlState::NOT_NULL_VIOLATION), "{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_older_data_that_breaks_style_rules() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    for (column, value) in [
        ("full_name", "'<b>'"),
        ("full_name", "'1'"),
        ("phone_number", "'091-123'"),
        ("email", "''"),
    ] {
        assert_eq!(insert(&admin, column, value).await, Ok(()), "{column} {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_subscribes_once_in_any_case() {
    let (repositories, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    repositories
        .repositories()
        .subscribers
        .create(&builders::subscriber("ana@acme.hr"), &builders::some_act())
        .await
        .unwrap();
    let outcome = admin
        .execute("INSERT INTO subscribers (email, search_document) VALUES ('ANA@acme.HR', '')", &[])
        .await;
    assert_eq!(outcome.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_follow_every_writer() {
    let (repositories, database) = shared().await;
    let leads = repositories.repositories().leads;
    let count = async || {
        let all = LeadFilter::default();
        let page = leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await.unwrap();
        page.unwrap().count
    };
    let admin = postgres::client(database.url()).await;
    for _ in 0..3 {
        insert(&admin, "status", "'closed'").await.unwrap();
    }
    assert_eq!(count().await, 3);
    admin.batch_execute("UPDATE leads SET status = 'new' WHERE id = 1").await.unwrap();
    admin.batch_execute("BEGIN; DELETE FROM leads; ROLLBACK").await.unwrap();
    assert_eq!(count().await, 3);
    admin.batch_execute("DELETE FROM leads WHERE status = 'new'").await.unwrap();
    assert_eq!(count().await, 2);
    admin
        .batch_execute("SET session_replication_role = replica; DELETE FROM leads WHERE id = 2")
        .await
        .unwrap();
    admin.batch_execute("RESET session_replication_role; SELECT recount_rows()").await.unwrap();
    assert_eq!(count().await, 1);
    admin.batch_execute("TRUNCATE leads CASCADE").await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_checked_and_found_by_an_index() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    let insert = async |column: &str, value: &str| {
        let columns = [
            ("name", "'website'"),
            ("prefix", "substr(md5(random()::text), 1, 12)"),
            ("digest", "sha256('')"),
            ("scopes", "'leads:create'"),
            ("origins", "''"),
            ("forwards_visitors", "false"),
            ("created_at", "'2026-01-01'"),
            ("expires_at", "NULL"),
        ];
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let value = |(name, usual): &(&str, &'static str)| {
            if *name == column { value.to_owned() } else { (*usual).to_owned() }
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let (names, values) = (names.join(", "), values.join(", "));
        let statement = format!("INSERT INTO api_keys ({names}) VALUES ({values})");
        let outcome = admin.execute(statement.as_str(), &[]).await;
        outcome.map(|_| ()).map_err(|error| error.code().unwrap().clone())
    };
    assert_eq!(insert("", "").await, Ok(()));
    for (column, value) in [
        ("name", "''"),
        ("name", "repeat('a', 51)"),
        ("prefix", "'short'"),
        ("digest", "'\\x00'"),
        ("scopes", "''"),
        ("expires_at", "'2025-01-01'"),
    ] {
        assert_eq!(insert(column, value).await, Err(SqlState::CHECK_VIOLATION), "{column}");
    }
    admin.batch_execute("SET enable_seqscan = off").await.unwrap();
    let plan = admin.query("EXPLAIN SELECT * FROM api_keys WHERE prefix = 'x'", &[]);
    let plan: String = plan.await.unwrap()[0].get(0);
    assert!(plan.contains("api_keys_prefix_key"), "{plan}");
}
