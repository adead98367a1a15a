//! Where canaries are sent.

use secrecy::ExposeSecret;
use url::Url;

use super::{Arguments, SettingsError};

/// How every address of the endpoint ends that creates leads.
const ENDPOINT: &str = "/leads/";

/// Settings of canaries.
#[derive(Clone)]
pub struct CanarySettings {
    /// The public address of the endpoint that creates leads.
    pub url: Url,
    /// The service sends a request to this address after each canary that has arrived. The address is
    /// a kind of secret: anybody who knows it can send such a request.
    pub ping: Option<Url>,
}

impl CanarySettings {
    pub(super) fn check(arguments: &Arguments) -> Result<Option<Self>, SettingsError> {
        let ping = arguments.canary_ping_url.as_ref().map(|url| url.expose_secret());
        let ping = ping.map(|url| parse("CANARY_PING_URL", url)).transpose()?;
        let Some(url) = &arguments.canary_url else {
            return match ping {
                Some(_) => {
                    Err(SettingsError::new("CANARY_PING_URL", "has no effect without CANARY_URL"))
                }
                None => Ok(None),
            };
        };
        let url = parse("CANARY_URL", url)?;
        if !url.path().ends_with(ENDPOINT) {
            let problem = "must be the public address of the endpoint that creates leads: \
                https://api.example.com/backend/api/v1/leads/";
            return Err(SettingsError::new("CANARY_URL", problem));
        }
        Ok(Some(Self { url, ping }))
    }
}

/// An address of HTTP. The error does not repeat it.
fn parse(variable: &'static str, text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| SettingsError::new(variable, "is not an address that begins with https://"))
}

#[cfg(test)]
mod tests {
    use crate::settings::tests::{problem, settings_of};

    const URL: (&str, &str) = ("CANARY_URL", "https://api.exit3.agency/backend/api/v1/leads/");
    const PING: (&str, &str) = ("CANARY_PING_URL", "https://hc.example/uuid");

    #[test]
    fn canaries_need_the_address_of_the_endpoint() {
        assert!(settings_of(&[]).canary.is_none());
        assert!(settings_of(&[URL]).canary.unwrap().ping.is_none());
        let canary = settings_of(&[URL, PING]).canary.unwrap();
        assert_eq!((canary.url.as_str(), canary.ping.unwrap().as_str()), (URL.1, PING.1));
        for (env, told) in [
            (vec![PING], "CANARY_PING_URL has no effect without CANARY_URL"),
            (vec![("CANARY_URL", "api.exit3.agency/leads/")], "CANARY_URL is not an address that"),
            (vec![("CANARY_URL", "ftp://api.exit3.agency/leads/")], "CANARY_URL is not an address"),
            (vec![("CANARY_URL", "https://api.exit3.agency")], "CANARY_URL must be the public"),
            (vec![("CANARY_URL", "https://api.exit3.agency/leads")], "CANARY_URL must be the"),
            (vec![URL, ("CANARY_PING_URL", "hunter2")], "CANARY_PING_URL is not an address"),
        ] {
            let problem = problem(&env);
            assert!(problem.starts_with(told) && !problem.contains("hunter2"), "{problem}");
        }
    }
}
