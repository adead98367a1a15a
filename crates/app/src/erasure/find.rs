//! Finds rows and events of a person.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use exit3_domain::contact::Contact;
use exit3_domain::events::{Changes, Verb};
use exit3_ports::{Row, Shape, Snapshot, StoreError, Table, Value, events, jobs};
use serde_json::Value as Json;

use super::{Found, IsErased, table_of};

/// Rows in one page.
const PAGE: u32 = 1000;

/// Finds everything of the erased.
pub(super) async fn find<S: Snapshot + ?Sized>(
    source: &mut S,
    is: IsErased<'_>,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for shape in shapes(source).await?.iter().filter(|shape| !shape.table.contacts.is_empty()) {
        let ids = found.rows.entry(shape.table.name).or_default();
        let mut after = 0;
        while let Some((rows, last)) = page(source, shape, after).await? {
            ids.extend(rows.iter().filter(|row| concerns(shape, row, is)).filter_map(id));
            after = last;
        }
    }
    // Twice: only the event of a deletion, the last one of a row, shows that the row was one of
    // the person's.
    each_event(source, |shape, row| read_event(shape, row, is, &mut found)).await?;
    if found.rows.values().chain(found.gone.values()).any(|ids| !ids.is_empty()) {
        each_event(source, |shape, row| add_event(shape, row, &mut found)).await?;
    }
    Ok(found)
}

/// Shows every event to `visit`.
pub(super) async fn each_event<S: Snapshot + ?Sized>(
    source: &mut S,
    mut visit: impl FnMut(&Shape, &Row),
) -> Result<(), StoreError> {
    let shapes = source.shapes().await?;
    let Some(shape) = shapes.iter().find(|shape| shape.table.name == events::TABLE.name) else {
        return Ok(());
    };
    let mut after = 0;
    while let Some((rows, last)) = page(source, shape, after).await? {
        rows.iter().for_each(|row| visit(shape, row));
        after = last;
    }
    Ok(())
}

/// The tables of an archive, and the jobs.
pub(super) async fn shapes(
    source: &mut (impl Snapshot + ?Sized),
) -> Result<Vec<Shape>, StoreError> {
    let mut shapes = source.shapes().await?;
    shapes.extend(Shape::of(&jobs::TABLE, |_| true));
    Ok(shapes)
}

async fn page<S: Snapshot + ?Sized>(
    source: &mut S,
    shape: &Shape,
    after: i64,
) -> Result<Option<(Vec<Row>, i64)>, StoreError> {
    let rows = source.rows(shape, after, PAGE).await?;
    let last = rows.last().and_then(id);
    Ok(last.map(|last| (rows, last)))
}

/// Reads one row.
pub(super) async fn row_of(
    source: &mut (impl Snapshot + ?Sized),
    shape: &Shape,
    wanted: i64,
) -> Result<Option<Row>, StoreError> {
    let found = source.rows(shape, wanted.saturating_sub(1), 1).await?.pop();
    Ok(found.filter(|row| id(row) == Some(wanted)))
}

/// Whether a row has a contact of the erased.
fn concerns(shape: &Shape, row: &Row, is: IsErased<'_>) -> bool {
    shape.table.contacts.iter().any(|(name, kind)| {
        let value = column(shape, name).and_then(|at| row.get(at));
        matches!(value, Some(Value::Text(text)) if Contact::is_in(*kind, text, &is))
    })
}

/// Adds an event if its values contain a contact of the erased. If the row was theirs at that time,
/// all values of the event go, and if it was deleted by the event, all other events of the row too.
/// The event of another row, for example with a note that mentions the person, keeps its other values.
fn read_event(shape: &Shape, row: &Row, is: IsErased<'_>, found: &mut Found) {
    let (changes, subject) = (changes(shape, row), subject(shape, row));
    let has = |value: &Json| Contact::is_in_json(value, &is);
    if !changes.values().into_iter().any(has) {
        return;
    }
    let is_theirs = subject.is_some_and(|(table, _)| {
        let mut contacts = table.contacts.iter();
        contacts.any(|(name, _)| changes.values_of(name).into_iter().any(has))
    });
    let erased = if is_theirs { changes.erased() } else { changes.erased_where(has) };
    found.events.extend(id(row).map(|id| (id, with(shape, row, &erased))));
    if let (true, Changes::Row(_), Some((table, id))) = (is_theirs, changes, subject) {
        found.gone.entry(table.name).or_default().insert(id);
    }
}

/// The event with other changes.
fn with(shape: &Shape, row: &Row, changes: &Changes) -> Row {
    let mut row = row.clone();
    if let Some(cell) = column(shape, "changes").and_then(|at| row.get_mut(at)) {
        *cell = changes.to_text().map_or(Value::Null, Value::Text);
    }
    row
}

/// Adds an event of a row of the erased, if it has values.
fn add_event(shape: &Shape, row: &Row, found: &mut Found) {
    let has_values = column(shape, "changes").and_then(|at| row.get(at)) != Some(&Value::Null);
    let Some((table, of)) = subject(shape, row).filter(|_| has_values) else { return };
    let has = |ids: Option<&BTreeSet<i64>>| ids.is_some_and(|ids| ids.contains(&of));
    if has(found.rows.get(table.name)) || has(found.gone.get(table.name)) {
        let erased = with(shape, row, &changes(shape, row).erased());
        found.events.extend(id(row).map(|id| (id, erased)));
    }
}

/// The table and the id of the row that an event is about.
fn subject(shape: &Shape, row: &Row) -> Option<(&'static Table, i64)> {
    let value = |name: &str| row.get(column(shape, name)?);
    match (value("resource")?, value("resource_id")?) {
        (Value::Text(resource), Value::Integer(id)) => Some((table_of(resource)?, *id)),
        _ => None,
    }
}

/// The time of an event.
pub(super) fn time(shape: &Shape, row: &Row) -> Option<DateTime<Utc>> {
    match row.get(column(shape, "at")?) {
        Some(Value::Time(micros)) => DateTime::from_timestamp_micros(*micros),
        _ => None,
    }
}

/// The verb of an event.
pub(super) fn verb<'a>(shape: &Shape, row: &'a Row) -> Option<&'a str> {
    match row.get(column(shape, "verb")?) {
        Some(Value::Text(verb)) => Some(verb),
        _ => None,
    }
}

/// The changes of an event.
pub(super) fn changes(shape: &Shape, row: &Row) -> Changes {
    let text = column(shape, "changes").and_then(|at| row.get(at));
    match (verb(shape, row), text) {
        (Some(verb), Some(Value::Text(text))) => {
            Changes::from_text(Some(text), Verb::from_word(verb).has_values())
        }
        _ => Changes::None,
    }
}

/// The place of a column in the rows of a shape.
pub(super) fn column(shape: &Shape, name: &str) -> Option<usize> {
    shape.columns.iter().position(|column| column.name == name)
}

fn id(row: &Row) -> Option<i64> {
    match row.first() {
        Some(Value::Integer(id)) => Some(*id),
        _ => None,
    }
}
