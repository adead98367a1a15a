//! Creating, finding and revoking API keys.

use exit3_domain::api_keys::{
    ApiKey, ApiKeyDraft, ApiKeyId, ENTROPY, KeyToken, NewApiKey, Scope, Scopes, TokenPrefix,
    WhichKeys,
};

use super::Harness;
use super::model::NOW;
use crate::builders::{act, at, some_act, time};

/// A key of that name that may create leads. Equal `entropy` gives equal tokens.
pub fn api_key(name: &str, entropy: u8) -> NewApiKey {
    // The prefix is made of the first bytes.
    let token = KeyToken::secret(&[entropy; ENTROPY]);
    NewApiKey {
        draft: ApiKeyDraft {
            name: name.to_owned(),
            scopes: Scopes::of([Scope::create("leads")]),
            origins: Vec::new(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        },
        prefix: token.prefix().clone(),
        digest: token.digest(),
        created_at: at(1_790_000_000_000_001),
    }
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    let mut key = api_key("one", 1);
    // A newer version of the program may have stored scopes that this one does not know.
    key.draft.scopes = Scopes::from_words("leads:create tags:export");
    harness.api_keys.create(&key, &some_act()).await.unwrap();
    create(harness, "two", 2).await;
    harness.api_keys.revoke(&"two".into(), &act(time(NOW))).await.unwrap();
}

async fn create(harness: &Harness, name: &str, entropy: u8) -> ApiKey {
    harness.api_keys.create(&api_key(name, entropy), &some_act()).await.unwrap()
}

async fn find(harness: &Harness, key: &ApiKey) -> Option<ApiKey> {
    harness.api_keys.find_by_prefix(&key.prefix).await.unwrap()
}

fn rich() -> NewApiKey {
    let mut key = api_key("website.2_b-C", 1);
    // A newer version of the program may know `tags`.
    let scopes = "leads:create leads:read newsletter:write price_lists:read tags:export";
    key.draft.scopes = Scopes::from_words(scopes);
    key.draft.origins = vec!["https://exit3.agency".into(), "http://localhost:3000".into()];
    key.draft.rate = Some("1000/hour".parse().unwrap());
    key.draft.forwards_visitors = true;
    key.draft.expires_at = Some(at(1_800_000_000_000_001));
    key
}

pub async fn returns_what_it_stored(harness: &Harness) {
    for given in [rich(), api_key("plain", 2)] {
        let created = harness.api_keys.create(&given, &some_act()).await.unwrap();
        assert_eq!(created.draft, given.draft);
        assert_eq!((&created.prefix, created.digest), (&given.prefix, given.digest));
        assert_eq!(created.created_at, given.created_at);
        assert_eq!((created.revoked_at, created.last_used_at), (None, None));
        assert_eq!(find(harness, &created).await, Some(created));
    }
}

pub async fn finds_keys_only_by_prefix(harness: &Harness) {
    create(harness, "website", 1).await;
    for other in ["", "website", "000000000000", "%", "đđđđđđđđđđđđ"] {
        let found = harness.api_keys.find_by_prefix(&TokenPrefix(other.to_owned())).await;
        assert_eq!(found.unwrap(), None, "{other:?}");
    }
}

pub async fn lists_the_newest_first(harness: &Harness) {
    assert_eq!(harness.api_keys.list().await.unwrap(), []);
    let first = create(harness, "b", 1).await;
    let second = create(harness, "a", 2).await;
    let third = harness.api_keys.create(&api_key("c", 3), &some_act()).await.unwrap();
    harness.api_keys.revoke(&"a".into(), &act(at(1))).await.unwrap();
    let second = find(harness, &second).await.unwrap();
    assert_eq!(harness.api_keys.list().await.unwrap(), [third, second, first]);
}

pub async fn two_of_a_name_live_side_by_side(harness: &Harness) {
    let old = create(harness, "website", 1).await;
    let new = create(harness, "website", 2).await;
    assert_ne!(old.id, new.id);
    assert_eq!(find(harness, &old).await, Some(old));
    assert_eq!(find(harness, &new).await, Some(new));
}

pub async fn refuses_a_second_of_the_same_prefix(harness: &Harness) {
    let first = create(harness, "website", 1).await;
    assert!(harness.api_keys.create(&api_key("other", 1), &some_act()).await.is_err());
    assert_eq!(harness.api_keys.list().await.unwrap(), [first]);
}

pub async fn revokes_all_of_a_name(harness: &Harness) {
    let old = create(harness, "website", 1).await;
    let other = create(harness, "Website", 2).await;
    let new = create(harness, "website", 3).await;
    let revoked = harness.api_keys.revoke(&"website".into(), &act(at(7))).await.unwrap();
    let ids: Vec<ApiKeyId> = revoked.iter().map(|key| key.id).collect();
    assert_eq!(ids, [new.id, old.id]);
    for key in &revoked {
        assert_eq!(key.revoked_at, Some(at(7)));
        assert_eq!(find(harness, key).await.as_ref(), Some(key));
    }
    assert_eq!(find(harness, &other).await, Some(other));
}

pub async fn revokes_one_by_its_prefix(harness: &Harness) {
    let old = create(harness, "website", 1).await;
    let new = create(harness, "website", 2).await;
    let revoked =
        harness.api_keys.revoke(&old.prefix.0.as_str().into(), &act(at(7))).await.unwrap();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].id, old.id);
    assert_eq!(find(harness, &new).await, Some(new));
}

pub async fn revokes_one_by_its_id(harness: &Harness) {
    let key = create(harness, "website", 1).await;
    // A name can be the prefix of another key.
    let other = create(harness, &key.prefix.0, 2).await;
    let revoke = async |id| harness.api_keys.revoke(&WhichKeys::One(id), &act(at(7))).await;
    let revoked = revoke(key.id).await.unwrap();
    assert_eq!(revoked.iter().map(|key| key.id).collect::<Vec<_>>(), [key.id]);
    assert_eq!(find(harness, &key).await.unwrap().revoked_at, Some(at(7)));
    assert_eq!(find(harness, &other).await, Some(other.clone()));
    for id in [key.id, ApiKeyId(0), ApiKeyId(other.id.0 + 1)] {
        assert_eq!(revoke(id).await.unwrap(), [], "{id:?}");
    }
}

pub async fn revokes_once(harness: &Harness) {
    let key = create(harness, "website", 1).await;
    harness.api_keys.revoke(&"website".into(), &act(at(7))).await.unwrap();
    for which in ["website", key.prefix.0.as_str(), "", "%", "nobody", "web\0site"] {
        assert_eq!(
            harness.api_keys.revoke(&which.into(), &act(at(8))).await.unwrap(),
            [],
            "{which:?}"
        );
    }
    assert_eq!(find(harness, &key).await.unwrap().revoked_at, Some(at(7)));
}

pub async fn notes_the_latest_use(harness: &Harness) {
    let one = create(harness, "one", 1).await;
    let two = create(harness, "two", 2).await;
    let unused = create(harness, "unused", 3).await;
    let uses = [(one.id, at(1_000_001)), (two.id, at(5)), (one.id, at(9))];
    harness.api_keys.note_uses(&uses).await.unwrap();
    harness.api_keys.note_uses(&[(one.id, at(8)), (two.id, at(6))]).await.unwrap();
    assert_eq!(find(harness, &one).await.unwrap().last_used_at, Some(at(1_000_001)));
    assert_eq!(find(harness, &two).await.unwrap().last_used_at, Some(at(6)));
    assert_eq!(find(harness, &unused).await, Some(unused));
}

pub async fn ignores_uses_of_missing_keys(harness: &Harness) {
    let key = create(harness, "website", 1).await;
    harness.api_keys.note_uses(&[]).await.unwrap();
    harness.api_keys.note_uses(&[(ApiKeyId(key.id.0 + 1), at(5))]).await.unwrap();
    assert_eq!(find(harness, &key).await, Some(key));
}
