use exit3_domain::access::Worker;
use exit3_domain::clients::{Money, lead_taken};
use exit3_domain::leads::{LeadCategory, LeadWork};
use exit3_domain::staff::Role;
use exit3_domain::versions::{Version, Versions};
use exit3_ports::Constraint;
use exit3_ports::clients::LEAD_TAKEN;

use super::*;
use crate::testing::{self, Mocks, author, doer};

const ANY: Expected = Expected { only: None, except: None };
const ID: ClientId = ClientId(7);

fn stored() -> Client {
    let details = NewClient {
        lead: Some(LeadId(3)),
        team_id: "T1".into(),
        monthly_charge: Money::charge(120_050),
        one_time_charge: None,
        contract_file: Some("a.pdf".into()),
        short_description: String::new(),
        category: LeadCategory::WebDev,
    };
    Client { id: ID, details }
}

fn values(fields: &[(&str, &str)]) -> Vec<(String, RawValue)> {
    let given = |(name, text): &(&str, &str)| ((*name).to_owned(), RawValue::text(*text));
    fields.iter().map(given).collect()
}

/// A form that was rendered from the stored client.
fn form(fields: &[(&str, &str)]) -> Edit {
    Edit { version: Version::of(&stored()), base: Vec::new(), values: values(fields) }
}

fn of(role: Role) -> Doer {
    Doer::worker(author(), Worker { id: StaffId(5), role })
}

/// The stored client, whose lead has this owner. Every write succeeds.
fn owned(owner: Option<i64>) -> App {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(move |id| {
        let work = LeadWork { owner: owner.map(StaffId), ..LeadWork::default() };
        Ok(Some(Lead { work, ..testing::stored(id.0) }))
    });
    let clients = &mut mocks.repositories.clients;
    clients.expect_find().returning(|_| Ok(Some(stored())));
    let created = |details: &NewClient| Ok(Client { id: ID, details: details.clone() });
    clients.expect_create().returning(move |new, _| created(new));
    clients.expect_convert().returning(move |_, _, new, _| created(new));
    clients.expect_update().returning(move |_, details, _| created(details));
    clients.expect_delete().returning(|_, _| Ok(()));
    mocks.into_app()
}

#[tokio::test]
async fn each_role_does_to_clients_what_it_may() {
    // The role, the owner of the lead, and who may create, convert, edit, charge, assign, delete.
    for (role, owner, expected) in [
        (Role::Owner, Some(6), [true; 6]),
        (Role::Manager, None, [true; 6]),
        (Role::Sales, Some(5), [false, true, true, true, false, false]),
        (Role::Sales, Some(6), [false; 6]),
        (Role::Sales, None, [false, true, false, false, false, false]),
        (Role::Viewer, Some(5), [false; 6]),
    ] {
        let (app, doer) = (owned(owner), of(role));
        let new = || values(&[("team_id", "T1")]);
        let outcomes = [
            create_by_staff(&app, new(), &doer).await.err(),
            convert(&app, LeadId(3), &ANY, new(), &doer).await.err(),
            edit(&app, ID, form(&[("team_id", "T2")]), &doer).await.err(),
            edit(&app, ID, form(&[("one_time_charge", "7")]), &doer).await.err(),
            edit(&app, ID, form(&[("lead", "")]), &doer).await.err(),
            delete_by_staff(&app, ID, &ANY, &doer).await.err(),
        ];
        for (place, (outcome, allowed)) in outcomes.iter().zip(expected).enumerate() {
            let is_refused = matches!(outcome, Some(EditError::Forbidden(_)));
            assert!(outcome.is_none() || is_refused, "{role} {owner:?} {place}: {outcome:?}");
            assert_eq!(!is_refused, allowed, "{role} {owner:?} {place}");
        }
    }
}

#[tokio::test]
async fn the_lead_of_a_conversion_is_the_one_that_was_asked_for() {
    let mut mocks = Mocks::new();
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().returning(|id| Ok(Some(testing::stored(id.0))));
    let clients = &mut mocks.repositories.clients;
    clients.expect_convert().times(1).returning(|seen, _, new, _| {
        assert_eq!((seen.id, new.lead), (LeadId(3), None));
        Ok(Client { id: ID, details: new.clone() })
    });
    let form = values(&[("team_id", "T1"), ("lead", "8")]);
    convert(&mocks.into_app(), LeadId(3), &ANY, form, &doer()).await.unwrap();
}

#[tokio::test]
async fn sales_own_the_leads_of_nobody_that_they_convert() {
    for (role, before, after) in [
        (Role::Sales, None, Some(5)),
        (Role::Sales, Some(5), Some(5)),
        (Role::Manager, None, None),
        (Role::Manager, Some(6), Some(6)),
    ] {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().returning(move |id| {
            let work = LeadWork { owner: before.map(StaffId), ..LeadWork::default() };
            Ok(Some(Lead { work, ..testing::stored(id.0) }))
        });
        let clients = &mut mocks.repositories.clients;
        clients.expect_convert().times(1).returning(move |_, owner, _, _| {
            assert_eq!(owner, after.map(StaffId), "{role} {before:?}");
            Ok(stored())
        });
        let form = values(&[("team_id", "T1")]);
        convert(&mocks.into_app(), LeadId(3), &ANY, form, &of(role)).await.unwrap();
    }
}

#[tokio::test]
async fn a_lead_is_converted_only_as_it_was_seen() {
    let only = Some(Versions::These(vec![Version::named("other")]));
    let form = || values(&[("team_id", "T1")]);
    let expected = Expected { only, except: None };
    let outcome = convert(&owned(None), LeadId(3), &expected, form(), &doer()).await;
    assert!(matches!(outcome, Err(EditError::Contended)), "{outcome:?}");
    // Without a version, somebody else's change is seen and kept.
    let mut mocks = Mocks::new();
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().times(2).returning(|id| Ok(Some(testing::stored(id.0))));
    let clients = &mut mocks.repositories.clients;
    let stale = || Err(StoreError::Conflict(Constraint::Stale));
    clients.expect_convert().times(1).returning(move |_, _, _, _| stale());
    clients.expect_convert().times(1).returning(|_, _, _, _| Ok(stored()));
    convert(&mocks.into_app(), LeadId(3), &ANY, form(), &doer()).await.unwrap();
}

#[tokio::test]
async fn a_lead_is_converted_once() {
    let mut mocks = Mocks::new();
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().returning(|id| Ok((id == LeadId(3)).then(|| testing::stored(id.0))));
    let clients = &mut mocks.repositories.clients;
    let taken = || Err(StoreError::Conflict(LEAD_TAKEN));
    clients.expect_convert().times(1).returning(move |_, _, _, _| taken());
    clients.expect_find_by_lead().returning(|_| Ok(Some(stored())));
    let app = mocks.into_app();
    for form in [values(&[("team_id", "T1")]), Vec::new()] {
        let outcome = convert(&app, LeadId(3), &ANY, form, &doer()).await;
        let Err(EditError::Invalid(invalid)) = outcome else { panic!("{outcome:?}") };
        assert!(invalid.fields().any(|field| Some(field) == lead_taken().fields().next()));
    }
    let outcome = convert(&app, LeadId(4), &ANY, Vec::new(), &doer()).await;
    assert!(matches!(outcome, Err(EditError::NotFound)));
}

#[tokio::test]
async fn a_form_that_changes_nothing_writes_nothing() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|id| Ok(Some(testing::stored(id.0))));
    mocks.repositories.clients.expect_find().returning(|_| Ok(Some(stored())));
    mocks.repositories.clients.expect_update().never();
    let form = form(&[("team_id", " T1 "), ("monthly_charge", "1200.5"), ("lead", "3")]);
    assert_eq!(edit(&mocks.into_app(), ID, form, &doer()).await.unwrap(), stored());
}

#[tokio::test]
async fn a_field_that_both_changed_is_a_conflict_and_others_merge() {
    let now = || {
        let details = NewClient { team_id: "T9".into(), ..stored().details };
        Client { details, ..stored() }
    };
    let app = || {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().returning(|id| Ok(Some(testing::stored(id.0))));
        let clients = &mut mocks.repositories.clients;
        clients.expect_find().times(1).returning(|_| Ok(Some(stored())));
        clients.expect_find().times(1).returning(move |_| Ok(Some(now())));
        let stale = || Err(StoreError::Conflict(Constraint::Stale));
        clients.expect_update().times(1).returning(move |_, _, _| stale());
        clients
            .expect_update()
            .returning(|_, details, _| Ok(Client { id: ID, details: details.clone() }));
        mocks.into_app()
    };
    let outcome = edit(&app(), ID, form(&[("team_id", "T2")]), &doer()).await;
    let Err(EditError::Conflicts(conflicts)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((conflicts.fields.len(), conflicts.fields[0].field), (1, "team_id"));
    let merged = edit(&app(), ID, form(&[("category", "sales_auto")]), &doer()).await.unwrap();
    assert_eq!(merged.details.team_id, "T9");
    assert_eq!(merged.details.category, LeadCategory::SalesAuto);
}

#[tokio::test]
async fn staff_delete_only_the_version_that_they_saw() {
    let only = Some(Versions::These(vec![Version::named("other")]));
    let expected = Expected { only, except: None };
    let outcome = delete_by_staff(&owned(None), ID, &expected, &doer()).await;
    assert!(matches!(outcome, Err(EditError::Contended)), "{outcome:?}");
}
