//! The tables of modules, and what their use cases find.

use exit3_app::modules::Switch;
use exit3_ports::{ModuleSchema, Moved, Repositories, Rows, SchemaState, Target};

use super::{Backend, Database, DatabaseError, blocking, connect};
use crate::module::{Configured, ModuleDatabase};

impl Backend {
    /// Migrates the tables of all modules. A module whose migration fails is turned off, and one that
    /// is off is turned on if it is migrated. Returns the number of migrations.
    pub(crate) async fn migrate_modules(&self) -> usize {
        self.migrate_those(|_| true).await
    }

    /// The same for modules that are off.
    pub(crate) async fn migrate_modules_again(&self) -> usize {
        self.migrate_those(|switch| !switch.is_on()).await
    }

    async fn migrate_those(&self, wanted: impl Fn(&Switch) -> bool) -> usize {
        let mut applied = 0;
        for (module, switch) in self.schemas().filter(|(_, switch)| wanted(switch)) {
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

    /// Turns modules off whose tables are missing or outdated.
    pub(crate) async fn check_modules(&self) {
        for (module, switch) in self.schemas() {
            turn(
                switch,
                match self.module_state(module).await {
                    Ok(SchemaState::Current) => None,
                    Ok(_) => Some("its tables are not migrated: run `exit3 migrate`".to_owned()),
                    Err(error) => Some(error.to_string()),
                },
            );
        }
    }

    /// Whether a module is off.
    pub(crate) fn lacks_a_module(&self) -> bool {
        self.shared.modules.iter().any(|it| !it.switch.is_on())
    }

    fn schemas(&self) -> impl Iterator<Item = (ModuleSchema, &'static Switch)> {
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

    /// The names of pending migrations of modules that change existing rows, which need a backup
    /// first. If the database cannot tell them for a module, the module's migration fails as well.
    pub(crate) async fn module_data_changes(&self) -> Vec<&'static str> {
        let mut changes = Vec::new();
        for (module, _) in self.schemas() {
            let of_module = match &self.database {
                Database::Postgres(settings) => {
                    connect(settings).module_data_changes(module).await.ok()
                }
                Database::Sqlite(database) => {
                    blocking(database, move |it| it.module_data_changes(module)).await.ok()
                }
            };
            changes.extend(of_module.unwrap_or_default());
        }
        changes
    }

    async fn module_state(&self, module: ModuleSchema) -> Result<SchemaState, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                connect(settings).module_state(module).await.map_err(DatabaseError::of_server)
            }
            Database::Sqlite(database) => {
                blocking(database, move |it| it.module_state(module)).await
            }
        }
    }

    /// Adds what modules keep to the repositories.
    pub(super) fn keep(
        &self,
        repositories: &mut Repositories,
        database: impl Fn() -> ModuleDatabase,
    ) {
        for Configured { module, settings, .. } in self.shared.modules.iter() {
            if let Some(kept) = module.keep(database(), settings) {
                repositories.kept.keep(kept);
            }
        }
    }
}

/// Turns a module off for this reason, or on, and logs it if that is new.
fn turn(switch: &'static Switch, off: Option<String>) {
    let (module, was) = (switch.module(), switch.off());
    match off {
        Some(reason) if was.as_deref() == Some(&reason) => {}
        Some(reason) => {
            tracing::error!("the module {module} is off: {reason}");
            switch.turn_off(reason);
        }
        None if was.is_some() => {
            tracing::info!("the module {module} is on again");
            switch.turn_on();
        }
        None => {}
    }
}
