//! What modules keep in databases.
//!
//! A module is what a crate outside of this repository adds to the service. The database itself
//! knows the tables of its modules: with each migration of a module it records how they are
//! defined. So a program without the module can back them up, and erase people from them.

mod faults;

use std::sync::{Mutex, PoisonError, RwLock};

use exit3_domain::contact::ContactKind;
use serde::{Deserialize, Serialize};

use crate::error::{Constraint, StoreError};
use crate::migrations::{Migration, NoWay};
use crate::tables::{Column, Kind, NOT_MOVED, Shape, Table};

/// The table in which a database records the migrations of its modules. It is created with the
/// first one.
pub const RECORDS: &str = "__exit3_modules";

/// The tables of a module, and its migrations in both dialects.
#[derive(Debug, Clone, Copy)]
pub struct ModuleSchema {
    /// The name of the module.
    pub module: &'static str,
    /// Its tables, ordered so that rows come after the rows that they refer to. They must not refer
    /// to other tables with foreign keys.
    pub tables: &'static [Table],
    /// Its migrations of PostgreSQL, oldest first.
    pub postgres: &'static [Migration],
    /// Its migrations of SQLite, oldest first.
    pub sqlite: &'static [Migration],
}

impl ModuleSchema {
    /// How the tables are defined, as databases record it.
    pub fn definition(&self) -> String {
        let tables: Vec<_> = self.tables.iter().map(TableDefinition::of).collect();
        // Names always serialize.
        serde_json::to_string(&tables).unwrap_or_default()
    }
}

/// Migrations that are applied in order: those of the service, or those of a module.
#[derive(Debug, Clone, Copy)]
pub struct Ladder {
    /// The migrations, oldest first.
    pub steps: &'static [Migration],
    /// The module that they belong to.
    pub module: Option<ModuleSchema>,
}

impl Ladder {
    /// The service's own migrations.
    pub const fn own(steps: &'static [Migration]) -> Self {
        Self { steps, module: None }
    }

    /// Those of a module, whose rules are known from now on.
    pub fn of(module: ModuleSchema, steps: &'static [Migration]) -> Self {
        learn(module.tables);
        Self { steps, module: Some(module) }
    }

    /// The name of a migration for people.
    pub fn name_of(&self, step: &Migration) -> String {
        match self.module {
            Some(ModuleSchema { module, .. }) => format!("{module}/{}", step.name),
            None => step.name.to_owned(),
        }
    }
}

/// What a database, or an archive, knows of one of its modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRecord {
    /// The name of the module.
    pub module: String,
    /// The version of its newest applied migration.
    pub version: String,
    /// The version of the service's newest migration when that one was applied.
    pub core: String,
    /// The tables, with those that later migrations may create.
    pub tables: Vec<TableDefinition>,
}

impl ModuleRecord {
    /// The newest record of each module, from all rows of [`RECORDS`]: module, version, version of
    /// the service, tables; ordered by module and version.
    ///
    /// # Errors
    /// [`StoreError::Other`] if a row cannot be read.
    pub fn newest(
        rows: impl IntoIterator<Item = (String, String, String, String)>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut records: Vec<Self> = Vec::new();
        for (module, version, core, tables) in rows {
            let tables = serde_json::from_str(&tables)
                .map_err(|error| StoreError::Other(format!("{RECORDS}: {error}").into()))?;
            if records.last().is_some_and(|last| last.module == module) {
                records.pop();
            }
            records.push(Self { module, version, core, tables });
        }
        Ok(records)
    }

    /// The tables of modules that a database with these columns has.
    ///
    /// # Errors
    /// [`StoreError::Other`] if a record is not one.
    pub fn shapes(
        records: &[Self],
        has: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<Shape>, StoreError> {
        let mut shapes = Vec::new();
        for definition in records.iter().flat_map(|record| &record.tables) {
            let table = definition.table()?;
            shapes.extend(Shape::of(table, |column| has(table.name, column)));
        }
        Ok(shapes)
    }

    /// Refuses to revert migrations of the service that a module was built upon.
    ///
    /// # Errors
    /// [`NoWay::Needed`].
    pub fn let_go(records: Vec<Self>, down: &[&'static Migration]) -> Result<(), NoWay> {
        let needs = |record: &Self| down.iter().any(|step| step.version() <= record.core.as_str());
        match records.into_iter().find(needs) {
            Some(Self { module, core, .. }) => Err(NoWay::Needed { module, core }),
            None => Ok(()),
        }
    }
}

/// How a table of a module is defined, for programs without the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    columns: Vec<(String, Kind)>,
    resource: String,
    contacts: Vec<(String, ContactKind)>,
    part_of: Option<(String, String)>,
    searched_by: Vec<String>,
}

impl TableDefinition {
    fn of(table: &Table) -> Self {
        let own = |name: &&str| (*name).to_owned();
        Self {
            name: table.name.to_owned(),
            columns: table.columns.iter().map(|it| (it.name.to_owned(), it.kind)).collect(),
            resource: table.resource.to_owned(),
            contacts: table.contacts.iter().map(|(name, kind)| (own(name), *kind)).collect(),
            part_of: table.part_of.map(|(column, whole)| (own(&column), own(&whole))),
            searched_by: table.searched_by.iter().map(own).collect(),
        }
    }

    /// The table. It stays in memory as long as the program runs, once for each definition.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is not the definition of a module's table: its names become parts
    /// of statements, and it may come from the archive of a stranger.
    pub fn table(&self) -> Result<&'static Table, StoreError> {
        static TABLES: Mutex<Vec<&Table>> = Mutex::new(Vec::new());
        let is_ours = NOT_MOVED.contains(&self.name.as_str()) || crate::table(&self.name).is_some();
        let mut names = self.columns.iter().map(|(name, _)| name).chain([&self.name]);
        let has_id =
            self.columns.first().is_some_and(|(name, kind)| name == "id" && *kind == Kind::Integer);
        if is_ours || !has_id || !names.all(|name| is_name(name)) {
            let what = format!("the definition of the table {:?} is not one", self.name);
            return Err(StoreError::Other(what.into()));
        }
        let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tables.iter().find(|table| Self::of(table) == *self) {
            return Ok(known);
        }
        let table: &'static Table = Box::leak(Box::new(self.leaked()));
        tables.push(table);
        Ok(table)
    }

    fn leaked(&self) -> Table {
        let word = |word: &String| -> &'static str { word.clone().leak() };
        let columns = self.columns.iter().map(|(name, kind)| Column::new(word(name), *kind));
        let contacts = self.contacts.iter().map(|(name, kind)| (word(name), *kind));
        Table {
            name: word(&self.name),
            columns: columns.collect::<Vec<_>>().leak(),
            resource: word(&self.resource),
            contacts: contacts.collect::<Vec<_>>().leak(),
            part_of: self.part_of.as_ref().map(|(column, whole)| (word(column), word(whole))),
            searched_by: self.searched_by.iter().map(word).collect::<Vec<_>>().leak(),
            ..Table::EMPTY
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
}

/// The rules of tables of modules. An adapter recognises a rule by the name in an error, wherever
/// that comes from, so they are known to the whole program.
static LEARNED: RwLock<Vec<Constraint>> = RwLock::new(Vec::new());

fn learn(tables: &[Table]) {
    let mut learned = LEARNED.write().unwrap_or_else(PoisonError::into_inner);
    for rule in tables.iter().flat_map(|table| table.rules) {
        if !learned.contains(rule) {
            learned.push(*rule);
        }
    }
}

/// The rules of all tables: the service's own, and those of the modules of this program.
pub fn rules() -> impl Iterator<Item = Constraint> {
    let tables = crate::TABLES.iter().chain(crate::STAYING);
    let learned = LEARNED.read().unwrap_or_else(PoisonError::into_inner).clone();
    tables.flat_map(|table| table.rules.iter().copied()).chain(learned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUESTS: Table = Table {
        name: "guests",
        columns: &[Column::new("id", Kind::Integer), Column::new("seen_at", Kind::Time)],
        resource: "guest",
        contacts: &[("email", ContactKind::Email)],
        part_of: Some(("lead_id", "leads")),
        searched_by: &["email"],
        rules: &[Constraint::Taken { table: "guests", column: "email" }],
        rights: "SELECT",
    };

    const SCHEMA: ModuleSchema =
        ModuleSchema { module: "guests", tables: &[GUESTS], postgres: &[], sqlite: &[] };

    fn row(module: &str, version: &str, tables: &str) -> (String, String, String, String) {
        (module.to_owned(), version.to_owned(), "0019".to_owned(), tables.to_owned())
    }

    #[test]
    fn a_table_comes_back_from_its_definition_once() {
        let records = ModuleRecord::newest([row("guests", "1", &SCHEMA.definition())]).unwrap();
        let table = records[0].tables[0].table().unwrap();
        assert_eq!(*table, Table { rules: &[], rights: "", ..GUESTS });
        assert!(std::ptr::eq(table, records[0].tables[0].table().unwrap()));
    }

    /// Databases keep it for programs of any version.
    #[test]
    fn the_form_of_definitions_is_fixed() {
        assert_eq!(
            SCHEMA.definition(),
            r#"[{"name":"guests","columns":[["id","integer"],["seen_at","time"]],"resource":"guest","contacts":[["email","email"]],"part_of":["lead_id","leads"],"searched_by":["email"]}]"#
        );
    }

    #[test]
    fn no_archive_has_the_records_as_a_table() {
        assert!(NOT_MOVED.contains(&RECORDS));
    }

    #[test]
    fn the_newest_record_of_each_module_counts() {
        let rows = [row("a", "1", "[]"), row("a", "2", "[]"), row("b", "1", "[]")];
        let records = ModuleRecord::newest(rows).unwrap();
        let told = records.iter().map(|it| (it.module.as_str(), it.version.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), [("a", "2"), ("b", "1")]);
        assert!(ModuleRecord::newest([row("a", "1", "{}")]).is_err());
    }

    #[test]
    fn a_definition_may_not_be_a_statement_or_a_table_of_the_service() {
        let good = TableDefinition::of(&GUESTS);
        let named = |name: &str| TableDefinition { name: name.to_owned(), ..good.clone() };
        for name in ["leads", "sign_ins", "lead_counts", "x; DROP TABLE leads", "", "Guests", "1"] {
            assert!(named(name).table().is_err(), "{name}");
        }
        let columns = |name: &str, kind| vec![("id".to_owned(), kind), (name.to_owned(), kind)];
        for columns in [
            vec![],
            columns("a", Kind::Text),
            columns("a) VALUES (1); --", Kind::Integer),
            vec![("name".to_owned(), Kind::Integer)],
        ] {
            assert!(TableDefinition { columns, ..good.clone() }.table().is_err());
        }
    }

    #[test]
    fn the_rules_of_a_module_are_known_once_its_migrations_are() {
        let rule = GUESTS.rules[0];
        Ladder::of(SCHEMA, &[]);
        Ladder::of(SCHEMA, &[]);
        assert_eq!(rules().filter(|known| *known == rule).count(), 1);
    }

    #[test]
    fn what_a_module_was_built_upon_stays() {
        const fn step(name: &'static str) -> Migration {
            Migration { name, up: "", down: "", changes_data: false, back_drops: &[] }
        }
        static STEPS: &[Migration] = &[step("0018_a"), step("0019_b"), step("0020_c")];
        let records = || ModuleRecord::newest([row("guests", "1", "[]")]).unwrap();
        assert_eq!(ModuleRecord::let_go(records(), &[&STEPS[2]]), Ok(()));
        let refused = ModuleRecord::let_go(records(), &[&STEPS[2], &STEPS[1]]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the module guests needs the schema 0019: take its tables back first, with a program \
             that has it: exit3 migrate --module guests --to 0"
        );
    }
}
