//! Finds rows and events of a person.

use std::collections::BTreeSet;

use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::events::{Changes, Record, Verb, record};
use exit3_ports::spool::Accepted;
use exit3_ports::{
    Mark, Row, Shape, Snapshot, StoreError, Table, Value, events, jobs, leads, subscribers,
};
use serde_json::Value as Json;

use super::{Found, IsErased};

/// Rows in one page.
const PAGE: u32 = 1000;

/// Finds everything of the erased.
pub(super) async fn find<S: Snapshot + ?Sized>(
    source: &mut S,
    is: IsErased<'_>,
) -> Result<Found, StoreError> {
    let mut found = Found { mark: source.mark().await?, ..Found::default() };
    for shape in with_contacts(source).await? {
        let ids = found.rows.entry(shape.table.name).or_default();
        each(source, &shape, None, |row| add_row(&shape, row, is, ids)).await?;
    }
    let Some(events) = Events::of(source).await? else { return Ok(found) };
    // Again and again: only the event of a deletion, the last one of a row, shows that the row was
    // one of the person's, and only then are its parts known.
    each(source, &events.shape, None, |row| read_event(&events, row, is, &mut found)).await?;
    if found.has_rows() {
        add_parts(source, &mut found).await?;
        if events.are_about_parts() {
            each(source, &events.shape, None, |row| add_gone(&events, row, &mut found)).await?;
        }
        each(source, &events.shape, None, |row| add_event(&events, row, &mut found)).await?;
    }
    Ok(found)
}

/// Like [`find`], after a search at the moment `since` that found `before`: looks at what that one
/// found, and at what has changed.
pub(super) async fn find_again<S: Snapshot + ?Sized>(
    source: &mut S,
    is: IsErased<'_>,
    before: &Found,
    since: Mark,
) -> Result<Found, StoreError> {
    let (mut found, since) = (Found::default(), Some(since));
    for shape in with_contacts(source).await? {
        let ids = found.rows.entry(shape.table.name).or_default();
        for id in before.rows.get(shape.table.name).into_iter().flatten() {
            let row = row_of(source, &shape, *id).await?;
            row.iter().for_each(|row| add_row(&shape, row, is, ids));
        }
        each(source, &shape, since, |row| add_row(&shape, row, is, ids)).await?;
    }
    let Some(events) = Events::of(source).await? else { return Ok(found) };
    let mut known = Vec::new();
    for id in before.events.keys() {
        known.extend(row_of(source, &events.shape, *id).await?);
    }
    known.iter().for_each(|row| read_event(&events, row, is, &mut found));
    each(source, &events.shape, since, |row| read_event(&events, row, is, &mut found)).await?;
    if found.has_rows() {
        add_parts(source, &mut found).await?;
        // The first search did not look for the events of a row that it did not find.
        let since_for = |found: &Found| since.filter(|_| before.has_all_rows_of(found));
        if events.are_about_parts() {
            known.iter().for_each(|row| add_gone(&events, row, &mut found));
            let since = since_for(&found);
            each(source, &events.shape, since, |row| add_gone(&events, row, &mut found)).await?;
        }
        known.iter().for_each(|row| add_event(&events, row, &mut found));
        let since = since_for(&found);
        each(source, &events.shape, since, |row| add_event(&events, row, &mut found)).await?;
    }
    Ok(found)
}

impl Found {
    fn has_rows(&self) -> bool {
        self.rows.values().chain(self.gone.values()).any(|ids| !ids.is_empty())
    }

    /// The ids of rows of a table, also of those that were deleted before.
    fn all_of(&self, table: &str) -> impl Iterator<Item = &BTreeSet<i64>> {
        self.rows.get(table).into_iter().chain(self.gone.get(table))
    }

    /// Whether a row, also one that was deleted before, is one of the erased.
    fn has(&self, table: &str, id: i64) -> bool {
        self.all_of(table).any(|ids| ids.contains(&id))
    }

    /// Whether it has all rows, also of those that are gone, of another search.
    fn has_all_rows_of(&self, other: &Self) -> bool {
        let has = |(table, ids): (&&'static str, &BTreeSet<i64>)| {
            ids.iter().all(|id| self.has(table, *id))
        };
        other.rows.iter().chain(&other.gone).all(has)
    }
}

/// Adds the rows that are parts of rows of the erased, also of those that were deleted before. A part
/// comes after its whole in the list of tables.
async fn add_parts<S: Snapshot + ?Sized>(
    source: &mut S,
    found: &mut Found,
) -> Result<(), StoreError> {
    for shape in source.shapes().await? {
        let Some((name, whole)) = shape.table.part_of else { continue };
        let Some(at) = column(&shape, name) else { continue };
        let mut parts = BTreeSet::new();
        let parts_of = |row: &Row| match row.get(at) {
            Some(Value::Integer(of)) if found.has(whole, *of) => parts.extend(id(row)),
            _ => {}
        };
        each(source, &shape, None, parts_of).await?;
        found.rows.entry(shape.table.name).or_default().extend(parts);
    }
    Ok(())
}

/// Shows every event to `visit`.
pub(super) async fn each_event<S: Snapshot + ?Sized>(
    source: &mut S,
    mut visit: impl FnMut(&Shape, &Row),
) -> Result<(), StoreError> {
    let Some(Events { shape, .. }) = Events::of(source).await? else { return Ok(()) };
    each(source, &shape, None, |row| visit(&shape, row)).await
}

/// Shows every row of a table to `visit`, or those that have changed since a moment.
async fn each<S: Snapshot + ?Sized>(
    source: &mut S,
    shape: &Shape,
    since: Option<Mark>,
    mut visit: impl FnMut(&Row),
) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let rows = match since {
            Some(since) => source.changed(shape, since, after, PAGE).await?,
            None => source.rows(shape, after, PAGE).await?,
        };
        let Some(last) = rows.last().and_then(id) else { return Ok(()) };
        rows.iter().for_each(&mut visit);
        after = last;
    }
}

/// The tables whose rows may have contacts, with the columns that a search needs.
async fn with_contacts(source: &mut (impl Snapshot + ?Sized)) -> Result<Vec<Shape>, StoreError> {
    let mut shapes = shapes(source).await?;
    shapes.retain(|shape| !shape.table.contacts.is_empty());
    for Shape { table, columns } in &mut shapes {
        let has_contacts = |name| table.contacts.iter().any(|(contact, _)| *contact == name);
        columns.retain(|column| column.name == "id" || has_contacts(column.name));
    }
    Ok(shapes)
}

/// The table of events, with the columns that are read here, and the tables that they are about.
struct Events {
    shape: Shape,
    tables: Vec<&'static Table>,
}

impl Events {
    /// Those of a database, if it has any.
    async fn of(source: &mut (impl Snapshot + ?Sized)) -> Result<Option<Self>, StoreError> {
        let shapes = source.shapes().await?;
        let tables = shapes.iter().map(|shape| shape.table);
        let tables = tables.filter(|table| !table.resource.is_empty()).collect();
        let mut shape = shapes.into_iter().find(|shape| shape.table.name == events::TABLE.name);
        if let Some(Shape { columns, .. }) = &mut shape {
            let needed = ["id", "verb", "resource", "resource_id", "changes"];
            columns.retain(|column| needed.contains(&column.name));
        }
        Ok(shape.map(|shape| Self { shape, tables }))
    }

    /// Whether there are events of rows that are parts of others.
    fn are_about_parts(&self) -> bool {
        self.tables.iter().any(|table| table.part_of.is_some())
    }

    /// The table and the id of the row that an event is about.
    fn subject(&self, row: &Row) -> Option<(&'static Table, i64)> {
        let value = |name: &str| row.get(column(&self.shape, name)?);
        match (value("resource")?, value("resource_id")?) {
            (Value::Text(resource), Value::Integer(id)) => {
                let table = self.tables.iter().find(|table| table.resource == resource)?;
                Some((table, *id))
            }
            _ => None,
        }
    }
}

/// The tables of an archive, and the jobs.
pub(super) async fn shapes(
    source: &mut (impl Snapshot + ?Sized),
) -> Result<Vec<Shape>, StoreError> {
    let mut shapes = source.shapes().await?;
    shapes.extend(Shape::of(&jobs::TABLE, |_| true));
    Ok(shapes)
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

/// Whether what waits in a spool has a contact of the erased.
pub(super) fn waits_for(what: &Accepted, is: IsErased<'_>) -> bool {
    let has = |table: &Table, fields: &Record| {
        table.contacts.iter().any(|(name, kind)| {
            let value = fields.get(*name).and_then(Json::as_str);
            value.is_some_and(|text| Contact::is_in(*kind, text, &is))
        })
    };
    match what {
        Accepted::Lead(_, lead) => has(&leads::TABLE, &record(lead)),
        Accepted::SignUp(subscriber) => has(&subscribers::TABLE, &record(subscriber)),
        Accepted::Unknown(words) => Contact::is_in(ContactKind::Json, words, &is),
    }
}

/// Adds a row if it has a contact of the erased.
fn add_row(shape: &Shape, row: &Row, is: IsErased<'_>, ids: &mut BTreeSet<i64>) {
    if concerns(shape, row, is) {
        ids.extend(id(row));
    }
}

/// Adds an event if its values contain a contact of the erased. If the row was theirs at that time,
/// all values of the event go, and if it was deleted by the event, all other events of the row too.
/// The event of another row, for example with a note that mentions the person, keeps its other values.
fn read_event(events: &Events, row: &Row, is: IsErased<'_>, found: &mut Found) {
    let (changes, subject) = (changes(&events.shape, row), events.subject(row));
    let has = |value: &Json| Contact::is_in_json(value, &is);
    if !changes.values().into_iter().any(has) {
        return;
    }
    let is_theirs = subject.is_some_and(|(table, _)| {
        let mut contacts = table.contacts.iter();
        contacts.any(|(name, _)| changes.values_of(name).into_iter().any(has))
    });
    let erased = if is_theirs { changes.erased() } else { changes.erased_where(has) };
    found.events.extend(id(row).map(|id| (id, erased)));
    if let (true, Changes::Row(_), Some((table, id))) = (is_theirs, changes, subject) {
        found.gone.entry(table.name).or_default().insert(id);
    }
}

/// Adds the row of an event if it was a part of a row of the erased, and was deleted before.
fn add_gone(events: &Events, row: &Row, found: &mut Found) {
    let Some((table, id)) = events.subject(row) else { return };
    let Some((column, whole)) = table.part_of else { return };
    // The column of a reference is named after its field.
    let field = column.strip_suffix("_id").unwrap_or(column);
    if let Changes::Row(values) = changes(&events.shape, row)
        && let Some(of) = values.get(field).and_then(Json::as_i64)
        && found.has(whole, of)
    {
        found.gone.entry(table.name).or_default().insert(id);
    }
}

/// Adds an event of a row of the erased, if it has values.
fn add_event(events: &Events, row: &Row, found: &mut Found) {
    let shape = &events.shape;
    let has_values = column(shape, "changes").and_then(|at| row.get(at)) != Some(&Value::Null);
    let Some((table, of)) = events.subject(row).filter(|_| has_values) else { return };
    if found.has(table.name, of) {
        let erased = changes(shape, row).erased();
        found.events.extend(id(row).map(|id| (id, erased)));
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
