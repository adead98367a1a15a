//! What the rows of events are called.

use std::collections::{HashMap, HashSet};

use exit3_domain::access::{Action, Record};
use exit3_domain::api_keys;
use exit3_domain::clients::{self, ClientId};
use exit3_domain::events::{Actor, Subject};
use exit3_domain::leads::{self, Lead, LeadId};
use exit3_domain::staff::{self, StaffId};
use exit3_domain::subscribers::{self, SubscriberId};
use exit3_ports::{Repositories, StoreError};

use super::RecordError;
use crate::App;
use crate::access::Doer;

/// The names of those rows and people that exist now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Of rows.
    pub rows: HashMap<Subject, String>,
    /// Of members of the staff, as the authors of events.
    pub people: HashMap<Actor, String>,
}

/// The names of these rows and authors. Each is looked up once, by its key.
///
/// # Errors
/// [`RecordError`].
pub async fn names(
    app: &App,
    (rows, authors): (Vec<Subject>, Vec<Actor>),
    doer: &Doer,
) -> Result<Names, RecordError> {
    doer.check(Action::Read, Record::Event)?;
    let all = app.repositories()?;
    let mut names = Names::default();
    for subject in rows.into_iter().collect::<HashSet<_>>() {
        if let Some(name) = name(all, &subject).await? {
            names.rows.insert(subject, name);
        }
    }
    for actor in authors.into_iter().collect::<HashSet<_>>() {
        if let Actor::Staff(username) = &actor
            && let Some(staff) = all.staff.find_by_username(username).await?
        {
            names.people.insert(actor, staff.profile.full_name());
        }
    }
    Ok(names)
}

async fn name(all: &Repositories, subject: &Subject) -> Result<Option<String>, StoreError> {
    let lead = async |id: LeadId| {
        let found = all.leads.find(id).await?;
        Ok::<_, StoreError>(found.map(|lead: Lead| lead.details.full_name))
    };
    match &*subject.resource {
        leads::RESOURCE => lead(LeadId(subject.id)).await,
        subscribers::RESOURCE => {
            let found = all.subscribers.find(SubscriberId(subject.id)).await?;
            Ok(found.map(|subscriber| subscriber.email))
        }
        // A client is called like the lead that it was.
        clients::RESOURCE => match all.clients.find(ClientId(subject.id)).await? {
            Some(client) => match client.details.lead {
                Some(id) => lead(id).await,
                None => Ok(Some(client.details.team_id).filter(|team| !team.is_empty())),
            },
            None => Ok(None),
        },
        staff::RESOURCE => {
            let found = all.staff.find(StaffId(subject.id)).await?;
            Ok(found.map(|staff| staff.profile.full_name()))
        }
        api_keys::RESOURCE => {
            let keys = all.api_keys.list().await?;
            let found = keys.into_iter().find(|key| key.id.0 == subject.id);
            Ok(found.map(|key| key.draft.name))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use exit3_domain::access::Worker;
    use exit3_domain::clients::{Client, NewClient};
    use exit3_domain::leads::LeadCategory;
    use exit3_domain::staff::Role;
    use exit3_domain::subscribers::Subscriber;

    use super::*;
    use crate::testing::{Mocks, api_key, author, doer, stored};

    fn subject(resource: &str, id: i64) -> Subject {
        Subject { resource: resource.into(), id }
    }

    #[tokio::test]
    async fn each_row_is_looked_up_once_and_called_by_its_name() {
        let mut mocks = Mocks::new();
        let all = &mut mocks.repositories;
        // Once for itself, and once for its client.
        all.leads.expect_find().times(2).returning(|_| Ok(Some(stored(1))));
        all.clients.expect_find().times(1).returning(|id| {
            let details = NewClient {
                lead: Some(LeadId(1)),
                team_id: String::new(),
                monthly_charge: None,
                one_time_charge: None,
                contract_file: None,
                short_description: String::new(),
                category: LeadCategory::WebDev,
            };
            Ok(Some(Client { id, details }))
        });
        all.subscribers.expect_find().returning(|id| {
            let email = "ana@acme.hr".to_owned();
            Ok((id.0 == 3).then_some(Subscriber { id, email, is_subscribed: true }))
        });
        all.api_keys.expect_list().returning(|| Ok(vec![api_key(|_| ())]));
        all.staff.expect_find_by_username().times(1).returning(|_| Ok(None));
        let rows = [
            ("lead", 1),
            ("lead", 1),
            ("client", 2),
            ("subscriber", 3),
            ("subscriber", 4),
            ("api_key", 1),
            ("database", 0),
        ];
        let rows = rows.map(|(resource, id)| subject(resource, id)).to_vec();
        let authors = vec![Actor::Service, Actor::Staff("eva".into()), Actor::Staff("eva".into())];
        let found = names(&mocks.into_app(), (rows, authors), &doer()).await.unwrap();
        let name = |resource, id| found.rows.get(&subject(resource, id)).map(String::as_str);
        assert_eq!(name("lead", 1), Some("Ana Horvat"));
        assert_eq!(name("client", 2), Some("Ana Horvat"));
        assert_eq!(name("subscriber", 3), Some("ana@acme.hr"));
        assert_eq!(name("api_key", 1), Some("website"));
        assert_eq!((found.rows.len(), found.people.len()), (4, 0));
    }

    #[tokio::test]
    async fn only_readers_of_the_record_learn_names() {
        let doer = Doer::worker(author(), Worker { id: StaffId(1), role: Role::Sales });
        let rows = vec![subject("staff", 1)];
        let outcome = names(&Mocks::new().into_app(), (rows, Vec::new()), &doer).await;
        assert!(matches!(outcome, Err(RecordError::Forbidden(_))), "{outcome:?}");
    }
}
