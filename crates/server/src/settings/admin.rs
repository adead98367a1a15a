//! Settings of the back office.

use chrono::TimeDelta;
use ipnet::IpNet;

use super::{Arguments, SettingsError, addresses};

/// Settings of the back office.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Whether it is served.
    pub enabled: bool,
    /// The networks from which it can be reached; without any, it can be reached from everywhere.
    pub networks: Vec<IpNet>,
    /// A sign-in ends when it is not used for this time.
    pub idle: TimeDelta,
    /// A sign-in ends after this time in any case.
    pub longest: TimeDelta,
}

impl AdminSettings {
    pub(super) fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        let networks = &arguments.admin_allowed_networks;
        Ok(Self {
            enabled: arguments.admin_enabled,
            networks: addresses::networks("ADMIN_ALLOWED_NETWORKS", networks)?,
            idle: TimeDelta::hours(arguments.admin_idle_hours.into()),
            longest: TimeDelta::days(arguments.admin_longest_days.into()),
        })
    }
}
