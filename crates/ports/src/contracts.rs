use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{self, Read};
use std::path::Path;

use chrono::{DateTime, Utc};

/// Stores the contract files of clients, by the paths in the clients' rows, such as
/// `contracts/2026/acme.pdf`. Its methods block: requests call them on threads that may.
///
/// Reading a file, which may be missing:
/// ```
/// use std::io::{self, Read};
///
/// use exit3_ports::{ContractContent, ContractStore, MockContractStore};
///
/// fn read(store: &dyn ContractStore, name: &str) -> io::Result<Option<String>> {
///     let Some(content) = store.open(name)? else { return Ok(None) };
///     io::read_to_string(content.bytes).map(Some)
/// }
///
/// let mut store = MockContractStore::new();
/// let content = |_: &str| ContractContent { size: 4, bytes: Box::new(&b"%PDF"[..]) };
/// store.expect_open().returning(move |name| Ok((name == "offer.pdf").then(|| content(name))));
/// assert_eq!(read(&store, "offer.pdf")?.as_deref(), Some("%PDF"));
/// assert_eq!(read(&store, "other.pdf")?, None);
/// # Ok::<_, io::Error>(())
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait ContractStore: Debug + Send + Sync {
    /// Checks that [`Self::list`] can find all files.
    ///
    /// # Errors
    /// [`ContractError::Unreachable`].
    fn check(&self) -> Result<(), ContractError>;

    /// Whether a file of that name exists that a backup would include.
    fn has(&self, name: &str) -> bool;

    /// Everything in the store, in order.
    fn list<'a>(&'a self) -> Box<dyn Iterator<Item = io::Result<ContractFound>> + 'a>;

    /// Opens a file; `None` if there is none of that name.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(&self, name: &str) -> io::Result<Option<ContractContent>>;

    /// Starts to receive one new file.
    ///
    /// # Errors
    /// There is no room for it.
    fn receive(&self) -> io::Result<Box<dyn ContractUpload>>;

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// The file cannot be removed.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Removes leftovers of interrupted commands and uploads that are a day old or older, as far as
    /// possible.
    fn sweep(&self);

    /// Starts to store files. Existing files are replaced only if `replace` is true. Also does
    /// [`Self::sweep`].
    fn stage(&self, replace: bool) -> Box<dyn ContractStaging>;
}

/// A file that can be read.
pub struct ContractContent {
    /// The number of bytes.
    pub size: u64,
    /// The bytes.
    pub bytes: Box<dyn Read + Send>,
}

/// Receives one file under a temporary name. Dropping it earlier than [`Self::finish`] leaves
/// nothing behind.
///
/// The content comes in parts, and gets its name at the end:
/// ```
/// use std::io;
///
/// use exit3_ports::{ContractSum, ContractUpload, MockContractUpload};
///
/// fn store(mut upload: Box<dyn ContractUpload>, parts: &[&[u8]]) -> io::Result<ContractSum> {
///     parts.iter().try_for_each(|part| upload.add(part))?;
///     upload.finish("offer.pdf")
/// }
///
/// let mut upload = MockContractUpload::new();
/// upload.expect_add().times(2).returning(|_| Ok(()));
/// upload.expect_finish().returning(|_| Ok(ContractSum { size: 4, sha256: String::new() }));
/// assert_eq!(store(Box::new(upload), &[b"%P", b"DF"])?.size, 4);
/// # Ok::<_, io::Error>(())
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait ContractUpload: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// They cannot be written.
    fn add(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// All bytes so far, from the beginning. No more can be appended then.
    ///
    /// # Errors
    /// They cannot be read.
    fn content<'a>(&'a mut self) -> io::Result<Box<dyn Read + 'a>>;

    /// Stores the file under a name that no other file has. When this returns, the file survives a
    /// loss of power.
    ///
    /// # Errors
    /// It cannot be stored. A file may be left that no row names.
    fn finish(self: Box<Self>, name: &str) -> io::Result<ContractSum>;
}

/// What a file is recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractSum {
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the content, in hex.
    pub sha256: String,
}

/// Looks for viruses. Its method blocks.
///
/// A scanner of your own:
/// ```
/// use std::io::{self, Read};
///
/// use exit3_ports::ContractScanner;
///
/// #[derive(Debug)]
/// struct Eicar;
///
/// impl ContractScanner for Eicar {
///     fn scan(&self, content: &mut dyn Read) -> io::Result<Option<String>> {
///         let text = io::read_to_string(content)?;
///         Ok(text.contains("EICAR").then(|| "Eicar-Signature".to_owned()))
///     }
/// }
///
/// assert_eq!(Eicar.scan(&mut &b"an offer"[..])?, None);
/// assert_eq!(Eicar.scan(&mut &b"EICAR"[..])?.as_deref(), Some("Eicar-Signature"));
/// # Ok::<_, io::Error>(())
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait ContractScanner: Debug + Send + Sync {
    /// Looks at a whole content. Returns the name of the virus, if there is one.
    ///
    /// # Errors
    /// The scanner does not answer, or does not look at it.
    fn scan(&self, content: &mut dyn Read) -> io::Result<Option<String>>;
}

/// An entry of a store.
#[derive(Debug, PartialEq, Eq)]
pub enum ContractFound {
    /// A file.
    File {
        /// Its name.
        name: String,
        /// When it was written, as far as that is known.
        written: Option<DateTime<Utc>>,
    },
    /// Something that is not a file, or whose name is not UTF-8; described for an operator.
    Other(String),
}

/// Writes files under temporary names and renames all of them at the end. Dropping it earlier
/// leaves nothing behind.
///
/// All files appear at once, or none:
/// ```
/// use exit3_ports::{ContractError, ContractStaging, MockContractStaging};
///
/// fn place(
///     mut staging: Box<dyn ContractStaging>,
///     name: &str,
///     content: &[u8],
///     sha256: &str,
/// ) -> Result<(), ContractError> {
///     staging.begin(name.to_owned())?;
///     staging.add(content)?;
///     staging.end(sha256)?;
///     staging.finish()
/// }
///
/// let mut staging = MockContractStaging::new();
/// staging.expect_begin().returning(|_| Ok(()));
/// staging.expect_add().returning(|_| Ok(()));
/// staging.expect_end().returning(|_| Err(ContractError::Exists("offer.pdf".to_owned())));
/// // It is dropped without `finish`: nothing is left behind.
/// assert!(place(Box::new(staging), "offer.pdf", b"%PDF", "0c").is_err());
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
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
    /// The directory or bucket of contract files is missing or unreadable.
    #[error(
        "the contract files in {place} cannot be read: {source}; mount or create it, or \
             correct CONTRACT_DIR"
    )]
    Unreachable {
        /// The directory or bucket.
        place: String,
        /// The error of the system or of the server.
        source: io::Error,
    },
    /// The operating system or the server refused to write a contract file.
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
