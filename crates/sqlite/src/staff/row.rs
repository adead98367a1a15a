//! Rows of the table `staff`.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::staff::{PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::StoreError;

use crate::values::{moment, text};

diesel::table! {
    staff (id) {
        id -> BigInt,
        username -> Text,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        is_staff -> Bool,
        is_active -> Bool,
        is_superuser -> Bool,
        password -> Text,
        date_joined -> BigInt,
        last_login -> Nullable<BigInt>,
    }
}

/// An account as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = staff, check_for_backend(Sqlite))]
pub(super) struct StaffRow {
    id: i64,
    username: String,
    first_name: String,
    last_name: String,
    email: String,
    is_staff: bool,
    is_active: bool,
    is_superuser: bool,
    password: String,
    date_joined: i64,
    last_login: Option<i64>,
}

impl StaffRow {
    pub(super) fn id(&self) -> i64 {
        self.id
    }
}

impl TryFrom<StaffRow> for Staff {
    type Error = StoreError;

    fn try_from(row: StaffRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: StaffId(row.id),
            profile: StaffProfile {
                username: row.username,
                first_name: row.first_name,
                last_name: row.last_name,
                email: row.email,
                is_staff: row.is_staff,
                is_active: row.is_active,
                is_superuser: row.is_superuser,
            },
            password: PasswordHash::kept(row.password),
            date_joined: moment(row.date_joined)?,
            last_login: row.last_login.map(moment).transpose()?,
        })
    }
}

/// The columns of a profile.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = staff)]
pub(super) struct ProfileRow {
    username: String,
    first_name: String,
    last_name: String,
    email: String,
    is_staff: bool,
    is_active: bool,
    is_superuser: bool,
}

impl ProfileRow {
    /// An error for a text with a NUL, which PostgreSQL cannot store.
    pub(super) fn of(profile: &StaffProfile) -> Result<Self, StoreError> {
        let StaffProfile {
            username,
            first_name,
            last_name,
            email,
            is_staff,
            is_active,
            is_superuser,
        } = profile;
        Ok(Self {
            username: text(username)?,
            first_name: text(first_name)?,
            last_name: text(last_name)?,
            email: text(email)?,
            is_staff: *is_staff,
            is_active: *is_active,
            is_superuser: *is_superuser,
        })
    }
}
