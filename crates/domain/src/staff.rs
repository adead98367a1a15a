//! Staff: who may use the back office.

mod password;

pub use password::{NotHashed, PasswordHash, SALT, Verified};

use chrono::{DateTime, Utc};

/// Identifies a member of staff; given by the database, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StaffId(pub i64);

/// Who somebody is and what they may do; the fields are those of Django's accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffProfile {
    /// What they sign in with: at most 150 characters; unique, case and all.
    pub username: String,
    /// At most 150 characters; may be empty.
    pub first_name: String,
    /// At most 150 characters; may be empty.
    pub last_name: String,
    /// At most 254 characters; may be empty.
    pub email: String,
    /// Whether the back office is open to them.
    pub is_staff: bool,
    /// Whether they may sign in at all. An account is switched off rather than
    /// deleted, so that what it did keeps its name.
    pub is_active: bool,
    /// Whether they may do everything, other accounts included.
    pub is_superuser: bool,
}

/// An account that has no place in a database yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStaff {
    /// Whose it is.
    pub profile: StaffProfile,
    /// What the password is compared with.
    pub password: PasswordHash,
    /// When the account was made; microseconds.
    pub date_joined: DateTime<Utc>,
}

/// An account as a database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Its identity.
    pub id: StaffId,
    /// Whose it is.
    pub profile: StaffProfile,
    /// What the password is compared with.
    pub password: PasswordHash,
    /// When the account was made; microseconds.
    pub date_joined: DateTime<Utc>,
    /// When they last signed in; microseconds.
    pub last_login: Option<DateTime<Utc>>,
}
