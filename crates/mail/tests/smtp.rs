//! Mails through a real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::process::Command;

use exit3_domain::mail::Mail;
use exit3_mail::{Security, Server, SmtpMailer};
use exit3_ports::{MailError, Mailer};
use exit3_testkit::smtp::TestSmtp;

fn server(smtp: &TestSmtp, security: Security) -> Server {
    Server { host: "localhost".to_owned(), port: smtp.port, security, login: None }
}

fn mailer(server: Server) -> SmtpMailer {
    SmtpMailer::new(server, "Exit Three <leads@exit3.example>".parse().unwrap()).unwrap()
}

fn to(to: &str) -> Mail {
    let text = |text: &str| text.to_owned();
    let (subject, text) = (text("Nema upita – provjerite"), text("Prvi red.\n.\nTreći red.\n"));
    Mail { id: "silence.7.0".to_owned(), to: to.to_owned(), subject, text }
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let smtp = TestSmtp::start("plain");
    let mailer = mailer(server(&smtp, Security::Plain));
    for _ in 0..2 {
        mailer.send(&to("ana@example.com")).await.unwrap();
    }
    let mails = smtp.mails();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert_eq!(
            (&mail["from"], &mail["to"][0]),
            (&"leads@exit3.example".into(), &"ana@example.com".into())
        );
        let content = mail["content"].as_str().unwrap();
        assert!(content.contains("Message-ID: <silence.7.0@exit3.example>\r\n"), "{content}");
        assert!(content.trim_end().ends_with("Prvi red.\r\n.\r\nTre=C4=87i red."), "{content}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_without_the_address() {
    let smtp = TestSmtp::start("plain");
    let mailer = mailer(server(&smtp, Security::Plain));
    let refused = mailer.send(&to("nobody@example.com")).await.unwrap_err();
    let why = "the mail server answered 550 to the recipient".to_owned();
    assert_eq!(refused, MailError::Refused(why));
    let later = mailer.send(&to("later@example.com")).await.unwrap_err();
    let why = "the mail server answered 451 to the recipient".to_owned();
    assert_eq!(later, MailError::Unsent(why));
    assert_eq!(smtp.mails().len(), 0);
}

#[tokio::test]
async fn a_server_that_is_away_has_not_got_the_mail() {
    let mut smtp = TestSmtp::start("plain");
    let mailer = mailer(server(&smtp, Security::Plain));
    smtp.stop();
    let failed = mailer.send(&to("ana@example.com")).await.unwrap_err();
    let MailError::Unsent(why) = failed else { panic!("{failed:?}") };
    assert!(why.contains("refused") && !why.contains("ana"), "{why}");
    smtp.start_again();
    mailer.send(&to("ana@example.com")).await.unwrap();
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn a_server_that_goes_away_with_the_mail_may_have_it() {
    let smtp = TestSmtp::start("plain");
    let mailer = mailer(server(&smtp, Security::Plain));
    let failed = mailer.send(&to("vague@example.com")).await.unwrap_err();
    assert!(matches!(failed, MailError::Uncertain(_)), "{failed:?}");
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_can_be_put_right() {
    let smtp = TestSmtp::start("plain");
    let login = |password: &str| Some(("exit3".to_owned(), password.to_owned().into()));
    let plain = server(&smtp, Security::Plain);
    let failed = mailer(Server { login: login("wrong"), ..plain.clone() });
    let failed = failed.send(&to("ana@example.com")).await.unwrap_err();
    let why = "the mail server answered 535 to the login".to_owned();
    assert_eq!(failed, MailError::Unsent(why));
    let mailer = mailer(Server { login: login("secret"), ..plain });
    mailer.send(&to("ana@example.com")).await.unwrap();
    assert_eq!(smtp.mails()[0]["user"], "exit3");
    assert!(!format!("{mailer:?}").contains("secret"));
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail() {
    let smtp = TestSmtp::start("plain");
    let failed = mailer(server(&smtp, Security::StartTls)).send(&to("ana@example.com")).await;
    assert!(matches!(failed, Err(MailError::Unsent(_))), "{failed:?}");
    assert_eq!(smtp.mails().len(), 0);
}

/// Runs one of the tests below with this certificate among those that the machine trusts, which a
/// process learns at its start.
fn run_trusting(test: &str, security: &'static str) {
    let smtp = TestSmtp::start(security);
    for (trusted, other) in [(true, "127.0.0.1"), (false, "localhost")] {
        let mut run = Command::new(std::env::current_exe().unwrap());
        run.args([test, "--exact", "--ignored", "--nocapture"]);
        run.env("TEST_SMTP_PORT", smtp.port.to_string()).env("TEST_SMTP_OTHER", other);
        if trusted {
            run.env("SSL_CERT_FILE", smtp.certificate());
        } else {
            run.env("TEST_SMTP_UNTRUSTED", "1");
        }
        let output = run.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["encrypted"], true);
}

async fn send_trusting(security: Security) {
    let port = std::env::var("TEST_SMTP_PORT").unwrap().parse().unwrap();
    let other = std::env::var("TEST_SMTP_OTHER").unwrap();
    let at = |host: String| mailer(Server { host, port, security, login: None });
    // A certificate of another name, or one that nobody has vouched for.
    let failed = at(other).send(&to("ana@example.com")).await;
    assert!(matches!(failed, Err(MailError::Unsent(_))), "{failed:?}");
    if std::env::var_os("TEST_SMTP_UNTRUSTED").is_none() {
        at("localhost".to_owned()).send(&to("ana@example.com")).await.unwrap();
    }
}

#[test]
fn tls_needs_a_certificate_that_is_trusted_for_the_host() {
    run_trusting("through_tls", "tls");
}

#[test]
fn starttls_needs_a_certificate_that_is_trusted_for_the_host() {
    run_trusting("through_starttls", "starttls");
}

#[tokio::test]
#[ignore = "another test runs it"]
async fn through_tls() {
    send_trusting(Security::Tls).await;
}

#[tokio::test]
#[ignore = "another test runs it"]
async fn through_starttls() {
    send_trusting(Security::StartTls).await;
}
