//! Objects that wait for their final names.

use std::io::{self, Write};
use std::path::Path;

use exit3_ports::{ContractError, ContractStaging, is_staged_name};
use object_store::path::Path as Key;
use tempfile::NamedTempFile;

use super::ContractBucket;
use crate::staging::{hash_of, temporary};

/// Objects that have been sent under temporary names, and are copied to their final names together
/// at the end. Dropping this removes them.
pub(crate) struct BucketStaging {
    bucket: ContractBucket,
    replace: bool,
    open: Option<(NamedTempFile, Waiting)>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    name: String,
    staged: Key,
    key: Key,
}

impl BucketStaging {
    pub(crate) fn new(bucket: ContractBucket, replace: bool) -> Self {
        Self { bucket, replace, open: None, waiting: Vec::new() }
    }
}

impl ContractStaging for BucketStaging {
    fn begin(&mut self, name: String) -> Result<(), ContractError> {
        if is_staged_name(Path::new(&name)) {
            return Err(ContractError::Staged(name));
        }
        let outside = |name: String| ContractError::Outside(name);
        let Some(key) = self.bucket.key(&name) else { return Err(outside(name)) };
        let file = match temporary(&tempfile::env::temp_dir()) {
            Ok(file) => file,
            Err(source) => return Err(ContractError::NotPlaced { name, source }),
        };
        let random = file.path().file_name().unwrap_or_default().to_string_lossy();
        let beside = name.rsplit_once('/').map(|(directory, _)| directory);
        let staged = beside.map_or_else(
            || random.clone().into_owned(),
            |directory| format!("{directory}/{random}"),
        );
        let Some(staged) = self.bucket.key(&staged) else { return Err(outside(name)) };
        self.open = Some((file, Waiting { name, staged, key }));
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), ContractError> {
        let Some((file, waiting)) = &mut self.open else { return Ok(()) };
        file.write_all(bytes).map_err(|source| waiting.not_placed(source))
    }

    fn end(&mut self, sha256: &str) -> Result<(), ContractError> {
        let Some((file, waiting)) = self.open.take() else { return Ok(()) };
        let there = self
            .bucket
            .head(&waiting.key)
            .and_then(|there| there.map(|object| hash_of(self.bucket.read(object))).transpose());
        match there.map_err(|source| waiting.not_placed(source))? {
            Some(there) if there != sha256 && !self.replace => {
                return Err(ContractError::Exists(waiting.name));
            }
            // Also if it is there: a sweep may remove it before the rows name it.
            _ => {}
        }
        let sent = self.bucket.send(file.into_file(), waiting.staged.clone());
        sent.map_err(|source| waiting.not_placed(source))?;
        self.waiting.push(waiting);
        Ok(())
    }

    /// An object and a directory may have the same name.
    fn check(&self) -> Result<(), ContractError> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ContractError> {
        let mut outcome = Ok(());
        for waiting in std::mem::take(&mut self.waiting) {
            let placed = self.bucket.copy(waiting.staged.clone(), waiting.key.clone());
            if let Err(source) = placed {
                outcome = outcome.and(Err(waiting.not_placed(source)));
            }
            // What is left is removed after a day.
            let _ = self.bucket.delete(waiting.staged);
        }
        outcome
    }
}

impl Waiting {
    fn not_placed(&self, source: io::Error) -> ContractError {
        ContractError::NotPlaced { name: self.name.clone(), source }
    }
}

impl Drop for BucketStaging {
    fn drop(&mut self) {
        for waiting in &self.waiting {
            let _ = self.bucket.delete(waiting.staged.clone());
        }
    }
}
