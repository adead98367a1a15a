//! Use cases of meetings.

use std::sync::Arc;

use chrono::TimeDelta;
use exit3_app::once::{Made, once};
use exit3_app::seen::{ATTEMPTS, admitted, unless_stale};
use exit3_app::{App, FindError, ListError, SaveError, UpdateError};
use exit3_domain::events::Author;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Expected;
use exit3_ports::StoreError;

use crate::domain::{
    Meeting, MeetingChange, MeetingFilter, MeetingId, MeetingInput, MeetingOrder, RESOURCE,
    another_lead, unknown_lead,
};
use crate::ports::MeetingRepository;

/// What the module keeps: the use cases find it with `app.kept`.
pub struct Meetings {
    /// Where meetings are stored.
    pub repository: Arc<dyn MeetingRepository>,
    /// How long before a meeting its reminder is given.
    pub remind_ahead: TimeDelta,
}

fn repository(app: &App) -> Result<&dyn MeetingRepository, StoreError> {
    Ok(app.kept::<Meetings>()?.repository.as_ref())
}

/// Creates a meeting, or returns what the same request has created before.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules, or if there is no such lead;
/// [`SaveError::KeyReused`]; [`SaveError::Store`].
pub async fn create(
    app: &App,
    input: MeetingInput,
    author: &Author,
) -> Result<Made<Meeting>, SaveError> {
    let meeting = input.into_new()?;
    let created = repository(app)?.create(&meeting, &author.at(app.clock.now())).await;
    let created = created.map_err(|error| match error {
        StoreError::NotFound => unknown_lead().into(),
        error => SaveError::Store(error),
    });
    let again = |id, _| Meeting { id: MeetingId(id), details: meeting, reminded_at: None };
    once(app, author, RESOURCE, created, again).await
}

/// Finds a meeting by id.
///
/// # Errors
/// [`FindError`].
pub async fn find(app: &App, id: MeetingId) -> Result<Meeting, FindError> {
    repository(app)?.find(id).await?.ok_or(FindError::NotFound)
}

/// One page of the matching meetings, with their total count.
///
/// # Errors
/// [`ListError`].
pub async fn list(
    app: &App,
    filter: &MeetingFilter,
    order: MeetingOrder,
    page: PageRequest,
) -> Result<Page<Meeting>, ListError> {
    repository(app)?.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the matching meetings.
///
/// # Errors
/// [`StoreError`].
pub async fn walk(
    app: &App,
    filter: &MeetingFilter,
    order: MeetingOrder,
    step: &Step,
) -> Result<Slice<Meeting>, StoreError> {
    repository(app)?.walk(filter, order, step).await
}

/// Replaces a meeting.
///
/// # Errors
/// [`UpdateError`].
pub async fn replace(
    app: &App,
    id: MeetingId,
    input: MeetingInput,
    expected: &Expected,
    author: &Author,
) -> Result<Meeting, UpdateError> {
    apply(app, id, input, MeetingInput::into_replacement, expected, author).await
}

/// Changes the given fields of a meeting.
///
/// # Errors
/// [`UpdateError`].
pub async fn change(
    app: &App,
    id: MeetingId,
    input: MeetingInput,
    expected: &Expected,
    author: &Author,
) -> Result<Meeting, UpdateError> {
    apply(app, id, input, MeetingInput::into_change, expected, author).await
}

/// The meeting, if it is one that the caller expects.
async fn see(app: &App, id: MeetingId, expected: &Expected) -> Result<Meeting, UpdateError> {
    admitted(repository(app)?.find(id).await?, expected)
}

/// Applies a change to the meeting, or to its successor if somebody else writes in between.
async fn apply(
    app: &App,
    id: MeetingId,
    input: MeetingInput,
    parse: fn(MeetingInput) -> Result<MeetingChange, Invalid>,
    expected: &Expected,
    author: &Author,
) -> Result<Meeting, UpdateError> {
    let mut seen = see(app, id, expected).await?;
    let change = parse(input)?;
    if change.lead.is_some_and(|lead| lead != seen.details.lead) {
        return Err(another_lead().into());
    }
    for _ in 0..ATTEMPTS {
        let (details, act) = (change.apply(&seen), author.at(app.clock.now()));
        match unless_stale(repository(app)?.update(&seen, &details, &act).await)? {
            Some(updated) => return Ok(updated),
            None => seen = see(app, id, expected).await?,
        }
    }
    Err(UpdateError::Contended)
}

/// Deletes a meeting.
///
/// # Errors
/// [`UpdateError`].
pub async fn delete(
    app: &App,
    id: MeetingId,
    expected: &Expected,
    author: &Author,
) -> Result<(), UpdateError> {
    for _ in 0..ATTEMPTS {
        let (seen, act) = (see(app, id, expected).await?, author.at(app.clock.now()));
        if unless_stale(repository(app)?.delete(&seen, &act).await)?.is_some() {
            return Ok(());
        }
    }
    Err(UpdateError::Contended)
}

/// Notes a reminder of each meeting for which it is due, at most `most`. Returns their number. The
/// event of a reminder is what the page of the lead shows.
///
/// # Errors
/// [`StoreError`].
pub async fn remind(app: &App, most: u32, author: &Author) -> Result<usize, StoreError> {
    let Meetings { repository, remind_ahead } = app.kept()?;
    let now = app.clock.now();
    let mut reminded = 0;
    for meeting in repository.due(now, now + *remind_ahead, most).await? {
        let noted = repository.note_reminder(&meeting, &author.at(app.clock.now())).await;
        match unless_stale(noted) {
            Ok(Some(())) => reminded += 1,
            // Somebody has changed or deleted it meanwhile.
            Ok(None) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reminded)
}
