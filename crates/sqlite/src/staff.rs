//! Staff accounts in SQLite.

mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::paging::{Page, PageRequest};
use exit3_domain::sign_ins::SignInId;
use exit3_domain::staff::{
    Language, NewStaff, PasswordHash, Preferences, RESOURCE, Staff, StaffId, StaffProfile, Theme,
};
use exit3_ports::{Constraint, StaffRepository, StoreError};

use self::row::ProfileRow;
pub(crate) use self::row::{StaffRow, staff};
use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sql::Sql;
use crate::store::{SqliteStore, check_seen};
use crate::window::Window;

/// Stores staff accounts.
#[derive(Clone)]
pub(crate) struct SqliteStaffRepository {
    store: SqliteStore,
}

impl SqliteStaffRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl StaffRepository for SqliteStaffRepository {
    async fn create(&self, new: &NewStaff, act: &Act) -> Result<Staff, StoreError> {
        let insert = insert(new, act)?;
        self.store.write(insert).await?.try_into()
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
        let Some(page) = self.store.read(list).await? else {
            return Ok(None);
        };
        let rows: Result<_, _> = page.rows.into_iter().map(Staff::try_from).collect();
        Ok(Some(Page { count: page.count, number: page.number, rows: rows? }))
    }

    async fn update(
        &self,
        seen: &Staff,
        profile: &StaffProfile,
        act: &Act,
    ) -> Result<Staff, StoreError> {
        let row = ProfileRow::of(profile)?;
        let loses_owner = seen.profile.is_active_owner() && !profile.is_active_owner();
        let is_active = profile.is_active;
        let event = EventRow::of_update(act, RESOURCE, &Changes::between(&seen.profile, profile))?;
        let (id, seen) = (seen.id.0, seen.profile.clone());
        let update = move |connection: &mut SqliteConnection| {
            check_seen(stored(connection, id)?.map(|stored| stored.profile), &seen)?;
            if loses_owner && !has_other_owner(connection, id)? {
                return Err(StoreError::Conflict(Constraint::LastOwner));
            }
            let updated: StaffRow = diesel::update(staff::table.find(id))
                .set(row)
                .returning(StaffRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            if let Some(event) = event {
                event.insert(connection, id)?;
            }
            if !is_active {
                sign_out(connection, id, None)?;
                uninvite(connection, id)?;
            }
            Ok(updated)
        };
        self.store.write(update).await?.try_into()
    }

    async fn set_preferences(
        &self,
        seen: &Staff,
        preferences: &Preferences,
        act: &Act,
    ) -> Result<(), StoreError> {
        let changes = Changes::between(&seen.preferences, preferences);
        let event = (!changes.is_none())
            .then(|| EventRow::of(act, RESOURCE, Verb::PREFERENCES_SET, &changes))
            .transpose()?;
        let (id, seen, preferences) = (seen.id.0, seen.preferences, *preferences);
        let set = move |connection: &mut SqliteConnection| {
            check_seen(stored(connection, id)?.map(|stored| stored.preferences), &seen)?;
            let Preferences { language, theme, single_keys } = preferences;
            diesel::update(staff::table.find(id))
                .set((
                    staff::language.eq(language.map(Language::as_str)),
                    staff::theme.eq(theme.map(Theme::as_str)),
                    staff::single_keys.eq(single_keys),
                ))
                .execute(connection)
                .map_err(from_diesel)?;
            event.map_or(Ok(()), |event| event.insert(connection, id))
        };
        self.store.write(set).await
    }

    async fn set_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None)?;
        let (id, seen, password) = (seen.id.0, seen.password.clone(), password.clone());
        let set = move |connection: &mut SqliteConnection| {
            check_seen(stored(connection, id)?.map(|stored| stored.password), &seen)?;
            diesel::update(staff::table.find(id))
                .set(staff::password.eq(password.as_str()))
                .execute(connection)
                .map_err(from_diesel)?;
            event.insert(connection, id)
        };
        self.store.write(set).await
    }
}

/// The account with this id.
pub(crate) fn stored(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<Staff>, StoreError> {
    let stored = staff::table.find(id).select(StaffRow::as_select()).first(connection);
    stored.optional().map_err(from_diesel)?.map(Staff::try_from).transpose()
}

/// The write of a new account.
pub(crate) fn insert(
    new: &NewStaff,
    act: &Act,
) -> Result<impl FnOnce(&mut SqliteConnection) -> Result<StaffRow, StoreError> + use<>, StoreError>
{
    let row = (
        ProfileRow::of(&new.profile)?,
        staff::password.eq(new.password.as_str().to_owned()),
        staff::date_joined.eq(new.date_joined.timestamp_micros()),
    );
    let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
    Ok(move |connection: &mut SqliteConnection| {
        let created: StaffRow = diesel::insert_into(staff::table)
            .values(row)
            .returning(StaffRow::as_returning())
            .get_result(connection)
            .map_err(from_diesel)?;
        event.insert(connection, created.id())?;
        Ok(created)
    })
}

/// Whether there is an active owner besides the account with this id.
pub(crate) fn has_other_owner(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<bool, StoreError> {
    let owners = staff::table.filter(staff::is_superuser).filter(staff::is_active);
    let others = owners.filter(staff::id.ne(id));
    diesel::select(diesel::dsl::exists(others)).get_result(connection).map_err(from_diesel)
}

/// Ends the sign-ins of an account but one; returns how many.
pub(crate) fn sign_out(
    connection: &mut SqliteConnection,
    id: i64,
    keep: Option<SignInId>,
) -> Result<usize, StoreError> {
    let mut end = Sql::<()>::new("DELETE FROM sign_ins WHERE staff_id = ");
    // No sign-in has the id 0.
    end.int(id).sql(" AND id <> ").int(keep.map_or(0, |keep| keep.0));
    end.execute(connection).map_err(from_diesel)
}

/// Ends the invitation of an account.
pub(crate) fn uninvite(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    let mut end = Sql::<()>::new("DELETE FROM invitations WHERE staff_id = ");
    end.int(id);
    end.execute(connection).map(drop).map_err(from_diesel)
}
