//! Sign-ins of staff.

mod begin;
mod entrance;
mod limit;
mod own;
mod remove_ended;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use exit3_domain::access::Worker;
use exit3_domain::events::{Actor, Author};
use exit3_domain::sign_ins::{SecretToken, SignIn, admitted};
use exit3_domain::staff::{Role, Staff};
use exit3_ports::{StoreError, TRACE};

use crate::App;
use crate::access::Doer;

pub use begin::{SignInError, begin, sign_in};
pub use entrance::{Entrance, Random};
pub use own::{PasswordError, change_password, end_one, end_others, list, set_preferences};
pub use remove_ended::{RemoveEndedSignIns, remove_ended};

/// The browser from which somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The number by which quotas count its address.
    pub peer: u64,
    /// Its address.
    pub address: String,
    /// The name that it gives itself, of any length.
    pub agent: String,
}

/// A signed-in person, with the sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The sign-in.
    pub sign_in: SignIn,
    /// The account.
    pub staff: Staff,
    /// The role of the account.
    pub role: Role,
}

impl SignedIn {
    /// The person, for the rules of the back office.
    pub fn worker(&self) -> Worker {
        Worker { id: self.staff.id, role: self.role }
    }

    /// The doer of what the person does in a request.
    pub fn doer(&self, request: Option<Arc<str>>) -> Doer {
        let author = Author { actor: actor(&self.staff), request, batch: None };
        Doer::worker(author, self.worker())
    }
}

/// A member of the staff as the author of writes.
pub(crate) fn actor(staff: &Staff) -> Actor {
    Actor::Staff(staff.profile.username.as_str().into())
}

/// Finds the person whose sign-in has this token; `None` if there is no such sign-in, or it has
/// ended. Reads the database
/// each time, so that an ended sign-in, a disabled account or another role counts at once. Notes the
/// time of the request about once a minute.
///
/// # Errors
/// [`StoreError`] if the database fails.
#[tracing::instrument(target = TRACE, name = "sign_ins.signed_in", skip_all)]
pub async fn signed_in(app: &App, token: &str) -> Result<Option<SignedIn>, StoreError> {
    let Some(digest) = SecretToken::digest_of(token) else { return Ok(None) };
    let sign_ins = &app.repositories()?.sign_ins;
    let Some((sign_in, staff)) = sign_ins.find(&digest).await? else { return Ok(None) };
    let now = app.clock.now();
    let is_of_password = sign_in.password == staff.password.digest();
    if !is_of_password || !sign_in.is_alive(now, app.entrance.idle) {
        return Ok(None);
    }
    let Some(role) = admitted(&staff) else { return Ok(None) };
    if sign_in.must_be_noted(now)
        && let Err(error) = sign_ins.note_seen(sign_in.id, now).await
    {
        // The page can be shown all the same.
        tracing::debug!(%error, "the use of a sign-in could not be noted");
    }
    Ok(Some(SignedIn { sign_in, staff, role }))
}

/// When the person was last here before this visit; `None` on the first one.
///
/// # Errors
/// [`StoreError`] if the database fails.
#[tracing::instrument(target = TRACE, name = "sign_ins.left_at", skip_all)]
pub async fn left_at(app: &App, who: &SignedIn) -> Result<Option<DateTime<Utc>>, StoreError> {
    app.repositories()?.sign_ins.left_at(who.staff.id).await
}

/// The sign-ins of an account that have not ended, those that were used last first.
pub(crate) async fn alive(app: &App, staff: &Staff) -> Result<Vec<SignIn>, StoreError> {
    let now = app.clock.now();
    let mut all = app.repositories()?.sign_ins.list(staff.id).await?;
    let password = staff.password.digest();
    all.retain(|one| one.password == password && one.is_alive(now, app.entrance.idle));
    Ok(all)
}

/// Ends the sign-in.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn sign_out(app: &App, who: &SignedIn, doer: &Doer) -> Result<(), StoreError> {
    end_one(app, who, who.sign_in.id, doer).await.map(drop)
}
