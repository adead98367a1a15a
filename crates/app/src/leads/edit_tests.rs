use exit3_domain::access::Worker;
use exit3_domain::edits::{Edit, FieldTexts};
use exit3_domain::leads::NewLead;
use exit3_domain::staff::{PasswordHash, Role, Staff, StaffProfile};
use exit3_domain::versions::Version;
use exit3_ports::{Constraint, MockRepositories};

use super::*;
use crate::testing::{Mocks, act, away, doer, stored};

const ID: LeadId = LeadId(1);

fn named(name: &str) -> Lead {
    let details = NewLead { full_name: name.to_owned(), ..stored(1).details };
    Lead { details, ..stored(1) }
}

/// A form that was rendered from the stored lead, and has these values.
fn form(values: &[(&str, &str)]) -> Edit {
    let lead = stored(1);
    let base = FieldTexts::of(&lead);
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), RawValue::text(*text));
    Edit {
        version: Version::of(&lead),
        base: base.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        values: values.iter().map(pair).collect(),
    }
}

fn account(is_active: bool) -> Staff {
    Staff {
        id: StaffId(7),
        profile: StaffProfile {
            username: "ana".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            is_active,
            is_superuser: false,
            role: None,
        },
        password: PasswordHash::kept(String::new()),
        preferences: exit3_domain::staff::Preferences::default(),
        date_joined: crate::testing::now(),
        last_login: None,
    }
}

/// The lead is found as it was, and then as `now`; the first write comes too late.
fn overtaken(now: Lead) -> Mocks {
    let mut mocks = Mocks::new();
    let leads = &mut mocks.repositories.leads;
    leads.expect_find().times(1).returning(|_| Ok(Some(stored(1))));
    leads.expect_find().times(1).returning(move |_| Ok(Some(now.clone())));
    let stale = || Err(StoreError::Conflict(Constraint::Stale));
    leads.expect_update().times(1).returning(move |_, _, _, _| stale());
    mocks
}

fn updates(repositories: &mut MockRepositories) {
    repositories.leads.expect_update().times(1).returning(|seen, details, work, by| {
        assert_eq!(*by, act());
        Ok(Lead { details: details.clone(), work: work.clone(), ..seen.clone() })
    });
}

#[tokio::test]
async fn one_field_alone_can_be_changed() {
    for (field, text) in [("status", "closed"), ("next_step", "call"), ("owner", "7")] {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        mocks.repositories.staff.expect_find().returning(|_| Ok(Some(account(true))));
        updates(&mut mocks.repositories);
        let edited = edit(&mocks.into_app(), ID, form(&[(field, text)]), &doer()).await.unwrap();
        let (texts, before) = (FieldTexts::of(&edited), FieldTexts::of(&stored(1)));
        assert_eq!(texts.get(field), Some(text));
        let differing = texts.iter().filter(|(name, text)| before.get(name) != Some(*text));
        assert_eq!(differing.count(), 1);
    }
}

#[tokio::test]
async fn a_form_that_changes_nothing_writes_nothing() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    mocks.repositories.leads.expect_update().never();
    let values = [("full_name", " Ana Horvat "), ("next_step", ""), ("owner", "")];
    let edited = edit(&mocks.into_app(), ID, form(&values), &doer()).await;
    assert_eq!(edited.unwrap(), stored(1));
}

#[tokio::test]
async fn changes_that_others_make_meanwhile_stay() {
    let mut mocks = overtaken(named("Eva"));
    updates(&mut mocks.repositories);
    let mut form = form(&[("status", "closed")]);
    // A form in a row of a list sends no old texts; the lead of its version has them.
    form.base.clear();
    let edited = edit(&mocks.into_app(), ID, form, &doer()).await.unwrap();
    assert_eq!(edited.details.full_name, "Eva");
    assert_eq!(edited.details.status.as_str(), "closed");
}

#[tokio::test]
async fn a_conflict_writes_nothing() {
    let mocks = overtaken(named("Eva"));
    let mut form = form(&[("full_name", "Iva")]);
    form.base.clear();
    let outcome = edit(&mocks.into_app(), ID, form, &doer()).await;
    let Err(EditError::Conflicts(conflicts)) = outcome else { panic!("{outcome:?}") };
    let [conflict] = conflicts.fields.as_slice() else { panic!("{conflicts:?}") };
    assert_eq!(conflict.original.as_deref(), Some("Ana Horvat"));
    assert_eq!((conflict.yours.as_str(), conflict.theirs.as_str()), ("Iva", "Eva"));
    assert_eq!(conflicts.version, Version::of(&named("Eva")));
}

#[tokio::test]
async fn invalid_values_missing_leads_and_failures_are_told_apart() {
    let outcome = async |found: Result<Option<Lead>, StoreError>, values: &[(&str, &str)]| {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().return_once(|_| found);
        edit(&mocks.into_app(), ID, form(values), &doer()).await.unwrap_err()
    };
    let wrong = [("status", "x"), ("next_step_at", "x")];
    let EditError::Invalid(invalid) = outcome(Ok(Some(stored(1))), &wrong).await else {
        panic!("the values are invalid")
    };
    assert!(invalid.fields().map(|(name, _)| name).eq(["status", "next_step_at"]));
    assert!(matches!(outcome(Ok(None), &wrong).await, EditError::NotFound));
    assert!(matches!(outcome(Err(away()), &wrong).await, EditError::Store(_)));
}

#[tokio::test]
async fn a_new_owner_must_be_an_account_that_may_sign_in() {
    for found in [None, Some(account(false))] {
        let mut mocks = Mocks::new();
        mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        let known = found.clone();
        mocks.repositories.staff.expect_find().returning(move |_| Ok(known.clone()));
        let app = mocks.into_app();
        let outcome = edit(&app, ID, form(&[("owner", "7")]), &doer()).await;
        let Err(EditError::Invalid(invalid)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(invalid, Invalid::field("owner", unknown_owner()));
        let values = [("full_name", "Ana"), ("position", "CTO"), ("email", "a@acme.hr")];
        let mut values = form(&values).values;
        values.push(("owner".to_owned(), RawValue::text("7")));
        let outcome = create_by_staff(&app, values, &doer()).await;
        assert!(matches!(outcome, Err(EditError::Invalid(_))), "{outcome:?}");
    }
    // An account that was disabled later keeps its leads.
    let mut mocks = Mocks::new();
    let work = LeadWork { owner: Some(StaffId(7)), ..LeadWork::default() };
    let owned = Lead { work, ..stored(1) };
    let seen = owned.clone();
    mocks.repositories.leads.expect_find().returning(move |_| Ok(Some(seen.clone())));
    mocks.repositories.staff.expect_find().never();
    updates(&mut mocks.repositories);
    let mut form = form(&[("status", "closed")]);
    form.version = Version::of(&owned);
    assert!(edit(&mocks.into_app(), ID, form, &doer()).await.is_ok());
}

#[tokio::test]
async fn gives_up_when_others_never_stop_changing_the_lead() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(|_| Ok(Some(stored(1))));
    let stale = || Err(StoreError::Conflict(Constraint::Stale));
    mocks.repositories.leads.expect_update().times(ATTEMPTS).returning(move |_, _, _, _| stale());
    let outcome = edit(&mocks.into_app(), ID, form(&[("status", "closed")]), &doer()).await;
    assert!(matches!(outcome, Err(EditError::Contended)));
}

#[tokio::test]
async fn a_lead_is_created_together_with_the_work_on_it() {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_create_with_work().times(1).returning(|lead, work, by| {
        assert_eq!(*by, act());
        Ok(Lead { details: lead.clone(), work: work.clone(), ..stored(1) })
    });
    let values = [("full_name", "Eva"), ("position", "CTO"), ("email", "e@acme.hr")];
    let mut values = form(&values).values;
    values.push(("next_step".to_owned(), RawValue::text("call")));
    let created = create_by_staff(&mocks.into_app(), values, &doer()).await.unwrap();
    assert_eq!(created.details.full_name, "Eva");
    assert_eq!(created.work.next_step.as_deref(), Some("call"));
}

/// The lead of this owner, and a sales person with the id 7.
fn of_sales(owner: Option<i64>) -> (App, Doer) {
    let mut mocks = Mocks::new();
    mocks.repositories.leads.expect_find().returning(move |_| {
        let work = LeadWork { owner: owner.map(StaffId), ..LeadWork::default() };
        Ok(Some(Lead { work, ..stored(1) }))
    });
    mocks.repositories.leads.expect_update().returning(|seen, details, work, _| {
        Ok(Lead { details: details.clone(), work: work.clone(), ..seen.clone() })
    });
    mocks.repositories.staff.expect_find().returning(|_| Ok(Some(account(true))));
    let worker = Worker { id: StaffId(7), role: Role::Sales };
    (mocks.into_app(), Doer::worker(crate::testing::author(), worker))
}

#[tokio::test]
async fn sales_edit_their_own_leads_and_those_of_nobody() {
    for (owner, allowed) in [(None, true), (Some(7), true), (Some(8), false)] {
        let (app, doer) = of_sales(owner);
        let outcome = edit(&app, ID, form(&[("status", "closed")]), &doer).await;
        assert_eq!(outcome.is_ok(), allowed, "{owner:?}: {outcome:?}");
        assert_eq!(matches!(outcome, Err(EditError::Forbidden(_))), !allowed, "{owner:?}");
    }
}

#[tokio::test]
async fn sales_claim_a_lead_and_do_not_give_it_away() {
    for (owner, after, allowed) in
        [(None, "7", true), (None, "8", false), (Some(7), "8", false), (Some(7), "", false)]
    {
        let (app, doer) = of_sales(owner);
        let work = LeadWork { owner: owner.map(StaffId), ..LeadWork::default() };
        let lead = Lead { work, ..stored(1) };
        let form = Edit { version: Version::of(&lead), ..form(&[("owner", after)]) };
        let outcome = edit(&app, ID, form, &doer).await;
        assert_eq!(outcome.is_ok(), allowed, "{owner:?} to {after:?}: {outcome:?}");
        assert_eq!(matches!(outcome, Err(EditError::Forbidden(_))), !allowed, "{outcome:?}");
    }
    // A new lead that is given to somebody else.
    let (app, doer) = of_sales(None);
    let values =
        [("full_name", "Eva"), ("position", "CTO"), ("email", "e@acme.hr"), ("owner", "8")];
    let values = values.map(|(name, text)| (name.to_owned(), RawValue::text(text)));
    let outcome = create_by_staff(&app, values.to_vec(), &doer).await;
    assert!(matches!(outcome, Err(EditError::Forbidden(_))), "{outcome:?}");
}
