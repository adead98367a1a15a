//! Sending e-mails.

use async_trait::async_trait;
use exit3_domain::mail::Mail;

/// Why a mail was not sent, or may not have been. The texts contain no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It was not sent; another attempt may succeed.
    #[error("{0}")]
    Unsent(String),
    /// It was not sent, and never will be.
    #[error("{0}")]
    Refused(String),
    /// The server had it, and did not say whether it takes it.
    #[error("{0}")]
    Uncertain(String),
}

/// Sends e-mails. An implementation gives up after a minute and a half.
///
/// ```
/// use exit3_domain::mail::Mail;
/// use exit3_ports::{MailError, Mailer, MockMailer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut mailer = MockMailer::new();
/// mailer.expect_send().returning(|_| Err(MailError::Refused("no such mailbox".to_owned())));
///
/// let text = |text: &str| text.to_owned();
/// let mail = Mail {
///     id: text("meeting.7"),
///     to: text("ana@example.com"),
///     subject: text("Meeting"),
///     text: text("At ten.\n"),
/// };
/// assert!(matches!(mailer.send(&mail).await, Err(MailError::Refused(_))));
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a mail.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}
