//! What an adapter must do for the tables of modules.
//!
//! An adapter runs the rules with one line in a test file,
//! `exit3_testkit::module_contract!(database().await);`, where `database` is an async function that
//! returns a [`ModuleDatabase`] over a fresh, migrated, empty database.

mod guests;

use std::pin::Pin;

use exit3_app::erasure::{erase, look_ahead};
use exit3_domain::contact::{Contact, ContactKind};
use exit3_ports::{
    Constraint, Migration, ModuleSchema, Moved, Rows, SchemaState, TABLES, Target, Value, rules,
};

pub use self::guests::{BROKEN, GUESTS, ROOMS};
use crate::builders::{lead, some_act};
use crate::contract::transfer::now;
use crate::contract::{Harness, fill};
use crate::migrations::{Table, Tables, walk};

/// A boxed future.
type Running<T> = Pin<Box<dyn Future<Output = T>>>;

/// Migrates a module, or without one the service itself.
pub type Migrate =
    Box<dyn Fn(Option<ModuleSchema>, Target, Rows) -> Running<Result<Moved, String>>>;

/// A database, its migrations, and a way around the adapter.
pub struct ModuleDatabase {
    /// The repositories.
    pub harness: Harness,
    /// Migrates.
    pub migrate: Migrate,
    /// Which migrations of a module are applied.
    pub state: Box<dyn Fn(ModuleSchema) -> Running<SchemaState>>,
    /// The pending migrations of a module that change rows.
    pub data_changes: Box<dyn Fn(ModuleSchema) -> Running<Vec<&'static str>>>,
    /// Runs SQL without the adapter.
    pub execute: Box<dyn Fn(&'static str) -> Running<()>>,
    /// All tables but that of the service's migrations.
    pub tables: Box<dyn Fn() -> Running<Tables>>,
}

/// Rows of the made-up module, in any of its versions.
const ROWS: &str = "INSERT INTO guests (id, lead_id, name, email) VALUES (7, 1, 'Iva', 'iva@acme.hr'); \
                    INSERT INTO guest_cards (id, guest_id) VALUES (8, 7)";

impl ModuleDatabase {
    async fn up(&self, module: ModuleSchema) -> Moved {
        (self.migrate)(Some(module), Target::Newest, Rows::Keep).await.unwrap()
    }

    /// The tables with these words at the beginning of their names, or all others.
    async fn tables(&self, word: &str, is_own: bool) -> Tables {
        let mut tables = (self.tables)().await;
        tables.retain(|name, _| name.starts_with(word) == is_own && name != RECORDS);
        tables
    }

    /// Module, version and definitions of each record.
    async fn records(&self) -> Vec<[String; 3]> {
        let records = (self.tables)().await.remove(RECORDS);
        let rows = records.map(|Table { rows, .. }| rows).unwrap_or_default();
        let text = |row: &serde_json::Map<_, _>| {
            // One of the readers of tables quotes texts.
            let text = |name| row[name].as_str().unwrap().trim_matches('\'').to_owned();
            ["module", "version", "tables"].map(text)
        };
        rows.iter().map(text).collect()
    }
}

const RECORDS: &str = exit3_ports::modules::RECORDS;

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn the_tables_of_a_module_go_down_and_up_again(database: &ModuleDatabase) {
    fill(&database.harness).await;
    database.up(ROOMS).await;
    database.up(GUESTS).await;
    (database.execute)(ROWS).await;
    (database.execute)("UPDATE guests SET notes = 'late'").await;
    let others = database.tables("guest", false).await;
    let go = async |target, rows| (database.migrate)(Some(GUESTS), target, rows).await.map(drop);
    walk(GUESTS.postgres, go, async || database.tables("guest", true).await).await;
    assert_eq!(database.tables("guest", false).await, others);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn a_module_is_current_once_it_is_migrated(database: &ModuleDatabase) {
    let state = || (database.state)(GUESTS);
    assert_eq!(state().await, SchemaState::Missing);
    assert_eq!((database.data_changes)(GUESTS).await, [""; 0]);
    assert!(database.records().await.is_empty(), "nothing is created before the first module");
    let first = (database.migrate)(Some(GUESTS), Target::Version(1), Rows::Keep).await;
    assert_eq!(first, Ok(Moved { up: 1, down: 0 }));
    assert_eq!(state().await, SchemaState::Outdated);
    assert_eq!((database.data_changes)(GUESTS).await, ["00000000000002_notes"]);
    assert_eq!(database.up(GUESTS).await, Moved { up: 1, down: 0 });
    assert_eq!(state().await, SchemaState::Current);
    assert_eq!(database.up(GUESTS).await, Moved::default());
    assert_eq!((database.state)(ROOMS).await, SchemaState::Missing);
    let recorded: Vec<_> =
        database.records().await.into_iter().map(|[_, version, _]| version).collect();
    assert_eq!(recorded, ["00000000000001", "00000000000002"]);
    let taken = Constraint::Taken { table: "guests", column: "email" };
    assert!(rules().any(|rule| rule == taken), "errors of the adapter name the rules of a module");
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn a_failing_migration_harms_nothing_but_itself(database: &ModuleDatabase) {
    fill(&database.harness).await;
    database.up(GUESTS).await;
    (database.execute)(ROWS).await;
    let before = database.tables("broken", false).await;
    let failed = (database.migrate)(Some(BROKEN), Target::Newest, Rows::Keep).await.unwrap_err();
    let sentence = "the migration broken/00000000000002_fails could not be applied";
    assert!(failed.starts_with(sentence), "{failed}");
    assert_ne!((database.state)(BROKEN).await, SchemaState::Current);
    assert_eq!(database.tables("broken", false).await, before);
    assert_eq!((database.state)(GUESTS).await, SchemaState::Current);
    assert_eq!(database.up(ROOMS).await.up, 1);
    let own = (database.migrate)(None, Target::Newest, Rows::Keep).await;
    assert_eq!(own, Ok(Moved::default()));
    (database.migrate)(Some(BROKEN), Target::Version(0), Rows::Keep).await.unwrap();
    assert_eq!((database.state)(BROKEN).await, SchemaState::Missing);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn the_schema_that_a_module_was_built_upon_stays(database: &ModuleDatabase) {
    database.up(GUESTS).await;
    let before = (database.tables)().await;
    let back = || (database.migrate)(None, Target::Version(1), Rows::Drop);
    let refused = back().await.unwrap_err();
    let newest = database.harness.transfer.newest_schema();
    assert!(refused.contains(&format!("guests needs the schema {newest}")), "{refused}");
    assert_eq!((database.tables)().await, before);
    (database.migrate)(Some(GUESTS), Target::Version(0), Rows::Keep).await.unwrap();
    assert!(back().await.unwrap().down > 0);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn an_older_version_of_a_module_leaves_a_newer_one_alone(database: &ModuleDatabase) {
    database.up(GUESTS).await;
    let before = (database.tables)().await;
    let first = |steps: &'static [Migration]| &steps[..1];
    let older =
        ModuleSchema { postgres: first(GUESTS.postgres), sqlite: first(GUESTS.sqlite), ..GUESTS };
    assert_eq!(database.up(older).await, Moved::default());
    assert_eq!((database.state)(older).await, SchemaState::Current);
    let back = (database.migrate)(Some(older), Target::Version(0), Rows::Drop).await;
    let refused = back.unwrap_err();
    assert!(refused.contains("00000000000002, which this program does not know"), "{refused}");
    assert_eq!((database.tables)().await, before);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn a_table_that_is_defined_otherwise_is_recorded_so(database: &ModuleDatabase) {
    database.up(GUESTS).await;
    let before = database.records().await;
    assert!(before[1][2].contains(r#""contacts":[["email","email"],["notes","text"]]"#));
    let changed = ModuleSchema { tables: ROOMS.tables, ..GUESTS };
    assert_eq!(database.up(changed).await, Moved::default());
    let after = database.records().await;
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1][2], ROOMS.definition());
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn a_snapshot_has_the_tables_of_modules_after_ours(database: &ModuleDatabase) {
    database.up(ROOMS).await;
    (database.migrate)(Some(GUESTS), Target::Version(1), Rows::Keep).await.unwrap();
    let mut snapshot = database.harness.transfer.snapshot().await.unwrap();
    let shapes = snapshot.shapes().await.unwrap();
    let names: Vec<_> = shapes.iter().skip(TABLES.len()).map(|shape| shape.table.name).collect();
    assert_eq!(names, ["guests", "guest_cards", "rooms"]);
    let columns: Vec<_> = shapes[TABLES.len()].columns.iter().map(|column| column.name).collect();
    assert_eq!(columns, ["id", "lead_id", "name", "email", "seen_at", "is_vip"], "no notes yet");
    let records = snapshot.modules().await.unwrap();
    let newest = database.harness.transfer.newest_schema();
    let told: Vec<_> = records.iter().map(|it| [&*it.module, &*it.version, &*it.core]).collect();
    let first = "00000000000001";
    assert_eq!(told, [["guests", first, newest], ["rooms", first, newest]]);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn rows_of_modules_are_copied_with_the_others(database: &ModuleDatabase) {
    fill(&database.harness).await;
    database.up(GUESTS).await;
    (database.execute)(ROWS).await;
    let before = now(&database.harness).await;
    assert_eq!(before[TABLES.len()].1[0][3], Value::Text("iva@acme.hr".to_owned()));
    let mut load = database.harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    for (shape, rows) in &before {
        assert_eq!(load.count(shape.table).await.unwrap(), 0, "{}", shape.table.name);
        load.write(shape, rows.clone()).await.unwrap();
        load.keep_ids(shape.table, 40).await.unwrap();
    }
    load.commit().await.unwrap();
    assert_eq!(now(&database.harness).await, before);
    let mut snapshot = database.harness.transfer.snapshot().await.unwrap();
    assert_eq!(snapshot.last_id(before[TABLES.len()].0.table).await.unwrap(), 40);
}

#[allow(missing_docs, reason = "the names say what holds")]
pub async fn a_person_is_erased_from_modules_too(database: &ModuleDatabase) {
    let leads = &database.harness.leads;
    let create = async |email: &str| {
        leads.create(&lead().email(Some(email)).build(), &some_act()).await.unwrap().id.0
    };
    assert_eq!((create("ana@acme.hr").await, create("eva@acme.hr").await), (1, 2));
    database.up(GUESTS).await;
    (database.execute)(
        "INSERT INTO guests (id, lead_id, name, email) VALUES (7, 1, 'Iva', NULL), \
         (8, 2, 'Ana', 'ANA@acme.hr'), (9, 2, 'Jan', 'jan@acme.hr'); \
         INSERT INTO guest_cards (id, guest_id) VALUES (17, 7), (18, 8), (19, 9)",
    )
    .await;
    let is_ana = |contact: &Contact| {
        Some(contact) == Contact::read(ContactKind::Email, "ana@acme.hr").as_ref()
    };
    let transfer = &database.harness.transfer;
    let before = look_ahead(transfer.snapshot().await.unwrap().as_mut(), &is_ana).await.unwrap();
    // After the first search, somebody comes along with her.
    (database.execute)("INSERT INTO guests (id, lead_id, name) VALUES (10, 1, 'Ivo')").await;
    let mut load = transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana, &before).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), [("guest_cards", 2), ("guests", 3), ("leads", 1)]);
    let left = now(&database.harness).await;
    let ids = |at: usize| left[at].1.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    assert_eq!(ids(TABLES.len()), [Value::Integer(9)]);
    assert_eq!(ids(TABLES.len() + 1), [Value::Integer(19)]);
}

/// Generates one test per rule. The expression is evaluated once per test and must return a
/// [`ModuleDatabase`].
#[doc(hidden)]
#[macro_export]
macro_rules! module_contract {
    ($database:expr) => {
        $crate::module_contract! { @rules $database;
            the_tables_of_a_module_go_down_and_up_again,
            a_module_is_current_once_it_is_migrated,
            a_failing_migration_harms_nothing_but_itself,
            the_schema_that_a_module_was_built_upon_stays,
            an_older_version_of_a_module_leaves_a_newer_one_alone,
            a_table_that_is_defined_otherwise_is_recorded_so,
            a_snapshot_has_the_tables_of_modules_after_ours,
            rows_of_modules_are_copied_with_the_others,
            a_person_is_erased_from_modules_too,
        }
    };
    (@rules $database:expr; $($rule:ident,)*) => {
        mod modules {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $rule() {
                    $crate::contract::hold($crate::modules::$rule(&$database)).await;
                }
            )*
        }
    };
}
