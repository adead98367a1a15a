//! Forms that make something new must do so once, even if they are sent twice.
//!
//! A form contains a random token. The event of what it makes has the token as its batch. A form
//! that is sent again finds that event, and leads to what the first one has made.

use std::hash::{DefaultHasher, Hash, Hasher};

use exit3_domain::events::{BatchId, EventFilter, Subject};
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

/// The token of a form. A form without one, or with another text, gets a new one.
fn token_of(admin: &Admin, form: &Form) -> String {
    let given = form.text("_token");
    let is_token = given.len() == 32 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_token { given.to_owned() } else { admin.new_token() }
}

/// A form that is being carried out.
pub(crate) struct Sending<'a> {
    /// The token for the author of the write.
    pub(crate) token: String,
    /// What an earlier sending has made.
    pub(crate) made: Option<Subject>,
    _lock: MutexGuard<'a, ()>,
}

impl Admin {
    /// A new token for a form.
    pub(crate) fn new_token(&self) -> String {
        hex::encode(self.app.entrance.random::<16>())
    }

    /// Begins to carry out a form. Other sendings of the same form wait until the result is dropped.
    ///
    /// # Errors
    /// The database is unavailable.
    pub(crate) async fn begin(&self, form: &Form) -> Result<Sending<'_>, PageError> {
        let token = token_of(self, form);
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let number = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or_default();
        let locks = &self.settings.tokens.locks;
        let lock = locks.get(number).unwrap_or(&locks[0]).lock().await;
        let batch = Some(BatchId(token.as_str().into()));
        let filter = EventFilter { batch, ..EventFilter::default() };
        let events = exit3_app::events::list(&self.app, &filter, None, 1).await?;
        let made = events.into_iter().next().map(|event| event.subject);
        Ok(Sending { token, made, _lock: lock })
    }
}
