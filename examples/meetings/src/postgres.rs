//! Meetings in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::Queryable;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::LeadId;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;
use exit3_postgres::{Beyond, Conditions, EventRow, Key, Listing, PgHandle, Sql, Value, Word};

use crate::domain::{
    Meeting, MeetingFilter, MeetingId, MeetingOrder, MeetingSort, NewMeeting, Outcome, REMINDED,
    RESOURCE,
};
use crate::ports::MeetingRepository;

const COLUMNS: &str = "id, lead_id, starts_at, place, notes, outcome, reminded_at";
const FIND: &str = "SELECT 1 FROM meetings WHERE id = ";

type Columns = (BigInt, BigInt, Timestamptz, Text, Text, Nullable<Text>, Nullable<Timestamptz>);

/// A meeting as it is read.
#[derive(Queryable)]
struct MeetingRow {
    id: i64,
    lead_id: i64,
    starts_at: DateTime<Utc>,
    place: String,
    notes: String,
    outcome: Option<Word<Outcome>>,
    reminded_at: Option<DateTime<Utc>>,
}

impl From<MeetingRow> for Meeting {
    fn from(row: MeetingRow) -> Self {
        let MeetingRow { id, lead_id, starts_at, place, notes, outcome, reminded_at } = row;
        let outcome = outcome.map(|word| word.0);
        let details = NewMeeting { lead: LeadId(lead_id), starts_at, place, notes, outcome };
        Self { id: MeetingId(id), details, reminded_at }
    }
}

/// Stores meetings in PostgreSQL.
pub struct PgMeetingRepository {
    handle: PgHandle,
}

impl PgMeetingRepository {
    /// A repository in this database.
    pub const fn new(handle: PgHandle) -> Self {
        Self { handle }
    }

    /// Runs a write of the meeting `seen`, which ends with a condition that it is unchanged.
    async fn write(
        &self,
        write: Sql<Columns>,
        seen: &Meeting,
        event: Option<EventRow>,
    ) -> Result<Meeting, StoreError> {
        let NewMeeting { lead: _, starts_at, place, notes, outcome } = &seen.details;
        let write = write
            .sql(" WHERE id = ")
            .value(Value::BigInt(seen.id.0))
            .sql(" AND starts_at = ")
            .value(Value::time(*starts_at))
            .sql(" AND place = ")
            .value(text(place))
            .sql(" AND notes = ")
            .value(text(notes))
            .sql(" AND outcome IS NOT DISTINCT FROM ")
            .value(word(*outcome))
            .sql(" AND (reminded_at IS NULL) = ")
            .value(Value::Bool(Some(seen.reminded_at.is_none())))
            .sql(" RETURNING ")
            .sql(COLUMNS);
        let written: Option<MeetingRow> = self.handle.change(write, event).await?;
        self.handle.seen(FIND, seen.id.0, written).await.map(Meeting::from)
    }
}

fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

fn word(outcome: Option<Outcome>) -> Value {
    Value::Text(outcome.map(|outcome| outcome.as_str().to_owned()))
}

#[async_trait]
impl MeetingRepository for PgMeetingRepository {
    async fn create(&self, meeting: &NewMeeting, act: &Act) -> Result<Meeting, StoreError> {
        let NewMeeting { lead, starts_at, place, notes, outcome } = meeting;
        let insert = Sql::<Columns>::cached(
            "INSERT INTO meetings (lead_id, starts_at, place, notes, outcome) SELECT id, ",
        )
        .value(Value::time(*starts_at))
        .sql(", ")
        .value(text(place))
        .sql(", ")
        .value(text(notes))
        .sql(", ")
        .value(word(*outcome))
        .sql(" FROM leads WHERE id = ")
        .value(Value::BigInt(lead.0))
        .sql(" RETURNING ")
        .sql(COLUMNS);
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
        let created: Option<MeetingRow> = self.handle.change(insert, event).await?;
        created.map(Meeting::from).ok_or(StoreError::NotFound)
    }

    async fn find(&self, id: MeetingId) -> Result<Option<Meeting>, StoreError> {
        let query = Sql::<Columns>::cached("SELECT ").sql(COLUMNS);
        let query = query.sql(" FROM meetings WHERE id = ").value(Value::BigInt(id.0));
        let mut found: Vec<MeetingRow> = self.handle.rows(query).await?;
        Ok(found.pop().map(Meeting::from))
    }

    async fn list(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Meeting>>, StoreError> {
        let listing = listing(filter, order, None);
        self.handle.page::<Columns, MeetingRow, _>(&listing, page).await
    }

    async fn walk(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        step: &Step,
    ) -> Result<Slice<Meeting>, StoreError> {
        let listing = listing(filter, order, Beyond::of(order, step));
        self.handle.walk::<Columns, MeetingRow, _>(&listing, step).await
    }

    async fn update(
        &self,
        seen: &Meeting,
        details: &NewMeeting,
        act: &Act,
    ) -> Result<Meeting, StoreError> {
        let NewMeeting { lead: _, starts_at, place, notes, outcome } = details;
        let update = Sql::<Columns>::cached("UPDATE meetings SET starts_at = ")
            .value(Value::time(*starts_at))
            .sql(", place = ")
            .value(text(place))
            .sql(", notes = ")
            .value(text(notes))
            .sql(", outcome = ")
            .value(word(*outcome));
        let changes = Changes::between(&seen.details, details);
        let event =
            (!changes.is_none()).then(|| EventRow::of(act, RESOURCE, Verb::UPDATED, &changes));
        self.write(update, seen, event).await
    }

    async fn delete(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError> {
        let changes = Changes::Row(record(&seen.details));
        let event = EventRow::of(act, RESOURCE, Verb::DELETED, &changes);
        let delete = Sql::<Columns>::cached("DELETE FROM meetings");
        self.write(delete, seen, Some(event)).await.map(drop)
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<Meeting>, StoreError> {
        let query = Sql::<Columns>::cached("SELECT ")
            .sql(COLUMNS)
            .sql(" FROM meetings WHERE reminded_at IS NULL AND outcome IS NULL AND starts_at >= ")
            .value(Value::time(now))
            .sql(" AND starts_at <= ")
            .value(Value::time(end))
            .sql(" ORDER BY starts_at, id LIMIT ")
            .value(Value::BigInt(most.into()));
        let rows: Vec<MeetingRow> = self.handle.rows(query).await?;
        Ok(rows.into_iter().map(Meeting::from).collect())
    }

    async fn note_reminder(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError> {
        let update = Sql::<Columns>::cached("UPDATE meetings SET reminded_at = ");
        let update = update.value(Value::time(act.at));
        let event = EventRow::of(act, RESOURCE, REMINDED, &Changes::None);
        self.write(update, seen, Some(event)).await.map(drop)
    }
}

fn listing(filter: &MeetingFilter, order: MeetingOrder, from: Option<Beyond<'_>>) -> Listing {
    let key = Key(match order.by {
        MeetingSort::Id => &["id"],
        MeetingSort::StartsAt => &["starts_at", "id"],
    });
    let mut conditions = Conditions::default();
    if let Some(lead) = filter.lead {
        conditions.add("lead_id = ", Value::BigInt(lead.0), "");
    }
    if let Some(from) = filter.from {
        conditions.add("starts_at >= ", Value::time(from), "");
    }
    Listing::all("meetings", COLUMNS, key, order.descending, from).matching(conditions, &[])
}
