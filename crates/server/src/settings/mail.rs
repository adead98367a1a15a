//! The mail server, and who gets alarms.

use std::net::IpAddr;
use std::sync::Arc;

use exit3_app::silence::Alarmed;
use exit3_mail::{Security, Sender, Server, SmtpMailer, is_address};
use exit3_ports::Mailer;
use url::Host;

use super::{Arguments, SettingsError};

/// The settings of mails.
#[derive(Clone)]
pub struct MailSettings {
    /// What sends mails; `None` without EMAIL_HOST.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Who gets alarms.
    pub alarmed: Alarmed,
}

impl MailSettings {
    pub(super) fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        let addresses = alarm_to(arguments)?;
        let Some(server) = server(arguments)? else {
            return Ok(Self { mailer: None, alarmed: Alarmed::Nobody });
        };
        let from = sender(arguments)?;
        let mailer = SmtpMailer::new(server, from).map_err(|error| {
            SettingsError::new("EMAIL_HOST", format!("cannot be used: {error}"))
        })?;
        let alarmed = match addresses.is_empty() {
            true => Alarmed::Owners,
            false => Alarmed::Addresses(addresses),
        };
        Ok(Self { mailer: Some(Arc::new(mailer)), alarmed })
    }
}

fn server(arguments: &Arguments) -> Result<Option<Server>, SettingsError> {
    let Some(host) = arguments.email_host.clone() else { return Ok(None) };
    if Host::parse(&host).is_err() && host.parse::<IpAddr>().is_err() {
        let problem = "is neither the name nor the address of a machine";
        return Err(SettingsError::new("EMAIL_HOST", problem));
    }
    let security = match (arguments.email_use_tls, arguments.email_use_ssl) {
        (false, false) => Security::Plain,
        (true, false) => Security::StartTls,
        (false, true) => Security::Tls,
        (true, true) => {
            let problem = "is true together with EMAIL_USE_TLS: set only one of them";
            return Err(SettingsError::new("EMAIL_USE_SSL", problem));
        }
    };
    let login = match (&arguments.email_host_user, &arguments.email_host_password) {
        (Some(user), Some(password)) => Some((user.clone(), password.clone())),
        (None, None) => None,
        (Some(_), None) => {
            let problem = "is missing, but EMAIL_HOST_USER is set";
            return Err(SettingsError::new("EMAIL_HOST_PASSWORD", problem));
        }
        (None, Some(_)) => {
            let problem = "is missing, but EMAIL_HOST_PASSWORD is set";
            return Err(SettingsError::new("EMAIL_HOST_USER", problem));
        }
    };
    Ok(Some(Server { host, port: arguments.email_port, security, login }))
}

fn sender(arguments: &Arguments) -> Result<Sender, SettingsError> {
    let wrong = |problem| SettingsError::new("DEFAULT_FROM_EMAIL", problem);
    let from = arguments.default_from_email.as_ref();
    let from = from.ok_or_else(|| wrong("is missing, but EMAIL_HOST is set"))?;
    let problem = "is neither an address nor of the form Name <address>";
    from.parse().map_err(|()| wrong(problem))
}

fn alarm_to(arguments: &Arguments) -> Result<Vec<String>, SettingsError> {
    let given = arguments.alarm_to.as_deref().unwrap_or_default().split(',');
    let addresses: Vec<String> =
        given.map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    match addresses.iter().all(|address| is_address(address)) {
        true => Ok(addresses),
        false => {
            let problem = "is not a list of e-mail addresses, separated by commas";
            Err(SettingsError::new("ALARM_TO", problem))
        }
    }
}
