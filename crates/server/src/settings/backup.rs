//! The target and the encryption of backups.

use std::path::PathBuf;
use std::sync::Arc;

use exit3_archive::{ArchiveError, Keys, Lock};
use exit3_ports::ContractStore;
use secrecy::SecretString;

use super::{Arguments, Settings, SettingsError, contracts};
use crate::backup_store::{BackupStore, BackupStoreError};

/// The target and the encryption of backups.
#[derive(Clone)]
pub struct BackupSettings {
    /// The default target: a directory, or `s3://bucket/prefix`.
    pub to: Option<String>,
    /// How archives are encrypted.
    pub lock: Lock,
    /// The contract files of clients.
    pub contracts: Arc<dyn ContractStore>,
    /// The names of the settings that were given.
    pub names: Vec<String>,
    identity: Option<PathBuf>,
    passphrase: Option<SecretString>,
}

impl Settings {
    /// Where backups are kept: BACKUP_TO or, without it, `backups` in DATA_DIR.
    pub(crate) fn backup_store(&self) -> Result<BackupStore, BackupStoreError> {
        match &self.backup.to {
            Some(name) => BackupStore::parse(name),
            None => Ok(BackupStore::Directory(self.data_dir.join("backups"))),
        }
    }
}

impl BackupSettings {
    pub(super) fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        if arguments.backup_to.as_deref().is_some_and(|store| !BackupStore::is_one(store)) {
            let problem = "is neither a directory nor of the form s3://bucket/prefix";
            return Err(SettingsError::new("BACKUP_TO", problem));
        }
        let passphrase = arguments.backup_passphrase.clone();
        let lock = match (&arguments.backup_recipients, &passphrase) {
            (None, None) => Lock::Open,
            (None, Some(passphrase)) => Lock::Passphrase(passphrase.clone()),
            (Some(recipients), None) => Lock::recipients(recipients)
                .map_err(|error| SettingsError::new("BACKUP_RECIPIENTS", error.to_string()))?,
            (Some(_), Some(_)) => {
                let problem = "is set together with BACKUP_PASSPHRASE: set only one of them";
                return Err(SettingsError::new("BACKUP_RECIPIENTS", problem));
            }
        };
        let contracts = contracts::store(arguments)?;
        Ok(Self {
            to: arguments.backup_to.clone(),
            lock,
            contracts,
            names: arguments.given.clone(),
            identity: arguments.backup_identity.clone(),
            passphrase,
        })
    }

    /// The keys that open archives. If there is a key or a passphrase, plain archives are refused,
    /// unless `allow_plain` is set.
    ///
    /// # Errors
    /// One sentence about an unusable key file.
    pub fn keys(&self, allow_plain: bool) -> Result<Keys, SettingsError> {
        let mut keys = Keys::default();
        let is_locked = !matches!(self.lock, Lock::Open) || self.identity.is_some();
        if is_locked && !allow_plain {
            keys.refuse_plain();
        }
        let wrong = |error: ArchiveError| SettingsError::new("BACKUP_IDENTITY", error.to_string());
        if let Some(file) = &self.identity {
            keys.add_file(file).map_err(wrong)?;
        }
        if let Some(passphrase) = &self.passphrase {
            keys.add_passphrase(passphrase.clone());
        }
        Ok(keys)
    }
}
