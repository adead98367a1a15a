use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_domain::api_keys::{Scope, TokenDigest, TokenPrefix};
use exit3_ports::StoreError;

use super::{Caller, NamedKey};
use crate::App;

/// Why a key is refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is unknown, revoked or expired.
    #[error("no such key")]
    Wrong,
    /// The key may only be used by pages of other origins.
    #[error("the key is bound to other origins")]
    Origin,
    /// The key was not looked up, because its peer has guessed too often. It may retry after this
    /// time.
    #[error("too many wrong keys")]
    Throttled(Duration),
    /// The key could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds the holder of the key `presented` by the peer with the number `peer` from a page of
/// `origin`: the key of the settings, whose digest is `basic`, or a named key. Records the use of a
/// named key.
///
/// While the database is away, a named key that this node has seen lately is still known for requests
/// that need one of the scopes of the intake, which `scope` may be.
///
/// # Errors
/// [`KeyError`].
pub async fn authenticate(
    app: &App,
    basic: Option<&TokenDigest>,
    presented: &[u8],
    origin: Option<&str>,
    peer: u64,
    scope: Option<&Scope>,
) -> Result<Caller, KeyError> {
    let digest = TokenDigest::of(presented);
    // The comparison of digests takes the same time for every presented key.
    if basic == Some(&digest) {
        return Ok(Caller::Basic);
    }
    let prefix = TokenPrefix::of(presented).ok_or(KeyError::Wrong)?;
    let now = app.clock.now();
    let key = match app.keyring.recall(&prefix, now) {
        Some(key) => key,
        None => find(app, &prefix, peer, now, scope).await?,
    };
    if key.digest != digest || !key.is_alive(now) {
        return Err(KeyError::Wrong);
    }
    if !key.admits(origin) {
        return Err(KeyError::Origin);
    }
    app.keyring.note_use(key.id, now);
    Ok(Caller::Named(key))
}

/// Looks the key up, or takes it from what the intake knows.
async fn find(
    app: &App,
    prefix: &TokenPrefix,
    peer: u64,
    now: DateTime<Utc>,
    scope: Option<&Scope>,
) -> Result<Arc<NamedKey>, KeyError> {
    let intake = app.intake.as_ref().filter(|it| it.takes(scope));
    let known = || intake.and_then(|intake| intake.known_key(prefix, now));
    if app.is_away()
        && let Some(key) = known()
    {
        return Ok(key);
    }
    let found = async {
        refuse_guess(app, prefix, peer, now).await?;
        look_up(app, prefix, now).await
    };
    match found.await {
        Err(error @ KeyError::Store(StoreError::Unavailable(_))) => known().ok_or(error),
        found => found,
    }
}

/// Refuses a key that is probably a guess, without a query per guess: its peer has guessed too
/// often, and no known key has this prefix.
///
/// Valid keys pass even while somebody else at the same address guesses keys: this node knows the
/// key, or finds it by listing all keys again. Only a key created after the last list has to wait
/// for the next list.
async fn refuse_guess(
    app: &App,
    prefix: &TokenPrefix,
    peer: u64,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    if app.keyring.has_seen(prefix) {
        return Ok(());
    }
    let Some(wait) = app.keyring.guesses_again_in(peer, now) else { return Ok(()) };
    if app.keyring.must_be_listed(now) {
        let keys = app.repositories()?.api_keys.list().await?;
        app.keyring.list(keys.into_iter().map(|key| key.prefix).collect());
    }
    match app.keyring.has_listed(prefix) {
        true => Ok(()),
        false => Err(KeyError::Throttled(wait)),
    }
}

async fn look_up(
    app: &App,
    prefix: &TokenPrefix,
    now: DateTime<Utc>,
) -> Result<Arc<NamedKey>, KeyError> {
    let Some(key) = app.repositories()?.api_keys.find_by_prefix(prefix).await? else {
        app.keyring.forget(prefix);
        return Err(KeyError::Wrong);
    };
    let key = Arc::new(NamedKey::from(key));
    // The result is only as fresh as the start of the query, which is `now`.
    app.keyring.remember(Arc::clone(&key), now);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, api_key, away, now, token};
    use chrono::TimeDelta;
    use exit3_domain::api_keys::{ApiKey, KeyToken};

    /// Authenticates without a key in the settings.
    async fn named(app: &App, presented: &str, origin: Option<&str>) -> Result<Caller, KeyError> {
        authenticate(app, None, presented.as_bytes(), origin, PEER, None).await
    }

    const PEER: u64 = 0xffff_ffff_c000_0201;

    #[tokio::test]
    async fn the_key_of_the_settings_needs_no_database() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().never();
        let app = mocks.into_app();
        let basic = TokenDigest::of(b"peer-key");
        let caller = authenticate(&app, Some(&basic), b"peer-key", None, PEER, None).await;
        assert!(matches!(caller, Ok(Caller::Basic)));
        let caller = authenticate(&app, Some(&basic), b"peer-keys", None, PEER, None).await;
        assert!(matches!(caller, Err(KeyError::Wrong)));
    }

    fn caller_name(outcome: &Result<Caller, KeyError>) -> Option<&str> {
        match outcome {
            Ok(Caller::Named(key)) => Some(&key.draft.name),
            _ => None,
        }
    }

    #[tokio::test]
    async fn the_holder_is_known_without_asking_the_database_each_time() {
        let mut mocks = Mocks::new();
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(1)
            .returning(|_| Ok(Some(api_key(|_| ()))));
        let app = mocks.into_app();
        for _ in 0..3 {
            let outcome = named(&app, token().expose(), None).await;
            assert_eq!(caller_name(&outcome), Some("website"));
        }
    }

    #[tokio::test]
    async fn malformed_tokens_never_reach_the_database() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().never();
        let app = mocks.into_app();
        let mut changed = token().expose().to_owned();
        changed.replace_range(20..21, "-");
        for text in ["", "peer-key", "exit3_sk_", &changed] {
            assert!(matches!(named(&app, text, None).await, Err(KeyError::Wrong)));
        }
    }

    #[tokio::test]
    async fn the_right_prefix_with_another_secret_is_wrong() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().returning(|_| {
            Ok(Some(api_key(|key| {
                key.digest = KeyToken::secret(&[8; 40]).digest();
            })))
        });
        let outcome = named(&mocks.into_app(), token().expose(), None).await;
        assert!(matches!(outcome, Err(KeyError::Wrong)));
    }

    #[tokio::test]
    async fn a_dead_key_is_wrong() {
        for kill in [
            |key: &mut ApiKey| key.revoked_at = Some(now()),
            |key: &mut ApiKey| key.draft.expires_at = Some(now()),
        ] {
            let mut mocks = Mocks::new();
            mocks
                .repositories
                .api_keys
                .expect_find_by_prefix()
                .returning(move |_| Ok(Some(api_key(kill))));
            let outcome = named(&mocks.into_app(), token().expose(), None).await;
            assert!(matches!(outcome, Err(KeyError::Wrong)));
        }
    }

    #[tokio::test]
    async fn a_key_expires_although_it_is_remembered() {
        let mut mocks = Mocks::new();
        let end = now() + TimeDelta::milliseconds(100);
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(1)
            .returning(move |_| Ok(Some(api_key(|key| key.draft.expires_at = Some(end)))));
        let app = mocks.into_app_at([now(), end]);
        assert!(named(&app, token().expose(), None).await.is_ok());
        assert!(named(&app, token().expose(), None).await.is_err());
    }

    #[tokio::test]
    async fn a_revocation_is_known_within_a_second() {
        let mut mocks = Mocks::new();
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(1)
            .returning(|_| Ok(Some(api_key(|_| ()))));
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(1)
            .returning(|_| Ok(Some(api_key(|key| key.revoked_at = Some(now())))));
        let later = now() + TimeDelta::milliseconds(900);
        let app = mocks.into_app_at([now(), later]);
        assert!(named(&app, token().expose(), None).await.is_ok());
        assert!(matches!(named(&app, token().expose(), None).await, Err(KeyError::Wrong)));
    }

    #[tokio::test]
    async fn a_publishable_key_is_refused_from_elsewhere() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().returning(|_| {
            Ok(Some(api_key(|key| key.draft.origins = vec!["https://exit3.agency".into()])))
        });
        let app = mocks.into_app();
        for origin in [None, Some("https://evil.org")] {
            let outcome = named(&app, token().expose(), origin).await;
            assert!(matches!(outcome, Err(KeyError::Origin)));
        }
        let outcome = named(&app, token().expose(), Some("https://exit3.agency")).await;
        assert_eq!(caller_name(&outcome), Some("website"));
    }

    #[tokio::test]
    async fn a_database_that_is_away_says_nothing_about_the_key() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().returning(|_| Err(away()));
        let outcome = named(&mocks.into_app(), token().expose(), None).await;
        assert!(matches!(outcome, Err(KeyError::Store(_))));
    }

    /// An app whose peer has guessed too often and may guess again after a minute.
    fn throttled(mocks: Mocks, times: impl IntoIterator<Item = DateTime<Utc>>) -> App {
        let app = mocks.into_app_at(times);
        app.keyring.note_guesser(PEER, now(), Duration::from_secs(60));
        app
    }

    #[tokio::test]
    async fn guesses_of_a_peer_with_too_many_ask_the_database_once_a_second() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_find_by_prefix().times(1).returning(|_| Ok(None));
        mocks.repositories.api_keys.expect_list().times(2).returning(|| Ok(vec![api_key(|_| ())]));
        let passed = [0, 1, 500, 999, 1000, 1500].map(TimeDelta::milliseconds);
        let times = passed.map(|passed| now() + passed);
        let again = now() + TimeDelta::seconds(60);
        let app = throttled(mocks, times.into_iter().chain([again]));
        let guess = |number| KeyToken::secret(&[number; 40]);
        for (number, time) in (100..).zip(times) {
            let outcome = named(&app, guess(number).expose(), None).await;
            let Err(KeyError::Throttled(wait)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(wait, (again - time).to_std().unwrap());
        }
        // After the minute, the peer may guess again.
        let outcome = named(&app, guess(99).expose(), None).await;
        assert!(matches!(outcome, Err(KeyError::Wrong)));
    }

    #[tokio::test]
    async fn guesses_of_others_do_not_lock_a_right_key_out() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_list().times(1).returning(|| Ok(vec![api_key(|_| ())]));
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(2)
            .returning(|_| Ok(Some(api_key(|_| ()))));
        // A key that this node has not seen yet; the second time, the node knows it without
        // listing.
        let app = throttled(mocks, [now(), now(), now() + TimeDelta::seconds(30)]);
        for _ in 0..3 {
            let outcome = named(&app, token().expose(), None).await;
            assert_eq!(caller_name(&outcome), Some("website"));
        }
    }

    #[tokio::test]
    async fn a_key_that_is_gone_is_a_guess_again() {
        let mut mocks = Mocks::new();
        mocks.repositories.api_keys.expect_list().times(1).returning(|| Ok(vec![api_key(|_| ())]));
        mocks.repositories.api_keys.expect_list().times(1).returning(|| Ok(vec![]));
        mocks
            .repositories
            .api_keys
            .expect_find_by_prefix()
            .times(1)
            .returning(|_| Ok(Some(api_key(|_| ()))));
        mocks.repositories.api_keys.expect_find_by_prefix().times(1).returning(|_| Ok(None));
        let times = [0, 2, 4].map(|seconds| now() + TimeDelta::seconds(seconds));
        let app = throttled(mocks, times);
        assert!(named(&app, token().expose(), None).await.is_ok());
        assert!(matches!(named(&app, token().expose(), None).await, Err(KeyError::Wrong)));
        let gone = named(&app, token().expose(), None).await;
        assert!(matches!(gone, Err(KeyError::Throttled(_))));
    }
}
