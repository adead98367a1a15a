//! Forms that make something new must do so once, even if they are sent twice.
//!
//! A form contains a random token. The event of what it makes has a batch that is computed from the
//! token, the address and the fields. A form that is sent again finds that event, and leads to what
//! the first one has made. The same token with other fields is another form, so nothing that
//! somebody typed is taken for a repetition. If two nodes get the same form at the same moment, the
//! database refuses the second event, and the browser sends that form once more.

use exit3_domain::events::{BatchId, EventFilter, Subject};
use exit3_ports::StoreError;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;

/// The number of locks. Two forms that share one wait for each other.
const LOCKS: usize = 16;

/// Makes forms with the same token wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    locks: [Mutex<()>; LOCKS],
}

/// What a form is recognised by. A form without a token, or with another text, gets a new one.
fn mark_of(admin: &Admin, path: &str, form: &Form) -> [u8; 32] {
    let given = form.text("_token");
    let is_token = given.len() == 32 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    let token = if is_token { given.to_owned() } else { admin.new_token() };
    let mut hash = Sha256::new();
    let own = form.own_fields().flat_map(|(name, value)| [name, value]);
    for text in [token.as_str(), path].into_iter().chain(own) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// A form that is being carried out.
pub struct Sending<'a> {
    /// The batch of the events of the write.
    pub batch: BatchId,
    /// What an earlier sending has made.
    pub made: Option<Subject>,
    resource: &'a str,
    _lock: MutexGuard<'a, ()>,
}

impl Sending<'_> {
    /// What another node has made of the same form since this sending began. The database may refuse
    /// the row of this sending, such as a second client for a lead, before it refuses the event.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn made_meanwhile(&self, admin: &Admin) -> Result<Option<Subject>, PageError> {
        Ok(made(admin, &self.batch, self.resource).await?)
    }
}

/// What the form with this batch has made.
async fn made(
    admin: &Admin,
    batch: &BatchId,
    resource: &str,
) -> Result<Option<Subject>, StoreError> {
    let (of, resource) = (Some(batch.clone()), Some(resource.into()));
    let filter = EventFilter { batch: of, resource, ..EventFilter::default() };
    let events = exit3_app::events::list(&admin.app, &filter, None, 1).await?;
    Ok(events.into_iter().next().map(|event| event.subject))
}

impl Admin {
    /// A new token for a form.
    pub fn new_token(&self) -> String {
        hex::encode(self.app.entrance.random::<16>())
    }

    /// Begins to carry out a form. Other sendings of the same form wait until the result is dropped.
    /// `resource` is the word of events for what the form makes, such as `lead`.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn begin(
        &self,
        path: &str,
        form: &Form,
        resource: &'static str,
    ) -> Result<Sending<'_>, PageError> {
        let mark = mark_of(self, path, form);
        let batch = BatchId::of_form(&hex::encode(mark.first_chunk::<16>().unwrap_or(&[0; 16])));
        let number = usize::from(mark.last().copied().unwrap_or_default()) % LOCKS;
        let locks = &self.settings.tokens.locks;
        let lock = locks.get(number).unwrap_or(&locks[0]).lock().await;
        let made = made(self, &batch, resource).await?;
        Ok(Sending { batch, made, resource, _lock: lock })
    }
}
