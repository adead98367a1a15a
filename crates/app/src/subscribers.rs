//! Use cases of newsletter subscribers.

mod edit;
mod export;
mod pages;

use exit3_domain::email::DisposableDomains;
use exit3_domain::events::Author;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, RESOURCE, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId,
    SubscriberInput, SubscriberOrder, already_subscribed,
};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Expected;
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{StoreError, TRACE};

use crate::once::{Made, once};
use crate::seen::{ATTEMPTS, admitted, unless_stale};
use crate::{App, FindError, ListError, SaveError, UpdateError, intake, telemetry};

pub use edit::{delete_by_staff, edit};
pub use pages::{SubscriberPage, count, page, suggest};

/// Creates a subscription, or returns what the same request has created before.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules, or with [`already_subscribed`];
/// [`SaveError::KeyReused`]; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "subscribers.create", skip_all)]
pub async fn create(
    app: &App,
    input: SubscriberInput,
    author: &Author,
) -> Result<Made<Subscriber>, SaveError> {
    let outcome = store(app, input, author).await;
    telemetry::count_made(&outcome, telemetry::count_subscriber);
    outcome
}

async fn store(
    app: &App,
    input: SubscriberInput,
    author: &Author,
) -> Result<Made<Subscriber>, SaveError> {
    let address = input.address(&app.disposable);
    let subscriber = match input.into_new(&app.disposable) {
        Ok(subscriber) => subscriber,
        Err(invalid) => {
            let invalid = with_taken_address(app, invalid, address, None).await;
            return Err(invalid?.into());
        }
    };
    let act = author.at(app.clock.now());
    let created = app.repositories()?.subscribers.create(&subscriber, &act).await;
    let created = created.map_err(|error| match error {
        StoreError::Conflict(EMAIL_TAKEN) => already_subscribed().into(),
        other => SaveError::Store(other),
    });
    let NewSubscriber { email, is_subscribed } = subscriber;
    once(app, author, RESOURCE, created, |id, _| Subscriber {
        id: SubscriberId(id),
        email,
        is_subscribed,
    })
    .await
}

/// Subscribes an address for a caller that must not learn who is subscribed: the outcome is the
/// same whether or not the address is already stored. The stored subscription is always active.
/// `is_subscribed` is ignored, so a stranger cannot end somebody's subscription, nor block it in
/// advance. A person who had unsubscribed and signs up again gets the newsletter again. While the
/// database is away, the sign-up waits in the spool.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "subscribers.sign_up", skip_all)]
pub async fn sign_up(
    app: &App,
    input: SubscriberInput,
    author: &Author,
) -> Result<Made<NewSubscriber>, SaveError> {
    let outcome = store_sign_up(app, input, author).await;
    telemetry::count_made(&outcome, telemetry::count_subscriber);
    outcome
}

async fn store_sign_up(
    app: &App,
    input: SubscriberInput,
    author: &Author,
) -> Result<Made<NewSubscriber>, SaveError> {
    let asked = input.into_new(&app.disposable)?;
    let subscriber = NewSubscriber { is_subscribed: true, ..asked };
    intake::sign_up(app, subscriber, author).await
}

/// Finds a subscriber by id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "subscribers.find", skip_all)]
pub async fn find(app: &App, id: SubscriberId) -> Result<Subscriber, FindError> {
    app.repositories()?.subscribers.find(id).await?.ok_or(FindError::NotFound)
}

/// One page of the matching subscribers, with their total count.
///
/// # Errors
/// [`ListError`].
#[tracing::instrument(target = TRACE, name = "subscribers.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    page: PageRequest,
) -> Result<Page<Subscriber>, ListError> {
    app.repositories()?.subscribers.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the matching subscribers.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "subscribers.walk", skip_all)]
pub async fn walk(
    app: &App,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step,
) -> Result<Slice<Subscriber>, StoreError> {
    app.repositories()?.subscribers.walk(filter, order, step).await
}

/// Replaces a subscriber's address; a missing `is_subscribed` keeps its value.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "subscribers.replace", skip_all)]
pub async fn replace(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
    expected: &Expected,
    author: &Author,
) -> Result<Subscriber, UpdateError> {
    let seen = see(app, id, expected).await?;
    let change = parse(app, id, input, SubscriberInput::into_replacement).await?;
    apply(app, seen, &change, expected, author).await
}

/// Changes the given fields of a subscriber.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "subscribers.change", skip_all)]
pub async fn change(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
    expected: &Expected,
    author: &Author,
) -> Result<Subscriber, UpdateError> {
    let seen = see(app, id, expected).await?;
    let change = parse(app, id, input, SubscriberInput::into_change).await?;
    apply(app, seen, &change, expected, author).await
}

/// The subscriber, if it is one that the caller expects.
async fn see(app: &App, id: SubscriberId, expected: &Expected) -> Result<Subscriber, UpdateError> {
    admitted(app.repositories()?.subscribers.find(id).await?, expected)
}

type Parse = fn(SubscriberInput, &DisposableDomains) -> Result<SubscriberChange, Invalid>;

async fn parse(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
    parse: Parse,
) -> Result<SubscriberChange, UpdateError> {
    let address = input.address(&app.disposable);
    match parse(input, &app.disposable) {
        Ok(change) => Ok(change),
        Err(invalid) => Err(with_taken_address(app, invalid, address, Some(id)).await?.into()),
    }
}

/// Applies a change to the row `seen`, or to its successor if someone else writes in between.
async fn apply(
    app: &App,
    mut seen: Subscriber,
    change: &SubscriberChange,
    expected: &Expected,
    author: &Author,
) -> Result<Subscriber, UpdateError> {
    for _ in 0..ATTEMPTS {
        let (details, act) = (change.apply(&seen), author.at(app.clock.now()));
        match app.repositories()?.subscribers.update(&seen, &details, &act).await {
            Err(StoreError::Conflict(EMAIL_TAKEN)) => return Err(already_subscribed().into()),
            outcome => match unless_stale(outcome)? {
                Some(updated) => return Ok(updated),
                None => seen = see(app, seen.id, expected).await?,
            },
        }
    }
    Err(UpdateError::Contended)
}

/// Deletes a subscriber.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "subscribers.delete", skip_all)]
pub async fn delete(
    app: &App,
    id: SubscriberId,
    expected: &Expected,
    author: &Author,
) -> Result<(), UpdateError> {
    for _ in 0..ATTEMPTS {
        let (seen, act) = (see(app, id, expected).await?, author.at(app.clock.now()));
        if unless_stale(app.repositories()?.subscribers.delete(&seen, &act).await)?.is_some() {
            return Ok(());
        }
    }
    Err(UpdateError::Contended)
}

/// Adds an error if the address belongs to a subscriber other than `own`, so that this error, which
/// only the database knows, is reported together with the others.
async fn with_taken_address(
    app: &App,
    mut invalid: Invalid,
    address: Option<String>,
    own: Option<SubscriberId>,
) -> Result<Invalid, StoreError> {
    if let Some(address) = address {
        let holder = app.repositories()?.subscribers.find_by_email(&address).await?;
        if holder.is_some_and(|holder| Some(holder.id) != own) {
            invalid.merge(already_subscribed());
        }
    }
    Ok(invalid)
}

#[cfg(test)]
mod tests;
