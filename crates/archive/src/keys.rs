//! Encryption with age, by public keys or a passphrase.

use std::io::{self, BufReader, Chain, Cursor, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient};

use crate::error::ArchiveError;

/// The largest scrypt work factor, as a power of two: each attempt takes 32 MiB of memory. More
/// would exceed the memory that a backup may use, so archives that ask for more are refused. Keys
/// do not need it.
const WORK: u8 = 15;

/// The largest age header, in bytes. age parses the header again for every line that it reads.
const HEADER: u64 = 16 << 10;
/// The most public keys. Each takes 98 bytes of the header; the rest takes less than 1 KiB.
const MOST_RECIPIENTS: usize = 100;

/// Who can decrypt an archive.
#[derive(Clone, Default)]
pub enum Lock {
    /// Everybody: it is not encrypted.
    #[default]
    Open,
    /// The holders of these public keys.
    Recipients(Vec<age::x25519::Recipient>),
    /// Everybody who knows this passphrase.
    Passphrase(SecretString),
}

impl Lock {
    /// Parses public keys (`age1…`), separated by commas or blanks.
    ///
    /// # Errors
    /// [`ArchiveError::BadKey`].
    pub fn recipients(text: &str) -> Result<Self, ArchiveError> {
        let keys = text.split([',', ' ', '\n']).map(str::trim).filter(|key| !key.is_empty());
        let keys: Result<Vec<_>, _> = keys.map(str::parse).collect();
        match keys {
            Ok(keys) if keys.len() > MOST_RECIPIENTS => {
                Err(ArchiveError::BadKey(format!("has more than {MOST_RECIPIENTS} keys")))
            }
            Ok(keys) if !keys.is_empty() => Ok(Self::Recipients(keys)),
            _ => Err(ArchiveError::BadKey("is not a list of age's public keys (age1…)".into())),
        }
    }

    /// The name of the encryption in the first line of an archive.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Open => "plain",
            Self::Recipients(_) | Self::Passphrase(_) => "age",
        }
    }

    pub(crate) fn close<W: Write>(&self, out: W) -> io::Result<Locked<W>> {
        let encryptor = match self {
            Self::Open => return Ok(Locked::Open(out)),
            Self::Recipients(keys) => {
                Encryptor::with_recipients(keys.iter().map(|key| key as &dyn Recipient))
            }
            Self::Passphrase(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            }
        };
        Ok(Locked::Age(encryptor.map_err(io::Error::other)?.wrap_output(out)?))
    }
}

/// Encrypts what is written, unless the lock is open.
pub(crate) enum Locked<W: Write> {
    Open(W),
    Age(StreamWriter<W>),
}

impl<W: Write> Locked<W> {
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Open(out) => Ok(out),
            Self::Age(out) => out.finish(),
        }
    }
}

impl<W: Write> Write for Locked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(out) => out.write(bytes),
            Self::Age(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(out) => out.flush(),
            Self::Age(out) => out.flush(),
        }
    }
}

/// Keys and passphrases that open archives.
#[derive(Default)]
pub struct Keys {
    identities: Vec<Box<dyn Identity>>,
    locked_only: bool,
}

impl Keys {
    /// Adds the secret keys in a file that `age-keygen` wrote.
    ///
    /// # Errors
    /// [`ArchiveError::BadKey`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), ArchiveError> {
        let wrong = |error: &dyn std::fmt::Display| {
            ArchiveError::BadKey(format!("cannot be used: {}: {error}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        // Editors may add blanks and byte order marks.
        let around = |c: char| c.is_whitespace() || c == '\u{feff}';
        let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(around)).collect();
        let file = IdentityFile::from_buffer(lines.join("\n").as_bytes())
            .map_err(|error| wrong(&error))?;
        self.identities.extend(file.into_identities().map_err(|error| wrong(&error))?);
        Ok(())
    }

    /// Refuses archives that are not encrypted. If all real archives are encrypted, a plain one may
    /// have been written by anybody.
    pub fn refuse_plain(&mut self) {
        self.locked_only = true;
    }

    pub(crate) fn take_plain(&self) -> Result<(), ArchiveError> {
        if self.locked_only { Err(ArchiveError::Plain) } else { Ok(()) }
    }

    /// Adds a passphrase.
    pub fn add_passphrase(&mut self, passphrase: SecretString) {
        let mut identity = age::scrypt::Identity::new(passphrase);
        identity.set_max_work_factor(WORK);
        self.identities.push(Box::new(identity));
    }

    pub(crate) fn open<R: Read>(&self, mut content: R) -> Result<Unlocked<R>, ArchiveError> {
        if self.identities.is_empty() {
            return Err(ArchiveError::Locked);
        }
        let mut beginning = Vec::new();
        content.by_ref().take(HEADER).read_to_end(&mut beginning)?;
        if !has_header(&beginning) {
            return Err(ArchiveError::damaged(
                "the encrypted part has no header, or it is too long",
            ));
        }
        let content = BufReader::new(Cursor::new(beginning).chain(content));
        let decryptor = Decryptor::new_buffered(content).map_err(refusal)?;
        let identities = self.identities.iter().map(AsRef::as_ref);
        let content = decryptor.decrypt(identities).map_err(refusal)?;
        Ok(Unlocked::Age(Box::new(content)))
    }
}

/// Whether `bytes` contain the line that ends an age header, with the 43 digits of its MAC. age
/// reads no further than that.
fn has_header(bytes: &[u8]) -> bool {
    const END: &[u8] = b"\n--- ";
    let end = bytes.windows(END.len()).position(|part| part == END);
    end.and_then(|at| bytes.get(at + END.len() + 43)) == Some(&b'\n')
}

fn refusal(error: DecryptError) -> ArchiveError {
    match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => ArchiveError::WrongKey,
        DecryptError::ExcessiveWork { .. } => ArchiveError::damaged(
            "trying a passphrase would take more memory than any valid archive needs",
        ),
        DecryptError::Io(error) => ArchiveError::Io(error),
        error => ArchiveError::Damaged(error.to_string()),
    }
}

/// Decrypts what is read, unless the archive is plain.
pub(crate) enum Unlocked<R> {
    Open(R),
    Age(Box<StreamReader<Whole<R>>>),
}

/// The beginning that has been read already, followed by the rest.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

impl<R: Read> Read for Unlocked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Open(content) => content.read(bytes),
            Self::Age(content) => content.read(bytes),
        }
    }
}
