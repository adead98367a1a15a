//! Leads: people who asked for an offer, and their progress in sales.

pub mod counts;
mod edit;
mod export;
mod input;
mod list;
mod weeks;
mod work;

pub use edit::parse_new;
pub use export::COLUMNS;
pub use input::{FIELDS, LeadChange, LeadInput};
pub use list::{LeadFilter, LeadOrder, LeadOwner, LeadPage, LeadSort};
pub use weeks::{LeadWeek, WEEKS, Week};
pub use work::{
    LeadWork, LeadWorkChange, LeadWorkInput, NEXT_STEP_LENGTH, WORK_FIELDS, unknown_owner,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::choice::choice;
use crate::contact::{Contact, ContactKind};
use crate::events::Changes;
use crate::search;
use crate::staff::StaffId;
use crate::validation::Invalid;

/// The word for leads in events.
pub const RESOURCE: &str = "lead";

/// Identifies a lead. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeadId(pub i64);

choice! {
    /// How a lead found the agency.
    LeadSource {
        Website = "website",
        Referral = "referral",
        ColdCall = "cold_call",
        Linkedin = "linkedin",
        EmailCampaign = "email_campaign",
        Other = "other",
    }
}

choice! {
    /// A lead's progress in sales.
    LeadStatus {
        New = "new",
        Contacted = "contacted",
        Interested = "interested",
        NotInterested = "not_interested",
        Converted = "converted",
        Closed = "closed",
    }
}

choice! {
    /// What a lead wants the agency to build.
    LeadCategory {
        WebDev = "web_dev",
        MobileDev = "mobile_dev",
        AutomatedTesting = "automated_testing",
        SocialMediaAuto = "social_media_auto",
        EcommerceAuto = "ecommerce_auto",
        SalesAuto = "sales_auto",
    }
}

/// A valid lead that is not stored yet: all fields that clients set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLead {
    /// 2 to 255 characters, not only digits, no angle brackets.
    pub full_name: String,
    /// 2 to 255 characters, no angle brackets.
    pub position: String,
    /// Like `position`, but may be missing or empty.
    pub company_name: Option<String>,
    /// An optional `+` and 7 to 15 digits; may be missing or empty.
    pub phone_number: Option<String>,
    /// In lower case, at most 254 characters; may be missing or empty.
    pub email: Option<String>,
    /// How the lead found the agency.
    pub source: LeadSource,
    /// The progress in sales.
    pub status: LeadStatus,
    /// Free text of at most 5000 characters; may be missing or empty.
    pub notes: Option<String>,
    /// What the lead wants the agency to build.
    pub category: LeadCategory,
}

impl NewLead {
    /// Checks the rules of a lead as a whole.
    ///
    /// # Errors
    /// A broken rule.
    pub fn check(&self) -> Result<(), Invalid> {
        input::check_reachable(self.email.as_deref(), self.phone_number.as_deref())
    }

    /// What the person can be recognised by.
    pub fn contacts(&self) -> Vec<Contact> {
        let email = self.email.as_deref().map(|text| (ContactKind::Email, text));
        let phone = self.phone_number.as_deref().map(|text| (ContactKind::Phone, text));
        let given = email.into_iter().chain(phone);
        given.filter_map(|(kind, text)| Contact::read(kind, text)).collect()
    }

    /// The text that searches look at: name, company, e-mail and phone.
    pub fn search_document(&self) -> String {
        search::document([
            Some(self.full_name.as_str()),
            self.company_name.as_deref(),
            self.email.as_deref(),
            self.phone_number.as_deref(),
        ])
    }
}

/// A stored lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The id.
    pub id: LeadId,
    /// The fields that clients set. Older leads may break the current rules.
    #[serde(flatten)]
    pub details: NewLead,
    /// The work on the lead. It is left out of the version and of events if there is none, so that
    /// these are the same as those of releases that know no work.
    #[serde(flatten, skip_serializing_if = "LeadWork::is_empty")]
    pub work: LeadWork,
    /// When the lead was stored, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// When the lead was last changed, in whole microseconds; increases with every change.
    pub updated_at: DateTime<Utc>,
}

impl Lead {
    /// The newest `most` of the leads `found` that have one of the contacts, without the lead
    /// `except`.
    pub fn newest_with(
        contacts: &[Contact],
        mut found: Vec<Self>,
        except: Option<LeadId>,
        most: u32,
    ) -> Vec<Self> {
        found.retain(|lead| {
            let has = lead.details.contacts();
            Some(lead.id) != except && contacts.iter().any(|contact| has.contains(contact))
        });
        found.sort_by_key(|lead| std::cmp::Reverse((lead.created_at, lead.id)));
        found.dedup_by_key(|lead| lead.id);
        found.truncate(most as usize);
        found
    }

    /// The fields that change.
    pub fn state(&self) -> LeadState {
        LeadState { details: self.details.clone(), work: self.work.clone() }
    }

    /// The fields of the lead after it has become a client.
    pub fn converted(&self, owner: Option<StaffId>) -> LeadState {
        let mut state = self.state();
        state.details.status = LeadStatus::Converted;
        state.work.owner = owner;
        state
    }

    /// What an update to these details and this work changes.
    pub fn changes(&self, details: &NewLead, work: &LeadWork) -> Changes {
        #[derive(Serialize)]
        struct Fields<'a> {
            #[serde(flatten)]
            details: &'a NewLead,
            #[serde(flatten)]
            work: &'a LeadWork,
        }
        let before = Fields { details: &self.details, work: &self.work };
        Changes::between(&before, &Fields { details, work })
    }
}

/// The fields of a lead that updates replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadState {
    /// The fields that clients set.
    #[serde(flatten)]
    pub details: NewLead,
    /// The work on the lead.
    #[serde(flatten)]
    pub work: LeadWork,
}

impl LeadState {
    /// Checks the rules of a lead as a whole.
    ///
    /// # Errors
    /// A broken rule.
    pub fn check(&self) -> Result<(), Invalid> {
        self.details.check()
    }
}

/// A valid lead for tests.
#[cfg(test)]
pub(crate) fn example() -> NewLead {
    NewLead {
        full_name: "Ana Horvat".into(),
        position: "CTO".into(),
        company_name: Some("Acme".into()),
        phone_number: Some("+385911".into()),
        email: Some("ana@b\u{fc}cher.de".into()),
        source: LeadSource::Other,
        status: LeadStatus::Closed,
        notes: Some("secret".into()),
        category: LeadCategory::WebDev,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_searched_by_name_company_address_and_phone() {
        let lead = example();
        let fields = ["Ana Horvat", "Acme", "ana@b\u{fc}cher.de", "+385911"];
        assert_eq!(lead.search_document(), search::document(fields.map(Some)));
        for word in ["horvat", "acme", "ana@", "xn--bcher-kva", "+385911"] {
            assert!(lead.search_document().contains(word), "{word}");
        }
        assert!(!lead.search_document().contains("secret"));
    }

    #[test]
    fn a_person_is_recognised_by_address_and_number() {
        let lead = NewLead { phone_number: Some("00385911234567".into()), ..example() };
        let contacts: Vec<String> = lead.contacts().iter().map(ToString::to_string).collect();
        assert_eq!(contacts, ["email:ana@b\u{fc}cher.de", "phone:385911234567"]);
        let lead = NewLead { email: Some(String::new()), phone_number: None, ..example() };
        assert_eq!(lead.contacts(), []);
    }

    #[test]
    fn a_choice_is_written_as_its_word() {
        assert_eq!(LeadSource::ColdCall.to_string(), "cold_call");
        assert!(
            LeadStatus::ALL.iter().map(|one| one.as_str()).eq(LeadStatus::WORDS.iter().copied())
        );
        assert!(
            LeadStatus::ALL.iter().all(|one| LeadStatus::from_word(one.as_str()) == Some(*one))
        );
    }
}
