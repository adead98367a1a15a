//! Clients: customers of the agency, and what they pay.

mod edit;
mod export;
mod input;
mod list;
mod money;

pub use export::COLUMNS;
pub use input::{ClientChange, ClientInput, FIELDS, lead_taken, unknown_lead};
pub use list::{ClientFilter, ClientOrder, ClientSort, ClientTotals};
pub use money::{Money, MoneyTotal};

use serde::{Deserialize, Serialize};

use crate::leads::{Lead, LeadCategory, LeadId};
use crate::search;

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

impl NewClient {
    /// The text that searches look at: team and description. Searches also find a client by its
    /// lead: see [`ClientFilter::words`].
    pub fn search_document(&self) -> String {
        search::document([Some(self.team_id.as_str()), Some(self.short_description.as_str())])
    }
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

impl Client {
    /// How people call the client, who has no name of its own: the company of its lead, or the name
    /// of its lead, or the first line of the description. `None` if there is none of them.
    pub fn name<'a>(&'a self, lead: Option<&'a Lead>) -> Option<&'a str> {
        let of_lead = lead.map(|lead| &lead.details);
        let company = of_lead.and_then(|lead| lead.company_name.as_deref());
        let person = of_lead.map(|lead| lead.full_name.as_str());
        let first_line = self.details.short_description.lines().next();
        let names = [company, person, first_line].into_iter().flatten();
        names.map(str::trim).find(|name| !name.is_empty())
    }

    /// Whether there is a contract.
    pub fn has_contract(&self) -> bool {
        self.details.contract_file.as_deref().is_some_and(|path| !path.is_empty())
    }
}

/// Whether `path` stays below the contract directory, apart from symbolic links. The separator is
/// `/` on every system.
pub fn is_contract_path(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_name) && !path.contains(['\\', ':', '\0'])
}

/// A valid client for tests.
#[cfg(test)]
pub(crate) fn example() -> Client {
    let details = NewClient {
        lead: Some(LeadId(3)),
        team_id: "T1".into(),
        monthly_charge: Money::charge(120_050),
        one_time_charge: None,
        contract_file: Some("2026/a.pdf".into()),
        short_description: "Web\u{161}op\nsa skladištem".into(),
        category: LeadCategory::WebDev,
    };
    Client { id: ClientId(7), details }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use rstest::rstest;

    use crate::leads::{LeadWork, NewLead};

    fn lead(full_name: &str, company_name: Option<&str>) -> Lead {
        let company_name = company_name.map(str::to_owned);
        let at = DateTime::UNIX_EPOCH;
        let details =
            NewLead { full_name: full_name.to_owned(), company_name, ..crate::leads::example() };
        Lead { id: LeadId(3), details, work: LeadWork::default(), created_at: at, updated_at: at }
    }

    #[test]
    fn is_called_by_its_lead_or_its_description() {
        let client = example();
        let company = lead("Ana Horvat", Some(" Acme "));
        assert_eq!(client.name(Some(&company)), Some("Acme"));
        for without in [lead("Ana Horvat", None), lead("Ana Horvat", Some(" "))] {
            assert_eq!(client.name(Some(&without)), Some("Ana Horvat"));
        }
        assert_eq!(client.name(None), Some("Web\u{161}op"));
        let details = NewClient { short_description: String::new(), ..client.details };
        assert_eq!(Client { details, ..example() }.name(None), None);
    }

    #[test]
    fn is_searched_by_team_and_description() {
        let document = example().details.search_document();
        for word in ["t1", "web\u{161}op", "skladistem"] {
            assert!(document.contains(word), "{word}");
        }
        assert!(!document.contains("a.pdf"));
    }

    #[test]
    fn an_empty_path_is_no_contract() {
        let with = |contract_file: Option<&str>| {
            let contract_file = contract_file.map(str::to_owned);
            Client { details: NewClient { contract_file, ..example().details }, ..example() }
        };
        assert!(with(Some("a.pdf")).has_contract());
        assert!(!with(Some("")).has_contract() && !with(None).has_contract());
    }

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
