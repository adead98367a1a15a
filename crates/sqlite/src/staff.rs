//! Staff accounts in SQLite.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::{Constraint, StaffRepository, StoreError};

use self::row::{ProfileRow, StaffRow, staff};
use crate::error::from_diesel;
use crate::store::Store;
use crate::window::Window;

/// Stores staff accounts.
#[derive(Clone)]
pub(crate) struct SqliteStaffRepository {
    store: Store,
}

impl SqliteStaffRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl StaffRepository for SqliteStaffRepository {
    async fn create(&self, new: &NewStaff) -> Result<Staff, StoreError> {
        let row = (
            ProfileRow::of(&new.profile)?,
            staff::password.eq(new.password.as_str().to_owned()),
            staff::date_joined.eq(new.date_joined.timestamp_micros()),
        );
        let insert = move |connection: &mut SqliteConnection| {
            diesel::insert_into(staff::table)
                .values(row)
                .returning(StaffRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)
        };
        self.store.writer.write(self.store.patience, insert).await?.try_into()
    }

    async fn find(&self, id: StaffId) -> Result<Option<Staff>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            staff::table.find(id.0).select(StaffRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Staff::try_from).transpose()
    }

    async fn find_by_username(&self, username: &str) -> Result<Option<Staff>, StoreError> {
        let username = username.to_owned();
        let find = move |connection: &mut SqliteConnection| {
            let called = staff::table.filter(staff::username.eq(&username));
            called.select(StaffRow::as_select()).first(connection).optional()
        };
        self.store.readers.run(find).await?.map(Staff::try_from).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Option<Page<Staff>>, StoreError> {
        let list = move |connection: &mut SqliteConnection| {
            let count: i64 = staff::table.count().get_result(connection)?;
            let Some(window) = Window::of(count.unsigned_abs(), page) else {
                return Ok(None);
            };
            let own = staff::table.select(StaffRow::as_select());
            let own = own.limit(window.limit).offset(window.offset);
            let mut rows: Vec<StaffRow> = if window.backward {
                own.order(staff::username.desc()).load(connection)?
            } else {
                own.order(staff::username.asc()).load(connection)?
            };
            if window.backward {
                rows.reverse();
            }
            Ok(Some(Page { count: count.unsigned_abs(), number: window.number, rows }))
        };
        let Some(page) = self.store.readers.read(list).await? else {
            return Ok(None);
        };
        let rows: Result<_, _> = page.rows.into_iter().map(Staff::try_from).collect();
        Ok(Some(Page { count: page.count, number: page.number, rows: rows? }))
    }

    async fn update(&self, id: StaffId, profile: &StaffProfile) -> Result<Staff, StoreError> {
        let row = ProfileRow::of(profile)?;
        let update = move |connection: &mut SqliteConnection| {
            let updated = diesel::update(staff::table.find(id.0))
                .set(row)
                .returning(StaffRow::as_returning())
                .get_result(connection)
                .optional();
            updated.map_err(from_diesel)?.ok_or(StoreError::NotFound)
        };
        self.store.writer.write(self.store.patience, update).await?.try_into()
    }

    async fn set_password(&self, seen: &Staff, password: &PasswordHash) -> Result<(), StoreError> {
        let (id, seen, password) = (seen.id.0, seen.password.clone(), password.clone());
        let set = move |connection: &mut SqliteConnection| {
            let own = staff::table.find(id);
            let set = diesel::update(own.filter(staff::password.eq(seen.as_str())))
                .set(staff::password.eq(password.as_str()))
                .execute(connection);
            if set.map_err(from_diesel)? == 1 {
                return Ok(());
            }
            let rows: i64 = own.count().get_result(connection).map_err(from_diesel)?;
            Err(if rows == 0 {
                StoreError::NotFound
            } else {
                StoreError::Conflict(Constraint::Stale)
            })
        };
        self.store.writer.write(self.store.patience, set).await
    }

    async fn note_login(&self, id: StaffId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let now = now.timestamp_micros();
        let note = move |connection: &mut SqliteConnection| {
            let earlier = staff::last_login.is_null().or(staff::last_login.lt(now));
            diesel::update(staff::table.find(id.0).filter(earlier))
                .set(staff::last_login.eq(now))
                .execute(connection)
                .map(drop)
                .map_err(from_diesel)
        };
        self.store.writer.write(self.store.patience, note).await
    }
}
