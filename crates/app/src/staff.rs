//! Accounts of staff, as owners and operators manage them.

mod invitations;
#[cfg(test)]
mod tests;

use exit3_domain::access::{Action, Record};
use exit3_domain::paging::{MAX_PAGE_SIZE, Page, PageNumber, PageRequest, last_page};
use exit3_domain::sign_ins::{SignIn, admitted};
use exit3_domain::staff::{
    AccountInput, NewStaff, PasswordHash, Role, Staff, StaffId, StaffProfile, check_password,
    username,
};
use exit3_domain::validation::{Invalid, Violation};
use exit3_ports::sign_ins::Ending;
use exit3_ports::staff::USERNAME_TAKEN;
use exit3_ports::{Constraint, StoreError};

use crate::App;
use crate::access::{Doer, Forbidden};
use crate::seen::{ATTEMPTS, unless_stale};
use crate::sign_ins::alive;

pub use invitations::{
    accept, accept_as_owner, has_none, invite, invite_first_owner, invite_new, invited,
};

/// Why an account could not be created or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A value breaks a rule, or the name is taken (field `username`, code `unique`).
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no such account or invitation.
    #[error("not found")]
    NotFound,
    /// The last active owner would be lost.
    #[error("the last active owner must stay one")]
    LastOwner,
    /// There is an owner already.
    #[error("there is an owner already")]
    OwnerExists,
    /// Concurrent changes kept interfering.
    #[error("changed by others at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for StaffError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict(USERNAME_TAKEN) => {
                let taken = Violation::new("unique", "An account with this name already exists.");
                Self::Invalid(Invalid::field("username", taken))
            }
            StoreError::Conflict(Constraint::LastOwner) => Self::LastOwner,
            StoreError::Conflict(Constraint::OwnerExists) => Self::OwnerExists,
            other => Self::Store(other),
        }
    }
}

/// Creates an account.
///
/// # Errors
/// [`StaffError`].
pub async fn create(
    app: &App,
    input: AccountInput,
    password: &str,
    doer: &Doer,
) -> Result<Staff, StaffError> {
    doer.check(Action::Create, Record::Staff)?;
    let new = new_account(app, input, password).await?;
    let act = doer.author.at(new.date_joined);
    Ok(app.repositories()?.staff.create(&new, &act).await?)
}

/// Checks a new account, with the errors of all fields, and hashes its password.
async fn new_account(
    app: &App,
    input: AccountInput,
    password: &str,
) -> Result<NewStaff, StaffError> {
    let name = input.username.clone();
    let profile = input.into_profile();
    let own = profile.as_ref().map_or([name.as_str(); 5], StaffProfile::own_texts);
    let weak = check_password(password, &own).err();
    let profile = match (profile, weak) {
        (Ok(profile), None) => profile,
        (Ok(_), Some(weak)) => return Err(weak.into()),
        (Err(mut invalid), weak) => {
            invalid.merge(weak.unwrap_or_default());
            return Err(invalid.into());
        }
    };
    let password = app.entrance.hash(password).await?;
    Ok(NewStaff { profile, password, date_joined: app.clock.now() })
}

/// One page of the accounts, ordered by name; `None` past the last page.
///
/// # Errors
/// [`StaffError`].
pub async fn list(
    app: &App,
    page: PageRequest,
    doer: &Doer,
) -> Result<Option<Page<Staff>>, StaffError> {
    doer.check(Action::Read, Record::Staff)?;
    Ok(app.repositories()?.staff.list(page).await?)
}

/// Finds an account by the name that somebody has typed.
///
/// # Errors
/// [`StaffError`].
pub async fn find(app: &App, name: &str, doer: &Doer) -> Result<Staff, StaffError> {
    doer.check(Action::Read, Record::Staff)?;
    let found = app.repositories()?.staff.find_by_username(&username(name)).await?;
    found.ok_or(StaffError::NotFound)
}

/// An account, and how it is signed in now.
///
/// # Errors
/// [`StaffError`].
pub async fn find_by_id(
    app: &App,
    id: StaffId,
    doer: &Doer,
) -> Result<(Staff, Vec<SignIn>), StaffError> {
    doer.check(Action::Read, Record::Staff)?;
    let all = app.repositories()?;
    let staff = all.staff.find(id).await?.ok_or(StaffError::NotFound)?;
    let sign_ins = alive(app, &staff).await?;
    Ok((staff, sign_ins))
}

/// Ends all sign-ins of an account. Returns how many there were.
///
/// # Errors
/// [`StaffError`].
pub async fn end_sign_ins(app: &App, id: StaffId, doer: &Doer) -> Result<u64, StaffError> {
    doer.check(Action::Edit, Record::Staff)?;
    let all = app.repositories()?;
    all.staff.find(id).await?.ok_or(StaffError::NotFound)?;
    let act = doer.author.at(app.clock.now());
    Ok(all.sign_ins.end(id, Ending::All, &act).await?)
}

/// Gives an account another role.
///
/// # Errors
/// [`StaffError`].
pub async fn set_role(
    app: &App,
    id: StaffId,
    role: Role,
    doer: &Doer,
) -> Result<Staff, StaffError> {
    change(app, id, doer, |profile| profile.set_role(role)).await
}

/// Lets an account sign in, or not. Disabling it ends its sign-ins and its invitation.
///
/// # Errors
/// [`StaffError`].
pub async fn set_active(
    app: &App,
    id: StaffId,
    is_active: bool,
    doer: &Doer,
) -> Result<Staff, StaffError> {
    change(app, id, doer, |profile| profile.is_active = is_active).await
}

async fn change(
    app: &App,
    id: StaffId,
    doer: &Doer,
    change: impl Fn(&mut StaffProfile),
) -> Result<Staff, StaffError> {
    doer.check(Action::Edit, Record::Staff)?;
    let accounts = &app.repositories()?.staff;
    for _ in 0..ATTEMPTS {
        let seen = accounts.find(id).await?.ok_or(StaffError::NotFound)?;
        let mut profile = seen.profile.clone();
        change(&mut profile);
        let act = doer.author.at(app.clock.now());
        if let Some(staff) = unless_stale(accounts.update(&seen, &profile, &act).await)? {
            return Ok(staff);
        }
    }
    Err(StaffError::Contended)
}

/// Replaces the password of an account, and ends its sign-ins and its invitation.
///
/// # Errors
/// [`StaffError`].
pub async fn set_password(
    app: &App,
    id: StaffId,
    password: &str,
    doer: &Doer,
) -> Result<(), StaffError> {
    doer.check(Action::Edit, Record::Staff)?;
    let all = app.repositories()?;
    let mut seen = all.staff.find(id).await?.ok_or(StaffError::NotFound)?;
    let hash = checked(app, &seen, password).await?;
    for _ in 0..ATTEMPTS {
        let act = doer.author.at(app.clock.now());
        let changed = all.sign_ins.change_password(&seen, &hash, None, &act).await;
        if unless_stale(changed)?.is_some() {
            return Ok(());
        }
        seen = all.staff.find(id).await?.ok_or(StaffError::NotFound)?;
    }
    Err(StaffError::Contended)
}

/// Checks and hashes a new password of an account.
async fn checked(app: &App, staff: &Staff, password: &str) -> Result<PasswordHash, StaffError> {
    check_password(password, &staff.profile.own_texts())?;
    Ok(app.entrance.hash(password).await?)
}

/// All accounts that may sign in, ordered by name, for those who choose an owner.
///
/// # Errors
/// The database failed.
pub async fn team(app: &App) -> Result<Vec<Staff>, StoreError> {
    let mut team = all(app).await?;
    team.retain(|staff| admitted(staff).is_some());
    Ok(team)
}

/// All accounts, ordered by name.
pub(crate) async fn all(app: &App) -> Result<Vec<Staff>, StoreError> {
    let accounts = &app.repositories()?.staff;
    let (mut all, mut number) = (Vec::new(), 1);
    let size = MAX_PAGE_SIZE;
    while let Some(page) =
        accounts.list(PageRequest { number: PageNumber::Number(number), size }).await?
    {
        let is_last = number >= last_page(page.count, size);
        all.extend(page.rows);
        if is_last {
            break;
        }
        number += 1;
    }
    Ok(all)
}
