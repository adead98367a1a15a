//! What is sent, as bytes.

use std::str::FromStr;

use exit3_domain::mail::Mail;
use exit3_ports::MailError;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox};
use lettre::{Address, Message};

/// The sender: an address, or a name and an address in angle brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl FromStr for Sender {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mailbox: Mailbox = text.parse().map_err(drop)?;
        is_sendable(&mailbox.email).then_some(Self(mailbox)).ok_or(())
    }
}

impl Sender {
    pub(crate) fn address(&self) -> Address {
        self.0.email.clone()
    }

    pub(crate) fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// Whether a mail can be sent to an address.
pub fn is_address(text: &str) -> bool {
    address(text).is_some()
}

fn address(text: &str) -> Option<Address> {
    text.parse().ok().filter(is_sendable)
}

/// Other addresses need SMTPUTF8, which not every server on the way knows.
fn is_sendable(address: &Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}

/// The address of the person, and the bytes of a mail. All of them are ASCII, with short lines.
pub(crate) fn write(from: &Sender, mail: &Mail) -> Result<(Address, Vec<u8>), MailError> {
    let wrong = |what: &str| MailError::Refused(format!("{what} cannot be sent"));
    let to = address(&mail.to).ok_or_else(|| wrong("a mail to this address"))?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if mail.id.is_empty() || !mail.id.chars().all(is_allowed) {
        return Err(wrong("a mail with this id"));
    }
    // A line break would end the header.
    let line = |c: char| if c.is_control() { ' ' } else { c };
    let subject: String = mail.subject.chars().map(line).collect();
    // A line feed alone may end the mail for one server and not for the next.
    let text = mail.text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    let encoding = ContentTransferEncoding::QuotedPrintable;
    let body = Body::new_with_encoding(text, encoding).map_err(|_| wrong("the text"))?;
    // Programs that answer mails leave this one alone (RFC 3834).
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = Message::builder()
        .message_id(Some(format!("<{}@{}>", mail.id, from.domain())))
        .from(from.0.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(subject)
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(body)
        .map_err(|_| wrong("the mail"))?;
    Ok((to, message.formatted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mail: &Mail) -> String {
        let from = "Exit Three Šibenik <leads@exit3.example>".parse().unwrap();
        let (to, bytes) = write(&from, mail).unwrap();
        assert_eq!(to.to_string(), mail.to);
        assert!(bytes.is_ascii());
        String::from_utf8(bytes).unwrap()
    }

    fn mail() -> Mail {
        let text = |text: &str| text.to_owned();
        Mail {
            id: text("silence.7.0"),
            to: text("ana@example.com"),
            subject: text("Nema upita"),
            text: text("Prvi red.\n.\nTreći red.\r\n"),
        }
    }

    #[test]
    fn a_mail_is_plain_text_with_a_stable_id() {
        let text = written(&mail());
        for line in [
            "Message-ID: <silence.7.0@exit3.example>",
            "To: ana@example.com",
            "Subject: Nema upita",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}: {text}");
        }
        let body = text.split("\r\n\r\n").nth(1).unwrap();
        assert_eq!(body, "Prvi red.\r\n.\r\nTre=C4=87i red.\r\n");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
    }

    #[test]
    fn no_value_adds_a_header_or_ends_the_mail() {
        for breaks in ["\r\n", "\n", "\r", "\r\n\r\n"] {
            let subject = format!("Hi{breaks}Bcc: eve@example.com{breaks}.{breaks}\u{0}");
            let text = written(&Mail { subject, ..mail() });
            assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
            for to in [format!("ana@example.com{breaks}Bcc: eve@example.com"), breaks.to_owned()] {
                assert!(!is_address(&to), "{to:?}");
                let from = "leads@exit3.example".parse().unwrap();
                let refused = write(&from, &Mail { to, ..mail() });
                assert!(matches!(refused, Err(MailError::Refused(_))), "{refused:?}");
            }
            let id = format!("7{breaks}Bcc: eve@example.com");
            let from = "leads@exit3.example".parse().unwrap();
            assert!(write(&from, &Mail { id, ..mail() }).is_err());
            assert!(format!("a@b.example{breaks}Bcc: eve@example.com").parse::<Sender>().is_err());
            // The rest of an encoded name stays in its line.
            if let Ok(from) = format!("Ana{breaks}Bcc: e <a@b.example>").parse::<Sender>() {
                let (_, bytes) = write(&from, &mail()).unwrap();
                let text = String::from_utf8(bytes).unwrap();
                assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
            }
        }
    }
}
