//! Where backups go, and how they are locked.

use std::path::PathBuf;

use exit3_archive::{ArchiveError, ContractFiles, Keys, Lock};
use secrecy::SecretString;

use super::{Arguments, SettingsError};
use crate::backup_store::BackupStore;

/// Where backups go, and how they are locked.
#[derive(Clone)]
pub struct BackupSettings {
    /// A directory, or `s3://bucket/prefix`, where nothing else is said.
    pub to: Option<String>,
    /// For whom archives are encrypted.
    pub lock: Lock,
    /// The files that belong to clients.
    pub contracts: ContractFiles,
    /// The names of the settings that were given.
    pub names: Vec<String>,
    identity: Option<PathBuf>,
    passphrase: Option<SecretString>,
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
                let problem =
                    "is there beside BACKUP_PASSPHRASE: an archive is for one or the other";
                return Err(SettingsError::new("BACKUP_RECIPIENTS", problem));
            }
        };
        let contracts = match &arguments.contract_dir {
            Some(directory) => ContractFiles::required(directory),
            None => ContractFiles::new(arguments.data_dir.join("contracts")),
        };
        Ok(Self {
            to: arguments.backup_to.clone(),
            lock,
            contracts,
            names: arguments.given.clone(),
            identity: arguments.backup_identity.clone(),
            passphrase,
        })
    }

    /// What opens archives. Where there is a key or a passphrase, one that is not encrypted is
    /// refused, unless `allow_plain` says otherwise.
    ///
    /// # Errors
    /// One sentence about a file of keys that cannot be used.
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
