//! Invitations: one-time addresses on which a person chooses a password, or makes the account of the
//! first owner.

use std::sync::Arc;

use chrono::TimeDelta;
use exit3_domain::access::{Action, Record};
use exit3_domain::events::{Actor, Author};
use exit3_domain::paging::PageRequest;
use exit3_domain::sign_ins::{FIRST_INVITATION, INVITATION, NewInvitation, SecretToken};
use exit3_domain::staff::{AccountInput, NewStaff, PasswordHash, Staff, StaffId};
use exit3_ports::StoreError;
use exit3_ports::invitations::Invited;

use super::{StaffError, checked, new_account};
use crate::App;
use crate::access::Doer;
use crate::sign_ins::actor;

/// Invites a person to choose a password. An earlier invitation of the account ends. The token is
/// only in the returned value; it is not stored.
///
/// # Errors
/// [`StaffError`]; an account that is not active is not found.
pub async fn invite(app: &App, id: StaffId, doer: &Doer) -> Result<SecretToken, StaffError> {
    doer.check(Action::Edit, Record::Staff)?;
    Ok(store(app, Some(id), INVITATION, &doer.author).await?)
}

/// Creates an account without a password, and invites its person to choose one. The token is only in
/// the returned value; it is not stored.
///
/// # Errors
/// [`StaffError`].
pub async fn invite_new(
    app: &App,
    input: AccountInput,
    doer: &Doer,
) -> Result<(Staff, SecretToken), StaffError> {
    doer.check(Action::Create, Record::Staff)?;
    let (profile, now) = (input.into_profile()?, app.clock.now());
    let token = SecretToken::of(&app.entrance.random());
    let password = PasswordHash::none();
    let new = NewStaff { profile, password, date_joined: now };
    let invitations = &app.repositories()?.invitations;
    let (digest, ends_at) = (token.digest(), now + INVITATION);
    let made = invitations.invite_new(&new, &digest, ends_at, &doer.author.at(now)).await?;
    Ok((made, token))
}

/// Invites the holder of the token to make the account of the first owner. `None` if there is an
/// account. An earlier token is worth nothing any more.
///
/// # Errors
/// [`StaffError`].
pub async fn invite_first_owner(app: &App) -> Result<Option<SecretToken>, StaffError> {
    if !has_none(app).await? {
        return Ok(None);
    }
    Ok(Some(store(app, None, FIRST_INVITATION, &Actor::Service.into()).await?))
}

/// Whether there is no account at all.
///
/// # Errors
/// [`StaffError`].
pub async fn has_none(app: &App) -> Result<bool, StaffError> {
    let accounts = app.repositories()?.staff.list(PageRequest::first()).await?;
    Ok(accounts.is_none_or(|page| page.count == 0))
}

async fn store(
    app: &App,
    staff: Option<StaffId>,
    valid: TimeDelta,
    author: &Author,
) -> Result<SecretToken, StoreError> {
    let token = SecretToken::of(&app.entrance.random());
    let now = app.clock.now();
    let invitation =
        NewInvitation { digest: token.digest(), staff, created_at: now, ends_at: now + valid };
    app.repositories()?.invitations.invite(&invitation, &author.at(now)).await?;
    Ok(token)
}

/// Whom a token invites; `None` if it was used or has ended.
///
/// # Errors
/// [`StaffError`].
pub async fn invited(app: &App, token: &str) -> Result<Option<Invited>, StaffError> {
    let Some(digest) = SecretToken::digest_of(token) else { return Ok(None) };
    Ok(app.repositories()?.invitations.find(&digest, app.clock.now()).await?)
}

/// Makes the account of the first owner.
///
/// # Errors
/// [`StaffError`].
pub async fn accept_as_owner(
    app: &App,
    token: &str,
    name: &str,
    password: &str,
    request: Option<Arc<str>>,
) -> Result<Staff, StaffError> {
    let digest = SecretToken::digest_of(token).ok_or(StaffError::NotFound)?;
    // Hashing costs much, so it is not done for everybody.
    if !matches!(invited(app, token).await?, Some(Invited::FirstOwner)) {
        return Err(StaffError::NotFound);
    }
    let new = new_account(app, AccountInput::owner(name), password).await?;
    let author =
        Author { actor: Actor::Staff(new.profile.username.as_str().into()), request, batch: None };
    let act = author.at(app.clock.now());
    Ok(app.repositories()?.invitations.accept_as_owner(&digest, &new, &act).await?)
}

/// Chooses the password of the person whom a token invites, and ends the sign-ins of the account.
///
/// # Errors
/// [`StaffError`].
pub async fn accept(
    app: &App,
    token: &str,
    password: &str,
    request: Option<Arc<str>>,
) -> Result<Staff, StaffError> {
    let digest = SecretToken::digest_of(token).ok_or(StaffError::NotFound)?;
    let Some(Invited::Person(staff)) = invited(app, token).await? else {
        return Err(StaffError::NotFound);
    };
    let hash = checked(app, &staff, password).await?;
    let act = Author { actor: actor(&staff), request, batch: None }.at(app.clock.now());
    app.repositories()?.invitations.accept(&digest, &staff, &hash, &act).await?;
    Ok(Staff { password: hash, ..*staff })
}
