//! Migrates the database, after a backup if rows will change.

use exit3_ports::{Clock, ModuleSchema, Rows, Target};

use crate::archives;
use crate::backend::Backend;
use crate::backup_store::BackupStore;
use crate::clock::SystemClock;
use crate::progress::Bars;
use crate::settings::Settings;

/// Why a database was not migrated, in one sentence.
type Failure = Box<dyn std::error::Error>;

/// Migrates the service's own tables. `changes` are the pending migrations that change rows.
pub(crate) async fn upgrade(
    settings: &Settings,
    backend: &Backend,
    changes: &[&str],
) -> Result<(), Failure> {
    if !changes.is_empty() {
        back_up(settings, backend, &changes.join(", ")).await?;
    }
    let applied = backend.migrate_to(Target::Newest, Rows::Keep).await?.up;
    if applied > 0 {
        tracing::info!(applied, "migrated the database");
    }
    Ok(())
}

/// Migrates the tables of a module.
pub(crate) async fn upgrade_module(
    settings: &Settings,
    backend: &Backend,
    module: ModuleSchema,
) -> Result<(), Failure> {
    let changes = backend.module_data_changes(module).await?;
    if !changes.is_empty() {
        back_up(settings, backend, &changes.join(", ")).await?;
    }
    let applied = backend.migrate_module(module, Target::Newest, Rows::Keep).await?.up;
    if applied > 0 {
        tracing::info!(applied, "migrated the tables of the module {}", module.module);
    }
    Ok(())
}

/// Backs up the rows that `migrations` will change, or logs why that is impossible.
async fn back_up(settings: &Settings, backend: &Backend, migrations: &str) -> Result<(), Failure> {
    let Some(store) = &settings.backup.to else {
        tracing::warn!(
            migrations,
            "rows are changed without a backup, because BACKUP_TO is not set"
        );
        return Ok(());
    };
    let (store, now) = (BackupStore::parse(store)?, SystemClock.now());
    let bars = Bars::default();
    let made = archives::make(backend, &settings.backup, &store, now, &bars).await?;
    tracing::info!(migrations, archive = made.name, "backed up before rows are changed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use exit3_archive::{ArchiveReader, Event, Keys};
    use exit3_ports::SchemaState;
    use exit3_testkit::log::Log;
    use exit3_testkit::migrations::store_lead;
    use exit3_testkit::modules::GUESTS;

    use super::*;
    use crate::settings::tests::settings_of;

    const CHANGES: &[&str] = &["00000000000002_first", "00000000000003_second"];

    /// A database without the newest migrations and with one lead.
    async fn behind(directory: &Path, backup_to: Option<&str>) -> (Settings, Backend) {
        let data = directory.join("data");
        let mut env = vec![("DATA_DIR", data.to_str().unwrap())];
        env.extend(backup_to.map(|store| ("BACKUP_TO", store)));
        let settings = settings_of(&env);
        let backend = Backend::open(&settings).unwrap();
        backend.migrate_to(Target::Version(1), Rows::Keep).await.unwrap();
        store_lead(backend.transfer().as_ref()).await;
        (settings, backend)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_are_backed_up_before_they_are_changed() {
        let directory = tempfile::tempdir().unwrap();
        let backups = directory.path().join("backups");
        let (settings, backend) = behind(directory.path(), backups.to_str()).await;
        upgrade(&settings, &backend, CHANGES).await.unwrap();
        assert_eq!(backend.migrate().await.unwrap(), 0);
        let name = BackupStore::parse(backups.to_str().unwrap())
            .unwrap()
            .newest(SystemClock.now())
            .await
            .unwrap();
        let archive = std::fs::File::open(name).unwrap();
        let mut archive = ArchiveReader::open(archive, &Keys::default()).unwrap();
        assert_eq!(
            archive.head().schema,
            "00000000000001",
            "the backup is older than the migration"
        );
        let mut rows = 0;
        loop {
            match archive.next_event().unwrap() {
                Event::TableEnd(sum) => rows += sum.rows,
                Event::End => break,
                _ => {}
            }
        }
        assert_eq!(rows, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_row_is_changed_if_the_backup_fails() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "").unwrap();
        let inside = directory.path().join("file/backups");
        let (settings, backend) = behind(directory.path(), inside.to_str()).await;
        let failure = upgrade(&settings, &backend, CHANGES).await.unwrap_err();
        assert!(failure.to_string().contains("file/backups"), "{failure}");
        assert!(backend.migrate().await.unwrap() > 0, "nothing was migrated before");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_backup_is_made_if_no_row_changes() {
        let directory = tempfile::tempdir().unwrap();
        let backups = directory.path().join("backups");
        let (settings, backend) = behind(directory.path(), backups.to_str()).await;
        upgrade(&settings, &backend, &[]).await.unwrap();
        assert!(!backups.exists());
        assert_eq!(backend.migrate().await.unwrap(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_of_a_module_are_backed_up_before_they_are_changed() {
        let directory = tempfile::tempdir().unwrap();
        let backups = directory.path().join("backups");
        let (settings, backend) = behind(directory.path(), backups.to_str()).await;
        backend.migrate().await.unwrap();
        upgrade_module(&settings, &backend, GUESTS).await.unwrap();
        assert!(!backups.exists(), "new tables have no rows");
        backend.migrate_module(GUESTS, Target::Version(1), Rows::Keep).await.unwrap();
        std::fs::write(&backups, "").unwrap();
        let failure = upgrade_module(&settings, &backend, GUESTS).await.unwrap_err();
        assert!(failure.to_string().contains("backups"), "{failure}");
        let state = async || backend.module_state(GUESTS).await.unwrap();
        assert!(matches!(state().await, SchemaState::Outdated));
        std::fs::remove_file(&backups).unwrap();
        upgrade_module(&settings, &backend, GUESTS).await.unwrap();
        assert!(matches!(state().await, SchemaState::Current));
        assert_eq!(backups.read_dir().unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_missing_backup_is_explained() {
        let directory = tempfile::tempdir().unwrap();
        let (settings, backend) = behind(directory.path(), None).await;
        let log = Log::default();
        let _told = tracing::subscriber::set_default(log.subscriber());
        upgrade(&settings, &backend, CHANGES).await.unwrap();
        let log = log.text();
        assert!(log.contains("without a backup") && log.contains("BACKUP_TO"), "{log}");
        assert!(CHANGES.iter().all(|name| log.contains(name)), "{log}");
        assert_eq!(backend.migrate().await.unwrap(), 0);
    }
}
