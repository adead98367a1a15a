//! Tests that the migrations of every database must pass.

use std::collections::BTreeMap;

use exit3_ports::{
    Dropped, Kind, Migration, Rows, STAYING, StoreError, TABLES, Target, Transfer, Value,
};
use serde_json::{Map, Value as Json};

use crate::builders::{act, at, lead, some_act, subscriber};
use crate::contract::{Harness, fill};

/// A table in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its definition: columns, constraints and indexes.
    pub definition: Vec<String>,
    /// Its rows, in a stable order.
    pub rows: Vec<Map<String, Json>>,
}

impl Table {
    /// Creates a table from rows that are each written as a JSON object.
    pub fn new(definition: Vec<String>, rows: &[String]) -> Self {
        let rows = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        Self { definition, rows }
    }

    /// The rows without the columns that a migration drops when it is reverted, and without search
    /// documents, which the program computes again.
    fn rows_without(&self, name: &str, dropped: &[Dropped]) -> Vec<Map<String, Json>> {
        let mut rows = self.rows.clone();
        let dropped = dropped.iter().filter(|it| it.table == name).filter_map(|it| it.column);
        for column in dropped.chain(["search_document"]) {
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
        rows.sort_by_key(|row| Json::from(row.clone()).to_string());
        rows
    }
}

/// All tables except that of the migrations.
pub type Tables = BTreeMap<String, Table>;

/// Tables that no backup contains, and that are dropped without asking.
const NOT_KEPT: &[&str] =
    &["backup_status", "schedules", "event_consumers", "lead_weeks", "staff_visits", "canaries"];

/// Reverts and applies every migration on a database with rows. Each must restore exactly the
/// previous state, except for the rows and columns that it declares as dropped. It must refuse to
/// drop any unless told to.
pub async fn walk(
    migrations: &[Migration],
    go: impl AsyncFn(Target, Rows) -> Result<(), String>,
    tables: impl AsyncFn() -> Tables,
) {
    let newest = tables().await;
    for (name, table) in &newest {
        assert!(!table.rows.is_empty(), "{name} has no row");
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
            let kept = above[name].rows_without(name, step.back_drops);
            assert_eq!(table.rows_without(name, &[]), kept, "{name}, below {}", step.name);
        }
        go(own, Rows::Keep).await.unwrap();
        for (name, table) in tables().await {
            let forgotten = NOT_KEPT.contains(&name.as_str()) && !below.contains_key(&name);
            let dropped = forgotten
                || step.back_drops.iter().any(|it| it.table == name && it.column.is_none());
            let kept = above[&name].rows_without(&name, step.back_drops);
            let kept = if dropped { Vec::new() } else { kept };
            let rows = table.rows_without(&name, step.back_drops);
            assert_eq!(rows, kept, "{name}, above {} again", step.name);
            let definition = &above[&name].definition;
            assert_eq!(table.definition, *definition, "{name}, above {} again", step.name);
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

/// Stores a lead in a schema of any version: sets those existing columns that must have a value.
pub async fn store_lead(transfer: &dyn Transfer) {
    let mut load = transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == "leads").unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let value = |(name, kind): (&str, Kind)| match (name, kind) {
        ("id", _) => Value::Integer(1),
        (_, Kind::Time) => Value::Time(5),
        ("full_name" | "position", _) => text("Ana"),
        ("source", _) => text("other"),
        ("status", _) => text("new"),
        ("category", _) => text("web_dev"),
        _ => Value::Null,
    };
    let row = shape.columns.iter().map(|column| value((column.name, column.kind))).collect();
    load.write(shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
}

/// Two releases can share one schema: this program works if a newer release has added columns, and
/// reports a database that lacks a column as unavailable. `execute` runs SQL without the adapter.
pub async fn serves_beside_another_release(harness: &Harness, execute: impl AsyncFn(String)) {
    for table in TABLES.iter().chain(STAYING) {
        execute(format!("ALTER TABLE {} ADD COLUMN of_a_newer_release text", table.name)).await;
    }
    fill(harness).await;
    let seen = harness.leads.create(&lead().build(), &act(at(5))).await.unwrap();
    let seen = harness.leads.update(&seen, &seen.details, &seen.work, &act(at(6))).await.unwrap();
    assert_eq!(harness.leads.find(seen.id).await.unwrap().as_ref(), Some(&seen));
    harness.leads.create_many(&[(lead().build(), at(7))], &some_act()).await.unwrap();
    let known = harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    harness.subscribers.ensure(&subscriber("eva@acme.hr"), &some_act()).await.unwrap();
    // The schema of an older release.
    execute("ALTER TABLE leads RENAME COLUMN notes TO of_an_older_release".to_owned()).await;
    execute("ALTER TABLE subscribers RENAME COLUMN email TO of_an_older_release".to_owned()).await;
    let away = |what: &str, told: Result<(), StoreError>| {
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{what}: {told:?}");
    };
    let many = [(lead().build(), at(7))];
    away("create", harness.leads.create(&lead().build(), &act(at(7))).await.map(drop));
    away("create_many", harness.leads.create_many(&many, &some_act()).await);
    away(
        "update",
        harness.leads.update(&seen, &seen.details, &seen.work, &act(at(8))).await.map(drop),
    );
    away("find", harness.leads.find(seen.id).await.map(drop));
    let new = subscriber("iva@acme.hr");
    away("subscribe", harness.subscribers.create(&new, &some_act()).await.map(drop));
    away("ensure", harness.subscribers.ensure(&new, &some_act()).await);
    away("subscribe many", harness.subscribers.create_many(&[new], &some_act()).await.map(drop));
    away("find a subscriber", harness.subscribers.find(known.id).await.map(drop));
}

/// The statements that earlier releases send to a database of this dialect. The file has one
/// statement per line, followed by ` -- ` and the types of its values, if they are known.
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
    // Removes the alias of the table.
    let table = table.split(' ').next()?;
    Some((unquoted(table), columns.split(',').map(unquoted).collect()))
}

fn unquoted(name: &str) -> &str {
    name.trim().trim_matches(['"', '`'])
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const TABLE: &[Dropped] = &[Dropped::of("t", None)];
    const COLUMN: &[Dropped] = &[Dropped::of("t", Some("c"))];

    const fn step(name: &'static str, back_drops: &'static [Dropped]) -> Migration {
        Migration { name, up: "", down: "", changes_data: false, back_drops }
    }

    /// The table `t`; from the second version on, it has the column `c`.
    fn database(version: u64, value: &str) -> Tables {
        let row = match version {
            0 => return Tables::new(),
            1 => r#"{"id": 1}"#.to_owned(),
            _ => format!(r#"{{"id": 1, "c": {value}}}"#),
        };
        Tables::from([("t".to_owned(), Table::new(vec![version.to_string()], &[row]))])
    }

    /// Walks over two migrations: the first creates a table with a row, the second adds a column
    /// with a value.
    async fn walk_over(column: &'static [Dropped]) {
        let migrations = [step("1_table", TABLE), step("2_column", column)];
        let now = RefCell::new((2, "7", true));
        let go = async |target, rows| {
            let Target::Version(version) = target else { return Ok(()) };
            let mut now = now.borrow_mut();
            let (from, value, has_row) = *now;
            let is_lost = version < from && (version == 0 && has_row || value != "null");
            if rows == Rows::Keep && version < from && is_lost && !column.is_empty() {
                return Err("would be lost".to_owned());
            }
            let value = if version < 2 { "null" } else { value };
            *now = (version, value, has_row && version > 0);
            Ok(())
        };
        let tables = async || {
            let (version, value, has_row) = *now.borrow();
            let mut tables = database(version, value);
            if !has_row {
                tables.values_mut().for_each(|table| table.rows.clear());
            }
            tables
        };
        // The database that is rebuilt at the end has the second version.
        let go_to_newest = async |target, rows| match target {
            Target::Newest => go(Target::Version(2), rows).await,
            target => go(target, rows).await,
        };
        walk(&migrations, go_to_newest, tables).await;
    }

    #[tokio::test]
    async fn a_column_may_be_dropped_on_the_way_back() {
        walk_over(COLUMN).await;
    }

    #[tokio::test]
    #[should_panic(expected = "t, below 2_column")]
    async fn a_column_that_is_dropped_without_a_word_is_noticed() {
        walk_over(&[]).await;
    }
}
