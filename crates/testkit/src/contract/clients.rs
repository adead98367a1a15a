//! Storing clients, and their references to leads.

use exit3_domain::clients::{Client, ClientId, Money, NewClient};
use exit3_domain::leads::{LeadCategory, LeadFilter, LeadId, LeadOrder};
use exit3_domain::paging::{PageNumber, PageRequest};
use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::model::page;
use crate::builders::{at, lead};

/// A client of that team, without lead, charges and contract.
pub fn client(team_id: &str) -> NewClient {
    NewClient {
        lead: None,
        team_id: team_id.to_owned(),
        monthly_charge: None,
        one_time_charge: None,
        contract_file: None,
        short_description: String::new(),
        category: LeadCategory::WebDev,
    }
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let leads = harness.leads.list(&LeadFilter::default(), LeadOrder::NEWEST, page(1, 1)).await;
    let known = NewClient {
        lead: Some(leads.unwrap().unwrap().rows[0].id),
        monthly_charge: Money::charge(9_999_999_999),
        contract_file: Some("2026/a.pdf".to_owned()),
        ..client("T1")
    };
    create(harness, &known).await;
    create(harness, &client("T2")).await;
}

async fn create(harness: &Harness, client: &NewClient) -> Client {
    harness.clients.create(client).await.unwrap()
}

async fn lead_id(harness: &Harness) -> LeadId {
    harness.leads.create(&lead().build(), at(5)).await.unwrap().id
}

fn conflict<T>(outcome: Result<T, StoreError>) -> Option<Constraint> {
    match outcome {
        Err(StoreError::Conflict(constraint)) => Some(constraint),
        _ => None,
    }
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let rich = NewClient {
        lead: Some(lead_id(harness).await),
        team_id: "đ".repeat(100),
        monthly_charge: Money::charge(9_999_999_999),
        one_time_charge: Money::charge(0),
        contract_file: Some("č".repeat(100)),
        short_description: "<b>'; DROP TABLE clients\r\n\u{1f600}".repeat(1000),
        category: LeadCategory::SalesAuto,
    };
    let odd = NewClient {
        monthly_charge: Money::kept(-9_999_999_999),
        contract_file: Some(String::new()),
        ..client("")
    };
    for given in [rich, client("plain"), odd] {
        let created = create(harness, &given).await;
        assert_eq!(created.details, given);
        assert_eq!(harness.clients.find(created.id).await.unwrap(), Some(created));
    }
}

pub async fn keeps_every_category(harness: &Harness) {
    for category in LeadCategory::ALL {
        let created = create(harness, &NewClient { category: *category, ..client("a") }).await;
        assert_eq!(created.details.category, *category);
    }
}

pub async fn refuses_texts_that_are_too_long_or_have_nul(harness: &Harness) {
    for refused in [
        client(&"đ".repeat(101)),
        NewClient { contract_file: Some("đ".repeat(101)), ..client("a") },
        client("a\0"),
        NewClient { short_description: "\0".into(), ..client("a") },
        NewClient { contract_file: Some("a\0b".into()), ..client("a") },
    ] {
        let outcome = harness.clients.create(&refused).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{refused:?}");
    }
    let page = harness.clients.list(PageRequest::first()).await.unwrap().unwrap();
    assert_eq!(page.count, 0);
}

pub async fn a_lead_is_one_client_at_most(harness: &Harness) {
    let lead = Some(lead_id(harness).await);
    let first = create(harness, &NewClient { lead, ..client("a") }).await;
    let second = NewClient { lead, ..client("b") };
    assert_eq!(conflict(harness.clients.create(&second).await), Some(LEAD_TAKEN));
    let other = create(harness, &client("b")).await;
    let outcome = harness.clients.update(other.id, &second).await;
    assert_eq!(conflict(outcome), Some(LEAD_TAKEN));
    // Many clients may have no lead, and a client may be updated with its own lead.
    create(harness, &client("c")).await;
    harness.clients.update(first.id, &first.details).await.unwrap();
}

pub async fn refuses_a_lead_that_is_not_there(harness: &Harness) {
    let lead = LeadId(lead_id(harness).await.0 + 1);
    let wrong = NewClient { lead: Some(lead), ..client("a") };
    assert_eq!(conflict(harness.clients.create(&wrong).await), Some(LEAD_MISSING));
    let created = create(harness, &client("a")).await;
    let outcome = harness.clients.update(created.id, &wrong).await;
    assert_eq!(conflict(outcome), Some(LEAD_MISSING));
    assert_eq!(harness.clients.find(created.id).await.unwrap(), Some(created));
}

pub async fn finds_by_lead(harness: &Harness) {
    let (lead, other) = (lead_id(harness).await, lead_id(harness).await);
    create(harness, &client("a")).await;
    let created = create(harness, &NewClient { lead: Some(lead), ..client("b") }).await;
    assert_eq!(harness.clients.find_by_lead(lead).await.unwrap(), Some(created));
    assert_eq!(harness.clients.find_by_lead(other).await.unwrap(), None);
}

pub async fn outlives_its_lead(harness: &Harness) {
    let lead = lead_id(harness).await;
    let created = create(harness, &NewClient { lead: Some(lead), ..client("a") }).await;
    harness.leads.delete(lead).await.unwrap();
    let found = harness.clients.find(created.id).await.unwrap().unwrap();
    assert_eq!(found.details, client("a"));
}

pub async fn a_lead_outlives_its_client(harness: &Harness) {
    let lead = lead_id(harness).await;
    let created = create(harness, &NewClient { lead: Some(lead), ..client("a") }).await;
    harness.clients.delete(created.id).await.unwrap();
    assert_eq!(harness.clients.find(created.id).await.unwrap(), None);
    assert!(harness.leads.find(lead).await.unwrap().is_some());
    create(harness, &NewClient { lead: Some(lead), ..client("b") }).await;
}

pub async fn lists_the_newest_first(harness: &Harness) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(create(harness, &client(&number.to_string())).await.id);
    }
    ids.reverse();
    for (number, wanted, page) in [
        (PageNumber::Number(1), ids.get(..2), 1),
        (PageNumber::Number(2), ids.get(2..4), 2),
        (PageNumber::Number(3), ids.get(4..), 3),
        (PageNumber::Last, ids.get(4..), 3),
        (PageNumber::Number(4), None, 4),
    ] {
        let listed = harness.clients.list(PageRequest { number, size: 2 }).await.unwrap();
        let ids = |rows: &[Client]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let listed = listed.map(|page| (page.count, page.number, ids(&page.rows)));
        assert_eq!(listed, wanted.map(|wanted| (5, page, wanted.to_vec())), "{number:?}");
    }
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    let page = harness.clients.list(PageRequest::first()).await.unwrap().unwrap();
    assert_eq!((page.count, page.number, page.rows.len()), (0, 1, 0));
}

pub async fn an_update_replaces_all_details(harness: &Harness) {
    let lead = Some(lead_id(harness).await);
    let given = NewClient {
        lead,
        monthly_charge: Money::charge(5),
        contract_file: Some("a.pdf".into()),
        ..client("a")
    };
    let (created, other) = (create(harness, &given).await, create(harness, &client("b")).await);
    let details = NewClient { one_time_charge: Money::charge(7), ..client("c") };
    let updated = harness.clients.update(created.id, &details).await.unwrap();
    assert_eq!(updated, Client { id: created.id, details });
    assert_eq!(harness.clients.find(created.id).await.unwrap(), Some(updated));
    assert_eq!(harness.clients.find(other.id).await.unwrap(), Some(other));
}

pub async fn refuses_to_update_or_delete_missing_rows(harness: &Harness) {
    let gone = ClientId(create(harness, &client("a")).await.id.0 + 1);
    let updated = harness.clients.update(gone, &client("b")).await;
    assert!(matches!(updated, Err(StoreError::NotFound)));
    assert!(matches!(harness.clients.delete(gone).await, Err(StoreError::NotFound)));
    assert_eq!(harness.clients.find(gone).await.unwrap(), None);
}

pub async fn never_reuses_an_id(harness: &Harness) {
    let first = create(harness, &client("a")).await;
    harness.clients.delete(first.id).await.unwrap();
    assert!(create(harness, &client("b")).await.id > first.id);
}
