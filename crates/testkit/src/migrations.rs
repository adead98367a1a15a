//! What holds for the migrations of every database.

use std::collections::BTreeMap;

use exit3_ports::{Migration, Rows, Target};

use crate::builders::{api_key, at, client, lead, staff, subscriber, unsubscribed};
use crate::contract::Harness;
use crate::contract::transfer::fill_memory;

/// A table as a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Everything that was said when it was made.
    pub definition: Vec<String>,
    /// Its rows, in some order that is always the same.
    pub rows: Vec<String>,
}

/// All tables but that of the migrations.
pub type Tables = BTreeMap<String, Table>;

/// What is in no backup, and not asked for before it is dropped.
const NOT_KEPT: &str = "backup_status";

/// Stores rows in every table.
pub async fn fill(harness: &Harness) {
    for name in ["Ana", "Ivo"] {
        harness.leads.create(&lead().full_name(name).build(), at(5)).await.unwrap();
    }
    let lead = harness.leads.create(&lead().build(), at(7)).await.unwrap().id;
    harness.subscribers.create(&subscriber("ana@acme.hr")).await.unwrap();
    harness.subscribers.create(&unsubscribed("ivo@acme.hr")).await.unwrap();
    harness.api_keys.create(&api_key("website", 1)).await.unwrap();
    let mut first = client("first");
    first.lead = Some(lead);
    harness.clients.create(&first).await.unwrap();
    harness.clients.create(&client("second")).await.unwrap();
    harness.staff.create(&staff("ana")).await.unwrap();
    harness.backups.note_backup(at(9)).await.unwrap();
    fill_memory(harness).await;
}

/// Goes down and up again over every migration of a database that has been filled:
/// each leaves behind exactly what was there before it, but for the rows that it says
/// it drops; and drops none unless told to.
pub async fn walk(
    migrations: &[Migration],
    go: impl AsyncFn(Target, Rows) -> Result<(), String>,
    tables: impl AsyncFn() -> Tables,
) {
    let newest = tables().await;
    for (name, table) in &newest {
        assert_ne!(table.rows, [""; 0], "{name} has a row");
    }
    let mut above = newest.clone();
    for (place, step) in migrations.iter().enumerate().rev() {
        let own = Target::Version(step.version().parse().unwrap());
        let earlier = place.checked_sub(1).map_or("0", |place| migrations[place].version());
        let earlier = Target::Version(earlier.parse().unwrap());
        if !step.back_drops.is_empty() {
            let refused = go(earlier, Rows::Keep).await.unwrap_err();
            assert!(refused.contains("would be lost"), "{refused}");
            assert_eq!(tables().await, above, "{}: nothing happened", step.name);
        }
        go(earlier, Rows::Drop).await.unwrap();
        let below = tables().await;
        for (name, table) in &below {
            assert_eq!(table.rows, above[name].rows, "{name}, below {}", step.name);
        }
        go(own, Rows::Keep).await.unwrap();
        for (name, table) in tables().await {
            let forgotten = name == NOT_KEPT && !below.contains_key(&name);
            let dropped = forgotten || step.back_drops.contains(&name.as_str());
            let rows = if dropped { Vec::new() } else { above[&name].rows.clone() };
            let wanted = Table { definition: above[&name].definition.clone(), rows };
            assert_eq!(table, wanted, "{name}, above {} again", step.name);
        }
        go(earlier, Rows::Drop).await.unwrap();
        assert_eq!(tables().await, below, "below {} again", step.name);
        above = below;
    }
    assert_eq!(above, Tables::new());
    go(Target::Newest, Rows::Keep).await.unwrap();
    let definitions = |tables: Tables| -> Vec<_> {
        tables.into_iter().map(|(name, table)| (name, table.definition)).collect()
    };
    assert_eq!(definitions(tables().await), definitions(newest));
}

/// What earlier releases send to a database of that dialect: a statement a line, and
/// after ` -- ` the types of its values, where they are known.
pub fn statements_of_earlier_releases(dialect: &str) -> Vec<(String, Vec<String>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/statements");
    let mut statements = Vec::new();
    for release in std::fs::read_dir(root).unwrap() {
        let release = release.unwrap().path();
        if !release.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(release.join(format!("{dialect}.sql"))).unwrap();
        statements.extend(text.lines().map(|line| {
            let (sql, types) = line.split_once(" -- ").unwrap_or((line, ""));
            (sql.to_owned(), types.split_whitespace().map(str::to_owned).collect())
        }));
    }
    assert!(statements.len() > 50, "only {} statements", statements.len());
    statements
}

/// The table and the columns of an INSERT.
pub fn inserted(sql: &str) -> Option<(&str, Vec<&str>)> {
    let (table, rest) = sql.strip_prefix("INSERT INTO ")?.split_once(" (")?;
    let (columns, _) = rest.split_once(')')?;
    // Without the other name that it may go by in the statement.
    let table = table.split(' ').next()?;
    Some((unquoted(table), columns.split(',').map(unquoted).collect()))
}

fn unquoted(name: &str) -> &str {
    name.trim().trim_matches(['"', '`'])
}
