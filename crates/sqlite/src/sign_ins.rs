//! Sign-ins of staff in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use exit3_domain::api_keys::TokenDigest;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::sign_ins::{AWAY, NewSignIn, SignIn, SignInId};
use exit3_domain::staff::{PasswordHash, RESOURCE, Staff, StaffId};
use exit3_ports::sign_ins::Ending;
use exit3_ports::{SignIns, StoreError};

use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sql::Sql;
use crate::staff::{StaffRow, sign_out, staff, stored, uninvite};
use crate::store::{SqliteStore, check_seen};
use crate::values::{microseconds, moment, text, unreadable};

diesel::table! {
    sign_ins (id) {
        id -> BigInt,
        digest -> Binary,
        staff_id -> BigInt,
        password_digest -> Binary,
        created_at -> BigInt,
        seen_at -> BigInt,
        ends_at -> BigInt,
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
    created_at: i64,
    seen_at: i64,
    ends_at: i64,
    agent: String,
    address: String,
}

impl TryFrom<SignInRow> for SignIn {
    type Error = StoreError;

    fn try_from(row: SignInRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SignInId(row.id),
            staff: StaffId(row.staff_id),
            password: TokenDigest(row.password_digest.try_into().map_err(|_| unreadable())?),
            created_at: moment(row.created_at)?,
            seen_at: moment(row.seen_at)?,
            ends_at: moment(row.ends_at)?,
            agent: row.agent,
            address: row.address,
        })
    }
}

/// Stores sign-ins.
#[derive(Clone)]
pub(crate) struct SqliteSignIns {
    store: SqliteStore,
}

impl SqliteSignIns {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl SignIns for SqliteSignIns {
    async fn begin(&self, sign_in: &NewSignIn, act: &Act) -> Result<SignIn, StoreError> {
        let (id, created_at) = (sign_in.staff.0, microseconds(sign_in.created_at));
        let row = (
            sign_ins::digest.eq(sign_in.digest.0.to_vec()),
            sign_ins::staff_id.eq(id),
            sign_ins::password_digest.eq(sign_in.password.0.to_vec()),
            sign_ins::created_at.eq(created_at),
            sign_ins::seen_at.eq(created_at),
            sign_ins::ends_at.eq(microseconds(sign_in.ends_at)),
            sign_ins::agent.eq(text(&sign_in.agent)?),
            sign_ins::address.eq(text(&sign_in.address)?),
        );
        let event = EventRow::of(act, RESOURCE, Verb::SIGNED_IN, &Changes::None)?;
        let begin = move |connection: &mut SqliteConnection| {
            let mut note =
                Sql::<()>::new("UPDATE staff SET last_login = max(coalesce(last_login, ");
            note.int(created_at).sql("), ").int(created_at);
            note.sql(") WHERE is_active AND id = ").int(id);
            if note.execute(connection).map_err(from_diesel)? == 0 {
                return Err(StoreError::NotFound);
            }
            let begun: SignInRow = diesel::insert_into(sign_ins::table)
                .values(row)
                .returning(SignInRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            event.insert(connection, id)?;
            note_visit(connection, id, created_at).map_err(from_diesel)?;
            Ok(begun)
        };
        self.store.write(begin).await?.try_into()
    }

    async fn find(&self, digest: &TokenDigest) -> Result<Option<(SignIn, Staff)>, StoreError> {
        let digest = digest.0;
        let find = move |connection: &mut SqliteConnection| {
            sign_ins::table
                .inner_join(staff::table.on(staff::id.eq(sign_ins::staff_id)))
                .filter(sign_ins::digest.eq(digest.as_slice()))
                .select((SignInRow::as_select(), StaffRow::as_select()))
                .first(connection)
                .optional()
        };
        let found: Option<(SignInRow, StaffRow)> = self.store.readers.run(find).await?;
        let Some((sign_in, staff)) = found else { return Ok(None) };
        Ok(Some((sign_in.try_into()?, staff.try_into()?)))
    }

    async fn note_seen(&self, id: SignInId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let at = microseconds(at);
        let note = move |connection: &mut SqliteConnection| {
            let mut note = Sql::<BigInt>::new("UPDATE sign_ins SET seen_at = ");
            note.int(at).sql(" WHERE id = ").int(id.0).sql(" AND seen_at < ").int(at);
            note.sql(" RETURNING staff_id");
            let noted: Option<i64> = note.get_result(connection).optional().map_err(from_diesel)?;
            let Some(staff) = noted else { return Ok(()) };
            note_visit(connection, staff, at).map_err(from_diesel)
        };
        self.store.write(note).await
    }

    async fn left_at(&self, staff: StaffId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let read = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<Nullable<BigInt>>::new("SELECT left_at FROM staff_visits");
            select.sql(" WHERE staff_id = ").int(staff.0);
            select.get_result::<Option<i64>>(connection).optional()
        };
        self.store.readers.run(read).await?.flatten().map(moment).transpose()
    }

    async fn list(&self, staff: StaffId) -> Result<Vec<SignIn>, StoreError> {
        let list = move |connection: &mut SqliteConnection| {
            sign_ins::table
                .filter(sign_ins::staff_id.eq(staff.0))
                .order((sign_ins::seen_at.desc(), sign_ins::id.desc()))
                .select(SignInRow::as_select())
                .load(connection)
        };
        let rows: Vec<SignInRow> = self.store.readers.run(list).await?;
        rows.into_iter().map(SignIn::try_from).collect()
    }

    async fn end(&self, staff: StaffId, which: Ending, act: &Act) -> Result<u64, StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::SIGNED_OUT, &Changes::None)?;
        let end = move |connection: &mut SqliteConnection| {
            let ended = match which {
                Ending::One(id) => {
                    let mut end = Sql::<()>::new("DELETE FROM sign_ins WHERE staff_id = ");
                    end.int(staff.0).sql(" AND id = ").int(id.0);
                    end.execute(connection).map_err(from_diesel)?
                }
                Ending::AllBut(id) => sign_out(connection, staff.0, Some(id))?,
                Ending::All => sign_out(connection, staff.0, None)?,
            };
            if ended > 0 {
                event.insert(connection, staff.0)?;
            }
            Ok(ended as u64)
        };
        self.store.write(end).await
    }

    async fn change_password(
        &self,
        seen: &Staff,
        password: &PasswordHash,
        keep: Option<SignInId>,
        act: &Act,
    ) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::PASSWORD_SET, &Changes::None)?;
        let (id, seen, password) = (seen.id.0, seen.password.clone(), password.clone());
        let change = move |connection: &mut SqliteConnection| {
            check_seen(stored(connection, id)?.map(|stored| stored.password), &seen)?;
            set_password(connection, id, &password, keep)?;
            event.insert(connection, id)
        };
        self.store.write(change).await
    }

    async fn remove_ended(
        &self,
        now: DateTime<Utc>,
        seen: DateTime<Utc>,
        most: u32,
    ) -> Result<u64, StoreError> {
        let (now, seen, most) = (microseconds(now), microseconds(seen), i64::from(most));
        let remove = move |connection: &mut SqliteConnection| {
            let mut uninvite = Sql::<()>::new("DELETE FROM invitations WHERE staff_id IN ");
            uninvite.sql("(SELECT staff_id FROM invitations WHERE ends_at <= ").int(now);
            uninvite.sql(" LIMIT ").int(most).sql(")");
            let uninvited = uninvite.execute(connection).map_err(from_diesel)?;
            let mut remove = Sql::<()>::new("DELETE FROM sign_ins WHERE id IN ");
            remove.sql("(SELECT id FROM sign_ins WHERE ends_at <= ").int(now);
            remove.sql(" OR seen_at <= ").int(seen).sql(" LIMIT ").int(most).sql(")");
            let removed = remove.execute(connection).map_err(from_diesel)?;
            Ok(uninvited.max(removed) as u64)
        };
        self.store.write(remove).await
    }
}

/// Notes that a person is here. If they were away before, the visit is a new one.
fn note_visit(connection: &mut SqliteConnection, staff: i64, at: i64) -> QueryResult<()> {
    let away = AWAY.num_microseconds().unwrap_or(i64::MAX);
    let mut note = Sql::<()>::new("INSERT INTO staff_visits (staff_id, seen_at) VALUES (");
    note.int(staff).sql(", ").int(at).sql(") ON CONFLICT (staff_id) DO UPDATE SET left_at = ");
    note.sql("iif(excluded.seen_at - seen_at >= ").int(away).sql(", seen_at, left_at), ");
    note.sql("seen_at = max(seen_at, excluded.seen_at)");
    note.execute(connection).map(drop)
}

/// Replaces the password of an account, and ends its sign-ins but one and its invitation.
pub(crate) fn set_password(
    connection: &mut SqliteConnection,
    id: i64,
    password: &PasswordHash,
    keep: Option<SignInId>,
) -> Result<(), StoreError> {
    diesel::update(staff::table.find(id))
        .set(staff::password.eq(password.as_str()))
        .execute(connection)
        .map_err(from_diesel)?;
    sign_out(connection, id, keep)?;
    uninvite(connection, id)?;
    // Only the sign-in to keep is left.
    diesel::update(sign_ins::table.filter(sign_ins::staff_id.eq(id)))
        .set(sign_ins::password_digest.eq(password.digest().0.to_vec()))
        .execute(connection)
        .map(drop)
        .map_err(from_diesel)
}
