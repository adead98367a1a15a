//! Other leads of the same person.

use exit3_domain::leads::{Lead, LeadId, NewLead};

use super::Harness;
use crate::builders::{act, at, lead};

async fn store(harness: &Harness, new: NewLead, second: i64) -> Lead {
    harness.leads.create(&new, &act(at(second * 1_000_000))).await.unwrap()
}

fn person(email: Option<&str>, phone: Option<&str>) -> NewLead {
    lead().email(email).phone_number(phone).build()
}

async fn others(harness: &Harness, of: &Lead, most: u32) -> Vec<LeadId> {
    let contacts = of.details.contacts();
    let found = harness.leads.with_contact(&contacts, Some(of.id), most).await.unwrap();
    found.into_iter().map(|lead| lead.id).collect()
}

pub async fn finds_leads_with_the_same_address_or_number(harness: &Harness) {
    let both = store(harness, person(Some("ana@acme.hr"), Some("+385911234567")), 1).await;
    let number = store(harness, person(None, Some("00385911234567")), 2).await;
    let address = store(harness, person(Some("ana@acme.hr"), None), 4).await;
    let older = store(harness, person(Some("ana@acme.hr"), Some("0119876543")), 3).await;
    // These only look alike.
    store(harness, person(Some("diana@acme.hr"), None), 5).await;
    store(harness, person(Some("ana@acme.hr.example"), Some("+3859112345678")), 6).await;
    let named = lead().full_name("ana@acme.hr").email(None).phone_number(Some("12345678"));
    store(harness, named.build(), 7).await;
    for _ in 0..2 {
        assert_eq!(others(harness, &both, 10).await, [address.id, older.id, number.id]);
        assert_eq!(others(harness, &both, 2).await, [address.id, older.id]);
        assert_eq!(others(harness, &number, 10).await, [both.id]);
        let alone = person(None, None);
        assert_eq!(alone.contacts(), []);
        assert_eq!(harness.leads.with_contact(&[], None, 10).await.unwrap(), []);
        (harness.index_leads)(1000).await;
    }
    let contacts = both.details.contacts();
    assert_eq!(harness.leads.with_contact(&contacts, None, 10).await.unwrap().len(), 4);
}

/// An index may find a part of the address. The same part of another one is somebody else's.
pub async fn the_same_name_elsewhere_is_another_person(harness: &Harness) {
    let one = store(harness, person(Some("ana.horvat@acme.hr"), None), 1).await;
    store(harness, person(Some("ana.horvat@other.hr"), None), 2).await;
    store(harness, person(None, Some("+385921234567")), 3).await;
    let same = store(harness, person(Some("Ana.Horvat@acme.hr"), Some("+385911234567")), 4).await;
    for _ in 0..2 {
        assert_eq!(others(harness, &one, 10).await, [same.id]);
        assert_eq!(others(harness, &same, 10).await, [one.id]);
        (harness.index_leads)(1000).await;
    }
}

pub async fn finds_an_address_in_both_spellings(harness: &Harness) {
    let readable = store(harness, person(Some("iva@bücher.de"), None), 1).await;
    let encoded = store(harness, person(Some("iva@xn--bcher-kva.de"), None), 2).await;
    assert_eq!(others(harness, &readable, 10).await, [encoded.id]);
    assert_eq!(others(harness, &encoded, 10).await, [readable.id]);
}
