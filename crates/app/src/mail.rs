//! Sending e-mails, by a job, because the mail server may be away.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use exit3_domain::jobs::{NewJob, Retries};
use exit3_domain::mail::Mail;
use exit3_ports::{MailError, Mailer, StoreError};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::jobs::{Handling, JobFailure, Payload, Registry, enqueue};

/// How long to wait before a mail is sent again that may have arrived.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// The job that sends a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMail {
    /// The mail.
    pub mail: Mail,
    /// Whether it may have arrived already.
    #[serde(default)]
    pub may_have_arrived: bool,
}

impl Payload for SendMail {
    const KIND: &'static str = "mail.send";
}

/// The job that sends this mail. While it waits or runs, no second one for the same mail is stored.
///
/// # Errors
/// [`StoreError::Other`] if the mail cannot be written as JSON.
pub fn job(mail: Mail) -> Result<NewJob, StoreError> {
    SendMail { mail, may_have_arrived: false }.once()
}

impl SendMail {
    fn once(self) -> Result<NewJob, StoreError> {
        let again = if self.may_have_arrived { " again" } else { "" };
        let unique_key = Some(format!("mail {}{again}", self.mail.id));
        let job = self.job().map_err(|error| StoreError::Other(error.into()))?;
        Ok(NewJob { unique_key, ..job })
    }
}

/// Adds the job that sends mails. It tries for more than a day.
pub fn add(registry: &mut Registry, mailer: Arc<dyn Mailer>) {
    let minute = Duration::from_secs(60);
    let retries = Retries { attempts: 40, first: minute, longest: minute * 60 };
    // An attempt that is dropped would tell nothing, so the mailer ends earlier.
    let handling = Handling { at_once: 2, time_limit: minute * 3, retries };
    registry.handle(handling, move |app, job| send(app, Arc::clone(&mailer), job));
}

/// Sends a mail. If nobody knows whether it has arrived, it is sent once more, by a job of its own.
///
/// The same Message-ID goes with it each time. A second mail can come of an attempt whose node died at
/// the moment when the server took the mail.
///
/// # Errors
/// It was not sent, or nobody knows for the second time.
async fn send(app: App, mailer: Arc<dyn Mailer>, job: SendMail) -> Result<(), JobFailure> {
    match mailer.send(&job.mail).await {
        Ok(()) => Ok(()),
        Err(MailError::Unsent(why)) => Err(JobFailure::Again(why)),
        Err(MailError::Refused(why)) => Err(JobFailure::Never(why)),
        Err(MailError::Uncertain(why)) if job.may_have_arrived => Err(JobFailure::Never(why)),
        Err(MailError::Uncertain(_)) => {
            let again = SendMail { may_have_arrived: true, ..job }.once()?;
            let run_at = app.clock.now().checked_add_signed(AGAIN);
            enqueue(&app, &[NewJob { run_at, ..again }]).await?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use exit3_ports::MockMailer;

    use super::*;
    use crate::testing::{Mocks, now};

    fn sending(may_have_arrived: bool) -> SendMail {
        let text = |text: &str| text.to_owned();
        let (subject, text) = (text("Meeting"), text("At ten.\n"));
        let mail = Mail { id: "m.7".to_owned(), to: "ana@example.com".to_owned(), subject, text };
        SendMail { mail, may_have_arrived }
    }

    async fn outcome(mocks: Mocks, error: MailError, job: SendMail) -> Result<(), JobFailure> {
        let mut mailer = MockMailer::new();
        mailer.expect_send().times(1).return_once(move |_| Err(error));
        send(mocks.into_app(), Arc::new(mailer), job).await
    }

    #[tokio::test]
    async fn what_was_not_sent_is_tried_again_unless_it_was_refused() {
        let unsent = MailError::Unsent("away".to_owned());
        let failed = outcome(Mocks::new(), unsent, sending(false)).await;
        assert!(matches!(failed, Err(JobFailure::Again(why)) if why == "away"));
        let refused = MailError::Refused("no such mailbox".to_owned());
        let failed = outcome(Mocks::new(), refused, sending(false)).await;
        assert!(matches!(failed, Err(JobFailure::Never(why)) if why == "no such mailbox"));
    }

    #[tokio::test]
    async fn a_mail_that_may_have_arrived_is_sent_once_more() {
        let uncertain = || MailError::Uncertain("no answer".to_owned());
        let mut mocks = Mocks::new();
        let queue = &mut mocks.repositories.jobs;
        queue.expect_enqueue().times(1).returning(|jobs| {
            let [job] = jobs else { panic!("{jobs:?}") };
            assert_eq!(job.run_at, Some(now() + AGAIN));
            let stored: SendMail = serde_json::from_str(&job.payload).unwrap();
            assert_eq!(stored, sending(true));
            // The first job still has the key of the mail.
            assert_ne!(job.unique_key, super::job(stored.mail).unwrap().unique_key);
            Ok(1)
        });
        outcome(mocks, uncertain(), sending(false)).await.unwrap();
        let failed = outcome(Mocks::new(), uncertain(), sending(true)).await;
        assert!(matches!(failed, Err(JobFailure::Never(_))));
    }
}
