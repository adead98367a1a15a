//! Migrations, which all databases have in common, and the path from one schema to another.

// `POSTGRES` and `SQLITE`, written by build.rs.
include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// One step of the schema, up and down.
#[derive(Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version and a short description, such as `00000000000004_clients`.
    pub name: &'static str,
    /// The statements that apply it.
    pub up: &'static str,
    /// The statements that revert it.
    pub down: &'static str,
    /// Whether applying it changes existing rows. If so, a backup is made first.
    pub changes_data: bool,
    /// What reverting it destroys, except for data that is computed from other data.
    pub back_drops: &'static [Dropped],
}

/// Data that reverting a migration destroys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The table.
    pub table: &'static str,
    /// The column; `None` if the whole table is dropped.
    pub column: Option<&'static str>,
}

impl Dropped {
    /// Names a whole table (`leads`) or one column (`leads.notes`).
    pub const fn of(table: &'static str, column: Option<&'static str>) -> Self {
        Self { table, column }
    }

    /// A query that finds data that would be lost: any row of the table, or any value of the column
    /// that is not null.
    pub fn query(&self) -> String {
        let Self { table, column } = self;
        let lost = column.map(|column| format!(" WHERE {column} IS NOT NULL")).unwrap_or_default();
        format!("SELECT EXISTS (SELECT 1 FROM {table}{lost})")
    }

    /// The error that refuses to destroy this data.
    pub fn refusal(&self) -> NoWay {
        match self.column {
            Some(column) => NoWay::ValuesLost(self.table, column),
            None => NoWay::RowsLost(self.table),
        }
    }
}

impl Migration {
    /// The version, as stored in the table of migrations.
    pub fn version(&self) -> &'static str {
        self.name.split('_').next().unwrap_or_default()
    }

    fn number(&self) -> Option<u64> {
        self.version().parse().ok()
    }
}

/// The wanted schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The newest schema of this program. Migrations of a newer program are left alone.
    Newest,
    /// The schema of this version; 0 is the empty schema.
    Version(u64),
}

/// What may happen to rows when migrations are reverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Refuse to revert if rows would be lost.
    Keep,
    /// Rows may be lost.
    Drop,
}

/// How many migrations were applied and reverted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// The number of applied migrations.
    pub up: usize,
    /// The number of reverted migrations.
    pub down: usize,
}

/// Why a schema cannot be reached. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum NoWay {
    #[error("there is no migration {0}; the newest is {1}")]
    NoSuchVersion(u64, u64),
    #[error(
        "the database has the migration {0}, which this program does not know: \
         only a program that knows it can take it back"
    )]
    Unknown(String),
    #[error(
        "on the way back, the rows of the table {0} would be lost: \
         make a backup, then say --drop-rows"
    )]
    RowsLost(&'static str),
    #[error(
        "on the way back, the values of the column {1} of the table {0} would be lost: \
         make a backup, then say --drop-rows"
    )]
    ValuesLost(&'static str, &'static str),
    #[error(
        "the module {module} needs the schema {core}: take its tables back first, with a program \
         that has it: exit3 migrate --module {module} --to 0"
    )]
    Needed { module: String, core: String },
}

/// The state of a database's schema, as this program sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no schema yet.
    Missing,
    /// Migrations that the program knows are missing.
    Outdated,
    /// All migrations that the program knows are applied, and possibly newer ones.
    Current,
}

impl SchemaState {
    /// The state of a database with the versions `applied`, for a program with the migrations
    /// `known`.
    pub fn of(known: &[Migration], applied: &[String]) -> Self {
        let is_applied = |step: &Migration| applied.iter().any(|own| own == step.version());
        if applied.is_empty() {
            Self::Missing
        } else if known.iter().all(is_applied) {
            Self::Current
        } else {
            Self::Outdated
        }
    }
}

/// The path from one schema to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Way {
    /// The migrations to apply, in order.
    pub up: Vec<&'static Migration>,
    /// The migrations to revert, in order.
    pub down: Vec<&'static Migration>,
}

impl Way {
    /// Finds the path to `target` for a database with the versions `applied` and a program with the
    /// migrations `known`, oldest first.
    ///
    /// # Errors
    /// [`NoWay`].
    pub fn find(
        known: &'static [Migration],
        applied: &[String],
        target: Target,
    ) -> Result<Self, NoWay> {
        let newest = known.last().and_then(Migration::number).unwrap_or_default();
        let wanted = match target {
            Target::Newest => newest,
            Target::Version(0) => 0,
            Target::Version(version) => {
                let exists = known.iter().any(|step| step.number() == Some(version));
                if exists { version } else { return Err(NoWay::NoSuchVersion(version, newest)) }
            }
        };
        if target != Target::Newest
            && let Some(unknown) = applied
                .iter()
                .find(|version| known.iter().all(|step| step.version() != version.as_str()))
        {
            return Err(NoWay::Unknown(unknown.clone()));
        }
        let is_applied = |step: &Migration| applied.iter().any(|own| own == step.version());
        let is_wanted = |step: &Migration| step.number().is_some_and(|number| number <= wanted);
        let up = known.iter().filter(|step| is_wanted(step) && !is_applied(step)).collect();
        let down = known.iter().rev().filter(|step| !is_wanted(step) && is_applied(step)).collect();
        Ok(Self { up, down })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.up.is_empty() && self.down.is_empty()
    }

    /// The names of the pending migrations that change existing rows, for a database with the
    /// versions `applied`. A backup is made before them.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn data_changes(
        known: &'static [Migration],
        applied: &[String],
    ) -> Result<Vec<&'static str>, NoWay> {
        // A database without a schema has no rows.
        if applied.is_empty() {
            return Ok(Vec::new());
        }
        let way = Self::find(known, applied, Target::Newest)?;
        Ok(way.up.iter().filter(|step| step.changes_data).map(|step| step.name).collect())
    }

    /// The data that is lost on this path.
    pub fn drops(&self) -> impl Iterator<Item = Dropped> {
        self.down.iter().flat_map(|step| step.back_drops.iter().copied())
    }

    /// How many migrations the path applies and reverts.
    pub fn moved(&self) -> Moved {
        Moved { up: self.up.len(), down: self.down.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Migration] = &[step("01_a", false), step("02_b", true), step("05_c", true)];

    const TABLE: &[Dropped] = &[Dropped::of("t", None)];

    const fn step(name: &'static str, changes_data: bool) -> Migration {
        Migration { name, up: "", down: "", changes_data, back_drops: TABLE }
    }

    fn way(
        applied: &[&str],
        target: Target,
    ) -> Result<(Vec<&'static str>, Vec<&'static str>), NoWay> {
        let applied: Vec<String> = applied.iter().map(|version| (*version).to_owned()).collect();
        let names = |steps: Vec<&Migration>| steps.iter().map(|step| step.name).collect();
        Way::find(KNOWN, &applied, target).map(|way| (names(way.up), names(way.down)))
    }

    #[test]
    fn every_migration_has_a_version_a_way_back_and_drops_what_exists() {
        for (dialect, listed) in [("postgres", POSTGRES), ("sqlite", SQLITE)] {
            let directory = format!("{}/../../migrations/{dialect}", env!("CARGO_MANIFEST_DIR"));
            assert_eq!(std::fs::read_dir(directory).unwrap().count(), listed.len());
            assert!(listed.is_sorted_by_key(|step| step.name));
            for step in listed {
                assert_eq!((step.version().len(), step.number().is_some()), (14, true));
                for Dropped { table, column } in step.back_drops {
                    let staying = crate::STAYING.iter().find(|known| known.name == *table);
                    let known = crate::table(table).or(staying).expect(step.name);
                    let has = |column: &&str| known.columns.iter().any(|own| own.name == *column);
                    assert!(column.as_ref().is_none_or(has), "{}: {column:?}", step.name);
                }
                // A migration without a `down` script has an empty one.
                assert!(step.down.contains(';'), "{}", step.name);
            }
        }
    }

    #[test]
    fn goes_up_and_down() {
        use Target::{Newest, Version};
        assert_eq!(way(&[], Newest), Ok((vec!["01_a", "02_b", "05_c"], vec![])));
        assert_eq!(way(&["01"], Version(2)), Ok((vec!["02_b"], vec![])));
        assert_eq!(way(&["05", "01", "02"], Version(1)), Ok((vec![], vec!["05_c", "02_b"])));
        assert_eq!(way(&["01", "02", "05"], Version(5)), Ok((vec![], vec![])));
        assert_eq!(way(&["01"], Version(0)), Ok((vec![], vec!["01_a"])));
        // A migration that was merged late is applied afterwards.
        assert_eq!(way(&["01", "05"], Newest), Ok((vec!["02_b"], vec![])));
    }

    #[test]
    fn leaves_migrations_of_a_newer_program_alone() {
        use Target::{Newest, Version};
        assert_eq!(way(&["01", "02", "05", "09"], Newest), Ok((vec![], vec![])));
        let unknown = NoWay::Unknown("09".to_owned());
        assert_eq!(way(&["01", "02", "05", "09"], Version(2)), Err(unknown));
    }

    #[test]
    fn refuses_a_version_that_does_not_exist() {
        for version in [3, 6, u64::MAX] {
            let refused = way(&[], Target::Version(version));
            assert_eq!(refused, Err(NoWay::NoSuchVersion(version, 5)));
        }
    }

    #[test]
    fn recognizes_the_state_of_a_schema() {
        let state = |applied: &[&str]| {
            let applied: Vec<String> = applied.iter().map(|own| (*own).to_owned()).collect();
            SchemaState::of(KNOWN, &applied)
        };
        assert_eq!(state(&[]), SchemaState::Missing);
        assert_eq!(state(&["01", "05"]), SchemaState::Outdated);
        assert_eq!(state(&["01", "02", "05"]), SchemaState::Current);
        assert_eq!(state(&["01", "02", "05", "09"]), SchemaState::Current);
    }

    #[test]
    fn names_the_data_that_is_lost() {
        let way = Way::find(KNOWN, &["01".to_owned()], Target::Newest).unwrap();
        assert_eq!(way.drops().count(), 0);
        let way = Way::find(KNOWN, &["01".to_owned()], Target::Version(0)).unwrap();
        assert_eq!(way.drops().collect::<Vec<_>>(), [Dropped::of("t", None)]);
        let column = Dropped::of("t", Some("c"));
        assert_eq!(column.query(), "SELECT EXISTS (SELECT 1 FROM t WHERE c IS NOT NULL)");
        assert_eq!(column.refusal(), NoWay::ValuesLost("t", "c"));
        let table = Dropped::of("t", None);
        assert_eq!(table.query(), "SELECT EXISTS (SELECT 1 FROM t)");
        assert_eq!(table.refusal(), NoWay::RowsLost("t"));
    }

    #[test]
    fn names_the_migrations_that_change_existing_rows() {
        let changes = |applied: &[&str]| {
            let applied: Vec<String> = applied.iter().map(|own| (*own).to_owned()).collect();
            Way::data_changes(KNOWN, &applied).unwrap()
        };
        assert_eq!(changes(&["01"]), ["02_b", "05_c"]);
        assert_eq!(changes(&["01", "02"]), ["05_c"]);
        assert_eq!(changes(&["02", "05"]), [""; 0]);
        assert_eq!(changes(&["01", "02", "05", "09"]), [""; 0]);
        // A new database has no rows.
        assert_eq!(changes(&[]), [""; 0]);
    }
}
