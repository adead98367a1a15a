use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, DraftError, ENTROPY, KeyToken, NewApiKey};
use exit3_domain::events::Author;
use exit3_ports::StoreError;

use crate::App;

/// Why a key could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The draft is invalid.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The key could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates a key from `random` bytes. The token is only in the returned value; it is not stored.
///
/// # Errors
/// [`CreateKeyError`].
pub async fn create(
    app: &App,
    draft: ApiKeyDraft,
    random: &[u8; ENTROPY],
    author: &Author,
) -> Result<(ApiKey, KeyToken), CreateKeyError> {
    let now = app.clock.now();
    draft.check(now)?;
    let token = if draft.is_publishable() {
        KeyToken::publishable(random)
    } else {
        KeyToken::secret(random)
    };
    let key = NewApiKey {
        draft,
        prefix: token.prefix().clone(),
        digest: token.digest(),
        created_at: now,
    };
    Ok((app.repositories()?.api_keys.create(&key, &author.at(now)).await?, token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, api_key, author};
    use exit3_domain::api_keys::Scopes;

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
        let (key, token) =
            create(&mocks.into_app(), draft, &[3; ENTROPY], &author()).await.unwrap();
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
        let (_, token) = create(&mocks.into_app(), draft, &[3; ENTROPY], &author()).await.unwrap();
        assert!(token.expose().starts_with("exit3_pk_"));
    }

    #[tokio::test]
    async fn an_invalid_draft_is_not_stored() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_create().never();
        let mut draft = api_key(|_| ()).draft;
        draft.scopes = Scopes::NONE;
        let outcome = create(&mocks.into_app(), draft, &[3; ENTROPY], &author()).await;
        assert!(matches!(outcome, Err(CreateKeyError::Draft(DraftError::NoScope))));
    }
}
