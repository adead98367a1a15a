//! A database that answers but cannot do its work.

use exit3_domain::clients::{ClientFilter, ClientOrder};
use exit3_domain::leads::{LeadFilter, LeadId, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::{Obstacle, STAYING, StoreError, TABLES, Table};
use exit3_postgres::PgDatabase;
use exit3_testkit::builders;
use exit3_testkit::postgres::{TestDatabase, TestPostgres, client};
use tokio_postgres::Client;

use crate::{open, shared, until};

struct Limited {
    /// Connected as a role with only the necessary rights.
    database: PgDatabase,
    role: String,
    admin: Client,
    _kept: TestDatabase,
}

async fn limited() -> Limited {
    let (_, kept) = shared().await;
    let admin = client(kept.url()).await;
    let name: String =
        admin.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    let role = format!("of_{name}");
    let sql = format!(
        "CREATE ROLE {role} LOGIN;
         GRANT SELECT, INSERT, UPDATE ON lead_counts, subscriber_counts TO {role};
         GRANT SELECT ON __diesel_schema_migrations, backup_status TO {role}"
    );
    admin.batch_execute(&sql).await.unwrap();
    for Table { name, rights, .. } in TABLES.iter().chain(STAYING) {
        admin.batch_execute(&format!("GRANT {rights} ON {name} TO {role}")).await.unwrap();
    }
    let database = open(&kept.url().replace("//postgres@", &format!("//{role}@")));
    Limited { database, role, admin, _kept: kept }
}

async fn create(database: &PgDatabase) -> Result<LeadId, StoreError> {
    let lead = builders::lead().build();
    database
        .repositories()
        .leads
        .create(&lead, &builders::act(builders::at(1)))
        .await
        .map(|lead| lead.id)
}

async fn list(database: &PgDatabase) -> Result<(), StoreError> {
    let (leads, all) = (database.repositories().leads, LeadFilter::default());
    leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await.map(drop)
}

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_objects_are_named_and_requests_are_unavailable() {
    let limited = limited().await;
    let (database, role) = (&limited.database, limited.role.as_str());
    let health = database.repositories().health;
    create(database).await.unwrap();
    assert_eq!(health.obstacle().await.unwrap(), None);
    let told = |right: &str, table: &str| format!("the role {role} lacks {right} on the {table}");
    let cases = [
        (
            "REVOKE INSERT ON leads FROM r",
            "GRANT INSERT ON leads TO r",
            told("INSERT", "table leads"),
        ),
        (
            "REVOKE ALL ON lead_counts FROM r",
            "GRANT SELECT, INSERT, UPDATE ON lead_counts TO r",
            told("SELECT, INSERT, UPDATE", "table lead_counts"),
        ),
        (
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO PUBLIC",
            told("USAGE", "schema public"),
        ),
        (
            "ALTER TABLE leads RENAME TO kept",
            "ALTER TABLE kept RENAME TO leads",
            "the table leads is missing".to_owned(),
        ),
        (
            "ALTER TABLE leads RENAME notes TO kept",
            "ALTER TABLE leads RENAME kept TO notes",
            "the table leads lacks the column notes".to_owned(),
        ),
        (
            "ALTER TABLE leads ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE leads DISABLE ROW LEVEL SECURITY",
            format!("row-level security of the table leads may hide rows from the role {role}"),
        ),
    ];
    for (away, back, told) in &cases {
        let run = async |sql: &str| {
            let sql = sql.replace("FROM r", &format!("FROM {role}"));
            limited.admin.batch_execute(&sql.replace("TO r", &format!("TO {role}"))).await.unwrap();
        };
        run(away).await;
        assert!(is_unavailable(&create(database).await), "{away}");
        assert_eq!(health.obstacle().await.unwrap(), Some(Obstacle::Lacks(told.clone())), "{away}");
        run(back).await;
        create(database).await.unwrap();
        list(database).await.unwrap();
        assert_eq!(health.obstacle().await.unwrap(), None, "{back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_schema_is_not_taken_for_an_outdated_one() {
    let limited = limited().await;
    let health = limited.database.repositories().health;
    assert!(health.schema_is_current().await.unwrap());
    limited.admin.batch_execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC").await.unwrap();
    assert!(is_unavailable(&health.schema_is_current().await));
    limited.admin.batch_execute("GRANT USAGE ON SCHEMA public TO PUBLIC").await.unwrap();
    limited.admin.batch_execute("DROP TABLE __diesel_schema_migrations").await.unwrap();
    assert!(!health.schema_is_current().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_that_is_missing_is_named() {
    let limited = limited().await;
    let health = limited.database.repositories().health;
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                   WHERE table_name = ANY($1) AND column_name <> 'only_row'";
    let others = ["lead_counts", "subscriber_counts", "backup_status"];
    let tables: Vec<&str> =
        TABLES.iter().chain(STAYING).map(|table| table.name).chain(others).collect();
    let columns = limited.admin.query(columns, &[&tables]).await.unwrap();
    assert!(columns.len() > 30);
    for row in columns {
        let (table, column): (&str, &str) = (row.get(0), row.get(1));
        let rename = async |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {table} RENAME {from} TO {to}");
            limited.admin.batch_execute(&sql).await.unwrap();
        };
        rename(column, "renamed").await;
        let told = format!("the table {table} lacks the column {column}");
        assert_eq!(health.obstacle().await.unwrap(), Some(Obstacle::Lacks(told)));
        rename("renamed", column).await;
    }
    assert_eq!(health.obstacle().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_a_wrong_type_is_named() {
    let limited = limited().await;
    let health = limited.database.repositories().health;
    for (sql, told) in [
        ("ALTER TABLE leads ALTER notes TYPE varchar(9000)", None),
        (
            "ALTER TABLE leads ALTER created_at TYPE timestamp",
            Some(
                "the table leads has the column created_at of the type timestamp, not timestamptz",
            ),
        ),
    ] {
        limited.admin.batch_execute(sql).await.unwrap();
        let told = told.map(|told| Obstacle::Lacks(told.to_owned()));
        assert_eq!(health.obstacle().await.unwrap(), told, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_table_sees_all_rows_unless_row_security_is_forced() {
    let limited = limited().await;
    let own = format!("ALTER TABLE subscribers OWNER TO {}", limited.role);
    limited.admin.batch_execute(&own).await.unwrap();
    let enable = "ALTER TABLE subscribers ENABLE ROW LEVEL SECURITY";
    limited.admin.batch_execute(enable).await.unwrap();
    let health = limited.database.repositories().health;
    assert_eq!(health.obstacle().await.unwrap(), None);
    let force = "ALTER TABLE subscribers FORCE ROW LEVEL SECURITY";
    limited.admin.batch_execute(force).await.unwrap();
    let Some(Obstacle::Lacks(told)) = health.obstacle().await.unwrap() else {
        panic!("hidden rows are not reported");
    };
    assert!(told.contains("row-level security of the table subscribers"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_necessary_rights_suffice_to_take_a_deleted_lead_from_its_client() {
    let limited = limited().await;
    let id = create(&limited.database).await.unwrap();
    let client = format!(
        "INSERT INTO clients (lead_id, team_id, short_description, category) \
         VALUES ({}, 'a', '', 'web_dev')",
        id.0
    );
    limited.admin.batch_execute(&client).await.unwrap();
    let all = limited.database.repositories();
    let lead = all.leads.find(id).await.unwrap().unwrap();
    all.leads.delete(&lead, &builders::some_act()).await.unwrap();
    let (filter, order) = (ClientFilter::default(), ClientOrder::NEWEST);
    let clients = all.clients.list(&filter, order, PageRequest::first()).await.unwrap().unwrap();
    let client = clients.rows[0].clone();
    assert_eq!(client.details.lead, None);
    all.leads.restore(&lead, Some(client.id), &builders::some_act()).await.unwrap();
    assert_eq!(all.clients.find_by_lead(id).await.unwrap().unwrap().id, client.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_all_columns_suffice() {
    let limited = limited().await;
    let role = &limited.role;
    let sql = format!(
        "REVOKE SELECT ON backup_status FROM {role};
         GRANT SELECT (backed_up_at, verified_at, verification_ok) ON backup_status TO {role}"
    );
    limited.admin.batch_execute(&sql).await.unwrap();
    assert_eq!(limited.database.repositories().health.obstacle().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_is_reported() {
    let limited = limited().await;
    let set = async |set: &str| {
        let sql = format!("ALTER ROLE {} {set}", limited.role);
        limited.admin.batch_execute(&sql).await.unwrap();
        // Only new sessions are affected.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
        limited.admin.execute(end, &[&limited.role]).await.unwrap();
    };
    let health = limited.database.repositories().health;
    set("SET default_transaction_read_only = on").await;
    until(async || matches!(health.obstacle().await, Ok(Some(Obstacle::WritesFail(_))))).await;
    assert!(is_unavailable(&create(&limited.database).await));
    list(&limited.database).await.unwrap();
    set("RESET default_transaction_read_only").await;
    until(async || matches!(health.obstacle().await, Ok(None))).await;
    create(&limited.database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_in_place_of_the_primary_is_reported() {
    let (primary, standby) = TestPostgres::with_replica().await;
    crate::migrated(&primary.url("postgres")).await;
    let health = open(&standby.url("postgres")).repositories().health;
    until(async || health.schema_is_current().await.is_ok_and(|current| current)).await;
    let obstacle = health.obstacle().await.unwrap();
    let told = "the server is a standby, which can only be read".to_owned();
    assert_eq!(obstacle, Some(Obstacle::WritesFail(told)));
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_writes_are_reported_until_a_trial_succeeds_which_leaves_nothing() {
    let (database, kept) = shared().await;
    let admin = client(kept.url()).await;
    let before = create(&database).await.unwrap();
    admin
        .batch_execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        .await
        .unwrap();
    // No write has failed yet.
    assert_eq!(database.repositories().health.obstacle().await.unwrap(), None);
    assert!(is_unavailable(&create(&database).await));
    list(&database).await.unwrap();
    for _ in 0..3 {
        let Some(Obstacle::WritesFail(why)) =
            database.repositories().health.obstacle().await.unwrap()
        else {
            panic!("the full disk is not reported");
        };
        assert!(why.contains("53100") && why.contains("No space left"), "{why}");
    }
    admin.batch_execute("ALTER TABLE leads DISABLE TRIGGER fail").await.unwrap();
    assert_eq!(database.repositories().health.obstacle().await.unwrap(), None);
    // Two ids were used: by the first, failed create, and by this one.
    assert_eq!(create(&database).await.unwrap().0, before.0 + 2);
    let row = admin.query_one("SELECT count(*) FROM leads", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_have_run_out_are_reported() {
    let (database, kept) = shared().await;
    let admin = client(kept.url()).await;
    let sequences = [("leads_id_seq", "leads"), ("subscribers_id_seq", "subscribers")];
    for (sequence, table) in sequences {
        let end = format!("ALTER SEQUENCE {sequence} MAXVALUE 99; SELECT setval('{sequence}', 99)");
        admin.batch_execute(&end).await.unwrap();
        let subscribers = database.repositories().subscribers;
        assert!(match table {
            "leads" => is_unavailable(&create(&database).await),
            _ => is_unavailable(
                &subscribers.create(&builders::subscriber("a@b.hr"), &builders::some_act()).await
            ),
        });
        let told = format!("the sequence {sequence} has no more ids for the table {table}");
        let obstacle = database.repositories().health.obstacle().await.unwrap();
        assert_eq!(obstacle, Some(Obstacle::WritesFail(told)));
        admin.batch_execute(&format!("ALTER SEQUENCE {sequence} MAXVALUE 999")).await.unwrap();
        assert_eq!(database.repositories().health.obstacle().await.unwrap(), None);
    }
    create(&database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_others_that_reject_every_lead_are_reported() {
    let (database, kept) = shared().await;
    let admin = client(kept.url()).await;
    create(&database).await.unwrap();
    let raise = "CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'not today'; END $$;
                 CREATE TRIGGER raise BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION raise()";
    for (rule, undo, told) in [
        (raise, "DROP TRIGGER raise ON leads", "not today"),
        (
            "ALTER TABLE leads ADD CONSTRAINT shut CHECK (false) NOT VALID",
            "ALTER TABLE leads DROP CONSTRAINT shut",
            "shut",
        ),
        (
            "ALTER TABLE leads ADD extra text; \
             ALTER TABLE leads ADD CONSTRAINT extra CHECK (extra IS NOT NULL) NOT VALID",
            "ALTER TABLE leads DROP extra",
            "extra",
        ),
    ] {
        admin.batch_execute(rule).await.unwrap();
        assert!(is_unavailable(&create(&database).await), "{rule}");
        let Some(Obstacle::WritesFail(why)) =
            database.repositories().health.obstacle().await.unwrap()
        else {
            panic!("writes seem to succeed: {rule}");
        };
        assert!(why.contains(told), "{why}");
        admin.batch_execute(undo).await.unwrap();
        assert_eq!(database.repositories().health.obstacle().await.unwrap(), None, "{undo}");
        create(&database).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_others_that_reject_some_leads_leave_the_service_ready() {
    let (database, kept) = shared().await;
    let admin = client(kept.url()).await;
    create(&database).await.unwrap();
    for (rule, undo) in [
        (
            "UPDATE leads SET full_name = 'Zoe'; \
             ALTER TABLE leads ADD CONSTRAINT part CHECK (full_name LIKE 'Z%')",
            "ALTER TABLE leads DROP CONSTRAINT part",
        ),
        (
            "DELETE FROM leads WHERE id > (SELECT min(id) FROM leads); \
             CREATE UNIQUE INDEX one ON leads ((1))",
            "DROP INDEX one",
        ),
    ] {
        admin.batch_execute(rule).await.unwrap();
        assert!(is_unavailable(&create(&database).await), "{rule}");
        assert_eq!(database.repositories().health.obstacle().await.unwrap(), None, "{rule}");
        admin.batch_execute(undo).await.unwrap();
        create(&database).await.unwrap();
    }
}
