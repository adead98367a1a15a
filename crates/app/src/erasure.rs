//! Erases a person: the rows and jobs that have the person's address or number, the notes about
//! these rows, and their values in events and in what the import from Django remembers.
//!
//! The search reads the whole database. Others could add what it has passed already, so it must end
//! while they are locked out. If the database can tell what has changed, a first search runs before
//! that, and the second one looks at the changes alone.

mod find;

use std::collections::{BTreeMap, BTreeSet};

use exit3_domain::contact::Contact;
use exit3_domain::events::{Act, Changes, NewEvent, Record, Subject, Verb};
use exit3_ports::spool::{Spool, Waiting};
use exit3_ports::{Load, Mark, Row, Shape, Snapshot, StoreError, Value, events, jobs};
use serde_json::Value as Json;

use self::find::{column, find, find_again, row_of, shapes, waits_for};

/// Whether a contact belongs to somebody who is erased.
pub type IsErased<'a> = &'a (dyn Fn(&Contact) -> bool + Send + Sync);

/// The rows and events of the erased.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Found {
    /// The ids of rows, by table.
    rows: BTreeMap<&'static str, BTreeSet<i64>>,
    /// The same for rows that were deleted before, and have events.
    gone: BTreeMap<&'static str, BTreeSet<i64>>,
    /// The changes of events that have values of the erased, without these values, by the ids of the
    /// events.
    events: BTreeMap<i64, Changes>,
    /// The moment of the search, if the database can tell what has changed since.
    mark: Option<Mark>,
}

impl Found {
    /// The number of rows and events, by the name of the table.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let rows = self.rows.iter().map(|(table, ids)| (*table, ids.len()));
        let counts = rows.chain([(events::TABLE.name, self.events.len())]);
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

/// Finds what an erasure would remove.
///
/// # Errors
/// [`StoreError`].
pub async fn look(snapshot: &mut dyn Snapshot, is: IsErased<'_>) -> Result<Found, StoreError> {
    find(snapshot, is).await
}

/// Like [`look`], before an [`erase`] that then takes less time. Finds nothing if the database cannot
/// tell what changes later, because everything would have to be looked at again.
///
/// # Errors
/// [`StoreError`].
pub async fn look_ahead(
    snapshot: &mut dyn Snapshot,
    is: IsErased<'_>,
) -> Result<Found, StoreError> {
    match snapshot.mark().await? {
        Some(_) => look(snapshot, is).await,
        None => Ok(Found::default()),
    }
}

/// Removes the erased, and returns what they had. `before` is what an earlier search in the same
/// database found; the default if there was none. The caller commits.
///
/// # Errors
/// [`StoreError`].
pub async fn erase(
    load: &mut dyn Load,
    is: IsErased<'_>,
    before: &Found,
) -> Result<Found, StoreError> {
    load.lock(&jobs::TABLE).await?;
    let found = match before.mark {
        Some(mark) => find_again(load, is, before, mark).await?,
        None => find(load, is).await?,
    };
    for shape in load.shapes().await? {
        let table = shape.table;
        if table.name == events::TABLE.name {
            redact(load, &shape, &found.events).await?;
        } else if let Some(of) = table.name.strip_prefix(MEMORY) {
            let ids = [found.rows.get(of), found.gone.get(of)].into_iter().flatten().flatten();
            forget(load, &shape, ids.copied()).await?;
        }
    }
    // Rows that refer to others come after them in the list of tables.
    for shape in shapes(load).await?.iter().rev() {
        if let Some(ids) = found.rows.get(shape.table.name) {
            load.remove(shape.table, ids.iter().copied().collect()).await?;
        }
    }
    Ok(found)
}

/// How many entries of a spool are read at once.
const PAGE: u32 = 500;

/// The numbers of the entries of a spool that have a contact of the erased. The caller removes them.
///
/// # Errors
/// [`StoreError`].
pub async fn look_in_spool(spool: &dyn Spool, is: IsErased<'_>) -> Result<Vec<i64>, StoreError> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = spool.waiting(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.number;
        let theirs = page.iter().filter(|Waiting { what, .. }| waits_for(what, is));
        found.extend(theirs.map(|waiting| waiting.number));
    }
}

/// Stores the event of an erasure. `mark` stands for the person and does not reveal the contact;
/// `entry` is its place in a list of erasures.
///
/// # Errors
/// [`StoreError`].
pub async fn note(
    load: &mut dyn Load,
    found: &Found,
    mark: &str,
    entry: Option<&str>,
    act: &Act,
) -> Result<(), StoreError> {
    let mut changes = Record::new();
    changes.insert("person".to_owned(), Json::from(mark));
    changes.insert(ENTRY.to_owned(), Json::from(entry));
    for (table, count) in found.counts() {
        changes.insert(table.to_owned(), Json::from(count));
    }
    let subject = Subject { resource: Subject::PERSON.into(), id: 0 };
    let verb = Verb::of(Subject::PERSON, Verb::ERASED);
    events::load(load, &NewEvent { verb, subject, changes: Changes::Row(changes) }, act).await
}

/// The beginning of the names of the tables that remember imported rows.
const MEMORY: &str = "django_";

/// The places in lists of all erasures that a database knows by its events, which are never removed.
///
/// # Errors
/// [`StoreError`].
pub async fn entries(source: &mut dyn Snapshot) -> Result<BTreeSet<String>, StoreError> {
    let erased = Verb::of(Subject::PERSON, Verb::ERASED);
    let mut entries = BTreeSet::new();
    find::each_event(source, |shape, row| {
        if find::verb(shape, row) == Some(erased.as_str())
            && let Changes::Row(changes) = find::changes(shape, row)
            && let Some(Json::String(entry)) = changes.get(ENTRY)
        {
            entries.insert(entry.clone());
        }
    })
    .await?;
    Ok(entries)
}

/// The name of the value of an event that tells the place in a list of erasures.
const ENTRY: &str = "entry";

/// Stores events without values of the erased.
async fn redact(
    load: &mut dyn Load,
    shape: &Shape,
    events: &BTreeMap<i64, Changes>,
) -> Result<(), StoreError> {
    let Some(at) = column(shape, "changes") else { return Ok(()) };
    for (id, changes) in events {
        let Some(mut row) = row_of(load, shape, *id).await? else { continue };
        set(&mut row, at, changes.to_text().map_or(Value::Null, Value::Text));
        load.replace(shape, vec![row]).await?;
    }
    Ok(())
}

/// Removes the original values of imported rows. Their digests stay, so that another import knows
/// the rows.
async fn forget(
    load: &mut dyn Load,
    shape: &Shape,
    ids: impl Iterator<Item = i64>,
) -> Result<(), StoreError> {
    let Some(original) = column(shape, "original") else { return Ok(()) };
    for id in ids {
        let Some(mut row) = row_of(load, shape, id).await? else { continue };
        set(&mut row, original, Value::Null);
        load.replace(shape, vec![row]).await?;
    }
    Ok(())
}

fn set(row: &mut Row, at: usize, value: Value) {
    if let Some(old) = row.get_mut(at) {
        *old = value;
    }
}
