use exit3_domain::access::{Action, Record};
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, KeyToken, NewApiKey};

use super::ManageKeysError;
use crate::App;
use crate::access::Doer;

/// Creates a key. The token is only in the returned value; it is not stored.
///
/// # Errors
/// [`ManageKeysError`].
pub async fn create(
    app: &App,
    draft: ApiKeyDraft,
    doer: &Doer,
) -> Result<(ApiKey, KeyToken), ManageKeysError> {
    doer.check(Action::Create, Record::ApiKey)?;
    let now = app.clock.now();
    draft.check(now)?;
    let random = app.entrance.random();
    let token = if draft.is_publishable() {
        KeyToken::publishable(&random)
    } else {
        KeyToken::secret(&random)
    };
    let key = NewApiKey {
        draft,
        prefix: token.prefix().clone(),
        digest: token.digest(),
        created_at: now,
    };
    Ok((app.repositories()?.api_keys.create(&key, &doer.author.at(now)).await?, token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, api_key, doer};
    use exit3_domain::api_keys::{DraftError, Scopes};

    #[tokio::test]
    async fn the_token_opens_what_is_stored_and_is_not_stored_itself() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_create().times(1).returning(|new, _| {
            Ok(api_key(|key| {
                key.prefix = new.prefix.clone();
                key.digest = new.digest;
            }))
        });
        let draft = api_key(|_| ()).draft;
        let (key, token) = create(&mocks.into_app(), draft, &doer()).await.unwrap();
        assert_eq!((key.digest, &key.prefix), (token.digest(), token.prefix()));
        assert!(token.expose().starts_with("exit3_sk_"));
        assert!(!format!("{key:?}").contains(token.expose()));
    }

    #[tokio::test]
    async fn a_token_shows_that_its_key_is_publishable() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_create().returning(|_, _| Ok(api_key(|_| ())));
        let mut draft = api_key(|_| ()).draft;
        draft.origins = vec!["https://exit3.agency".into()];
        let (_, token) = create(&mocks.into_app(), draft, &doer()).await.unwrap();
        assert!(token.expose().starts_with("exit3_pk_"));
    }

    #[tokio::test]
    async fn an_invalid_draft_is_not_stored() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_create().never();
        let mut draft = api_key(|_| ()).draft;
        draft.scopes = Scopes::NONE;
        let outcome = create(&mocks.into_app(), draft, &doer()).await;
        assert!(matches!(outcome, Err(ManageKeysError::Draft(DraftError::NoScope))));
    }
}
