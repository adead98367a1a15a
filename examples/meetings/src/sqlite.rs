//! Meetings in the embedded database.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::leads::LeadId;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;
use exit3_sqlite::{
    EventRow, Listed, Sql, SqliteStore, check_seen, from_diesel, microseconds, moment, text,
    unreadable,
};

use crate::domain::{
    Meeting, MeetingFilter, MeetingId, MeetingOrder, MeetingSort, NewMeeting, Outcome, REMINDED,
    RESOURCE,
};
use crate::ports::MeetingRepository;

diesel::table! {
    meetings (id) {
        id -> BigInt,
        lead_id -> BigInt,
        starts_at -> BigInt,
        place -> Text,
        notes -> Text,
        outcome -> Nullable<Text>,
        reminded_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    leads (id) {
        id -> BigInt,
    }
}

/// A meeting as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = meetings, check_for_backend(diesel::sqlite::Sqlite))]
pub struct MeetingRow {
    id: i64,
    lead_id: i64,
    starts_at: i64,
    place: String,
    notes: String,
    outcome: Option<String>,
    reminded_at: Option<i64>,
}

impl TryFrom<MeetingRow> for Meeting {
    type Error = StoreError;

    fn try_from(row: MeetingRow) -> Result<Self, StoreError> {
        let MeetingRow { id, lead_id, starts_at, place, notes, outcome, reminded_at } = row;
        let of_word = |word: String| Outcome::from_word(&word).ok_or_else(unreadable);
        let outcome = outcome.map(of_word).transpose()?;
        let (lead, starts_at) = (LeadId(lead_id), moment(starts_at)?);
        let details = NewMeeting { lead, starts_at, place, notes, outcome };
        let reminded_at = reminded_at.map(moment).transpose()?;
        Ok(Self { id: MeetingId(id), details, reminded_at })
    }
}

/// The values of a row that people enter.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = meetings, treat_none_as_null = true)]
struct Details {
    lead_id: i64,
    starts_at: i64,
    place: String,
    notes: String,
    outcome: Option<&'static str>,
}

impl TryFrom<&NewMeeting> for Details {
    type Error = StoreError;

    fn try_from(meeting: &NewMeeting) -> Result<Self, StoreError> {
        let NewMeeting { lead, starts_at, place, notes, outcome } = meeting;
        let (place, notes) = (text(place)?, text(notes)?);
        let outcome = outcome.map(Outcome::as_str);
        Ok(Self { lead_id: lead.0, starts_at: microseconds(*starts_at), place, notes, outcome })
    }
}

/// Stores meetings in the embedded database.
pub struct SqliteMeetingRepository {
    store: SqliteStore,
}

impl SqliteMeetingRepository {
    /// A repository in this database.
    pub const fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    /// Runs a write of the meeting `seen` if it is unchanged, and stores the event.
    async fn write<T: Send + 'static>(
        &self,
        seen: &Meeting,
        event: Option<EventRow>,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let seen = seen.clone();
        let work = move |connection: &mut SqliteConnection| {
            let now = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(now.map(Meeting::try_from).transpose()?, &seen)?;
            let written = write(connection).map_err(from_diesel)?;
            if let Some(event) = event {
                event.insert(connection, seen.id.0)?;
            }
            Ok(written)
        };
        self.store.write(work).await
    }
}

fn stored(connection: &mut SqliteConnection, id: MeetingId) -> QueryResult<Option<MeetingRow>> {
    meetings::table.find(id.0).select(MeetingRow::as_select()).first(connection).optional()
}

#[async_trait]
impl MeetingRepository for SqliteMeetingRepository {
    async fn create(&self, meeting: &NewMeeting, act: &Act) -> Result<Meeting, StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let (lead, values) = (meeting.lead, Details::try_from(meeting)?);
        let insert = move |connection: &mut SqliteConnection| {
            let found = leads::table.find(lead.0).select(leads::id).first::<i64>(connection);
            found.optional().map_err(from_diesel)?.ok_or(StoreError::NotFound)?;
            let created: MeetingRow = diesel::insert_into(meetings::table)
                .values(values)
                .returning(MeetingRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            event.insert(connection, created.id)?;
            created.try_into()
        };
        self.store.write(insert).await
    }

    async fn find(&self, id: MeetingId) -> Result<Option<Meeting>, StoreError> {
        let found = self.store.read(move |connection| stored(connection, id)).await?;
        found.map(Meeting::try_from).transpose()
    }

    async fn list(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Meeting>>, StoreError> {
        self.store.page(filter, order, page).await
    }

    async fn walk(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        step: &Step,
    ) -> Result<Slice<Meeting>, StoreError> {
        self.store.walk(filter, order, step).await
    }

    async fn update(
        &self,
        seen: &Meeting,
        details: &NewMeeting,
        act: &Act,
    ) -> Result<Meeting, StoreError> {
        let changes = Changes::between(&seen.details, details);
        let event = EventRow::of_update(act, RESOURCE, &changes)?;
        let (id, values) = (seen.id, Details::try_from(details)?);
        let update = move |connection: &mut SqliteConnection| {
            diesel::update(meetings::table.find(id.0)).set(values).execute(connection)
        };
        self.write(seen, event, update).await?;
        Ok(Meeting { details: details.clone(), ..seen.clone() })
    }

    async fn delete(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError> {
        let changes = Changes::Row(record(&seen.details));
        let event = EventRow::of(act, RESOURCE, Verb::DELETED, &changes)?;
        let id = seen.id;
        let delete = move |connection: &mut SqliteConnection| {
            diesel::delete(meetings::table.find(id.0)).execute(connection)
        };
        self.write(seen, Some(event), delete).await.map(drop)
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<Meeting>, StoreError> {
        let (now, end) = (microseconds(now), microseconds(end));
        let select = move |connection: &mut SqliteConnection| {
            meetings::table
                .filter(meetings::reminded_at.is_null().and(meetings::outcome.is_null()))
                .filter(meetings::starts_at.between(now, end))
                .order((meetings::starts_at, meetings::id))
                .limit(most.into())
                .select(MeetingRow::as_select())
                .load(connection)
        };
        let rows = self.store.read(select).await?;
        rows.into_iter().map(Meeting::try_from).collect()
    }

    async fn note_reminder(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, REMINDED, &Changes::None)?;
        let (id, at) = (seen.id, microseconds(act.at));
        let update = move |connection: &mut SqliteConnection| {
            let row = meetings::table.find(id.0);
            diesel::update(row).set(meetings::reminded_at.eq(at)).execute(connection)
        };
        self.write(seen, Some(event), update).await.map(drop)
    }
}

impl Listed for MeetingFilter {
    type Sort = MeetingSort;
    type Row = MeetingRow;
    type Types = meetings::SqlType;

    const TABLE: &'static str = "meetings";
    const COLUMNS: &'static str = "id, lead_id, starts_at, place, notes, outcome, reminded_at";

    fn key(by: MeetingSort) -> &'static [&'static str] {
        match by {
            MeetingSort::Id => &["id"],
            MeetingSort::StartsAt => &["starts_at", "id"],
        }
    }

    fn read(row: MeetingRow) -> Result<Meeting, StoreError> {
        row.try_into()
    }

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        let Self { lead, from } = self;
        if let Some(lead) = lead {
            select.sql(" AND lead_id = ").int(lead.0);
        }
        if let Some(from) = from {
            select.sql(" AND starts_at >= ").int(microseconds(*from));
        }
    }
}
