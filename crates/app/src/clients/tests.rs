use exit3_domain::clients::Money;
use exit3_domain::events::Act;
use exit3_domain::leads::{LeadCategory, LeadStatus};
use exit3_domain::raw::RawValue;
use exit3_domain::versions::{Version, Versions};
use exit3_ports::Constraint;

use super::*;
use crate::testing::{self, Mocks, act, author, away};

const ANY: Expected = Expected { only: None, except: None };
const ID: ClientId = ClientId(7);

/// A stored client without a lead.
fn stored() -> Client {
    let details = NewClient {
        lead: None,
        team_id: "T1".into(),
        monthly_charge: Money::charge(120_050),
        one_time_charge: None,
        contract_file: Some("a.pdf".into()),
        short_description: String::new(),
        category: LeadCategory::WebDev,
    };
    Client { id: ID, details }
}

fn stale() -> StoreError {
    StoreError::Conflict(Constraint::Stale)
}

fn input(fields: &[(&str, &str)]) -> ClientInput {
    let given = |(name, text): &(&str, &str)| ((*name).to_owned(), RawValue::text(*text));
    ClientInput::of(fields.iter().map(given).collect())
}

fn of_lead_three() -> ClientInput {
    input(&[("team_id", "T1"), ("lead", "3")])
}

/// What a port stores, as the database answers.
fn created(client: &NewClient) -> Client {
    Client { id: ID, details: client.clone() }
}

fn codes(invalid: &Invalid) -> Vec<(&str, &str)> {
    let fields = invalid.fields();
    fields.flat_map(|(name, all)| all.iter().map(move |one| (name, one.code))).collect()
}

fn invalid<T: std::fmt::Debug>(outcome: Result<T, SaveError>) -> Invalid {
    match outcome {
        Err(SaveError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_without_a_lead_is_stored_alone() {
    let mut mocks = Mocks::new();
    let clients = &mut mocks.repositories.clients;
    clients
        .expect_create()
        .times(1)
        .withf(|_, by| *by == act())
        .returning(|new, _| Ok(created(new)));
    let stored = create(&mocks.into_app(), input(&[("team_id", "T1")]), &author()).await.unwrap();
    assert_eq!((stored.row.details.team_id.as_str(), stored.row.details.lead), ("T1", None));
}

#[tokio::test]
async fn a_client_with_a_lead_converts_it_in_the_state_that_was_seen() {
    let mut mocks = Mocks::new();
    let contacted = || {
        let mut lead = testing::stored(3);
        lead.details.status = LeadStatus::Contacted;
        lead
    };
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().times(1).returning(|id| Ok(Some(testing::stored(id.0))));
    leads.expect_find().times(1).returning(move |_| Ok(Some(contacted())));
    let clients = &mut mocks.repositories.clients;
    clients.expect_create().never();
    clients
        .expect_convert()
        .times(1)
        .withf(|seen, _, _, _| *seen == testing::stored(3))
        .returning(|_, _, _, _| Err(stale()));
    clients
        .expect_convert()
        .times(1)
        .withf(move |seen, _, _, by: &Act| *seen == contacted() && *by == act())
        .returning(|_, _, new, _| Ok(created(new)));
    let stored = create(&mocks.into_app(), of_lead_three(), &author()).await.unwrap();
    assert_eq!(stored.row.details.lead, Some(LeadId(3)));
}

#[tokio::test]
async fn a_lead_that_is_taken_or_gone_is_an_error_of_its_field() {
    let missing = || async {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().returning(|_| Ok(None));
        invalid(create(&mocks.into_app(), of_lead_three(), &author()).await)
    };
    assert_eq!(missing().await, unknown_lead());
    for (error, expected) in
        [(StoreError::Conflict(LEAD_TAKEN), lead_taken()), (StoreError::NotFound, unknown_lead())]
    {
        let mut mocks = Mocks::new();
        let leads = &mut mocks.repositories.leads;
        leads.expect_find().returning(|id| Ok(Some(testing::stored(id.0))));
        let clients = &mut mocks.repositories.clients;
        clients.expect_convert().times(1).return_once(|_, _, _, _| Err(error));
        let outcome = create(&mocks.into_app(), of_lead_three(), &author()).await;
        assert_eq!(invalid(outcome), expected);
    }
}

#[tokio::test]
async fn a_wrong_lead_is_reported_together_with_other_errors() {
    for (holder, exists, expected) in [
        (Some(7), true, Some(("lead", "unique"))),
        (None, false, Some(("lead", "does_not_exist"))),
        (None, true, None),
    ] {
        let mut mocks = Mocks::new();
        let clients = &mut mocks.repositories.clients;
        clients
            .expect_find_by_lead()
            .returning(move |_| Ok(holder.map(|id| Client { id: ClientId(id), ..stored() })));
        let leads = &mut mocks.repositories.leads;
        leads.expect_find().returning(move |id| Ok(exists.then(|| testing::stored(id.0))));
        let app = mocks.into_app();
        let invalid = invalid(create(&app, input(&[("lead", "3")]), &author()).await);
        let codes = codes(&invalid);
        assert!(codes.contains(&("team_id", "required")), "{codes:?}");
        assert_eq!(codes.iter().find(|(name, _)| *name == "lead").copied(), expected);
    }
}

#[tokio::test]
async fn invalid_input_never_reaches_the_database() {
    let mut mocks = Mocks::new();
    mocks.repositories.clients.expect_create().never();
    mocks.repositories.clients.expect_convert().never();
    let app = mocks.into_app();
    let invalid = invalid(create(&app, input(&[("monthly_charge", "-1")]), &author()).await);
    assert_eq!(codes(&invalid), [("team_id", "required"), ("monthly_charge", "min_value")]);
}

#[tokio::test]
async fn a_database_that_is_away_is_no_error_of_the_input() {
    let mut mocks = Mocks::new();
    mocks.repositories.clients.expect_create().returning(|_, _| Err(away()));
    let outcome = create(&mocks.into_app(), input(&[("team_id", "T1")]), &author()).await;
    assert!(matches!(outcome, Err(SaveError::Store(_))));
}

#[tokio::test]
async fn a_change_is_applied_to_what_others_wrote_meanwhile() {
    let mut mocks = Mocks::new();
    let now = || {
        let details = NewClient { short_description: "new".into(), ..stored().details };
        Client { details, ..stored() }
    };
    let clients = &mut mocks.repositories.clients;
    clients.expect_find().times(1).returning(|_| Ok(Some(stored())));
    clients.expect_find().times(1).returning(move |_| Ok(Some(now())));
    clients.expect_update().times(1).returning(|_, _, _| Err(stale()));
    clients.expect_update().times(1).returning(|_, details, _| Ok(created(details)));
    let app = mocks.into_app();
    let changed = change(&app, ID, input(&[("team_id", "T2")]), &ANY, &author()).await.unwrap();
    let expected =
        NewClient { team_id: "T2".into(), short_description: "new".into(), ..stored().details };
    assert_eq!(changed.details, expected);
}

#[tokio::test]
async fn a_replacement_must_name_the_team_and_keeps_the_contract() {
    let mut mocks = Mocks::new();
    let clients = &mut mocks.repositories.clients;
    clients.expect_find().returning(|_| Ok(Some(stored())));
    clients.expect_update().times(1).returning(|_, details, _| Ok(created(details)));
    let app = mocks.into_app();
    let outcome = replace(&app, ID, ClientInput::default(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Invalid(_))));
    let replaced = replace(&app, ID, input(&[("team_id", "T2")]), &ANY, &author()).await.unwrap();
    assert_eq!(replaced.details.contract_file, stored().details.contract_file);
}

#[tokio::test]
async fn a_change_to_a_wrong_lead_is_an_error_of_its_field() {
    for (rule, expected) in [(LEAD_TAKEN, lead_taken()), (LEAD_MISSING, unknown_lead())] {
        let mut mocks = Mocks::new();
        let clients = &mut mocks.repositories.clients;
        clients.expect_find().returning(|_| Ok(Some(stored())));
        clients.expect_update().returning(move |_, _, _| Err(StoreError::Conflict(rule)));
        let outcome = change(&mocks.into_app(), ID, input(&[("lead", "3")]), &ANY, &author()).await;
        let Err(UpdateError::Invalid(invalid)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(invalid, expected);
    }
}

#[tokio::test]
async fn only_expected_versions_are_changed_and_deleted() {
    let expected =
        |version: Version| Expected { only: Some(Versions::These(vec![version])), except: None };
    let mut mocks = Mocks::new();
    let clients = &mut mocks.repositories.clients;
    clients.expect_find().returning(|_| Ok(Some(stored())));
    clients.expect_delete().times(1).returning(|_, _| Ok(()));
    let app = mocks.into_app();
    let other = expected(Version::named("other"));
    let outcome = change(&app, ID, input(&[("team_id", "T2")]), &other, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    let outcome = delete(&app, ID, &other, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    delete(&app, ID, &expected(Version::of(&stored())), &author()).await.unwrap();
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let mut mocks = Mocks::new();
    let clients = &mut mocks.repositories.clients;
    clients.expect_find().returning(|_| Ok(None));
    clients.expect_list().returning(|_, _, _| Ok(None));
    let app = mocks.into_app();
    assert!(matches!(find(&app, ID).await, Err(FindError::NotFound)));
    assert!(matches!(delete(&app, ID, &ANY, &author()).await, Err(UpdateError::NotFound)));
    let filter = ClientFilter::default();
    let page = list(&app, &filter, ClientOrder::NEWEST, PageRequest::first());
    assert!(matches!(page.await, Err(ListError::PastTheEnd)));
}

#[tokio::test]
async fn the_leads_of_clients_are_read_at_once() {
    let mut mocks = Mocks::new();
    let leads = &mut mocks.repositories.leads;
    leads
        .expect_find_all()
        .times(1)
        .withf(|ids| ids == [LeadId(3)])
        .returning(|ids| Ok(ids.iter().map(|id| testing::stored(id.0)).collect()));
    let app = mocks.into_app();
    let with = NewClient { lead: Some(LeadId(3)), ..stored().details };
    let clients = [stored(), Client { details: with, ..stored() }];
    assert_eq!(leads_of(&app, &clients).await.unwrap(), [testing::stored(3)]);
    assert_eq!(leads_of(&app, &[stored()]).await.unwrap(), []);
}
