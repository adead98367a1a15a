//! Copies are complete, or fail.

use exit3_ports::migrations::POSTGRES;
use exit3_ports::{ForeignTable, Obstacle, Rows, StoreError, TABLES, Target, Transfer};
use exit3_postgres::{PgSettings, foreign_source};
use exit3_testkit::postgres::{self, TestDatabase};
use tokio::runtime::Handle;

use crate::rights::{Role, SERVING};
use crate::{open, shared};

/// A role with the documented rights.
async fn serving(database: &TestDatabase) -> Role {
    let role = Role::new(database).await;
    role.admin.batch_execute(&SERVING.replace("exit3_serving", &role.name)).await.unwrap();
    role
}

fn why<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unavailable(why)) => why.to_string(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => "nothing".to_owned(),
    }
}

/// Ways to hide rows of a table from the role, their opposites, and what is said about them.
fn harms(table: &str, role: &str) -> Vec<(String, String, String)> {
    let harm = |away: &str, back: &str, told: &str| {
        let fill = |text: &str| text.replace("T_", table).replace("R_", role);
        (fill(away), fill(back), fill(told))
    };
    vec![
        harm(
            "REVOKE SELECT ON T_ FROM R_",
            "GRANT SELECT ON T_ TO R_",
            "the role R_ lacks SELECT on the table T_",
        ),
        harm(
            "ALTER TABLE T_ ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE T_ DISABLE ROW LEVEL SECURITY",
            "row-level security of the table T_ may hide rows from the role R_",
        ),
        harm(
            "ALTER TABLE T_ RENAME TO kept; CREATE VIEW T_ AS SELECT * FROM kept WHERE false; \
             GRANT ALL ON T_ TO R_",
            "DROP VIEW T_; ALTER TABLE kept RENAME TO T_",
            "there is a view or another object in place of the table T_",
        ),
        harm(
            "ALTER TABLE T_ RENAME TO kept",
            "ALTER TABLE kept RENAME TO T_",
            "the table T_ is missing",
        ),
        harm(
            "CREATE SCHEMA other; ALTER TABLE T_ SET SCHEMA other",
            "ALTER TABLE other.T_ SET SCHEMA public; DROP SCHEMA other",
            "the role R_ lacks USAGE on the schema other",
        ),
        harm(
            "ALTER TABLE T_ RENAME id TO kept",
            "ALTER TABLE T_ RENAME kept TO id",
            "the table T_ lacks the column id",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_fail_if_rows_may_be_hidden_and_health_names_the_cause() {
    let (_, database) = shared().await;
    let role = serving(&database).await;
    let node = open(&role.url(&database));
    for table in TABLES {
        for (away, back, told) in harms(table.name, &role.name) {
            role.admin.batch_execute(&away).await.unwrap();
            assert_eq!(why(node.transfer().snapshot().await), told, "{away}");
            assert_eq!(why(node.transfer().load().await), told, "{away}");
            let obstacle = node.repositories().health.obstacle().await.unwrap();
            assert_eq!(obstacle, Some(Obstacle::Lacks(told)), "{away}");
            role.admin.batch_execute(&back).await.unwrap();
        }
    }
    node.transfer().snapshot().await.unwrap();
    node.transfer().load().await.unwrap();
    assert_eq!(node.repositories().health.obstacle().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_some_columns_are_not_enough() {
    let (_, database) = shared().await;
    let role = serving(&database).await;
    let node = open(&role.url(&database));
    let name = &role.name;
    let some = format!("REVOKE SELECT ON staff FROM {name}; GRANT SELECT (id) ON staff TO {name}");
    role.admin.batch_execute(&some).await.unwrap();
    let told = format!("the role {name} lacks SELECT on the table staff");
    assert_eq!(why(node.transfer().snapshot().await), told);
    let Some(Obstacle::Lacks(told)) = node.repositories().health.obstacle().await.unwrap() else {
        panic!("missing rights on columns are not reported");
    };
    assert!(
        told.contains(&format!("{name} lacks SELECT on the column password of the table staff"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_needs_to_know_the_version_of_the_schema() {
    let (_, database) = shared().await;
    let role = serving(&database).await;
    let secure = "ALTER TABLE __diesel_schema_migrations ENABLE ROW LEVEL SECURITY";
    role.admin.batch_execute(secure).await.unwrap();
    let told = why(open(&role.url(&database)).transfer().snapshot().await);
    assert!(told.contains("row-level security of the table __diesel_schema_migrations"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_copied_without_the_tables_that_it_lacks() {
    let (owner, _database) = shared().await;
    for version in (1..POSTGRES.len() as u64).rev() {
        owner.migrate_to(Target::Version(version), Rows::Drop).await.unwrap();
        owner.transfer().snapshot().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_rows_of_another_program_are_reported() {
    const TABLE: ForeignTable = ForeignTable { name: "others", columns: &["id", "notes"] };
    let database = postgres::shared().create_database().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute("CREATE TABLE others (id int, notes text)").await.unwrap();
    let settings = PgSettings::parse(&role.url(&database)).unwrap();
    let read = async || {
        let mut source = foreign_source(&settings, &Handle::current()).await.unwrap();
        source.rows(&TABLE, 0, 9).await
    };
    let name = &role.name;
    assert_eq!(why(read().await), format!("the role {name} lacks SELECT on the table others"));
    let sql =
        format!("GRANT SELECT ON others TO {name}; ALTER TABLE others ENABLE ROW LEVEL SECURITY");
    role.admin.batch_execute(&sql).await.unwrap();
    let told = why(read().await);
    assert!(told.contains("row-level security of the table others"), "{told}");
    role.admin.batch_execute("ALTER TABLE others DISABLE ROW LEVEL SECURITY").await.unwrap();
    assert_eq!(why(read().await), "nothing");
}
