//! Rows of the table `staff`.

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use exit3_domain::staff::{
    Language, PasswordHash, Preferences, Role, Staff, StaffId, StaffProfile, Theme,
};

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
        date_joined -> Timestamptz,
        last_login -> Nullable<Timestamptz>,
        role -> Nullable<Text>,
        language -> Nullable<Text>,
        theme -> Nullable<Text>,
        single_keys -> Bool,
    }
}

/// The columns of [`StaffRow`].
pub(super) type StaffColumns = SqlTypeOf<AsSelect<StaffRow, Pg>>;

/// The columns of [`StaffRow`].
pub(super) const COLUMNS: &str = "id, username, first_name, last_name, email, is_staff, \
                                  is_active, is_superuser, password, date_joined, last_login, \
                                  role, language, theme, single_keys";

/// An account as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = staff)]
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
    date_joined: DateTime<Utc>,
    last_login: Option<DateTime<Utc>>,
    role: Option<String>,
    language: Option<String>,
    theme: Option<String>,
    single_keys: bool,
}

impl From<StaffRow> for Staff {
    fn from(row: StaffRow) -> Self {
        // A newer release may know more roles. Those of this one must not be exceeded.
        let role = row.role.map(|word| Role::from_word(&word).unwrap_or(Role::Viewer));
        Self {
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
            date_joined: row.date_joined,
            last_login: row.last_login,
        }
    }
}

/// The columns of a profile.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = staff, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct ProfileRow<'a> {
    pub(super) username: &'a str,
    pub(super) first_name: &'a str,
    pub(super) last_name: &'a str,
    pub(super) email: &'a str,
    pub(super) is_staff: bool,
    pub(super) is_active: bool,
    pub(super) is_superuser: bool,
    pub(super) role: Option<&'static str>,
}

impl<'a> From<&'a StaffProfile> for ProfileRow<'a> {
    fn from(profile: &'a StaffProfile) -> Self {
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
        Self {
            username,
            first_name,
            last_name,
            email,
            is_staff: *is_staff,
            is_active: *is_active,
            is_superuser: *is_superuser,
            role: role.map(Role::as_str),
        }
    }
}
