//! Clients: those whom the agency works for, and what they pay.

mod money;

pub use money::Money;

use crate::leads::{LeadCategory, LeadId};

/// Identifies a client; given by the database, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub i64);

/// A client that has no place in a database yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClient {
    /// The lead that the client once was. No two clients were the same one; where the
    /// lead is deleted, the client stays, without it.
    pub lead: Option<LeadId>,
    /// The team that works for the client: at most 100 characters; may be empty.
    pub team_id: String,
    /// What is paid a month.
    pub monthly_charge: Option<Money>,
    /// What is paid once.
    pub one_time_charge: Option<Money>,
    /// Where the contract lies: a path below the directory of contracts, at most 100
    /// characters. Older ones may lead anywhere: ask [`is_contract_path`] before a
    /// file is opened.
    pub contract_file: Option<String>,
    /// Anything; may be empty.
    pub short_description: String,
    /// What is built for the client.
    pub category: LeadCategory,
}

/// A client as a database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identity.
    pub id: ClientId,
    /// What is known about it.
    pub details: NewClient,
}

/// Whether `path` leads to a file below the directory of contracts and nowhere else,
/// unless a symbolic link does. Its parts are parted by `/`, on every system.
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
