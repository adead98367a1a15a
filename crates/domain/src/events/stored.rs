//! Events contain rows as the release of their time stored them, and later releases must read them:
//! the texts here never change. A new field of a row needs `#[serde(default)]`, unless it is an
//! `Option`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Changes, from_record, record};
use crate::clients::{Client, Money};
use crate::leads::{Lead, LeadId, LeadStatus};
use crate::subscribers::Subscriber;

/// Reads the row of a deletion, and checks that it has the recorded values.
fn read<T: Serialize + DeserializeOwned>(text: &str) -> T {
    let Changes::Row(stored) = Changes::from_text(Some(text), true) else { panic!("{text}") };
    let row: Option<T> = from_record(stored.clone());
    let row = row.unwrap_or_else(|| panic!("a new field without a default: {text}"));
    let now = record(&row);
    for (name, value) in stored {
        assert_eq!(now.get(&name), Some(&value), "{name} in {text}");
    }
    row
}

#[test]
fn a_lead_that_0_1_deleted_is_read() {
    let lead: Lead = read(
        r#"{"id":7,"full_name":"Ana Horvat","position":"CTO","company_name":null,
        "phone_number":"","email":"ana@acme.hr","source":"cold_call","status":"not_interested",
        "notes":"a\nb","category":"web_dev","created_at":"2026-09-21T14:13:20.000001Z",
        "updated_at":"2026-09-21T14:13:21Z"}"#,
    );
    assert_eq!((lead.id, lead.details.status), (LeadId(7), LeadStatus::NotInterested));
    assert_eq!((lead.updated_at - lead.created_at).num_microseconds(), Some(999_999));
}

#[test]
fn a_subscriber_that_0_1_deleted_is_read() {
    let row: Subscriber = read(r#"{"id":7,"email":"iva@bücher.de","is_subscribed":false}"#);
    assert_eq!((row.id.0, row.email.as_str(), row.is_subscribed), (7, "iva@bücher.de", false));
}

#[test]
fn a_client_that_0_1_deleted_is_read() {
    let client: Client = read(
        r#"{"id":7,"lead":3,"team_id":"T1","monthly_charge":"1200.50","one_time_charge":null,
        "contract_file":"2026/a.pdf","short_description":"","category":"sales_auto"}"#,
    );
    assert_eq!(client.details.lead, Some(LeadId(3)));
    assert_eq!(client.details.monthly_charge, Money::charge(120_050));
}

#[test]
fn fields_of_a_newer_release_are_ignored() {
    let text = r#"{"id":7,"email":"a@b.hr","is_subscribed":true,"of_a_newer_release":1}"#;
    let newer: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    assert!(from_record::<Subscriber>(newer).is_some());
}
