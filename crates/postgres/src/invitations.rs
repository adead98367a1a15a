//! Invitations in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool};
use diesel::{JoinOnDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::sign_ins::NewInvitation;
use exit3_domain::staff::{NewStaff, PasswordHash, RESOURCE, Role, Staff, StaffId};
use exit3_ports::invitations::Invited;
use exit3_ports::{Constraint, Invitations, StaffRepository, StoreError};

use crate::events::{EventRow, Noted};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use crate::staff::{PgStaffRepository, SIGN_OUT, StaffRow, staff};

diesel::table! {
    invitations (staff_id) {
        staff_id -> BigInt,
        digest -> Binary,
        created_at -> Timestamptz,
        ends_at -> Timestamptz,
    }
}
diesel::allow_tables_to_appear_in_same_query!(invitations, staff);

/// The number of the first owner, who has no account yet.
const FIRST_OWNER: i64 = 0;

/// Whether there is an active owner.
const HAS_OWNER: &str = "EXISTS (SELECT FROM staff WHERE is_superuser AND is_active)";

/// Stores invitations in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgInvitations {
    pool: PgPool,
}

impl PgInvitations {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Why nobody was invited, or no invitation was used.
    async fn refusal(&self, first_owner: bool) -> Result<StoreError, StoreError> {
        if !first_owner {
            return Ok(StoreError::NotFound);
        }
        let has_owner = self.pool.read(|mut connection| async move {
            let query = Sql::<Bool>::cached("SELECT ").sql(HAS_OWNER);
            let has_owner: QueryResult<bool> = query.get_result(&mut *connection).await;
            connection.done(has_owner)
        });
        Ok(match has_owner.await? {
            true => StoreError::Conflict(Constraint::OwnerExists),
            false => StoreError::NotFound,
        })
    }
}

#[async_trait]
impl Invitations for PgInvitations {
    async fn invite(&self, invitation: &NewInvitation, act: &Act) -> Result<(), StoreError> {
        let NewInvitation { digest, staff, created_at, ends_at } = invitation;
        let invited = self.pool.write(|mut connection| {
            let insert =
                Sql::<BigInt>::planned("INSERT INTO invitations (staff_id, digest, created_at, ends_at) SELECT account.id, ")
                    .value(Value::Bytes(digest.0.to_vec()))
                    .sql(", ")
                    .value(Value::Time(*created_at))
                    .sql(", ")
                    .value(Value::Time(*ends_at));
            let insert = match staff {
                Some(id) => insert
                    .sql(" FROM staff AS account WHERE is_active AND account.id = ")
                    .value(Value::BigInt(id.0)),
                None => insert
                    .sql(" FROM (VALUES (0::bigint)) AS account (id) WHERE NOT ")
                    .sql(HAS_OWNER),
            };
            let insert = insert.sql(
                " ON CONFLICT (staff_id) DO UPDATE SET digest = excluded.digest, \
                 created_at = excluded.created_at, ends_at = excluded.ends_at \
                 RETURNING staff_id AS id",
            );
            let event = EventRow::of(act, RESOURCE, Verb::INVITED, &Changes::None);
            let query = Noted::new(insert, staff.is_some().then_some(event));
            async move {
                let invited: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(invited.optional())
            }
        });
        match invited.await? {
            Some(_) => Ok(()),
            None => Err(self.refusal(staff.is_none()).await?),
        }
    }

    async fn invite_new(
        &self,
        staff: &NewStaff,
        digest: &TokenDigest,
        ends_at: DateTime<Utc>,
        act: &Act,
    ) -> Result<Staff, StoreError> {
        let insert = Sql::planned(
            "INSERT INTO invitations (staff_id, digest, created_at, ends_at) SELECT id, ",
        )
        .value(Value::Bytes(digest.0.to_vec()))
        .sql(", ")
        .value(Value::Time(staff.date_joined))
        .sql(", ")
        .value(Value::Time(ends_at))
        .sql(" FROM written");
        let accounts = PgStaffRepository::new(self.pool.clone());
        accounts.create_with(staff, act, Some(("invited", insert))).await
    }

    async fn find(
        &self,
        digest: &TokenDigest,
        now: DateTime<Utc>,
    ) -> Result<Option<Invited>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = invitations::table
                .left_join(staff::table.on(staff::id.eq(invitations::staff_id)))
                .filter(invitations::digest.eq(digest.0.as_slice()))
                .filter(invitations::ends_at.gt(now))
                .select((invitations::staff_id, Option::<StaffRow>::as_select()));
            let found: QueryResult<(i64, Option<StaffRow>)> =
                query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(match found.await? {
            Some((FIRST_OWNER, _)) => Some(Invited::FirstOwner),
            Some((_, Some(row))) => Some(Staff::from(row))
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
        let profile = &owner.profile;
        let created = self.pool.write(|mut connection| {
            let used = Sql::planned("DELETE FROM invitations WHERE staff_id = 0 AND digest = ")
                .value(Value::Bytes(digest.0.to_vec()))
                .sql(" AND ends_at > ")
                .value(Value::Time(act.at))
                .sql(" AND NOT ")
                .sql(HAS_OWNER)
                .sql(" RETURNING staff_id");
            let text = |text: &str| Value::Text(Some(text.to_owned()));
            let mut insert = Sql::<BigInt>::planned(
                "INSERT INTO staff (is_staff, is_active, is_superuser, role, date_joined, username, \
                 first_name, last_name, email, password) SELECT ",
            );
            for truth in [profile.is_staff, profile.is_active, profile.is_superuser] {
                insert = insert.value(Value::Bool(Some(truth))).sql(", ");
            }
            insert = insert
                .value(Value::Text(profile.role.map(Role::as_str).map(str::to_owned)))
                .sql(", ")
                .value(Value::Time(owner.date_joined));
            for value in [
                &profile.username,
                &profile.first_name,
                &profile.last_name,
                &profile.email,
                owner.password.as_str(),
            ] {
                insert = insert.sql(", ").value(text(value));
            }
            let insert = insert.sql(" FROM used RETURNING id");
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let query = Noted::new(insert, event).after("used", used);
            async move {
                let created: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(created.optional())
            }
        });
        let Some(id) = created.await? else { return Err(self.refusal(true).await?) };
        let accounts = PgStaffRepository::new(self.pool.clone());
        accounts.find(StaffId(id)).await?.ok_or(StoreError::NotFound)
    }

    async fn accept(
        &self,
        digest: &TokenDigest,
        seen: &Staff,
        password: &PasswordHash,
        act: &Act,
    ) -> Result<(), StoreError> {
        let accepted = self.pool.write(|mut connection| {
            let used = Sql::planned("DELETE FROM invitations WHERE digest = ")
                .value(Value::Bytes(digest.0.to_vec()))
                .sql(" AND ends_at > ")
                .value(Value::Time(act.at))
                .sql(" AND staff_id = ")
                .value(Value::BigInt(seen.id.0))
                .sql(" RETURNING staff_id");
            let write = Sql::<BigInt>::planned("UPDATE staff SET password = ")
                .value(Value::Text(Some(password.as_str().to_owned())))
                .sql(" FROM used WHERE staff.id = used.staff_id AND is_active RETURNING staff.id");
            let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None);
            let query = Noted::new(write, event)
                .after("used", used)
                .beside("signed_out", Sql::planned(SIGN_OUT));
            async move {
                let accepted: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(accepted.optional())
            }
        });
        accepted.await?.map(drop).ok_or(StoreError::NotFound)
    }
}
