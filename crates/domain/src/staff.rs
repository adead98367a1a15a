//! Staff: the accounts of the back office.

mod account;
mod new_password;
mod password;
mod preferences;
mod role;

pub use account::{AccountInput, username};
pub use new_password::{LONGEST, SHORTEST, check_password};
pub use password::{NotHashed, PasswordHash, SALT, Verified};
pub use preferences::{Language, Preferences, Theme};
pub use role::Role;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The word for staff accounts in events.
pub const RESOURCE: &str = "staff";

/// Identifies a staff account. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StaffId(pub i64);

/// A person's name, address and rights; the fields are those of Django's accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffProfile {
    /// The sign-in name: at most 150 characters; unique, case-sensitive.
    pub username: String,
    /// At most 150 characters; may be empty.
    pub first_name: String,
    /// At most 150 characters; may be empty.
    pub last_name: String,
    /// At most 254 characters; may be empty.
    pub email: String,
    /// Whether the person may use the back office.
    pub is_staff: bool,
    /// Whether the person may sign in. Accounts are deactivated instead of deleted, so that records
    /// of what they did keep a name.
    pub is_active: bool,
    /// Whether the person has all rights, including managing accounts.
    pub is_superuser: bool,
    /// What a member of the staff may do; never [`Role::Owner`]. `None` for accounts that an earlier
    /// release or Django has written. [`StaffProfile::works_as`] tells the role.
    pub role: Option<Role>,
}

/// An account that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStaff {
    /// The profile.
    pub profile: StaffProfile,
    /// The hash of the password.
    pub password: PasswordHash,
    /// When the account was created, in whole microseconds.
    pub date_joined: DateTime<Utc>,
}

/// A stored account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// The id.
    pub id: StaffId,
    /// The profile.
    pub profile: StaffProfile,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The preferences for the back office.
    pub preferences: Preferences,
    /// When the account was created, in whole microseconds.
    pub date_joined: DateTime<Utc>,
    /// When the person last signed in, in whole microseconds; `None` for never.
    pub last_login: Option<DateTime<Utc>>,
}
