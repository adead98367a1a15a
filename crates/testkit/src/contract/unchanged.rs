//! Writes that change nothing leave no event.

use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::events::{EventFilter, Subject, Verb};
use exit3_domain::leads::{Lead, LeadId, NewLead};
use exit3_domain::sign_ins::SignInId;
use exit3_domain::staff::{PasswordHash, Staff, StaffId};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::sign_ins::Ending;

use super::Harness;
use super::api_keys::api_key;
use super::cancellation::abandon;
use super::clients::client;
use super::model::everything;
use super::staff::staff;
use crate::builders::{act, at, lead, some_act, subscriber, unsubscribed};

async fn count(harness: &Harness) -> usize {
    harness.events.list(&EventFilter::default(), None, 1_000).await.unwrap().len()
}

fn too_long() -> NewLead {
    lead().full_name("x".repeat(256)).build()
}

pub async fn a_write_that_fails_leaves_no_event(harness: &Harness) {
    let by = &some_act();
    let Harness { repositories, .. } = harness;
    let (leads, subscribers, clients) =
        (&repositories.leads, &repositories.subscribers, &repositories.clients);
    let old = leads.create(&lead().build(), by).await.unwrap();
    let now = leads.update(&old, &lead().full_name("Ivo").build(), &old.work, by).await.unwrap();
    let missing = Lead { id: LeadId(now.id.0 + 100), ..now.clone() };
    let ana = subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    let ivo = subscribers.create(&subscriber("ivo@acme.hr"), by).await.unwrap();
    let stale = Subscriber { is_subscribed: false, ..ivo.clone() };
    let nobody = Subscriber { id: SubscriberId(ivo.id.0 + 100), ..ivo.clone() };
    let known = NewClient { lead: Some(now.id), ..client("a") };
    let first = clients.create(&known, by).await.unwrap();
    let second = clients.create(&client("b"), by).await.unwrap();
    let old_client = Client { details: client("c"), ..second.clone() };
    let no_client = Client { id: ClientId(second.id.0 + 100), ..second.clone() };
    let wrong = NewClient { lead: Some(missing.id), ..client("d") };
    let account = harness.staff.create(&staff("ana"), by).await.unwrap();
    let other = harness.staff.create(&staff("ivo"), by).await.unwrap();
    let no_account = Staff { id: StaffId(other.id.0 + 100), ..other.clone() };
    let changed = Staff { profile: staff("x").profile, ..other.clone() };
    let unknown_password = Staff { password: PasswordHash::kept("x".into()), ..other.clone() };
    harness.api_keys.create(&api_key("a", 1), by).await.unwrap();
    let password = PasswordHash::kept("second".into());
    let before = count(harness).await;
    let fails = [
        leads.create(&too_long(), by).await.err(),
        leads.update(&now, &too_long(), &now.work, by).await.err(),
        leads.update(&old, &lead().build(), &old.work, by).await.err(),
        leads.update(&missing, &lead().build(), &missing.work, by).await.err(),
        leads.delete(&old, by).await.err(),
        leads.delete(&missing, by).await.err(),
        leads.restore(&now, None, by).await.err(),
        subscribers.create(&subscriber("ANA@acme.hr"), by).await.err(),
        subscribers.create(&subscriber(&"x".repeat(255)), by).await.err(),
        subscribers.ensure(&subscriber(&"x".repeat(255)), by).await.err(),
        subscribers.update(&ivo, &subscriber("ana@acme.hr"), by).await.err(),
        subscribers.update(&stale, &subscriber("eva@acme.hr"), by).await.err(),
        subscribers.update(&nobody, &subscriber("eva@acme.hr"), by).await.err(),
        subscribers.delete(&stale, by).await.err(),
        subscribers.delete(&nobody, by).await.err(),
        subscribers.restore(&ana, by).await.err(),
        subscribers.restore(&Subscriber { email: ana.email.clone(), ..nobody }, by).await.err(),
        clients.create(&known, by).await.err(),
        clients.create(&wrong, by).await.err(),
        clients.convert(&now, now.work.owner, &client("d"), by).await.err(),
        clients.convert(&old, old.work.owner, &client("d"), by).await.err(),
        clients.convert(&missing, missing.work.owner, &client("d"), by).await.err(),
        clients.update(&second, &known, by).await.err(),
        clients.update(&second, &wrong, by).await.err(),
        clients.update(&old_client, &client("e"), by).await.err(),
        clients.update(&no_client, &client("e"), by).await.err(),
        clients.delete(&old_client, by).await.err(),
        clients.delete(&no_client, by).await.err(),
        clients.restore(&first, by).await.err(),
        clients.restore(&Client { details: known, ..no_client.clone() }, by).await.err(),
        clients.restore(&Client { details: wrong, ..no_client }, by).await.err(),
        harness.staff.create(&staff("ana"), by).await.err(),
        harness.staff.update(&other, &account.profile, by).await.err(),
        harness.staff.update(&changed, &staff("eva").profile, by).await.err(),
        harness.staff.update(&no_account, &staff("eva").profile, by).await.err(),
        harness.staff.set_password(&unknown_password, &password, by).await.err(),
        harness.staff.set_password(&no_account, &password, by).await.err(),
        harness.api_keys.create(&api_key("b", 1), by).await.err(),
    ];
    for (place, failed) in fails.iter().enumerate() {
        assert!(failed.is_some(), "the write number {place} succeeded");
    }
    assert_eq!(count(harness).await, before);
}

pub async fn a_write_that_changes_nothing_leaves_no_event(harness: &Harness) {
    let by = &some_act();
    let seen = harness.leads.create(&lead().build(), by).await.unwrap();
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    let ivo = harness.subscribers.create(&unsubscribed("ivo@acme.hr"), by).await.unwrap();
    let customer = harness.clients.create(&client("a"), by).await.unwrap();
    let account = harness.staff.create(&staff("ana"), by).await.unwrap();
    let key = harness.api_keys.create(&api_key("a", 1), by).await.unwrap();
    harness.api_keys.revoke(&"a".into(), by).await.unwrap();
    let before = count(harness).await;
    // `updated_at` moves, and no other field changes.
    let seen = harness.leads.update(&seen, &seen.details, &seen.work, &act(at(9))).await.unwrap();
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), Some(seen));
    for same in [subscriber("ana@acme.hr"), subscriber("ANA@acme.hr")] {
        harness.subscribers.update(&ana, &same, by).await.unwrap();
        harness.subscribers.ensure(&same, by).await.unwrap();
    }
    harness.subscribers.ensure(&unsubscribed("ana@acme.hr"), by).await.unwrap();
    harness.subscribers.ensure(&unsubscribed("Ivo@acme.hr"), by).await.unwrap();
    let both = [ana.into(), ivo.into()];
    assert_eq!(harness.subscribers.create_many(&both, by).await.unwrap(), 0);
    harness.subscribers.create_many(&[], by).await.unwrap();
    harness.leads.create_many(&[], by).await.unwrap();
    harness.clients.update(&customer, &customer.details, by).await.unwrap();
    harness.staff.update(&account, &account.profile, by).await.unwrap();
    harness.staff.set_preferences(&account, &account.preferences, by).await.unwrap();
    harness.sign_ins.note_seen(SignInId(1), at(7)).await.unwrap();
    assert_eq!(harness.sign_ins.end(account.id, Ending::All, by).await.unwrap(), 0);
    harness.api_keys.note_uses(&[(key.id, at(7))]).await.unwrap();
    for which in ["a", "nobody", ""] {
        assert_eq!(harness.api_keys.revoke(&which.into(), by).await.unwrap(), []);
    }
    assert_eq!(count(harness).await, before);
}

pub async fn a_write_of_many_rows_that_fails_leaves_no_event(harness: &Harness) {
    let good = (lead().build(), at(5));
    let mut leads = vec![good; 50];
    leads[30].0 = too_long();
    harness.leads.create_many(&leads, &some_act()).await.unwrap_err();
    let mut all: Vec<_> = (0..50).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
    all[30] = subscriber(&"x".repeat(255));
    harness.subscribers.create_many(&all, &some_act()).await.unwrap_err();
    assert_eq!(count(harness).await, 0);
}

pub async fn events_of_abandoned_writes_are_those_of_the_stored_rows(harness: &Harness) {
    for moment in 0..40 {
        let by = some_act();
        abandon(moment, harness.leads.create(&lead().build(), &by)).await;
        let many = vec![(lead().build(), at(5)); 5];
        abandon(moment, harness.leads.create_many(&many, &by)).await;
    }
    super::cancellation::settled(harness).await;
    let mut stored: Vec<i64> =
        everything(harness.leads.as_ref()).await.iter().map(|lead| lead.id.0).collect();
    let verb = Some(Verb::from_word("lead.created"));
    let filter = EventFilter { verb, ..EventFilter::default() };
    let events = harness.events.list(&filter, None, 1_000).await.unwrap();
    let mut noted: Vec<i64> = events
        .into_iter()
        .map(|event| {
            let Subject { resource, id } = event.subject;
            assert_eq!(&*resource, "lead");
            id
        })
        .collect();
    stored.sort_unstable();
    noted.sort_unstable();
    assert_eq!(noted, stored);
}
