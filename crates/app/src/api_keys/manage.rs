//! Listing and revoking keys.

use exit3_domain::access::{Action, Record};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, DraftError, WhichKeys};
use exit3_ports::StoreError;

use crate::App;
use crate::access::{Doer, Forbidden};

/// Why keys could not be listed, created or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ManageKeysError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The draft is invalid.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// There is no such key.
    #[error("not found")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All keys, including revoked and expired ones, newest first.
///
/// # Errors
/// [`ManageKeysError`].
pub async fn list(app: &App, doer: &Doer) -> Result<Vec<ApiKey>, ManageKeysError> {
    doer.check(Action::Read, Record::ApiKey)?;
    Ok(app.repositories()?.api_keys.list().await?)
}

/// Finds a key by id, even if it is revoked or expired. There are few keys, so it looks at all.
///
/// # Errors
/// [`ManageKeysError`].
pub async fn find(app: &App, id: ApiKeyId, doer: &Doer) -> Result<ApiKey, ManageKeysError> {
    let found = list(app, doer).await?.into_iter().find(|key| key.id == id);
    found.ok_or(ManageKeysError::NotFound)
}

/// Revokes keys. Returns those that were not revoked before.
///
/// # Errors
/// [`ManageKeysError`].
pub async fn revoke(
    app: &App,
    which: &WhichKeys,
    doer: &Doer,
) -> Result<Vec<ApiKey>, ManageKeysError> {
    doer.check(Action::Edit, Record::ApiKey)?;
    let act = doer.author.at(app.clock.now());
    Ok(app.repositories()?.api_keys.revoke(which, &act).await?)
}

#[cfg(test)]
mod tests {
    use exit3_domain::access::Worker;
    use exit3_domain::staff::{Role, StaffId};

    use super::*;
    use crate::api_keys::create;
    use crate::testing::{Mocks, api_key, author, doer};

    #[tokio::test]
    async fn only_owners_manage_keys() {
        for role in [Role::Manager, Role::Sales, Role::Viewer] {
            // Nothing is read or written.
            let app = Mocks::new().into_app();
            let doer = Doer::worker(author(), Worker { id: StaffId(1), role });
            let outcomes = [
                list(&app, &doer).await.map(drop),
                find(&app, ApiKeyId(1), &doer).await.map(drop),
                create(&app, api_key(|_| ()).draft, &doer).await.map(drop),
                revoke(&app, &"website".into(), &doer).await.map(drop),
            ];
            for outcome in outcomes {
                assert!(matches!(outcome, Err(ManageKeysError::Forbidden(_))), "{outcome:?}");
            }
        }
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_list().returning(|| Ok(vec![api_key(|_| ())]));
        let owner = Worker { id: StaffId(1), role: Role::Owner };
        let found = list(&mocks.into_app(), &Doer::worker(author(), owner)).await.unwrap();
        assert_eq!(found.len(), 1);
    }

    #[tokio::test]
    async fn a_key_is_found_by_its_id() {
        let mut mocks = Mocks::new();
        let keys = || vec![api_key(|key| key.id = ApiKeyId(2)), api_key(|_| ())];
        mocks.repositories.api_keys.expect_list().returning(move || Ok(keys()));
        let app = mocks.into_app();
        assert_eq!(find(&app, ApiKeyId(1), &doer()).await.unwrap().id, ApiKeyId(1));
        let outcome = find(&app, ApiKeyId(3), &doer()).await;
        assert!(matches!(outcome, Err(ManageKeysError::NotFound)), "{outcome:?}");
    }
}
