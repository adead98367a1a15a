//! Lists of clients, by pages and by walks, and their totals.

use exit3_domain::clients::{
    Client, ClientFilter, ClientOrder, ClientSort, ClientTotals, Money, MoneyTotal, NewClient,
};
use exit3_domain::leads::{Lead, LeadCategory, LeadId};
use exit3_domain::paging::{Direction, Page, Step, last_page};
use exit3_domain::search;

use super::Harness;
use super::clients::client;
use super::model::{Dice, all_pages, all_steps, last, orders, page, sorted};
use crate::builders::{act, at, lead, some_act};

fn searching(query: &str) -> ClientFilter {
    ClientFilter { words: search::words(query).unwrap(), ..ClientFilter::default() }
}

fn kinds() -> Vec<ClientFilter> {
    let all = ClientFilter::default();
    let categories = Some(vec![LeadCategory::WebDev, LeadCategory::SalesAuto]);
    let team_id = Some("T2".to_owned());
    vec![
        all.clone(),
        ClientFilter { categories: categories.clone(), ..all.clone() },
        ClientFilter { categories: Some(Vec::new()), ..all.clone() },
        ClientFilter { categories: Some(LeadCategory::ALL.to_vec()), ..all.clone() },
        ClientFilter { team_id: team_id.clone(), ..all.clone() },
        ClientFilter { team_id: Some("t2".to_owned()), ..all.clone() },
        ClientFilter { team_id: Some("T2\0".to_owned()), ..all.clone() },
        ClientFilter { has_contract: Some(true), ..all.clone() },
        ClientFilter { has_contract: Some(false), ..all.clone() },
        ClientFilter { lead: Some(LeadId(1)), ..all.clone() },
        ClientFilter { lead: Some(LeadId(i64::MAX)), ..all },
        searching("shop"),
        searching("ana"),
        searching("ana shop"),
        ClientFilter { categories, team_id, has_contract: Some(true), ..searching("acme") },
    ]
}

/// Stores clients with mixed content. Many have a lead, and many of their values are the same.
async fn fill(harness: &Harness, count: usize) -> Vec<(Client, Option<Lead>)> {
    let mut dice = Dice::new(5);
    let mut stored = Vec::new();
    for _ in 0..count {
        let person = lead()
            .full_name(dice.pick(&["Ana Horvat", "Đuro Šarić", "Zoë Straße"]))
            .company_name(dice.pick(&[None, Some(""), Some("Acme d.o.o."), Some("Čokolada")]))
            .build();
        let person = match dice.roll(3) {
            0 => None,
            _ => Some(harness.leads.create(&person, &act(at(5))).await.unwrap()),
        };
        let new = NewClient {
            lead: person.as_ref().map(|person| person.id),
            team_id: dice.pick(&["T1", "T2", "t1", "Đ", ""]).to_owned(),
            monthly_charge: dice.pick(&[
                None,
                Money::charge(0),
                Money::charge(120_050),
                Money::kept(-500),
            ]),
            one_time_charge: dice.pick(&[None, Money::charge(9_999_999_999), Money::charge(7)]),
            contract_file: dice.pick(&[None, Some(""), Some("2026/a.pdf")]).map(str::to_owned),
            short_description: dice.pick(&["", "Webshop", "An app\nfor Ana"]).to_owned(),
            category: dice.pick(LeadCategory::ALL),
        };
        stored.push((harness.clients.create(&new, &some_act()).await.unwrap(), person));
    }
    stored
}

/// The clients that a list must show, in order.
fn expected(
    stored: &[(Client, Option<Lead>)],
    filter: &ClientFilter,
    order: ClientOrder,
) -> Vec<Client> {
    let matches = |(client, lead): &&(Client, Option<Lead>)| {
        let ClientFilter { categories, team_id, lead: of_lead, has_contract, words } = filter;
        let details = &client.details;
        let documents = [
            Some(details.search_document()),
            lead.as_ref().map(|lead| lead.details.search_document()),
        ];
        let has = |word: &String| documents.iter().flatten().any(|one| one.contains(word));
        categories.as_ref().is_none_or(|any| any.contains(&details.category))
            && team_id.as_ref().is_none_or(|team| *team == details.team_id)
            && of_lead.is_none_or(|lead| details.lead == Some(lead))
            && has_contract.is_none_or(|wanted| client.has_contract() == wanted)
            && words.iter().all(has)
    };
    sorted(stored.iter().filter(matches).map(|(client, _)| client.clone()).collect(), order)
}

async fn listed(
    harness: &Harness,
    filter: &ClientFilter,
    order: ClientOrder,
    size: u32,
) -> Vec<Client> {
    all_pages(filter, size, |page| harness.clients.list(filter, order, page)).await
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    for filter in kinds() {
        let list = |request| harness.clients.list(&filter, ClientOrder::NEWEST, request);
        for request in [page(1, 50), last(50)] {
            let empty = Page { count: 0, number: 1, rows: Vec::new() };
            assert_eq!(list(request).await.unwrap(), Some(empty));
        }
        for number in [0, 2, u64::MAX] {
            assert_eq!(list(page(number, 50)).await.unwrap(), None);
        }
        assert_eq!(harness.clients.totals(&filter).await.unwrap(), ClientTotals::default());
    }
}

pub async fn every_order_and_filter_is_that_of_the_reference(harness: &Harness) {
    let stored = fill(harness, 60).await;
    for filter in kinds() {
        for order in orders::<ClientSort>() {
            let wanted = expected(&stored, &filter, order);
            assert_eq!(listed(harness, &filter, order, 7).await, wanted, "{filter:?} {order}");
            let count = u64::try_from(wanted.len()).unwrap();
            let end = last_page(count, 7);
            let before = usize::try_from((end - 1) * 7).unwrap();
            let found = harness.clients.list(&filter, order, last(7)).await.unwrap().unwrap();
            assert_eq!((found.count, found.number), (count, end), "{filter:?} {order}");
            assert_eq!(found.rows, wanted[before..], "{filter:?} {order}");
            let beyond = harness.clients.list(&filter, order, page(end + 1, 7)).await.unwrap();
            assert_eq!(beyond, None);
        }
    }
}

pub async fn walks_equal_the_list_in_every_order(harness: &Harness) {
    let stored = fill(harness, 40).await;
    for filter in kinds() {
        for order in orders::<ClientSort>() {
            let wanted = expected(&stored, &filter, order);
            for direction in [Direction::Forward, Direction::Backward] {
                for size in [1, 7, 200] {
                    let walk = async |step: Step| harness.clients.walk(&filter, order, &step).await;
                    let found = all_steps(order, direction, size, walk).await;
                    assert_eq!(found, wanted, "{filter:?} {order} {direction:?} {size}");
                }
            }
        }
    }
}

pub async fn totals_add_up_the_charges_of_a_list(harness: &Harness) {
    let stored = fill(harness, 40).await;
    for filter in kinds() {
        let wanted = expected(&stored, &filter, ClientOrder::NEWEST);
        let sum = |charge: fn(&NewClient) -> Option<Money>| {
            let charges = wanted.iter().filter_map(|client| charge(&client.details));
            MoneyTotal(charges.map(Money::hundredths).sum())
        };
        let totals = harness.clients.totals(&filter).await.unwrap();
        assert_eq!(totals.count, u64::try_from(wanted.len()).unwrap(), "{filter:?}");
        assert_eq!(totals.monthly, sum(|details| details.monthly_charge), "{filter:?}");
        assert_eq!(totals.one_time, sum(|details| details.one_time_charge), "{filter:?}");
    }
}

async fn hits(harness: &Harness, query: &str) -> usize {
    listed(harness, &searching(query), ClientOrder::NEWEST, 50).await.len()
}

pub async fn search_finds_the_texts_of_a_client_and_of_its_lead(harness: &Harness) {
    let person = lead().full_name("Đuro Šarić").company_name(Some("Acme")).build();
    let person = harness.leads.create(&person, &act(at(5))).await.unwrap();
    let with = NewClient {
        lead: Some(person.id),
        short_description: "Webshop 100%".into(),
        ..client("T_1")
    };
    harness.clients.create(&with, &some_act()).await.unwrap();
    harness.clients.create(&client("T21"), &some_act()).await.unwrap();
    for (query, found) in [
        ("webshop", 1),
        ("WEB", 1),
        ("t_1", 1),
        ("t", 2),
        ("100%", 1),
        ("0%0", 0),
        ("saric", 1),
        ("šarić acme", 1),
        // One word is in the client, the other in its lead.
        ("webshop duro", 1),
        ("t21 duro", 0),
        ("shop t", 1),
        ("\0", 0),
        ("", 2),
    ] {
        assert_eq!(hits(harness, query).await, found, "{query}");
    }
}

pub async fn search_follows_every_change(harness: &Harness) {
    let person = lead().full_name("Ana Horvat").email(None).build();
    let person = harness.leads.create(&person, &act(at(5))).await.unwrap();
    let created = harness.clients.create(&client("First"), &some_act()).await.unwrap();
    let details = NewClient { lead: Some(person.id), ..client("Šecond") };
    let changed = harness.clients.update(&created, &details, &some_act()).await.unwrap();
    assert_eq!((hits(harness, "first").await, hits(harness, "second ana").await), (0, 1));
    let renamed = lead().full_name("Eva Horvat").email(None).build();
    let renamed = harness.leads.update(&person, &renamed, &person.work, &act(at(9))).await.unwrap();
    assert_eq!((hits(harness, "ana").await, hits(harness, "eva").await), (0, 1));
    harness.leads.delete(&renamed, &some_act()).await.unwrap();
    assert_eq!((hits(harness, "eva").await, hits(harness, "second").await), (0, 1));
    let now = harness.clients.find(changed.id).await.unwrap().unwrap();
    harness.clients.delete(&now, &some_act()).await.unwrap();
    assert_eq!(hits(harness, "second").await, 0);
    harness.clients.restore(&now, &some_act()).await.unwrap();
    assert_eq!(hits(harness, "second").await, 1);
}
