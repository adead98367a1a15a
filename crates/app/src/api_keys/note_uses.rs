use exit3_ports::StoreError;

use crate::App;

/// Writes the key uses recorded since the last call to the database; to be called periodically.
/// After a failure, they are kept for the next call.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn note_uses(app: &App) -> Result<(), StoreError> {
    let repositories = app.repositories()?;
    let uses = app.keyring.take_uses();
    if uses.is_empty() {
        return Ok(());
    }
    let told = repositories.api_keys.note_uses(&uses).await;
    if told.is_err() {
        for (key, at) in uses {
            app.keyring.note_use(key, at);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_keys::authenticate;
    use crate::testing::{Mocks, api_key, away, now, token};

    #[tokio::test]
    async fn uses_are_written_together_and_retried_after_a_failure() {
        let mut mocks = Mocks::new();
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .returning(|_| Ok(Some(api_key(|_| ()))));
        mocks.repositories.api_keys.expect_note_uses().times(1).returning(|_| Err(away()));
        let id = api_key(|_| ()).id;
        mocks
            .repositories
            .api_keys
            .expect_note_uses()
            .times(1)
            .withf(move |uses| uses == [(id, now())])
            .returning(|_| Ok(()));
        let app = mocks.into_app();
        note_uses(&app).await.unwrap();
        let peer = 0xffff_ffff_c000_0201;
        for _ in 0..5 {
            authenticate(&app, None, token().expose().as_bytes(), None, peer, None).await.unwrap();
        }
        assert!(note_uses(&app).await.is_err());
        note_uses(&app).await.unwrap();
        note_uses(&app).await.unwrap();
    }
}
