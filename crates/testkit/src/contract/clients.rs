//! Storing clients, and their references to leads.

use exit3_domain::clients::{Client, ClientFilter, ClientId, ClientOrder, Money, NewClient};
use exit3_domain::leads::{Lead, LeadCategory, LeadFilter, LeadId, LeadOrder};
use exit3_domain::paging::{Page, PageNumber, PageRequest};
use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::model::page;
use crate::builders::{act, at, lead, some_act};

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
    harness.clients.create(client, &some_act()).await.unwrap()
}

async fn list(harness: &Harness, page: PageRequest) -> Option<Page<Client>> {
    let (filter, order) = (ClientFilter::default(), ClientOrder::NEWEST);
    harness.clients.list(&filter, order, page).await.unwrap()
}

async fn first_page(harness: &Harness) -> Page<Client> {
    list(harness, PageRequest::first()).await.unwrap()
}

async fn some_lead(harness: &Harness) -> Lead {
    harness.leads.create(&lead().build(), &act(at(5))).await.unwrap()
}

async fn lead_id(harness: &Harness) -> LeadId {
    some_lead(harness).await.id
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
        let outcome = harness.clients.create(&refused, &some_act()).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{refused:?}");
    }
    let page = first_page(harness).await;
    assert_eq!(page.count, 0);
}

pub async fn a_lead_is_one_client_at_most(harness: &Harness) {
    let lead = Some(lead_id(harness).await);
    let first = create(harness, &NewClient { lead, ..client("a") }).await;
    let second = NewClient { lead, ..client("b") };
    assert_eq!(conflict(harness.clients.create(&second, &some_act()).await), Some(LEAD_TAKEN));
    let other = create(harness, &client("b")).await;
    let outcome = harness.clients.update(&other, &second, &some_act()).await;
    assert_eq!(conflict(outcome), Some(LEAD_TAKEN));
    // Many clients may have no lead, and a client may be updated with its own lead.
    create(harness, &client("c")).await;
    harness.clients.update(&first, &first.details, &some_act()).await.unwrap();
}

pub async fn refuses_a_lead_that_is_not_there(harness: &Harness) {
    let lead = LeadId(lead_id(harness).await.0 + 1);
    let wrong = NewClient { lead: Some(lead), ..client("a") };
    assert_eq!(conflict(harness.clients.create(&wrong, &some_act()).await), Some(LEAD_MISSING));
    let created = create(harness, &client("a")).await;
    let outcome = harness.clients.update(&created, &wrong, &some_act()).await;
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
    let lead = some_lead(harness).await;
    let created = create(harness, &NewClient { lead: Some(lead.id), ..client("a") }).await;
    harness.leads.delete(&lead, &some_act()).await.unwrap();
    let found = harness.clients.find(created.id).await.unwrap().unwrap();
    assert_eq!(found.details, client("a"));
}

pub async fn a_lead_outlives_its_client(harness: &Harness) {
    let lead = lead_id(harness).await;
    let created = create(harness, &NewClient { lead: Some(lead), ..client("a") }).await;
    harness.clients.delete(&created, &some_act()).await.unwrap();
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
        let listed = list(harness, PageRequest { number, size: 2 }).await;
        let ids = |rows: &[Client]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let listed = listed.map(|page| (page.count, page.number, ids(&page.rows)));
        assert_eq!(listed, wanted.map(|wanted| (5, page, wanted.to_vec())), "{number:?}");
    }
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    let page = first_page(harness).await;
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
    let updated = harness.clients.update(&created, &details, &some_act()).await.unwrap();
    assert_eq!(updated, Client { id: created.id, details });
    assert_eq!(harness.clients.find(created.id).await.unwrap(), Some(updated));
    assert_eq!(harness.clients.find(other.id).await.unwrap(), Some(other));
}

pub async fn refuses_to_update_or_delete_missing_rows(harness: &Harness) {
    let created = create(harness, &client("a")).await;
    let gone = Client { id: ClientId(created.id.0 + 1), ..created };
    for details in [&client("b"), &gone.details] {
        let updated = harness.clients.update(&gone, details, &some_act()).await;
        assert!(matches!(updated, Err(StoreError::NotFound)));
    }
    assert!(matches!(harness.clients.delete(&gone, &some_act()).await, Err(StoreError::NotFound)));
    assert_eq!(harness.clients.find(gone.id).await.unwrap(), None);
}

pub async fn refuses_to_update_or_delete_a_row_that_has_changed(harness: &Harness) {
    let lead = Some(lead_id(harness).await);
    let first = NewClient { monthly_charge: Money::charge(5), ..client("a") };
    let seen = create(harness, &first).await;
    // One field at a time, so that each counts.
    let changes: [fn(&mut NewClient); 7] = [
        |details| details.lead = None,
        |details| details.team_id.push('x'),
        |details| details.monthly_charge = None,
        |details| details.one_time_charge = Money::charge(0),
        |details| details.contract_file = Some(String::new()),
        |details| details.short_description.push('x'),
        |details| details.category = LeadCategory::SalesAuto,
    ];
    let mut now = seen.details.clone();
    now.lead = lead;
    let mut now = harness.clients.update(&seen, &now, &some_act()).await.unwrap();
    for change in changes {
        let stale = now.clone();
        let mut details = now.details.clone();
        change(&mut details);
        now = harness.clients.update(&now, &details, &some_act()).await.unwrap();
        for details in [&client("b"), &now.details] {
            let refused = harness.clients.update(&stale, details, &some_act()).await;
            assert_eq!(conflict(refused), Some(Constraint::Stale), "{stale:?}");
        }
        let refused = harness.clients.delete(&stale, &some_act()).await;
        assert_eq!(conflict(refused), Some(Constraint::Stale), "{stale:?}");
        assert_eq!(harness.clients.find(seen.id).await.unwrap().as_ref(), Some(&now));
    }
    harness.clients.delete(&now, &some_act()).await.unwrap();
}

pub async fn restores_a_deleted_row_with_its_id(harness: &Harness) {
    let lead = Some(lead_id(harness).await);
    let details = NewClient {
        lead,
        monthly_charge: Money::kept(-5),
        contract_file: Some("a.pdf".into()),
        ..client("a")
    };
    let (gone, other) = (create(harness, &details).await, create(harness, &client("b")).await);
    harness.clients.delete(&gone, &some_act()).await.unwrap();
    harness.clients.restore(&gone, &some_act()).await.unwrap();
    assert_eq!(harness.clients.find(gone.id).await.unwrap().as_ref(), Some(&gone));
    let taken = Client { details: client("c"), ..other.clone() };
    let refused = harness.clients.restore(&taken, &some_act()).await;
    assert_eq!(conflict(refused), Some(Constraint::Stale));
    assert_eq!(harness.clients.find(other.id).await.unwrap().as_ref(), Some(&other));
    harness.clients.delete(&other, &some_act()).await.unwrap();
    assert!(create(harness, &client("d")).await.id > other.id);
}

pub async fn refuses_to_restore_what_its_lead_does_not_admit(harness: &Harness) {
    let lead = some_lead(harness).await;
    let gone = create(harness, &NewClient { lead: Some(lead.id), ..client("a") }).await;
    harness.clients.delete(&gone, &some_act()).await.unwrap();
    let other = create(harness, &NewClient { lead: Some(lead.id), ..client("b") }).await;
    let refused = harness.clients.restore(&gone, &some_act()).await;
    assert_eq!(conflict(refused), Some(LEAD_TAKEN));
    harness.clients.delete(&other, &some_act()).await.unwrap();
    harness.leads.delete(&lead, &some_act()).await.unwrap();
    let refused = harness.clients.restore(&gone, &some_act()).await;
    assert_eq!(conflict(refused), Some(LEAD_MISSING));
    assert_eq!(harness.clients.find(gone.id).await.unwrap(), None);
}

pub async fn never_reuses_an_id(harness: &Harness) {
    let first = create(harness, &client("a")).await;
    harness.clients.delete(&first, &some_act()).await.unwrap();
    assert!(create(harness, &client("b")).await.id > first.id);
}
