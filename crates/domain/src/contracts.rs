//! Contract files of clients: their kinds, their largest size, and the names under which the service
//! stores and sends them.

mod content;
mod name;

pub use content::ContentCheck;
pub use name::ContractName;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::choice::choice;
use crate::clients::ClientId;
use crate::events::{Actor, Changes};

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

/// A contract that the service has received, and that no client has yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContract {
    /// The path in the store: see [`path_of`].
    pub file: String,
    /// The client for which it was received.
    pub client: ClientId,
    /// The name that the sender gave to it.
    pub name: ContractName,
    /// The rest.
    pub received: Received,
}

/// What is recorded when a contract is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the content, in hex.
    pub sha256: String,
    /// When.
    pub at: DateTime<Utc>,
    /// From whom.
    pub by: Actor,
}

/// A contract in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The path in the store.
    pub file: String,
    /// The name under which it is sent.
    pub name: ContractName,
    /// `None` for files that the service has not received itself, such as imported ones.
    pub received: Option<Received>,
    /// Since when no client has this contract, as far as that has been noticed; [`DOOMED`] if its
    /// file is about to be removed.
    pub unused_since: Option<DateTime<Utc>>,
}

impl Contract {
    /// A contract whose file the service has not received itself. The service knows only its path.
    pub fn at(file: &str) -> Self {
        let name = ContractName::of(file);
        Self { file: file.to_owned(), name, received: None, unused_since: None }
    }

    /// The media type for responses.
    pub fn media_type(&self) -> &'static str {
        self.name.kind().map_or("application/octet-stream", ContractKind::media_type)
    }

    /// The values in the event of a download.
    pub fn downloaded(&self) -> Changes {
        let value = |name: &str, value: &str| (name.to_owned(), Value::from(value));
        let values = [value(FILE, &self.file), value("contract_name", self.name.as_str())];
        Changes::Row(values.into_iter().collect())
    }

    /// Whether a client that has lost this contract may get it back at this time. A day before the
    /// file is removed, it is too late.
    pub fn can_come_back(&self, now: DateTime<Utc>) -> bool {
        let day = TimeDelta::days(1);
        self.unused_since.is_none_or(|since| now < since + TimeDelta::days(KEPT_DAYS) - day)
    }
}

/// The field of a client that names its contract.
pub const FILE: &str = "contract_file";

/// The number of days for which a contract that no client has any more is kept, so that it can come
/// back.
pub const KEPT_DAYS: i64 = 30;

/// Since when a file counts as unused that is about to be removed. It cannot come back.
pub const DOOMED: DateTime<Utc> = DateTime::UNIX_EPOCH;

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
    fn a_contract_comes_back_until_a_day_before_its_file_goes() {
        let since: DateTime<Utc> = "2026-11-30T00:00:00Z".parse().unwrap();
        let unused = Contract { unused_since: Some(since), ..Contract::at("a/b.pdf") };
        let after = |hours| unused.can_come_back(since + TimeDelta::hours(hours));
        assert!(after(0) && after(29 * 24 - 1) && !after(29 * 24));
        assert!(Contract::at("a/b.pdf").can_come_back(since));
        let doomed = Contract { unused_since: Some(DOOMED), ..unused.clone() };
        assert!(!doomed.can_come_back(since));
    }

    #[test]
    fn a_file_of_an_unknown_kind_is_only_bytes() {
        assert_eq!(Contract::at("2026/a.pdf").media_type(), "application/pdf");
        for file in ["2026/a.svg", "2026/a.html", "a"] {
            assert_eq!(Contract::at(file).media_type(), "application/octet-stream");
        }
    }

    #[test]
    fn a_path_is_random_and_stays_below_the_directory() {
        let path = path_of([0xa7; 16]);
        assert_eq!(path, format!("uploads/{}", "a7".repeat(16)));
        assert!(is_contract_path(&path) && path.len() <= 100);
        assert_eq!(path_of([0; 16]).len(), path.len());
    }
}
