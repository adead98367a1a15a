//! Use cases of clients.

mod edit;
mod export;
mod pages;

use exit3_domain::clients::{
    Client, ClientChange, ClientFilter, ClientId, ClientInput, ClientOrder, ClientTotals,
    NewClient, RESOURCE, lead_taken, unknown_lead,
};
use exit3_domain::events::Author;
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::staff::StaffId;
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Expected;
use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};
use exit3_ports::{StoreError, TRACE};

use crate::once::{Made, once};
use crate::seen::{ATTEMPTS, admitted, unless_stale};
use crate::{App, FindError, ListError, SaveError, UpdateError};

pub use edit::{convert, create_by_staff, delete_by_staff, edit, owner};
pub use pages::suggest;

/// Creates a client, or returns what the same request has created before. If it has a lead, that
/// becomes `converted`.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules; [`SaveError::KeyReused`]; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "clients.create", skip_all)]
pub async fn create(
    app: &App,
    input: ClientInput,
    author: &Author,
) -> Result<Made<Client>, SaveError> {
    let lead = input.lead();
    let client = match input.into_new() {
        Ok(client) => client,
        Err(invalid) => return Err(with_wrong_lead(app, invalid, lead, None).await?.into()),
    };
    let created = store(app, &client, author).await;
    once(app, author, RESOURCE, created, |id, _| Client { id: ClientId(id), details: client }).await
}

async fn store(app: &App, client: &NewClient, author: &Author) -> Result<Client, SaveError> {
    let Some(lead) = client.lead else {
        let act = author.at(app.clock.now());
        return Ok(app.repositories()?.clients.create(client, &act).await?);
    };
    for _ in 0..ATTEMPTS {
        let seen = app.repositories()?.leads.find(lead).await?.ok_or_else(unknown_lead)?;
        let owner = seen.work.owner;
        if let Some(created) = store_converted(app, &seen, owner, client, author).await? {
            return Ok(created);
        }
    }
    Err(StoreError::Unavailable("others change the lead all the time".into()).into())
}

/// Stores the client that a lead becomes, and gives the lead this owner; `None` if somebody else has changed the lead meanwhile.
async fn store_converted(
    app: &App,
    seen: &Lead,
    owner: Option<StaffId>,
    client: &NewClient,
    author: &Author,
) -> Result<Option<Client>, SaveError> {
    let act = author.at(app.clock.now());
    match app.repositories()?.clients.convert(seen, owner, client, &act).await {
        Err(StoreError::Conflict(LEAD_TAKEN)) => Err(lead_taken().into()),
        // It was deleted meanwhile.
        Err(StoreError::NotFound) => Err(unknown_lead().into()),
        outcome => Ok(unless_stale(outcome)?),
    }
}

/// Finds a client by id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "clients.find", skip_all)]
pub async fn find(app: &App, id: ClientId) -> Result<Client, FindError> {
    app.repositories()?.clients.find(id).await?.ok_or(FindError::NotFound)
}

/// The client that a lead became.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "clients.of_lead", skip_all)]
pub async fn of_lead(app: &App, lead: LeadId) -> Result<Option<Client>, StoreError> {
    app.repositories()?.clients.find_by_lead(lead).await
}

/// One page of the matching clients, with their total count.
///
/// # Errors
/// [`ListError`].
#[tracing::instrument(target = TRACE, name = "clients.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &ClientFilter,
    order: ClientOrder,
    page: PageRequest,
) -> Result<Page<Client>, ListError> {
    app.repositories()?.clients.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the matching clients.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "clients.walk", skip_all)]
pub async fn walk(
    app: &App,
    filter: &ClientFilter,
    order: ClientOrder,
    step: &Step,
) -> Result<Slice<Client>, StoreError> {
    app.repositories()?.clients.walk(filter, order, step).await
}

/// The number of matching clients, and what they pay together.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "clients.totals", skip_all)]
pub async fn totals(app: &App, filter: &ClientFilter) -> Result<ClientTotals, StoreError> {
    app.repositories()?.clients.totals(filter).await
}

/// The leads of these clients, in no order. A client without a lead is skipped. Pages name clients
/// by their leads: see [`Client::name`].
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "clients.leads_of", skip_all)]
pub async fn leads_of(app: &App, clients: &[Client]) -> Result<Vec<Lead>, StoreError> {
    let ids: Vec<LeadId> = clients.iter().filter_map(|client| client.details.lead).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    app.repositories()?.leads.find_all(&ids).await
}

/// Replaces the details of a client; missing optional fields keep their values.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "clients.replace", skip_all)]
pub async fn replace(
    app: &App,
    id: ClientId,
    input: ClientInput,
    expected: &Expected,
    author: &Author,
) -> Result<Client, UpdateError> {
    let seen = see(app, id, expected).await?;
    let change = parse(app, id, input, ClientInput::into_replacement).await?;
    apply(app, seen, &change, expected, author).await
}

/// Changes the given fields of a client. Another lead does not become `converted` by that.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "clients.change", skip_all)]
pub async fn change(
    app: &App,
    id: ClientId,
    input: ClientInput,
    expected: &Expected,
    author: &Author,
) -> Result<Client, UpdateError> {
    let seen = see(app, id, expected).await?;
    let change = parse(app, id, input, ClientInput::into_change).await?;
    apply(app, seen, &change, expected, author).await
}

/// The client, if it is one that the caller expects.
async fn see(app: &App, id: ClientId, expected: &Expected) -> Result<Client, UpdateError> {
    admitted(app.repositories()?.clients.find(id).await?, expected)
}

async fn parse(
    app: &App,
    id: ClientId,
    input: ClientInput,
    parse: fn(ClientInput) -> Result<ClientChange, Invalid>,
) -> Result<ClientChange, UpdateError> {
    let lead = input.lead();
    match parse(input) {
        Ok(change) => Ok(change),
        Err(invalid) => Err(with_wrong_lead(app, invalid, lead, Some(id)).await?.into()),
    }
}

/// Applies a change to the row `seen`, or to its successor if someone else writes in between.
async fn apply(
    app: &App,
    mut seen: Client,
    change: &ClientChange,
    expected: &Expected,
    author: &Author,
) -> Result<Client, UpdateError> {
    for _ in 0..ATTEMPTS {
        match update(app, &seen, &change.apply(&seen), author).await? {
            Some(updated) => return Ok(updated),
            None => seen = see(app, seen.id, expected).await?,
        }
    }
    Err(UpdateError::Contended)
}

/// Writes new details of the client `seen`; `None` if somebody else has changed it meanwhile.
async fn update(
    app: &App,
    seen: &Client,
    details: &NewClient,
    author: &Author,
) -> Result<Option<Client>, UpdateError> {
    let act = author.at(app.clock.now());
    match app.repositories()?.clients.update(seen, details, &act).await {
        Err(StoreError::Conflict(LEAD_TAKEN)) => Err(lead_taken().into()),
        Err(StoreError::Conflict(LEAD_MISSING)) => Err(unknown_lead().into()),
        outcome => Ok(unless_stale(outcome)?),
    }
}

/// Deletes a client. Its lead stays.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "clients.delete", skip_all)]
pub async fn delete(
    app: &App,
    id: ClientId,
    expected: &Expected,
    author: &Author,
) -> Result<(), UpdateError> {
    for _ in 0..ATTEMPTS {
        let (seen, act) = (see(app, id, expected).await?, author.at(app.clock.now()));
        if unless_stale(app.repositories()?.clients.delete(&seen, &act).await)?.is_some() {
            return Ok(());
        }
    }
    Err(UpdateError::Contended)
}

/// Adds an error if the lead does not exist or belongs to a client other than `own`, so that this
/// error, which only the database knows, is reported together with the others.
async fn with_wrong_lead(
    app: &App,
    mut invalid: Invalid,
    lead: Option<LeadId>,
    own: Option<ClientId>,
) -> Result<Invalid, StoreError> {
    if let Some(lead) = lead {
        let all = app.repositories()?;
        let holder = all.clients.find_by_lead(lead).await?;
        if holder.as_ref().is_some_and(|holder| Some(holder.id) != own) {
            invalid.merge(lead_taken());
        } else if holder.is_none() && all.leads.find(lead).await?.is_none() {
            invalid.merge(unknown_lead());
        }
    }
    Ok(invalid)
}

#[cfg(test)]
mod tests;
