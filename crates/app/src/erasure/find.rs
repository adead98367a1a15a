//! Finds rows and events of a person.

use std::collections::BTreeSet;

use exit3_domain::contact::Contact;
use exit3_domain::events::{Changes, Verb};
use exit3_ports::{Row, Shape, Snapshot, StoreError, Value, events, jobs};

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

/// Adds an event if its values contain a contact of the erased. If a row was deleted by it, all
/// events of that row are about the erased.
fn read_event(shape: &Shape, row: &Row, is: IsErased<'_>, found: &mut Found) {
    let changes = changes(shape, row);
    if changes.values().into_iter().any(|value| Contact::is_in_json(value, &is)) {
        found.events.extend(id(row).map(|id| (id, row.clone())));
        if let (Changes::Row(_), Some((table, id))) = (changes, subject(shape, row)) {
            found.gone.entry(table).or_default().insert(id);
        }
    }
}

/// Adds an event of a row of the erased, if it has values.
fn add_event(shape: &Shape, row: &Row, found: &mut Found) {
    let has_values = column(shape, "changes").and_then(|at| row.get(at)) != Some(&Value::Null);
    let Some((table, of)) = subject(shape, row).filter(|_| has_values) else { return };
    let has = |ids: Option<&BTreeSet<i64>>| ids.is_some_and(|ids| ids.contains(&of));
    if has(found.rows.get(table)) || has(found.gone.get(table)) {
        found.events.extend(id(row).map(|id| (id, row.clone())));
    }
}

/// The table and the id of the row that an event is about.
fn subject(shape: &Shape, row: &Row) -> Option<(&'static str, i64)> {
    let value = |name: &str| row.get(column(shape, name)?);
    match (value("resource")?, value("resource_id")?) {
        (Value::Text(resource), Value::Integer(id)) => Some((table_of(resource)?.name, *id)),
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
