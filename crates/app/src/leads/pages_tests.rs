use exit3_domain::leads::{LeadFilter, LeadId, LeadOrder, LeadStatus};
use exit3_domain::paging::{Direction, Page, Slice, Step};

use super::*;
use crate::testing::{Mocks, stored};

fn slice(ids: &[i64]) -> Slice<Lead> {
    let rows = ids.iter().map(|id| Lead { id: LeadId(*id), ..stored(1) }).collect();
    Slice { rows, has_next: false, has_previous: false }
}

#[tokio::test]
async fn a_page_counts_each_status_and_those_that_are_chosen() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_walk().returning(|_, _, _| Ok(slice(&[1])));
    mocks.repositories.leads.expect_list().returning(|filter, _, _| {
        let [status] = filter.statuses.as_deref().unwrap() else { panic!("{filter:?}") };
        let number = LeadStatus::ALL.iter().position(|one| one == status).unwrap() as u64;
        Ok(Some(Page { count: 10 + number, number: 1, rows: Vec::new() }))
    });
    let app = mocks.into_app();
    let step = Step { from: None, direction: Direction::Forward, size: 50 };
    let chosen = [LeadStatus::New, LeadStatus::Interested];
    let filter = LeadFilter { statuses: Some(chosen.to_vec()), ..LeadFilter::default() };
    let found = page(&app, &filter, LeadOrder::NEWEST, &step).await.unwrap();
    assert_eq!(found.count, 10 + 12);
    assert_eq!(found.by_status.len(), LeadStatus::ALL.len());
    let all = page(&app, &LeadFilter::default(), LeadOrder::NEWEST, &step).await.unwrap();
    assert_eq!(all.count, 10 + 11 + 12 + 13 + 14 + 15);
}

#[tokio::test]
async fn neighbours_are_one_step_away_in_both_directions() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_walk().times(2).returning(|_, order, step| {
        assert_eq!((step.from.as_ref(), step.size), (Some(&order.position(&stored(1))), 1));
        Ok(slice(if step.direction == Direction::Forward { &[8] } else { &[] }))
    });
    let app = mocks.into_app();
    let found =
        neighbours(&app, &LeadFilter::default(), LeadOrder::NEWEST, &stored(1)).await.unwrap();
    assert_eq!(found, Neighbours { previous: None, next: Some(LeadId(8)) });
}

#[tokio::test]
async fn other_leads_of_a_person_have_the_same_contact_and_not_just_a_similar_one() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_walk().returning(|_, _, _| {
        let mut found = slice(&[7, 8, 9]);
        let similar = found.rows.last_mut().unwrap();
        similar.details.email = Some("xana@acme.hr".into());
        similar.details.phone_number = None;
        Ok(found)
    });
    let app = mocks.into_app();
    let known = Lead { id: LeadId(7), ..stored(1) };
    let found = with_contact(&app, &known, 5).await.unwrap();
    assert_eq!(found.iter().map(|lead| lead.id.0).collect::<Vec<_>>(), [8]);
}

#[tokio::test]
async fn nothing_is_suggested_for_no_words() {
    let app = Mocks::new().into_app();
    assert_eq!(suggest(&app, " \t ").await.unwrap(), []);
}
