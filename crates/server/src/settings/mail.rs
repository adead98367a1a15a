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
    /// A file of the replaced service may have some of its settings of mails, or all of them in a way
    /// that this service does not understand. It must start all the same, so what is wrong with them is
    /// noted.
    ///
    /// # Errors
    /// One sentence about ALARM_TO, which is a setting of this service.
    pub(super) fn check(
        arguments: &Arguments,
        notes: &mut Vec<String>,
    ) -> Result<Self, SettingsError> {
        let addresses = alarm_to(arguments)?;
        let mailer = mailer(arguments).unwrap_or_else(|error| {
            notes.push(format!("{error}. No mails are sent"));
            None
        });
        let alarmed = match (&mailer, addresses.is_empty()) {
            (None, _) => Alarmed::Nobody,
            (Some(_), true) => Alarmed::Owners,
            (Some(_), false) => Alarmed::Addresses(addresses),
        };
        Ok(Self { mailer, alarmed })
    }
}

fn mailer(arguments: &Arguments) -> Result<Option<Arc<dyn Mailer>>, SettingsError> {
    let Some(server) = server(arguments)? else { return Ok(None) };
    let mailer = SmtpMailer::new(server, sender(arguments)?);
    let wrong = |problem: String| SettingsError::new("EMAIL_HOST", problem);
    let mailer = mailer.map_err(|error| wrong(format!("cannot be used: {error}")))?;
    Ok(Some(Arc::new(mailer)))
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
