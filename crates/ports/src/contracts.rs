use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Stores the contract files of clients, by the paths in the clients' rows, such as
/// `contracts/2026/acme.pdf`. Only commands use it so far, so its methods block.
pub trait ContractStore: Debug + Send + Sync {
    /// Checks that [`Self::list`] can find all files.
    ///
    /// # Errors
    /// [`ContractError::Unreachable`].
    fn check(&self) -> Result<(), ContractError>;

    /// Whether a file of that name exists that a backup would include.
    fn has(&self, name: &str) -> bool;

    /// Everything in the store, in order.
    fn list(&self) -> Box<dyn Iterator<Item = io::Result<ContractFound>> + '_>;

    /// Opens a file that [`Self::list`] found; `None` if it has been removed since.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>>;

    /// Starts to store files. Existing files are replaced only if `replace` is true. Also removes
    /// leftovers of interrupted commands that are a day old or older.
    fn stage(&self, replace: bool) -> Box<dyn ContractStaging>;
}

/// An entry of a store.
#[derive(Debug, PartialEq, Eq)]
pub enum ContractFound {
    /// A file, by its name.
    File(String),
    /// Something that is not a file, or whose name is not UTF-8; described for an operator.
    Other(String),
}

/// Writes files under temporary names and renames all of them at the end. Dropping it earlier
/// leaves nothing behind.
pub trait ContractStaging: Send {
    /// Starts the file of that name.
    ///
    /// # Errors
    /// [`ContractError::Staged`]; [`ContractError::Outside`]; [`ContractError::NotPlaced`] if the
    /// file cannot be written.
    fn begin(&mut self, name: String) -> Result<(), ContractError>;

    /// Appends bytes to the current file.
    ///
    /// # Errors
    /// [`ContractError::NotPlaced`].
    fn add(&mut self, bytes: &[u8]) -> Result<(), ContractError>;

    /// Ends the current file, whose content has this SHA-256 in hex.
    ///
    /// # Errors
    /// [`ContractError::Exists`] if a file with different content exists and may not be replaced;
    /// [`ContractError::NotPlaced`].
    fn end(&mut self, sha256: &str) -> Result<(), ContractError>;

    /// Checks that every file can still get its name.
    ///
    /// # Errors
    /// [`ContractError::Outside`] if a directory of that name exists by now.
    fn check(&self) -> Result<(), ContractError>;

    /// Renames all files to their final names, as far as possible.
    ///
    /// # Errors
    /// [`ContractError::NotPlaced`] for the first file that could not be renamed.
    fn finish(self: Box<Self>) -> Result<(), ContractError>;
}

/// Why a contract file cannot be stored, or the store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A different file of that name exists.
    #[error("the contract file {0} already exists and differs")]
    Exists(String),
    /// A path leads out of the directory, or through a link.
    #[error("the contract file {0:?} would be outside of its directory")]
    Outside(String),
    /// The name looks like a leftover of an interrupted restore, which would be removed.
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

/// Whether `path` names a staged file. Backups skip staged files, and old ones are removed.
pub fn is_staged_name(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.and_then(|name| name.strip_prefix(STAGED_NAME.0)?.strip_suffix(STAGED_NAME.1));
    name.is_some_and(|name| {
        name.len() == STAGED_LETTERS && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
