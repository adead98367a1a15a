//! Encryption by age: to public keys, or with a passphrase.

use std::io::{self, BufReader, Chain, Cursor, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient};

use crate::error::ArchiveError;

/// How hard it is to try a passphrase, as a power of two: 32 MiB of memory each. More
/// would break the promise of what a backup needs, and is refused where an archive asks for
/// it; a key needs none of this.
const WORK: u8 = 15;

/// Bytes at the beginning of what is encrypted, in which its header must end. age reads that
/// anew with each line that it gets.
const HEADER: u64 = 16 << 10;
/// How many public keys are taken. Each has 98 bytes of the header; the rest of it is less
/// than 1 KiB.
const MOST_RECIPIENTS: usize = 100;

/// For whom an archive is encrypted.
#[derive(Clone, Default)]
pub enum Lock {
    /// It is not.
    #[default]
    Open,
    /// For the holders of the keys to these.
    Recipients(Vec<age::x25519::Recipient>),
    /// For whoever knows this.
    Passphrase(SecretString),
}

impl Lock {
    /// Reads public keys (`age1…`), separated by commas or blanks.
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

    /// The word for it in the first line of an archive.
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

/// Where the content of an archive is written to.
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

/// What opens archives.
#[derive(Default)]
pub struct Keys {
    identities: Vec<Box<dyn Identity>>,
    locked_only: bool,
}

impl Keys {
    /// Adds the secret keys of a file as `age-keygen` writes it.
    ///
    /// # Errors
    /// [`ArchiveError::BadKey`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), ArchiveError> {
        let wrong = |error: &dyn std::fmt::Display| {
            ArchiveError::BadKey(format!("cannot be used: {}: {error}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        // What editors leave around a key is no part of it.
        let around = |c: char| c.is_whitespace() || c == '\u{feff}';
        let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(around)).collect();
        let file = IdentityFile::from_buffer(lines.join("\n").as_bytes())
            .map_err(|error| wrong(&error))?;
        self.identities.extend(file.into_identities().map_err(|error| wrong(&error))?);
        Ok(())
    }

    /// Takes no archive that is not encrypted: where all of ours are, anybody may have made it.
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
            return Err(ArchiveError::damaged("what is encrypted has no header, or a longer one"));
        }
        let content = BufReader::new(Cursor::new(beginning).chain(content));
        let decryptor = Decryptor::new_buffered(content).map_err(refusal)?;
        let identities = self.identities.iter().map(AsRef::as_ref);
        let content = decryptor.decrypt(identities).map_err(refusal)?;
        Ok(Unlocked::Age(Box::new(content)))
    }
}

/// Whether the line comes that ends a header, with 43 digits of a MAC: further age does not
/// read, whatever else is there.
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
            "to try a passphrase it asks for more memory than any archive that is written",
        ),
        DecryptError::Io(error) => ArchiveError::Io(error),
        error => ArchiveError::Damaged(error.to_string()),
    }
}

/// Where the content of an archive is read from.
pub(crate) enum Unlocked<R> {
    Open(R),
    Age(Box<StreamReader<Whole<R>>>),
}

/// The beginning, which has been read, and the rest.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

impl<R: Read> Read for Unlocked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Open(content) => content.read(bytes),
            Self::Age(content) => content.read(bytes),
        }
    }
}
