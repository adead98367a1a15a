//! Staff accounts in PostgreSQL.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{NewStaff, PasswordHash, RESOURCE, Staff, StaffId, StaffProfile};
use exit3_ports::{StaffRepository, StoreError};

use self::row::{COLUMNS, ProfileRow, StaffColumns, StaffRow, staff};
use crate::events::{EventRow, Noted};
use crate::listing::{Key, Listing, Way, page_of};
use crate::pool::PgPool;
use crate::sql::Conditions;
use crate::stale::written;

/// Finds an account.
const FIND: &str = "SELECT 1 FROM staff WHERE id = ";

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
    async fn create(&self, new: &NewStaff, act: &Act) -> Result<Staff, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(staff::table)
                .values((
                    ProfileRow::from(&new.profile),
                    staff::password.eq(new.password.as_str()),
                    staff::date_joined.eq(new.date_joined),
                ))
                .returning(StaffRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let query = Noted::new(query, event);
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

    async fn update(
        &self,
        seen: &Staff,
        profile: &StaffProfile,
        act: &Act,
    ) -> Result<Staff, StoreError> {
        let changes = Changes::between(&seen.profile, profile);
        let updated = self.pool.write(|mut connection| {
            let ProfileRow {
                username,
                first_name,
                last_name,
                email,
                is_staff,
                is_active,
                is_superuser,
            } = ProfileRow::from(&seen.profile);
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::username.eq(username))
                .filter(staff::first_name.eq(first_name))
                .filter(staff::last_name.eq(last_name))
                .filter(staff::email.eq(email))
                .filter(staff::is_staff.eq(is_staff))
                .filter(staff::is_active.eq(is_active))
                .filter(staff::is_superuser.eq(is_superuser));
            let query = diesel::update(as_seen)
                .set(ProfileRow::from(profile))
                .returning(StaffRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::UPDATED, &changes);
            let query = Noted::new(query, (!changes.is_none()).then_some(event));
            async move {
                let updated: QueryResult<StaffRow> = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        let updated = updated.await?;
        Ok(written(&self.pool, FIND, seen.id.0, updated).await?.into())
    }

    async fn set_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError> {
        let set = self.pool.write(|mut connection| {
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::password.eq(seen.password.as_str()));
            let query = diesel::update(as_seen)
                .set(staff::password.eq(password.as_str()))
                .returning(staff::id);
            let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None);
            let query = Noted::new(query, event);
            async move {
                let set: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(set.optional())
            }
        });
        let set = set.await?;
        written(&self.pool, FIND, seen.id.0, set).await.map(drop)
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
