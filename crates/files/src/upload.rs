//! One file that arrives in pieces.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use exit3_domain::contracts::RECEIVED;
use exit3_ports::{ContractSum, ContractUpload};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::staging::{place_of, temporary};

/// Counts and hashes what is written through it.
pub(crate) struct Summing<W> {
    pub(crate) out: W,
    size: u64,
    hash: Sha256,
}

impl<W> Summing<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, size: 0, hash: Sha256::new() }
    }

    pub(crate) fn sum(self) -> (W, ContractSum) {
        let sha256 = hex::encode(self.hash.finalize());
        (self.out, ContractSum { size: self.size, sha256 })
    }
}

impl<W: Write> Summing<W> {
    pub(crate) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }
}

/// A file that arrives in a directory of contract files.
pub(crate) struct DirectoryUpload {
    directory: PathBuf,
    file: Summing<NamedTempFile>,
}

impl DirectoryUpload {
    /// Begins a file where it will stay, so that renaming it is enough.
    pub(crate) fn begin(directory: &Path) -> io::Result<Self> {
        let place = directory.join(RECEIVED);
        DirBuilder::new().recursive(true).mode(0o700).create(&place)?;
        let file = temporary(&place)?;
        Ok(Self { directory: directory.to_owned(), file: Summing::new(file) })
    }
}

impl ContractUpload for DirectoryUpload {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.add(bytes)
    }

    fn content<'a>(&'a mut self) -> io::Result<Box<dyn Read + 'a>> {
        self.file.out.rewind()?;
        Ok(Box::new(self.file.out.as_file_mut()))
    }

    fn finish(self: Box<Self>, name: &str) -> io::Result<ContractSum> {
        let place = place_of(&self.directory, name).map_err(io::Error::other)?;
        let (file, sum) = self.file.sum();
        file.as_file().sync_all()?;
        file.persist_noclobber(&place).map_err(|error| error.error)?;
        // The names of the file, and of a directory that was just created, must be on the disk too.
        for directory in place.ancestors().skip(1) {
            File::open(directory)?.sync_all()?;
            if directory == self.directory {
                break;
            }
        }
        Ok(sum)
    }
}
