//! The port for e-mails, implemented over SMTP. Each mail has a connection of its own.

mod message;
mod smtp;

pub use message::{Sender, is_address};
pub use smtp::{Security, Server, SmtpMailer};
