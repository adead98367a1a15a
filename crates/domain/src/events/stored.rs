//! Events contain rows as the release of their time stored them, and later releases must read them:
//! the texts here never change. A new field of a row needs `#[serde(default)]`, unless it is an
//! `Option`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Changes, Record, from_record, record};
use crate::clients::{Client, Money};
use crate::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus};
use crate::staff::StaffProfile;
use crate::subscribers::Subscriber;

const LEAD: &str = r#"{"id":7,"full_name":"Ana Horvat","position":"CTO","company_name":null,
        "phone_number":"","email":"ana@acme.hr","source":"cold_call","status":"not_interested",
        "notes":"a\nb","category":"web_dev","created_at":"2026-09-21T14:13:20.000001Z",
        "updated_at":"2026-09-21T14:13:21Z"}"#;

const SUBSCRIBER: &str = r#"{"id":7,"email":"iva@bücher.de","is_subscribed":false}"#;

const CLIENT: &str = r#"{"id":7,"lead":3,"team_id":"T1","monthly_charge":"1200.50","one_time_charge":null,
        "contract_file":"2026/a.pdf","short_description":"","category":"sales_auto"}"#;

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
    let lead: Lead = read(LEAD);
    assert_eq!((lead.id, lead.details.status), (LeadId(7), LeadStatus::NotInterested));
    assert_eq!((lead.updated_at - lead.created_at).num_microseconds(), Some(999_999));
}

#[test]
fn a_subscriber_that_0_1_deleted_is_read() {
    let row: Subscriber = read(SUBSCRIBER);
    assert_eq!((row.id.0, row.email.as_str(), row.is_subscribed), (7, "iva@bücher.de", false));
}

#[test]
fn a_client_that_0_1_deleted_is_read() {
    let client: Client = read(CLIENT);
    assert_eq!(client.details.lead, Some(LeadId(3)));
    assert_eq!(client.details.monthly_charge, Money::charge(120_050));
}

#[test]
fn a_change_of_a_profile_that_0_1_stored_is_undone() {
    let text = r#"{"username":["ana","eva"],"first_name":["Ana","Eva"],"last_name":["","Kos"],
        "email":["ana@exit3.agency",""],"is_staff":[true,false],"is_active":[false,true],
        "is_superuser":[true,false]}"#;
    let profile = |username: &str, first: &str, last: &str, email: &str, has: bool| StaffProfile {
        username: username.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        email: email.to_owned(),
        is_staff: has,
        is_active: !has,
        is_superuser: has,
        role: None,
    };
    let changes = Changes::from_text(Some(text), false);
    let (before, conflicts) = changes.undone_in(&profile("eva", "Eva", "Kos", "", false));
    assert_eq!(conflicts, [""; 0]);
    assert_eq!(before, Some(profile("ana", "Ana", "", "ana@exit3.agency", true)));
}

#[test]
fn every_word_that_0_1_stored_is_read() {
    fn unread<T: DeserializeOwned>(words: &[&'static str]) -> Vec<&'static str> {
        let is_unread = |word: &&&str| serde_json::from_value::<T>(Value::from(**word)).is_err();
        words.iter().filter(is_unread).copied().collect()
    }
    let sources = ["website", "referral", "cold_call", "linkedin", "email_campaign", "other"];
    let statuses = ["new", "contacted", "interested", "not_interested", "converted", "closed"];
    let categories = [
        "web_dev",
        "mobile_dev",
        "automated_testing",
        "social_media_auto",
        "ecommerce_auto",
        "sales_auto",
    ];
    assert_eq!(unread::<LeadSource>(&sources), [""; 0]);
    assert_eq!(unread::<LeadStatus>(&statuses), [""; 0]);
    assert_eq!(unread::<LeadCategory>(&categories), [""; 0]);
}

#[test]
fn fields_of_a_newer_release_are_ignored() {
    fn is_read<T: DeserializeOwned>(text: &str) -> bool {
        let mut newer: Record = serde_json::from_str(text).unwrap();
        newer.insert("of_a_newer_release".to_owned(), Value::from(1));
        from_record::<T>(newer).is_some()
    }
    assert!(is_read::<Lead>(LEAD));
    assert!(is_read::<Subscriber>(SUBSCRIBER));
    assert!(is_read::<Client>(CLIENT));
}
