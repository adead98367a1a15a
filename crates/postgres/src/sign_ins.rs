//! Sign-ins of staff in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::{
    ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable,
};
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::sign_ins::{AWAY, NewSignIn, SignIn, SignInId};
use exit3_domain::staff::{PasswordHash, RESOURCE, Staff, StaffId};
use exit3_ports::sign_ins::Ending;
use exit3_ports::{SignIns, StoreError};

use crate::events::{EventRow, Noted};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use crate::staff::{FIND, SIGN_OUT, StaffRow, UNINVITE, staff};
use crate::stale::written;

diesel::table! {
    sign_ins (id) {
        id -> BigInt,
        digest -> Binary,
        staff_id -> BigInt,
        password_digest -> Binary,
        created_at -> Timestamptz,
        seen_at -> Timestamptz,
        ends_at -> Timestamptz,
        agent -> Text,
        address -> Text,
    }
}
diesel::allow_tables_to_appear_in_same_query!(sign_ins, staff);

/// A sign-in as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sign_ins)]
struct SignInRow {
    id: i64,
    staff_id: i64,
    password_digest: Vec<u8>,
    created_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    agent: String,
    address: String,
}

impl TryFrom<SignInRow> for SignIn {
    type Error = StoreError;

    fn try_from(row: SignInRow) -> Result<Self, StoreError> {
        let password = row.password_digest.try_into();
        Ok(Self {
            id: SignInId(row.id),
            staff: StaffId(row.staff_id),
            password: TokenDigest(
                password.map_err(|_| StoreError::Other("a digest of another length".into()))?,
            ),
            created_at: row.created_at,
            seen_at: row.seen_at,
            ends_at: row.ends_at,
            agent: row.agent,
            address: row.address,
        })
    }
}

/// Notes that the people whom `who` and `from` select are here. If they were away before, the visit is a
/// new one.
fn note_visit(who: &'static str, at: DateTime<Utc>, from: &'static str) -> Sql {
    Sql::cached("INSERT INTO staff_visits AS visit (staff_id, seen_at) ")
        .sql(who)
        .value(Value::Time(at))
        .sql(from)
        .sql(
            " ON CONFLICT (staff_id) DO UPDATE SET left_at = CASE \
             WHEN excluded.seen_at - visit.seen_at >= ",
        )
        .literal(AWAY.num_seconds())
        .sql(
            " * interval '1 second' THEN visit.seen_at ELSE visit.left_at END, \
             seen_at = greatest(visit.seen_at, excluded.seen_at)",
        )
}

/// Stores sign-ins in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgSignIns {
    pool: PgPool,
}

impl PgSignIns {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl SignIns for PgSignIns {
    async fn begin(&self, sign_in: &NewSignIn, act: &Act) -> Result<SignIn, StoreError> {
        let NewSignIn { digest, staff, password, created_at, ends_at, agent, address } = sign_in;
        let begun = self.pool.write(|mut connection| {
            let write =
                Sql::<BigInt>::planned("UPDATE staff SET last_login = greatest(last_login, ")
                    .value(Value::Time(*created_at))
                    .sql(") WHERE is_active AND id = ")
                    .value(Value::BigInt(staff.0))
                    .sql(" RETURNING id");
            let insert = Sql::planned(
                "INSERT INTO sign_ins (staff_id, digest, password_digest, created_at, seen_at, \
                 ends_at, agent, address) SELECT written.id, ",
            )
            .value(Value::Bytes(digest.0.to_vec()))
            .sql(", ")
            .value(Value::Bytes(password.0.to_vec()))
            .sql(", ")
            .value(Value::Time(*created_at))
            .sql(", ")
            .value(Value::Time(*created_at))
            .sql(", ")
            .value(Value::Time(*ends_at))
            .sql(", ")
            .value(Value::Text(Some(agent.clone())))
            .sql(", ")
            .value(Value::Text(Some(address.clone())))
            .sql(" FROM written RETURNING id");
            let event = EventRow::of(act, RESOURCE, Verb::SIGNED_IN, &Changes::None);
            let query = Noted::new(write, event).beside("begun", insert);
            let visit = note_visit("SELECT written.id, ", *created_at, " FROM written");
            let query = query.beside("visited", visit).returning("begun");
            async move {
                let begun: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(begun.optional())
            }
        });
        let id = begun.await?.ok_or(StoreError::NotFound)?;
        Ok(SignIn {
            id: SignInId(id),
            staff: *staff,
            password: *password,
            created_at: *created_at,
            seen_at: *created_at,
            ends_at: *ends_at,
            agent: agent.clone(),
            address: address.clone(),
        })
    }

    async fn find(&self, digest: &TokenDigest) -> Result<Option<(SignIn, Staff)>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = sign_ins::table
                .inner_join(staff::table.on(staff::id.eq(sign_ins::staff_id)))
                .filter(sign_ins::digest.eq(digest.0.as_slice()))
                .select((SignInRow::as_select(), StaffRow::as_select()));
            let found: QueryResult<(SignInRow, StaffRow)> =
                query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        let Some((sign_in, staff)) = found.await? else { return Ok(None) };
        Ok(Some((sign_in.try_into()?, staff.into())))
    }

    async fn note_seen(&self, id: SignInId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let noted = self.pool.write(|mut connection| {
            let write = Sql::<BigInt>::cached("UPDATE sign_ins SET seen_at = ")
                .value(Value::Time(at))
                .sql(" WHERE id = ")
                .value(Value::BigInt(id.0))
                .sql(" AND seen_at < ")
                .value(Value::Time(at))
                .sql(" RETURNING staff_id");
            let visit = note_visit("SELECT written.staff_id, ", at, " FROM written");
            let query = Noted::new(write, None).beside("visited", visit);
            async move {
                let noted: QueryResult<Vec<i64>> = query.load(&mut *connection).await;
                connection.done(noted)
            }
        });
        noted.await.map(drop)
    }

    async fn left_at(&self, staff: StaffId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let found = self.pool.read(|mut connection| {
            let select = Sql::<Nullable<Timestamptz>>::cached(
                "SELECT left_at FROM staff_visits WHERE staff_id = ",
            )
            .value(Value::BigInt(staff.0));
            async move {
                let found: QueryResult<Option<DateTime<Utc>>> =
                    select.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        Ok(found.await?.flatten())
    }

    async fn list(&self, staff: StaffId) -> Result<Vec<SignIn>, StoreError> {
        let listed = self.pool.read(|mut connection| async move {
            let query = sign_ins::table
                .filter(sign_ins::staff_id.eq(staff.0))
                .order((sign_ins::seen_at.desc(), sign_ins::id.desc()))
                .select(SignInRow::as_select());
            let listed: QueryResult<Vec<SignInRow>> = query.load(&mut *connection).await;
            connection.done(listed)
        });
        listed.await?.into_iter().map(SignIn::try_from).collect()
    }

    async fn end(&self, staff: StaffId, which: Ending, act: &Act) -> Result<u64, StoreError> {
        let ended = self.pool.write(|mut connection| {
            let write = Sql::<BigInt>::planned("DELETE FROM sign_ins WHERE staff_id = ")
                .value(Value::BigInt(staff.0));
            let write = match which {
                Ending::One(id) => write.sql(" AND id = ").value(Value::BigInt(id.0)),
                Ending::AllBut(id) => write.sql(" AND id <> ").value(Value::BigInt(id.0)),
                Ending::All => write,
            };
            // One event about the account, however many have ended.
            let write = write.sql(" RETURNING staff_id");
            let event = EventRow::of(act, RESOURCE, Verb::SIGNED_OUT, &Changes::None);
            let query = Noted::new(write, event)
                .about("(SELECT DISTINCT staff_id AS id FROM written) AS account");
            async move {
                let ended: QueryResult<Vec<i64>> = query.load(&mut *connection).await;
                connection.done(ended)
            }
        });
        Ok(ended.await?.len() as u64)
    }

    async fn change_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        keep: Option<SignInId>,
        act: &Act,
    ) -> Result<(), StoreError> {
        let changed = self.pool.write(|mut connection| {
            let as_seen = staff::table
                .filter(staff::id.eq(seen.id.0))
                .filter(staff::password.eq(seen.password.as_str()));
            let query = diesel::update(as_seen)
                .set(staff::password.eq(password.as_str()))
                .returning(staff::id);
            // No sign-in has the id 0.
            let keep = || Value::BigInt(keep.map_or(0, |keep| keep.0));
            let others = Sql::planned(SIGN_OUT).sql(" AND sign_ins.id <> ").value(keep());
            let kept = Sql::planned("UPDATE sign_ins SET password_digest = ")
                .value(Value::Bytes(password.digest().0.to_vec()))
                .sql(" FROM written WHERE staff_id = written.id AND sign_ins.id = ")
                .value(keep());
            let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None);
            let query = Noted::new(query, event)
                .beside("signed_out", others)
                .beside("kept", kept)
                .beside("uninvited", Sql::planned(UNINVITE));
            async move {
                let changed: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(changed.optional())
            }
        });
        let changed = changed.await?;
        written(&self.pool, FIND, seen.id.0, changed).await.map(drop)
    }

    async fn remove_ended(
        &self,
        now: DateTime<Utc>,
        seen: DateTime<Utc>,
        most: u32,
    ) -> Result<u64, StoreError> {
        let removed = self.pool.write(|mut connection| {
            let statement = Sql::<BigInt>::planned(
                "WITH uninvited AS (DELETE FROM invitations WHERE staff_id IN \
                 (SELECT staff_id FROM invitations WHERE ends_at <= ",
            )
            .value(Value::time(now))
            .sql(" LIMIT ")
            .value(Value::BigInt(most.into()))
            .sql(
                ") RETURNING 1), removed AS (DELETE FROM sign_ins WHERE id IN \
                 (SELECT id FROM sign_ins WHERE ends_at <= ",
            )
            .value(Value::time(now))
            .sql(" OR seen_at <= ")
            .value(Value::time(seen))
            .sql(" LIMIT ")
            .value(Value::BigInt(most.into()))
            .sql(
                ") RETURNING 1) SELECT greatest((SELECT count(*) FROM uninvited), \
                 (SELECT count(*) FROM removed))",
            );
            async move {
                let removed: QueryResult<i64> = statement.get_result(&mut *connection).await;
                connection.done(removed)
            }
        });
        removed.await.map(i64::unsigned_abs)
    }
}
