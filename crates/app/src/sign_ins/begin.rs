use std::sync::Arc;
use std::time::Duration;

use exit3_domain::events::{Actor, Author};
use exit3_domain::sign_ins::{ADDRESS, AGENT, NewSignIn, SecretToken, admitted, shortened};
use exit3_domain::staff::{Staff, username};
use exit3_ports::{StoreError, TRACE};

use super::limit::Attempt;
use super::{Device, SignedIn, actor};
use crate::App;
use crate::seen::unless_stale;

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is wrong, or the account may not sign in. Nobody learns which.
    #[error("the name or the password is wrong")]
    Wrong,
    /// There were too many wrong passwords from this address. The next one is looked at after this
    /// time.
    #[error("too many wrong passwords")]
    Throttled(Duration),
    /// The database failed, or too many people sign in at once.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often a password is checked if others replace it at the same time.
const ATTEMPTS: usize = 3;

/// Signs a person in. The token is only in the returned value; it is not stored.
///
/// # Errors
/// [`SignInError`].
#[tracing::instrument(target = TRACE, name = "sign_ins.sign_in", skip_all)]
pub async fn sign_in(
    app: &App,
    name: &str,
    password: &str,
    device: &Device,
    request: Option<Arc<str>>,
) -> Result<(SecretToken, SignedIn), SignInError> {
    let name = username(name);
    let attempt = Attempt::charge(app, &name, device.peer).await;
    let attempt = attempt.map_err(SignInError::Throttled)?;
    let outcome = match check(app, &name, password).await {
        Ok(Some(staff)) => begin(app, &staff, device, request).await,
        Ok(None) => return Err(SignInError::Wrong),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(signed_in) => {
            attempt.succeeded(app).await;
            Ok(signed_in)
        }
        // The account was disabled at the same time.
        Err(StoreError::NotFound) => Err(SignInError::Wrong),
        Err(error) => {
            attempt.undecided(app).await;
            Err(error.into())
        }
    }
}

/// The account of that name, if it may sign in and this is its password. A password that Django has
/// hashed, or an earlier release with other costs, is hashed again.
async fn check(app: &App, name: &str, password: &str) -> Result<Option<Staff>, StoreError> {
    let accounts = &app.repositories()?.staff;
    for _ in 0..ATTEMPTS {
        let staff = accounts.find_by_username(name).await?;
        let staff = staff.filter(|staff| admitted(staff).is_some());
        let hash = staff.as_ref().map(|staff| &staff.password);
        let verified = app.entrance.verify(hash, password).await?;
        let (Some(staff), Some(verified)) = (staff, verified) else { return Ok(None) };
        if !verified.needs_rehash {
            return Ok(Some(staff));
        }
        let hash = app.entrance.hash(password).await?;
        let act = Author::from(Actor::Service).at(app.clock.now());
        // If somebody else has replaced it, the password may be another one now.
        if unless_stale(accounts.set_password(&staff, &hash, &act).await)?.is_some() {
            return Ok(Some(Staff { password: hash, ..staff }));
        }
    }
    Ok(None)
}

/// Begins a sign-in of this account, whose password was just checked or chosen.
///
/// # Errors
/// [`StoreError::NotFound`] if the account may not sign in.
pub async fn begin(
    app: &App,
    staff: &Staff,
    device: &Device,
    request: Option<Arc<str>>,
) -> Result<(SecretToken, SignedIn), StoreError> {
    let role = admitted(staff).ok_or(StoreError::NotFound)?;
    let now = app.clock.now();
    let token = SecretToken::of(&app.entrance.random());
    let ends_at = now.checked_add_signed(app.entrance.longest);
    let new = NewSignIn {
        digest: token.digest(),
        staff: staff.id,
        password: staff.password.digest(),
        created_at: now,
        ends_at: ends_at.ok_or_else(|| StoreError::Other("the sign-in is too long".into()))?,
        agent: shortened(&device.agent, AGENT),
        address: shortened(&device.address, ADDRESS),
    };
    let act = Author { actor: actor(staff), request, batch: None }.at(now);
    let sign_in = app.repositories()?.sign_ins.begin(&new, &act).await?;
    Ok((token, SignedIn { sign_in, staff: staff.clone(), role }))
}
