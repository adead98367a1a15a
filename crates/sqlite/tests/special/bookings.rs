//! A repository as another crate would write it, over a table of its own: with the public items of
//! this crate alone.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;
use exit3_sqlite::{
    EventRow, Listed, Sql, SqliteStore, check_seen, from_diesel, microseconds, moment, text,
    unreadable,
};
use exit3_testkit::booking_rules;
use exit3_testkit::bookings::{
    Booking, BookingFilter, BookingOrder, BookingRepository, BookingSort, RESOURCE, Scene, State,
};
use exit3_testkit::log::Log;

use crate::{kept, raw};

const TABLE: &str = "CREATE TABLE bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    starts_at INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (length(place) BETWEEN 1 AND 100),
    state TEXT NOT NULL DEFAULT 'open'
) STRICT";

diesel::table! {
    bookings (id) {
        id -> BigInt,
        starts_at -> BigInt,
        place -> Text,
        state -> Text,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = bookings, check_for_backend(diesel::sqlite::Sqlite))]
struct BookingRow {
    id: i64,
    starts_at: i64,
    place: String,
    state: String,
}

impl TryFrom<BookingRow> for Booking {
    type Error = StoreError;

    fn try_from(row: BookingRow) -> Result<Self, StoreError> {
        let BookingRow { id, starts_at, place, state } = row;
        let state = State::from_word(&state).ok_or_else(unreadable)?;
        Ok(Self { id, starts_at: moment(starts_at)?, place, state })
    }
}

struct SqliteBookingRepository {
    store: SqliteStore,
}

/// The row with this id.
fn stored(connection: &mut SqliteConnection, id: i64) -> QueryResult<Option<BookingRow>> {
    bookings::table.find(id).select(BookingRow::as_select()).first(connection).optional()
}

#[async_trait]
impl BookingRepository for SqliteBookingRepository {
    async fn create(
        &self,
        starts_at: DateTime<Utc>,
        place: &str,
        act: &Act,
    ) -> Result<Booking, StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let values =
            (bookings::starts_at.eq(microseconds(starts_at)), bookings::place.eq(text(place)?));
        let insert = move |connection: &mut SqliteConnection| {
            let created: BookingRow = diesel::insert_into(bookings::table)
                .values(values)
                .returning(BookingRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            event.insert(connection, created.id)?;
            created.try_into()
        };
        self.store.write(insert).await
    }

    async fn find(&self, id: i64) -> Result<Option<Booking>, StoreError> {
        let found = self.store.read(move |connection| stored(connection, id)).await?;
        found.map(Booking::try_from).transpose()
    }

    async fn list(
        &self,
        filter: &BookingFilter,
        order: BookingOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Booking>>, StoreError> {
        self.store.page(&Filter(filter.clone()), order, page).await
    }

    async fn walk(
        &self,
        filter: &BookingFilter,
        order: BookingOrder,
        step: &Step,
    ) -> Result<Slice<Booking>, StoreError> {
        self.store.walk(&Filter(filter.clone()), order, step).await
    }

    async fn update(&self, seen: &Booking, state: State, act: &Act) -> Result<Booking, StoreError> {
        let changes = match state == seen.state {
            true => Changes::None,
            false => Changes::one("state", seen.state, state),
        };
        let event = EventRow::of_update(act, RESOURCE, &changes)?;
        let seen = seen.clone();
        let update = move |connection: &mut SqliteConnection| {
            let now = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(now.map(Booking::try_from).transpose()?, &seen)?;
            diesel::update(bookings::table.find(seen.id))
                .set(bookings::state.eq(state.as_str()))
                .execute(connection)
                .map_err(from_diesel)?;
            if let Some(event) = event {
                event.insert(connection, seen.id)?;
            }
            Ok(Booking { state, ..seen })
        };
        self.store.write(update).await
    }
}

/// The filter, in a type of the crate that says how its rows are found.
#[derive(Clone, Default)]
struct Filter(BookingFilter);

impl Listed for Filter {
    type Sort = BookingSort;
    type Row = BookingRow;
    type Types = bookings::SqlType;

    const TABLE: &'static str = "bookings";
    const COLUMNS: &'static str = "id, starts_at, place, state";

    fn key(by: BookingSort) -> &'static [&'static str] {
        match by {
            BookingSort::Id => &["id"],
            BookingSort::StartsAt => &["starts_at", "id"],
        }
    }

    fn read(row: BookingRow) -> Result<Booking, StoreError> {
        row.try_into()
    }

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        let BookingFilter { place, state } = &self.0;
        if let Some(place) = place {
            select.sql(" AND place = ").text(place);
        }
        if let Some(state) = state {
            select.sql(" AND state = ").text(state.as_str());
        }
    }
}

fn scene() -> Scene {
    let kept = kept();
    raw(&kept.path).batch_execute(TABLE).unwrap();
    Scene {
        bookings: Box::new(SqliteBookingRepository { store: kept.database.store() }),
        events: kept.database.repositories().events,
        guard: Box::new(kept),
    }
}

booking_rules!(scene());

/// The log is written by the thread of the writer, so a write makes that listen.
#[tokio::test]
async fn a_write_of_a_module_that_holds_up_others_or_panics_is_told() {
    let kept = kept();
    let log = Log::default();
    let write = async |store: SqliteStore, work: fn()| {
        let own = log.clone();
        let work = move |_: &mut SqliteConnection| {
            std::mem::forget(tracing::subscriber::set_default(own.subscriber()));
            work();
            Ok(())
        };
        store.write(work).await
    };
    let of_module = || kept.database.store().of_module("bookings");
    let slow = || std::thread::sleep(Duration::from_millis(1_050));
    write(of_module(), || ()).await.unwrap();
    write(kept.database.store(), slow).await.unwrap();
    assert_eq!(log.text(), "");
    write(of_module(), slow).await.unwrap();
    let told =
        "WARN exit3_sqlite::store: a write of the module bookings has held up all others for 1.";
    assert!(log.text().contains(told), "{}", log.text());
    assert!(write(of_module(), || panic!("in a module")).await.is_err());
    assert!(log.text().contains("a write of the module bookings panicked"), "{}", log.text());
}
