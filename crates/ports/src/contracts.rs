use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Keeps the contract files of clients, by the paths that the rows of clients have, such as
/// `contracts/2026/acme.pdf`. So far only commands use it: its methods block.
pub trait ContractStore: Debug + Send + Sync {
    /// Makes sure that [`Self::list`] finds all files there are.
    ///
    /// # Errors
    /// [`ContractError::Unreachable`].
    fn check(&self) -> Result<(), ContractError>;

    /// Whether there is a file of that name for a backup to take.
    fn has(&self, name: &str) -> bool;

    /// Everything there, in order.
    fn list(&self) -> Box<dyn Iterator<Item = io::Result<ContractFound>> + '_>;

    /// Opens a file that [`Self::list`] found; `None` if it has been removed since.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>>;

    /// Begins to store files, which replace those of the same name only if `replace` is true.
    /// Removes what interrupted commands have left behind a day ago or more.
    fn stage(&self, replace: bool) -> Box<dyn ContractStaging>;
}

/// What a store holds.
#[derive(Debug, PartialEq, Eq)]
pub enum ContractFound {
    /// A file, by its name.
    File(String),
    /// Something that is no file, or whose name is not UTF-8; described for a person.
    Other(String),
}

/// Files that are written and wait, so that all of them get their names together at the end. A
/// staging that is dropped before leaves nothing behind.
pub trait ContractStaging: Send {
    /// Begins the file of that name.
    ///
    /// # Errors
    /// [`ContractError::Staged`]; [`ContractError::Outside`]; [`ContractError::NotPlaced`] if it
    /// cannot be written.
    fn begin(&mut self, name: String) -> Result<(), ContractError>;

    /// Adds bytes to it.
    ///
    /// # Errors
    /// [`ContractError::NotPlaced`].
    fn add(&mut self, bytes: &[u8]) -> Result<(), ContractError>;

    /// Ends the file, whose content has this SHA-256 in hex.
    ///
    /// # Errors
    /// [`ContractError::Exists`] if there is a file with another content that may not be replaced;
    /// [`ContractError::NotPlaced`].
    fn end(&mut self, sha256: &str) -> Result<(), ContractError>;

    /// Makes sure that every file can still get its name.
    ///
    /// # Errors
    /// [`ContractError::Outside`] if there is a directory of that name by now.
    fn check(&self) -> Result<(), ContractError>;

    /// Gives all files their names, or as many of them as possible.
    ///
    /// # Errors
    /// [`ContractError::NotPlaced`] for the first file that did not get its name.
    fn finish(self: Box<Self>) -> Result<(), ContractError>;
}

/// Why a contract file cannot be stored, or the store not be read.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A different file of that name exists.
    #[error("the contract file {0} already exists and differs")]
    Exists(String),
    /// A path leads out of the directory, or through a link.
    #[error("the contract file {0:?} would be outside of its directory")]
    Outside(String),
    /// The file's name would be taken for a leftover of an interrupted restore, and removed.
    #[error("the contract file {0:?} has a name that restores use for temporary files: rename it")]
    Staged(String),
    /// The directory of contract files is missing or unreadable.
    #[error("the directory of contract files {} cannot be read: {source}; mount or create it, or \
             correct CONTRACT_DIR", path.display())]
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The operating system refused to write a contract file.
    #[error("the contract file {name} cannot be written: {source}")]
    NotPlaced {
        /// The path, relative to the directory of contract files.
        name: String,
        /// The system's error.
        source: io::Error,
    },
}

/// Prefix and suffix of the names of staged files, with [`STAGED_LETTERS`] letters and digits
/// between them. No contract has such a name by accident.
pub const STAGED_NAME: (&str, &str) = (".restore-", ".partial");
/// The number of random letters and digits in the name of a staged file.
pub const STAGED_LETTERS: usize = 6;

/// Whether the path is that of a staged file. Backups skip such files, and old ones are removed.
pub fn is_staged_name(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.and_then(|name| name.strip_prefix(STAGED_NAME.0)?.strip_suffix(STAGED_NAME.1));
    name.is_some_and(|name| {
        name.len() == STAGED_LETTERS && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
