//! Invitations in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::sign_ins::NewInvitation;
use exit3_domain::staff::{NewStaff, PasswordHash, RESOURCE, Staff};
use exit3_ports::invitations::Invited;
use exit3_ports::{Constraint, Invitations, StoreError};

use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sign_ins::set_password;
use crate::sql::Sql;
use crate::staff::{StaffRow, has_other_owner, insert, staff, stored, uninvite};
use crate::store::SqliteStore;
use crate::values::microseconds;

/// The number of the first owner, who has no account yet.
const FIRST_OWNER: i64 = 0;

/// Stores invitations.
#[derive(Clone)]
pub(crate) struct SqliteInvitations {
    store: SqliteStore,
}

impl SqliteInvitations {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Invitations for SqliteInvitations {
    async fn invite(&self, invitation: &NewInvitation, act: &Act) -> Result<(), StoreError> {
        let id = invitation.staff.map_or(FIRST_OWNER, |staff| staff.0);
        let digest = invitation.digest;
        let times = (microseconds(invitation.created_at), microseconds(invitation.ends_at));
        let event = EventRow::of(act, RESOURCE, Verb::INVITED, &Changes::None)?;
        let invite = move |connection: &mut SqliteConnection| {
            if id == FIRST_OWNER {
                refuse_second_owner(connection)?;
            } else {
                active(connection, id)?;
            }
            store(connection, id, digest, times)?;
            if id == FIRST_OWNER { Ok(()) } else { event.insert(connection, id) }
        };
        self.store.write(invite).await
    }

    async fn invite_new(
        &self,
        staff: &NewStaff,
        digest: &TokenDigest,
        ends_at: DateTime<Utc>,
        act: &Act,
    ) -> Result<Staff, StoreError> {
        let insert = insert(staff, act)?;
        let digest = *digest;
        let times = (microseconds(staff.date_joined), microseconds(ends_at));
        let invite = move |connection: &mut SqliteConnection| {
            let created = insert(connection)?;
            store(connection, created.id(), digest, times)?;
            Ok(created)
        };
        self.store.write(invite).await?.try_into()
    }

    async fn find(
        &self,
        digest: &TokenDigest,
        now: DateTime<Utc>,
    ) -> Result<Option<Invited>, StoreError> {
        let (digest, now) = (digest.0, microseconds(now));
        let find = move |connection: &mut SqliteConnection| {
            let Some(id) = valid(connection, digest, now)? else { return Ok(None) };
            let row: Option<StaffRow> =
                staff::table.find(id).select(StaffRow::as_select()).first(connection).optional()?;
            Ok(Some((id, row)))
        };
        Ok(match self.store.read(find).await? {
            Some((FIRST_OWNER, _)) => Some(Invited::FirstOwner),
            Some((_, Some(row))) => Some(Staff::try_from(row)?)
                .filter(|staff| staff.profile.is_active)
                .map(|staff| Invited::Person(Box::new(staff))),
            Some((_, None)) | None => None,
        })
    }

    async fn accept_as_owner(
        &self,
        digest: &TokenDigest,
        owner: &NewStaff,
        act: &Act,
    ) -> Result<Staff, StoreError> {
        let (digest, now) = (digest.0, microseconds(act.at));
        let insert = insert(owner, act)?;
        let accept = move |connection: &mut SqliteConnection| {
            refuse_second_owner(connection)?;
            used(connection, digest, now, FIRST_OWNER)?;
            insert(connection)
        };
        self.store.write(accept).await?.try_into()
    }

    async fn accept(
        &self,
        digest: &TokenDigest,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError> {
        let (id, digest, now) = (seen.id.0, digest.0, microseconds(act.at));
        let password = password.clone();
        let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None)?;
        let accept = move |connection: &mut SqliteConnection| {
            active(connection, id)?;
            used(connection, digest, now, id)?;
            set_password(connection, id, &password, None)?;
            event.insert(connection, id)
        };
        self.store.write(accept).await
    }
}

/// Stores an invitation of this number in place of an earlier one. It is valid between these times.
fn store(
    connection: &mut SqliteConnection,
    id: i64,
    digest: TokenDigest,
    times: (i64, i64),
) -> Result<(), StoreError> {
    let mut insert = Sql::<()>::new("INSERT OR REPLACE INTO invitations ");
    insert.sql("(staff_id, digest, created_at, ends_at) VALUES (").int(id).sql(", ");
    insert.bytes(digest.0.to_vec()).sql(", ").int(times.0).sql(", ").int(times.1).sql(")");
    insert.execute(connection).map(drop).map_err(from_diesel)
}

/// The number that a valid invitation with this digest invites.
fn valid(
    connection: &mut SqliteConnection,
    digest: [u8; 32],
    now: i64,
) -> QueryResult<Option<i64>> {
    let mut select = Sql::<BigInt>::new("SELECT staff_id FROM invitations WHERE digest = ");
    select.bytes(digest.to_vec()).sql(" AND ends_at > ").int(now);
    select.get_result(connection).optional()
}

/// Removes the valid invitation of this number with this digest.
fn used(
    connection: &mut SqliteConnection,
    digest: [u8; 32],
    now: i64,
    id: i64,
) -> Result<(), StoreError> {
    if valid(connection, digest, now).map_err(from_diesel)? != Some(id) {
        return Err(StoreError::NotFound);
    }
    uninvite(connection, id)
}

fn refuse_second_owner(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match has_other_owner(connection, FIRST_OWNER)? {
        true => Err(StoreError::Conflict(Constraint::OwnerExists)),
        false => Ok(()),
    }
}

/// Fails unless there is an active account with this id.
fn active(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    let staff = stored(connection, id)?.filter(|staff| staff.profile.is_active);
    staff.map(drop).ok_or(StoreError::NotFound)
}
