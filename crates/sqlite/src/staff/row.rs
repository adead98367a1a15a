//! Rows of the table `staff`.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::staff::{
    Language, PasswordHash, Preferences, Role, Staff, StaffId, StaffProfile, Theme,
};
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
        role -> Nullable<Text>,
        language -> Nullable<Text>,
        theme -> Nullable<Text>,
        single_keys -> Bool,
    }
}

/// An account as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = staff, check_for_backend(Sqlite))]
pub(crate) struct StaffRow {
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
    role: Option<String>,
    language: Option<String>,
    theme: Option<String>,
    single_keys: bool,
}

impl StaffRow {
    pub(crate) fn id(&self) -> i64 {
        self.id
    }
}

impl TryFrom<StaffRow> for Staff {
    type Error = StoreError;

    fn try_from(row: StaffRow) -> Result<Self, StoreError> {
        // A newer release may know more roles. Those of this one must not be exceeded.
        let role = row.role.map(|word| Role::from_word(&word).unwrap_or(Role::Viewer));
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
                role,
            },
            preferences: Preferences {
                // A newer release may have stored words that this one does not know.
                language: row.language.as_deref().and_then(Language::from_word),
                theme: row.theme.as_deref().and_then(Theme::from_word),
                single_keys: row.single_keys,
            },
            password: PasswordHash::kept(row.password),
            date_joined: moment(row.date_joined)?,
            last_login: row.last_login.map(moment).transpose()?,
        })
    }
}

/// The columns of a profile.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = staff, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct ProfileRow {
    username: String,
    first_name: String,
    last_name: String,
    email: String,
    is_staff: bool,
    is_active: bool,
    is_superuser: bool,
    role: Option<&'static str>,
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
            role,
        } = profile;
        Ok(Self {
            username: text(username)?,
            first_name: text(first_name)?,
            last_name: text(last_name)?,
            email: text(email)?,
            is_staff: *is_staff,
            is_active: *is_active,
            is_superuser: *is_superuser,
            role: role.map(Role::as_str),
        })
    }
}
