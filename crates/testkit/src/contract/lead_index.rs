//! What a search finds while rows are written and the search index is behind.

use exit3_domain::leads::{Lead, LeadFilter, LeadOrder, LeadSort, LeadStatus};
use exit3_domain::paging::{Direction, Step};
use exit3_ports::Value;

use super::Harness;
use super::model::{Dice, any_lead, expected, fill, listed, searching, walked};
use super::undo_quiet::change;
use crate::builders::{act, at, lead, some_act};

/// Words that many, few and no leads have, with and without trigrams.
const QUERIES: &[&str] = &[
    "ana",
    "horvat",
    "đaković",
    "sales@straße",
    "0038512345",
    "seven",
    "seven horvat",
    "ferris",
    "ß",
    "an",
    "an seven",
    "nobody",
    "\"quote\"",
    "100%",
];

/// Compares searches with a scan of the stored leads.
async fn compare(harness: &Harness, stored: &[Lead], dice: &mut Dice) {
    let leads = harness.leads.as_ref();
    for query in QUERIES {
        let all = searching(query);
        let some = LeadFilter { statuses: Some(vec![dice.pick(LeadStatus::ALL)]), ..all.clone() };
        for filter in [all, some] {
            let order = LeadOrder { by: dice.pick(LeadSort::ALL), descending: dice.roll(2) == 0 };
            let wanted = expected(stored, &filter, order);
            let size = dice.pick(&[3, 50]);
            assert_eq!(listed(leads, &filter, order, size).await, wanted, "{filter:?} {order:?}");
            let direction = dice.pick(&[Direction::Forward, Direction::Backward]);
            let found = walked(leads, &filter, order, direction, size).await;
            assert_eq!(found, wanted, "{filter:?} {order:?} {direction:?}");
            let step = Step { from: None, direction: Direction::Forward, size };
            let page = leads.page(&filter, order, &step).await.unwrap();
            let first = &wanted[..wanted.len().min(size as usize)];
            if page.glance.is_cut_short {
                assert!(page.glance.slice.rows.iter().all(|lead| wanted.contains(lead)));
            } else {
                assert_eq!(page.glance.slice.rows, first, "{filter:?} {order:?}");
            }
        }
    }
}

pub async fn equals_a_scan_while_others_write_and_the_index_is_behind(harness: &Harness) {
    let leads = harness.leads.as_ref();
    let mut stored = fill(harness, 150).await;
    let (mut dice, mut gone) = (Dice::new(21), Vec::<Lead>::new());
    let rare = lead().full_name("Seven Horvat").build();
    for round in 0..12 {
        for _ in 0..dice.roll(25) {
            match dice.roll(5) {
                0 => {
                    let (new, now) = any_lead(&mut dice);
                    let new = if dice.roll(3) == 0 { rare.clone() } else { new };
                    stored.push(leads.create(&new, &act(now)).await.unwrap());
                }
                1 if !stored.is_empty() => {
                    let lead = stored.swap_remove(dice.roll(stored.len()));
                    leads.delete(&lead, &some_act()).await.unwrap();
                    gone.push(lead);
                }
                2 if !gone.is_empty() => {
                    let lead = gone.swap_remove(dice.roll(gone.len()));
                    leads.restore(&lead, None, &some_act()).await.unwrap();
                    stored.push(lead);
                }
                _ if !stored.is_empty() => {
                    let place = dice.roll(stored.len());
                    let (new, _) = any_lead(&mut dice);
                    let new = if dice.roll(3) == 0 { rare.clone() } else { new };
                    let seen = &stored[place];
                    let updated = leads.update(seen, &new, &seen.work, &some_act()).await;
                    stored[place] = updated.unwrap();
                }
                _ => {}
            }
        }
        let most = dice.pick(&[0, 1, 7, 40, 1000]);
        if most > 0 {
            (harness.index_leads)(most).await;
        }
        if round % 2 == 0 {
            compare(harness, &stored, &mut dice).await;
        }
    }
    while (harness.index_leads)(50).await > 0 {}
    compare(harness, &stored, &mut dice).await;
}

/// Stores one lead and brings the index up to date.
async fn indexed(harness: &Harness, name: &str) -> Lead {
    let stored = harness.leads.create(&lead().full_name(name).build(), &some_act()).await.unwrap();
    while (harness.index_leads)(10).await > 0 {}
    stored
}

/// The number of leads that a search finds.
async fn hits(harness: &Harness, query: &str) -> usize {
    listed(harness.leads.as_ref(), &searching(query), LeadOrder::NEWEST, 50).await.len()
}

pub async fn forgets_what_a_lead_was_before(harness: &Harness) {
    let leads = harness.leads.as_ref();
    let old = indexed(harness, "Oldname").await;
    let hits = async |query| hits(harness, query).await;
    let new = lead().full_name("Newname").build();
    let new = leads.update(&old, &new, &old.work, &act(at(1_790_000_000_000_001))).await.unwrap();
    assert_eq!((hits("oldname").await, hits("newname").await), (0, 1));
    (harness.index_leads)(10).await;
    assert_eq!((hits("oldname").await, hits("newname").await), (0, 1));
    leads.delete(&new, &some_act()).await.unwrap();
    assert_eq!(hits("newname").await, 0);
    // It is stored again before or after the index has noticed its removal.
    leads.restore(&new, None, &some_act()).await.unwrap();
    assert_eq!(hits("newname").await, 1);
    leads.delete(&new, &some_act()).await.unwrap();
    while (harness.index_leads)(10).await > 0 {}
    leads.restore(&old, None, &some_act()).await.unwrap();
    assert_eq!((hits("oldname").await, hits("newname").await), (1, 0));
    while (harness.index_leads)(10).await > 0 {}
    assert_eq!((hits("oldname").await, hits("newname").await), (1, 0));
}

/// An import and a restore replace rows, and may do so several times before the index notices.
pub async fn a_replaced_lead_is_found_by_what_it_is_now(harness: &Harness) {
    let stored = indexed(harness, "Oldname").await;
    let hits = async |query| hits(harness, query).await;
    for name in ["Secondname", "Thirdname"] {
        let name = [("full_name", Value::Text(name.to_owned()))];
        change(harness, "leads", stored.id.0, &name).await;
    }
    for _ in 0..2 {
        assert_eq!((hits("oldname").await, hits("secondname").await), (0, 0));
        assert_eq!(hits("thirdname").await, 1);
        while (harness.index_leads)(10).await > 0 {}
    }
}
