//! Builders of valid values with sensible defaults, so that tests only set what they are about.

use chrono::{DateTime, Utc};
use exit3_domain::events::{Act, Actor, Author};
use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus, NewLead};
use exit3_domain::subscribers::NewSubscriber;

/// A time, in microseconds since 1970.
pub fn at(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).expect("a time that chrono can hold")
}

/// A time written as RFC 3339.
pub fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time in RFC 3339")
}

/// A write by a command at this time.
pub fn act(at: DateTime<Utc>) -> Act {
    Author::from(Actor::command("test")).at(at)
}

/// A write by a command at a time that does not matter.
pub fn some_act() -> Act {
    act(at(1_790_000_000_000_000))
}

/// Starts a lead in which every field has a different value, and none has its default.
pub fn lead() -> LeadBuilder {
    LeadBuilder {
        lead: NewLead {
            full_name: "Ana Horvat".to_owned(),
            position: "CTO".to_owned(),
            company_name: Some("Acme d.o.o.".to_owned()),
            phone_number: Some("+385911234567".to_owned()),
            email: Some("ana@acme.hr".to_owned()),
            source: LeadSource::Referral,
            status: LeadStatus::Contacted,
            notes: Some("Asks for an offer".to_owned()),
            category: LeadCategory::MobileDev,
        },
    }
}

/// Builds a lead.
#[derive(Debug, Clone)]
pub struct LeadBuilder {
    lead: NewLead,
}

#[allow(missing_docs, reason = "each sets the field of its name")]
impl LeadBuilder {
    pub fn full_name(mut self, name: impl Into<String>) -> Self {
        self.lead.full_name = name.into();
        self
    }

    pub fn position(mut self, position: impl Into<String>) -> Self {
        self.lead.position = position.into();
        self
    }

    pub fn company_name(mut self, company: Option<&str>) -> Self {
        self.lead.company_name = company.map(str::to_owned);
        self
    }

    pub fn phone_number(mut self, phone: Option<&str>) -> Self {
        self.lead.phone_number = phone.map(str::to_owned);
        self
    }

    pub fn email(mut self, email: Option<&str>) -> Self {
        self.lead.email = email.map(str::to_owned);
        self
    }

    pub fn source(mut self, source: LeadSource) -> Self {
        self.lead.source = source;
        self
    }

    pub fn status(mut self, status: LeadStatus) -> Self {
        self.lead.status = status;
        self
    }

    pub fn notes(mut self, notes: Option<&str>) -> Self {
        self.lead.notes = notes.map(str::to_owned);
        self
    }

    pub fn category(mut self, category: LeadCategory) -> Self {
        self.lead.category = category;
        self
    }

    /// Sets a text field by name.
    pub fn text(self, field: &str, text: Option<&str>) -> Self {
        let required = || text.expect("a text");
        match field {
            "full_name" => self.full_name(required()),
            "position" => self.position(required()),
            "company_name" => self.company_name(text),
            "phone_number" => self.phone_number(text),
            "email" => self.email(text),
            "notes" => self.notes(text),
            other => panic!("{other} is no text of the builder of leads"),
        }
    }

    /// The finished lead.
    pub fn build(self) -> NewLead {
        self.lead
    }
}

/// A subscriber who wants the newsletter.
pub fn subscriber(email: &str) -> NewSubscriber {
    NewSubscriber { email: email.to_owned(), is_subscribed: true }
}

/// A subscriber who no longer wants the newsletter.
pub fn unsubscribed(email: &str) -> NewSubscriber {
    NewSubscriber { email: email.to_owned(), is_subscribed: false }
}

#[cfg(test)]
mod tests {
    use exit3_domain::email::DisposableDomains;
    use exit3_domain::leads::{FIELDS, LeadInput};
    use exit3_domain::raw::RawValue;

    use super::*;

    #[test]
    fn a_lead_has_another_value_in_every_field() {
        let NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = lead().build();
        let mut values = vec![
            full_name,
            position,
            company_name.expect("a company"),
            phone_number.expect("a number"),
            email.expect("an address"),
            source.to_string(),
            status.to_string(),
            notes.expect("notes"),
            category.to_string(),
        ];
        assert_eq!(values.len(), FIELDS.len());
        values.sort();
        values.dedup();
        assert_eq!(values.len(), FIELDS.len(), "two fields have the same value");
        let mut least = LeadInput::default();
        for (field, text) in [("full_name", "Ivo"), ("position", "CEO"), ("email", "i@acme.hr")] {
            least.set(field, RawValue::text(text));
        }
        let least = least.into_new(&DisposableDomains::default()).unwrap();
        let chosen = (least.source, least.status, least.category);
        assert!(source != chosen.0 && status != chosen.1 && category != chosen.2);
    }
}
