//! E-mails that the service sends.

use serde::{Deserialize, Serialize};

/// An e-mail of plain text to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// What is before the `@` of its Message-ID: letters, digits, `-` and `.`. It is the same each time
    /// the mail is sent, so that a mailbox can tell that it has the mail already.
    pub id: String,
    /// The address of the person.
    pub to: String,
    /// The subject. Line breaks and other control characters become spaces.
    pub subject: String,
    /// The text, whose lines end with a line feed.
    pub text: String,
}
