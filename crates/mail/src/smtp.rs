//! Handing a mail to a server.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use exit3_domain::mail::Mail;
use exit3_ports::{MailError, Mailer, with_causes};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::message::{self, Sender};

/// How long everything may take before the mail itself is sent.
const GREETING: Duration = Duration::from_secs(30);
/// How long the server may take for the mail itself. Some look for viruses meanwhile.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long the server may take for the goodbye, after which nothing can go wrong.
const GOODBYE: Duration = Duration::from_millis(500);

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By STARTTLS. A server that does not offer it gets no mail.
    StartTls,
    /// From the beginning.
    Tls,
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted. The certificate must be valid for the host, and from an
    /// authority that the machine trusts.
    pub security: Security,
    /// The user and the password, if the server wants them.
    pub login: Option<(String, SecretString)>,
}

/// Hands mails to a server.
pub struct SmtpMailer {
    server: Server,
    from: Sender,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SmtpMailer").field("server", &self.server).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Sends from this address, by this server. Nothing is connected yet.
    ///
    /// # Errors
    /// Why TLS cannot be used.
    pub fn new(server: Server, from: Sender) -> Result<Self, String> {
        let tls = match server.security {
            Security::Plain => None,
            Security::StartTls | Security::Tls => {
                let tls = TlsParameters::new_rustls(server.host.clone());
                Some(tls.map_err(|error| with_causes(&error))?)
            }
        };
        let login = server.login.as_ref();
        let login = login.map(|(user, password)| {
            Credentials::new(user.clone(), password.expose_secret().to_owned())
        });
        Ok(Self { server, from, tls, login })
    }

    /// Everything until the server waits for the mail itself.
    async fn greet(&self, to: Address) -> Result<AsyncSmtpConnection, MailError> {
        let name = ClientId::Domain(self.from.domain().to_owned());
        let (host, port) = (self.server.host.as_str(), self.server.port);
        let at_once = self.tls.clone().filter(|_| self.server.security == Security::Tls);
        let connected =
            AsyncSmtpConnection::connect_tokio1((host, port), None, &name, at_once, None);
        let mut connection = connected.await.map_err(unsent("the connection"))?;
        if let Some(tls) = self.tls.clone().filter(|_| !connection.is_encrypted()) {
            connection.starttls(tls, &name).await.map_err(unsent("STARTTLS"))?;
        }
        if let Some(login) = &self.login {
            let ways = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&ways, login).await.map_err(unsent("the login"))?;
        }
        let from = MailFrom::new(Some(self.from.address()), Vec::new());
        connection.command(from).await.map_err(unsent("the sender"))?;
        let recipient = connection.command(Rcpt::new(to, Vec::new())).await;
        if let Err(error) = recipient {
            connection.abort().await;
            let why = why("the recipient", &error);
            return Err(match error.is_permanent() {
                true => MailError::Refused(why),
                false => MailError::Unsent(why),
            });
        }
        connection.command(Data).await.map_err(unsent("the mail"))?;
        Ok(connection)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let (to, bytes) = message::write(&self.from, mail)?;
        let greeted = timeout(GREETING, self.greet(to)).await;
        let late = || format!("the mail server did not get ready within {GREETING:?}");
        let mut connection = greeted.map_err(|_| MailError::Unsent(late()))??;
        // From here on, the server may have the mail although it does not say so.
        match timeout(DELIVERY, connection.message(&bytes)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.is_permanent() => {
                return Err(MailError::Refused(why("the mail", &error)));
            }
            Ok(Err(error)) if error.is_transient() => return Err(unsent("the mail")(error)),
            Ok(Err(error)) => return Err(MailError::Uncertain(why("the end of the mail", &error))),
            Err(_) => {
                let late = format!("the mail server did not take the mail within {DELIVERY:?}");
                return Err(MailError::Uncertain(late));
            }
        }
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }
}

fn unsent(step: &'static str) -> impl Fn(Error) -> MailError {
    move |error| MailError::Unsent(why(step, &error))
}

/// What went wrong. The server's own words may contain an address.
fn why(step: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code} to {step}"),
        None if error.is_response() => format!("the mail server's answer to {step} makes no sense"),
        None => format!("{step} failed: {}", with_causes(error)),
    }
}
