//! Staff accounts in PostgreSQL.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::{Constraint, StaffRepository, StoreError};

use self::row::{COLUMNS, ProfileRow, StaffColumns, StaffRow, staff};
use crate::listing::{Key, Listing, Way, page_of};
use crate::pool::PgPool;
use crate::sql::Conditions;

/// Stores staff accounts in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgStaffRepository {
    pool: PgPool,
}

impl PgStaffRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl StaffRepository for PgStaffRepository {
    async fn create(&self, new: &NewStaff) -> Result<Staff, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(staff::table)
                .values((
                    ProfileRow::from(&new.profile),
                    staff::password.eq(new.password.as_str()),
                    staff::date_joined.eq(new.date_joined),
                ))
                .returning(StaffRow::as_returning());
            async move {
                let created = query.get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        created.await.map(Staff::from)
    }

    async fn find(&self, id: StaffId) -> Result<Option<Staff>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = staff::table.find(id.0).select(StaffRow::as_select());
            let found: QueryResult<StaffRow> = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(Staff::from))
    }

    async fn find_by_username(&self, username: &str) -> Result<Option<Staff>, StoreError> {
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        if username.contains('\0') {
            return Ok(None);
        }
        let found = self.pool.read(|mut connection| {
            let called = staff::table.filter(staff::username.eq(username));
            let query = called.select(StaffRow::as_select());
            async move {
                let found: QueryResult<StaffRow> = query.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        Ok(found.await?.map(Staff::from))
    }

    async fn list(&self, page: PageRequest) -> Result<Option<Page<Staff>>, StoreError> {
        let listing = Listing {
            table: "staff",
            columns: COLUMNS,
            counts: None,
            conditions: Conditions::default(),
            key: Key(&["username"]),
            descending: false,
            from: None,
            way: Way::InOrder,
            plannable: true,
        };
        let Some(query) = listing.page::<StaffColumns>(page) else {
            return Ok(None);
        };
        let listed = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let listed = query.load(&mut *connection).await;
                connection.done(listed)
            }
        });
        let rows: Vec<(i64, StaffRow)> = listed.await?;
        Ok(page_of(page, rows))
    }

    async fn update(&self, id: StaffId, profile: &StaffProfile) -> Result<Staff, StoreError> {
        let updated = self.pool.write(|mut connection| {
            let query = diesel::update(staff::table.find(id.0))
                .set(ProfileRow::from(profile))
                .returning(StaffRow::as_returning());
            async move {
                let updated = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        updated.await?.map(Staff::from).ok_or(StoreError::NotFound)
    }

    async fn set_password(&self, seen: &Staff, password: &PasswordHash) -> Result<(), StoreError> {
        let set = self.pool.write(|mut connection| {
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::password.eq(seen.password.as_str()));
            let query = diesel::update(as_seen).set(staff::password.eq(password.as_str()));
            async move {
                let set = query.execute(&mut *connection).await;
                connection.done(set)
            }
        });
        match set.await? {
            0 if self.find(seen.id).await?.is_none() => Err(StoreError::NotFound),
            0 => Err(StoreError::Conflict(Constraint::Stale)),
            _ => Ok(()),
        }
    }

    async fn note_login(&self, id: StaffId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let noted = self.pool.write(|mut connection| async move {
            let earlier = staff::last_login.is_null().or(staff::last_login.lt(now));
            let query = diesel::update(staff::table.find(id.0).filter(earlier))
                .set(staff::last_login.eq(now));
            let noted = query.execute(&mut *connection).await;
            connection.done(noted)
        });
        noted.await.map(drop)
    }
}
