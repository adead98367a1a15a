use exit3_domain::leads::{LeadFilter, LeadId, LeadOrder};
use exit3_domain::paging::{Direction, Glance, Page, Slice};

use super::*;
use crate::testing::{Mocks, stored};

fn glance(ids: &[i64]) -> Glance<Lead> {
    let rows = ids.iter().map(|id| stored(*id)).collect();
    let slice = Slice { rows, has_next: false, has_previous: false };
    Glance { slice, is_cut_short: false }
}

#[tokio::test]
async fn neighbours_are_a_step_in_either_direction() {
    let mut mocks = Mocks::new();
    let at = LeadOrder::NEWEST.position(&stored(7));
    mocks
        .repositories
        .leads
        .expect_glance()
        .withf(move |_, _, step| step.from.as_ref() == Some(&at) && step.size == 1)
        .returning(|_, _, step| match step.direction {
            Direction::Backward => Ok(glance(&[8])),
            Direction::Forward => Ok(glance(&[])),
        });
    let filter = LeadFilter::default();
    let found = neighbours(&mocks.into_app(), &filter, LeadOrder::NEWEST, &stored(7)).await;
    assert_eq!(found.unwrap(), Neighbours { previous: Some(LeadId(8)), next: None });
}

#[tokio::test]
async fn suggests_the_newest_leads_with_the_typed_words() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .leads
        .expect_glance()
        .times(1)
        .withf(|filter, order, step| {
            filter.words == ["ana", "ho"] && *order == LeadOrder::NEWEST && step.size == 8
        })
        .returning(|_, _, _| Ok(glance(&[2, 1])));
    let app = mocks.into_app();
    assert_eq!(suggest(&app, " Ana HO").await.unwrap(), [stored(2), stored(1)]);
    let too_many = (0..300).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    for nothing in ["", "  ", &too_many] {
        assert_eq!(suggest(&app, nothing).await.unwrap(), []);
    }
}

#[tokio::test]
async fn nobody_is_looked_for_without_a_contact() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_with_contact().never();
    let mut lead = stored(7);
    (lead.details.email, lead.details.phone_number) = (None, Some("123".to_owned()));
    assert_eq!(with_contact(&mocks.into_app(), &lead, 5).await.unwrap(), []);
}

#[tokio::test]
async fn others_are_looked_for_with_the_contacts_of_a_lead() {
    let mut mocks = Mocks::new();
    let lead = stored(7);
    let contacts = lead.details.contacts();
    assert!(!contacts.is_empty());
    mocks
        .repositories
        .leads
        .expect_with_contact()
        .withf(move |given, except, most| {
            given == contacts && *except == Some(LeadId(7)) && *most == 5
        })
        .returning(|_, _, _| Ok(vec![stored(9)]));
    assert_eq!(with_contact(&mocks.into_app(), &lead, 5).await.unwrap(), [stored(9)]);
}

#[tokio::test]
async fn counts_exactly_on_request() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .leads
        .expect_list()
        .withf(|_, order, page| *order == LeadOrder::NEWEST && page.size == 1)
        .returning(|_, _, _| Ok(Some(Page { count: 4321, number: 1, rows: vec![stored(1)] })));
    let (app, all) = (mocks.into_app(), LeadFilter::default());
    assert_eq!(count(&app, &all, LeadOrder::NEWEST).await.unwrap(), 4321);
}
