//! Rows of the table `staff`.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::staff::{PasswordHash, Staff, StaffId, StaffProfile};
use exit3_ports::StoreError;

use crate::error::Refusal;
use crate::leads::moment;
use crate::schema::staff;

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
        let row = Self {
            username: profile.username.clone(),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            email: profile.email.clone(),
            is_staff: profile.is_staff,
            is_active: profile.is_active,
            is_superuser: profile.is_superuser,
        };
        let texts = [&row.username, &row.first_name, &row.last_name, &row.email];
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(Refusal::Nul.into());
        }
        Ok(row)
    }
}
