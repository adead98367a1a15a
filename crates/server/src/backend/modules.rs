//! The tables of modules, and what their use cases find.

use std::time::Duration;

use exit3_app::modules::Switch;
use exit3_ports::{ModuleSchema, Moved, Repositories, Rows, SchemaState, Target};

use super::{Backend, Database, DatabaseError, blocking, connect};
use crate::module::{Configured, ModuleDatabase};

/// How long to wait for what the database tells about the tables of a module.
const ANSWER: Duration = Duration::from_secs(2);

impl Backend {
    /// Migrates the tables of all modules, without a backup. A module whose migration fails is turned
    /// off. Returns the number of migrations.
    pub(crate) async fn migrate_modules(&self) -> usize {
        let mut applied = 0;
        for (module, switch) in self.schemas() {
            match self.migrate_module(module, Target::Newest, Rows::Keep).await {
                Ok(moved) => {
                    applied += moved.up;
                    turn(switch, None);
                }
                Err(error) => turn(switch, Some(error.to_string())),
            }
        }
        applied
    }

    /// The modules with tables.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (ModuleSchema, &'static Switch)> {
        self.shared.modules.iter().filter_map(|it| Some((it.module.schema()?, it.switch)))
    }

    /// The schema of the module of this name.
    pub(crate) fn module(&self, name: &str) -> Option<ModuleSchema> {
        self.schemas().map(|(schema, _)| schema).find(|schema| schema.module == name)
    }

    /// Migrates the tables of a module.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub(crate) async fn migrate_module(
        &self,
        module: ModuleSchema,
        target: Target,
        rows: Rows,
    ) -> Result<Moved, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                let moved = connect(settings).migrate_module(module, target, rows).await;
                moved.map_err(DatabaseError::of_server)
            }
            Database::Sqlite(database) => {
                blocking(database, move |it| it.migrate_module(module, target, rows)).await
            }
        }
    }

    /// The names of pending migrations of a module that change existing rows, which need a backup
    /// first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub(crate) async fn module_data_changes(
        &self,
        module: ModuleSchema,
    ) -> Result<Vec<&'static str>, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => connect(settings)
                .module_data_changes(module)
                .await
                .map_err(DatabaseError::of_server),
            Database::Sqlite(database) => {
                blocking(database, move |it| it.module_data_changes(module)).await
            }
        }
    }

    /// Which migrations of a module are applied and which are pending.
    ///
    /// # Errors
    /// [`DatabaseError`]; also if there is no answer within a moment.
    pub(crate) async fn module_state(
        &self,
        module: ModuleSchema,
    ) -> Result<SchemaState, DatabaseError> {
        let asked = async {
            match &self.database {
                Database::Postgres(settings) => {
                    connect(settings).module_state(module).await.map_err(DatabaseError::of_server)
                }
                Database::Sqlite(database) => {
                    blocking(database, move |it| it.module_state(module)).await
                }
            }
        };
        let late = || DatabaseError::passing("the database has not answered within 2 s");
        tokio::time::timeout(ANSWER, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// Adds what modules keep to the repositories.
    pub(super) fn keep(
        &self,
        repositories: &mut Repositories,
        database: impl Fn(&'static str) -> ModuleDatabase,
    ) {
        for Configured { module, settings, switch } in self.shared.modules.iter() {
            let make = || module.keep(&|| database(module.name()), settings);
            let kept = switch.or_break("it made what it keeps", make);
            kept.into_iter().flatten().for_each(|kept| repositories.kept.keep(kept));
        }
    }
}

/// Turns a module off for this reason, or on, and logs it if that is new.
pub(crate) fn turn(switch: &'static Switch, off: Option<String>) {
    let (module, was) = (switch.module(), switch.off());
    match off {
        _ if switch.is_broken() => {}
        Some(reason) if was.as_deref() == Some(&reason) => {}
        Some(reason) => {
            tracing::error!("the module {module} is off: {reason}");
            switch.turn_off(reason);
        }
        None if was.is_some() => {
            tracing::info!("the module {module} is on");
            switch.turn_on();
        }
        None => {}
    }
}
