//! Contract files of clients: of which kinds and how large they are, and under which names they are
//! stored and sent.

mod content;
mod name;

pub use content::ContentCheck;
pub use name::ContractName;

use chrono::{DateTime, Utc};

use crate::choice::choice;
use crate::clients::ClientId;

/// The most bytes of a contract.
pub const MOST_BYTES: u64 = 20 << 20;

choice! {
    /// The kind of a contract file.
    ContractKind {
        /// A document in Adobe's format.
        Pdf = "pdf",
        /// A text of Microsoft Word, without macros.
        Docx = "docx",
        /// A text of LibreOffice.
        Odt = "odt",
        /// A photograph or a scan.
        Jpg = "jpg",
        /// A picture.
        Png = "png",
    }
}

impl ContractKind {
    /// The kind that the end of a file name stands for.
    fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jpeg" => Some(Self::Jpg),
            other => Self::from_word(other),
        }
    }

    /// The media type for responses.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Odt => ODT,
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

const ODT: &str = "application/vnd.oasis.opendocument.text";

/// Why a file does not become a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContractRefused {
    /// The name does not end like that of a known kind.
    #[error("Contracts are pdf, docx, odt, jpg or png files.")]
    Kind,
    /// The content is not of the kind that the name says.
    #[error("The content of the file is not {0}, although its name says so.")]
    Content(ContractKind),
    /// There is no content.
    #[error("The file is empty.")]
    Empty,
    /// There is too much of it.
    #[error("The file is larger than 20 MiB.")]
    TooLarge,
    /// A scanner found a virus in it.
    #[error("The virus scanner refuses the file.")]
    Infected,
}

impl ContractRefused {
    /// A word for programs and texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kind => "contract_kind",
            Self::Content(_) => "contract_content",
            Self::Empty => "contract_empty",
            Self::TooLarge => "contract_too_large",
            Self::Infected => "contract_infected",
        }
    }
}

/// What is known of a contract that the service has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContract {
    /// The path in the store: see [`path_of`].
    pub file: String,
    /// The client for which it was received.
    pub client: ClientId,
    /// The name that the sender gave to it.
    pub name: ContractName,
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the content, in hex.
    pub sha256: String,
}

/// A contract that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The path in the store.
    pub file: String,
    /// The name under which it is sent.
    pub name: ContractName,
    /// What was recorded when it was received; `None` for files that the service has not received
    /// itself, such as imported ones.
    pub received: Option<Received>,
    /// Since when no client has this contract, as far as that has been noticed.
    pub unused_since: Option<DateTime<Utc>>,
}

/// What was recorded when a contract was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the content, in hex.
    pub sha256: String,
    /// When.
    pub at: DateTime<Utc>,
    /// From whom: an [`Actor`](crate::events::Actor) as text.
    pub by: String,
}

/// The beginning of the paths of files that the service has received.
pub const RECEIVED: &str = "uploads/";

/// The path of a new file in the store. It says nothing about the file, and nobody can guess it.
pub fn path_of(random: [u8; 16]) -> String {
    format!("{RECEIVED}{:032x}", u128::from_be_bytes(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::is_contract_path;

    #[test]
    fn a_path_is_random_and_stays_below_the_directory() {
        let path = path_of([0xa7; 16]);
        assert_eq!(path, format!("uploads/{}", "a7".repeat(16)));
        assert!(is_contract_path(&path) && path.len() <= 100);
        assert_eq!(path_of([0; 16]).len(), path.len());
    }
}
