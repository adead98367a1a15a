//! What people do with their own accounts.

use std::time::Duration;

use exit3_domain::sign_ins::{SignIn, SignInId};
use exit3_domain::staff::{Preferences, check_password};
use exit3_domain::validation::{Invalid, Violation};
use exit3_ports::sign_ins::Ending;
use exit3_ports::{Constraint, StoreError};

use super::limit::Attempt;
use super::{Device, SignedIn, alive};
use crate::App;
use crate::access::Doer;
use crate::seen::{ATTEMPTS, unless_stale};

/// Why a password could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The old password is wrong (field `old_password`), or the new one breaks a rule (`password`).
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There were too many wrong passwords from this address.
    #[error("too many wrong passwords")]
    Throttled(Duration),
    /// The account may not sign in any more, or its password has changed at the same time.
    #[error("the password was changed at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PasswordError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound | StoreError::Conflict(Constraint::Stale) => Self::Contended,
            other => Self::Store(other),
        }
    }
}

/// Replaces the own password, and ends all other sign-ins of the account.
///
/// # Errors
/// [`PasswordError`].
pub async fn change_password(
    app: &App,
    who: &SignedIn,
    old: &str,
    new: &str,
    device: &Device,
    doer: &Doer,
) -> Result<(), PasswordError> {
    let name = &who.staff.profile.username;
    // A stranger at an open browser must not guess the password.
    let attempt = Attempt::charge(app, name, device.peer).await;
    let attempt = attempt.map_err(PasswordError::Throttled)?;
    match app.entrance.verify(Some(&who.staff.password), old).await {
        Ok(Some(_)) => attempt.succeeded(app).await,
        Ok(None) => {
            let wrong = Violation::new("wrong", "This is not your password.");
            return Err(Invalid::field("old_password", wrong).into());
        }
        Err(error) => {
            attempt.undecided(app).await;
            return Err(error.into());
        }
    }
    check_password(new, &who.staff.profile.own_texts())?;
    let hash = app.entrance.hash(new).await?;
    let act = doer.author.at(app.clock.now());
    let sign_ins = &app.repositories()?.sign_ins;
    Ok(sign_ins.change_password(&who.staff, &hash, Some(who.sign_in.id), &act).await?)
}

/// Replaces the own preferences.
///
/// # Errors
/// [`StoreError`].
pub async fn set_preferences(
    app: &App,
    who: &SignedIn,
    preferences: &Preferences,
    doer: &Doer,
) -> Result<(), StoreError> {
    let accounts = &app.repositories()?.staff;
    let act = doer.author.at(app.clock.now());
    let mut seen = who.staff.clone();
    for _ in 0..ATTEMPTS {
        if unless_stale(accounts.set_preferences(&seen, preferences, &act).await)?.is_some() {
            return Ok(());
        }
        seen = accounts.find(seen.id).await?.ok_or(StoreError::NotFound)?;
    }
    Err(StoreError::Conflict(Constraint::Stale))
}

/// The own sign-ins that have not ended, those that were used last first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(app: &App, who: &SignedIn) -> Result<Vec<SignIn>, StoreError> {
    alive(app, &who.staff).await
}

/// Ends one of the own sign-ins. Returns whether there was one with this id.
///
/// # Errors
/// [`StoreError`].
pub async fn end_one(
    app: &App,
    who: &SignedIn,
    id: SignInId,
    doer: &Doer,
) -> Result<bool, StoreError> {
    end(app, who, Ending::One(id), doer).await.map(|ended| ended > 0)
}

/// Ends all own sign-ins but this one. Returns how many there were.
///
/// # Errors
/// [`StoreError`].
pub async fn end_others(app: &App, who: &SignedIn, doer: &Doer) -> Result<u64, StoreError> {
    end(app, who, Ending::AllBut(who.sign_in.id), doer).await
}

async fn end(app: &App, who: &SignedIn, which: Ending, doer: &Doer) -> Result<u64, StoreError> {
    let act = doer.author.at(app.clock.now());
    app.repositories()?.sign_ins.end(who.staff.id, which, &act).await
}
