//! Clients: customers of the agency, and what they pay.

mod money;

pub use money::Money;

use serde::{Deserialize, Serialize};

use crate::leads::{LeadCategory, LeadId};

/// The word for clients in events.
pub const RESOURCE: &str = "client";

/// Identifies a client. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub i64);

/// A client that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewClient {
    /// The lead that became this client; at most one client per lead. If the lead is deleted, the
    /// client stays and this becomes `None`.
    pub lead: Option<LeadId>,
    /// The team that works for the client: at most 100 characters; may be empty.
    pub team_id: String,
    /// The monthly charge.
    pub monthly_charge: Option<Money>,
    /// The one-time charge.
    pub one_time_charge: Option<Money>,
    /// The path of the contract below the contract directory, at most 100 characters. Older rows
    /// may contain any path: check [`is_contract_path`] before opening a file.
    pub contract_file: Option<String>,
    /// Free text; may be empty.
    pub short_description: String,
    /// What the agency builds for the client.
    pub category: LeadCategory,
}

/// A stored client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The id.
    pub id: ClientId,
    /// Everything else.
    #[serde(flatten)]
    pub details: NewClient,
}

/// Whether `path` stays below the contract directory, apart from symbolic links. The separator is
/// `/` on every system.
pub fn is_contract_path(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_name) && !path.contains(['\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("acme.pdf", true)]
    #[case("contracts/2026/Ugovor čšž (1)..pdf", true)]
    #[case("", false)]
    #[case("/etc/passwd", false)]
    #[case("../secret", false)]
    #[case("contracts/../../secret", false)]
    #[case("contracts/./acme.pdf", false)]
    #[case("contracts//acme.pdf", false)]
    #[case("contracts/", false)]
    #[case(r"..\secret", false)]
    #[case("C:secret", false)]
    #[case("acme.pdf\0.txt", false)]
    fn a_contract_lies_below_its_directory(#[case] path: &str, #[case] below: bool) {
        assert_eq!(is_contract_path(path), below);
    }
}
