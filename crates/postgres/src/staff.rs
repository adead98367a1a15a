//! Staff accounts in PostgreSQL.

mod row;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool};
use diesel::{PgExpressionMethods, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::staff::{
    Language, NewStaff, PasswordHash, Preferences, RESOURCE, Staff, StaffId, StaffProfile, Theme,
};
use exit3_ports::{Constraint, StaffRepository, StoreError};

use self::row::{COLUMNS, ProfileRow, StaffColumns};
pub(crate) use self::row::{StaffRow, staff};
use crate::events::{EventRow, Noted};
use crate::listing::{Key, Listing, Way, page_of};
use crate::pool::PgPool;
use crate::sql::{Conditions, Sql};
use crate::stale::written;

/// Finds an account.
pub(crate) const FIND: &str = "SELECT 1 FROM staff WHERE id = ";

/// Ends all sign-ins of the accounts in `written`.
pub(crate) const SIGN_OUT: &str = "DELETE FROM sign_ins USING written WHERE staff_id = written.id";
/// Ends the invitations of the accounts in `written`.
pub(crate) const UNINVITE: &str =
    "DELETE FROM invitations USING written WHERE staff_id = written.id";

/// Locks all active owners, in the same order in every transaction. A
/// transaction that takes the rights of one owner has locked another one until the commit, so two
/// transactions cannot take the rights of the last two owners.
const OWNERS: &str = "SELECT id FROM staff WHERE is_superuser AND is_active ORDER BY id FOR UPDATE";

/// Stores staff accounts in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgStaffRepository {
    pool: PgPool,
}

impl PgStaffRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Stores an account, and with it what another statement writes about the row in `written`.
    pub(crate) async fn create_with(
        &self,
        new: &NewStaff,
        act: &Act,
        beside: Option<(&'static str, Sql)>,
    ) -> Result<Staff, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(staff::table)
                .values((
                    ProfileRow::from(&new.profile),
                    staff::password.eq(new.password.as_str()),
                    staff::date_joined.eq(new.date_joined),
                ))
                .returning(StaffRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let mut query = Noted::new(query, event);
            if let Some((name, write)) = &beside {
                query = query.beside(name, write.clone());
            }
            async move {
                let created = query.get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        created.await.map(Staff::from)
    }
}

#[async_trait]
impl StaffRepository for PgStaffRepository {
    async fn create(&self, new: &NewStaff, act: &Act) -> Result<Staff, StoreError> {
        self.create_with(new, act, None).await
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
            except: None,
            key: Key(&["username"]),
            descending: false,
            from: None,
            way: Way::InOrder,
            plannable: true,
            ahead: None,
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
        let keeps_owner = !seen.profile.is_active_owner() || profile.is_active_owner();
        let updated = self.pool.write(|mut connection| {
            let ProfileRow {
                username,
                first_name,
                last_name,
                email,
                is_staff,
                is_active,
                is_superuser,
                role,
            } = ProfileRow::from(&seen.profile);
            let another_owner = sql::<Bool>("(")
                .bind::<Bool, _>(keeps_owner)
                .sql(" OR EXISTS (SELECT FROM owners WHERE owners.id <> ")
                .bind::<BigInt, _>(seen.id.0)
                .sql("))");
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::username.eq(username))
                .filter(staff::first_name.eq(first_name))
                .filter(staff::last_name.eq(last_name))
                .filter(staff::email.eq(email))
                .filter(staff::is_staff.eq(is_staff))
                .filter(staff::is_active.eq(is_active))
                .filter(staff::is_superuser.eq(is_superuser))
                .filter(staff::role.is_not_distinct_from(role))
                .filter(another_owner);
            let query = diesel::update(as_seen)
                .set(ProfileRow::from(profile))
                .returning(StaffRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::UPDATED, &changes);
            let mut query = Noted::new(query, (!changes.is_none()).then_some(event))
                .after("owners", Sql::planned(OWNERS));
            if !profile.is_active {
                query = query
                    .beside("signed_out", Sql::planned(SIGN_OUT))
                    .beside("uninvited", Sql::planned(UNINVITE));
            }
            async move {
                let updated: QueryResult<StaffRow> = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        if let Some(updated) = updated.await? {
            return Ok(updated.into());
        }
        Err(match self.find(seen.id).await? {
            None => StoreError::NotFound,
            Some(now) if now.profile == seen.profile => StoreError::Conflict(Constraint::LastOwner),
            Some(_) => StoreError::Conflict(Constraint::Stale),
        })
    }

    async fn set_preferences(
        &self,
        seen: &Staff,
        preferences: &Preferences,
        act: &Act,
    ) -> Result<(), StoreError> {
        let changes = Changes::between(&seen.preferences, preferences);
        let set = self.pool.write(|mut connection| {
            let (before, after) = (words(&seen.preferences), words(preferences));
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::language.is_not_distinct_from(before.0))
                .filter(staff::theme.is_not_distinct_from(before.1))
                .filter(staff::single_keys.eq(before.2));
            let query = diesel::update(as_seen)
                .set((
                    staff::language.eq(after.0),
                    staff::theme.eq(after.1),
                    staff::single_keys.eq(after.2),
                ))
                .returning(staff::id);
            let event = EventRow::of(act, RESOURCE, Verb::PREFERENCES_SET, &changes);
            let query = Noted::new(query, (!changes.is_none()).then_some(event));
            async move {
                let set: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(set.optional())
            }
        });
        let set = set.await?;
        written(&self.pool, FIND, seen.id.0, set).await.map(drop)
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
}

/// The values of the columns of preferences.
fn words(preferences: &Preferences) -> (Option<&'static str>, Option<&'static str>, bool) {
    let Preferences { language, theme, single_keys } = preferences;
    (language.map(Language::as_str), theme.map(Theme::as_str), *single_keys)
}
