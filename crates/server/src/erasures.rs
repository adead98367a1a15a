//! The list of erasures beside the archives. An archive still has the people who were erased after
//! it was made, so a restore applies the list.
//!
//! Each erasure is a file of its own, so that two commands at once lose none. It contains a salted
//! hash of the contact: it tells whether a given address was erased, but names none.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use exit3_app::erasure::{self, Found};
use exit3_domain::contact::Contact;
use exit3_domain::events::Act;
use exit3_ports::{Load, StoreError};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::backup_store::{BackupStore, BackupStoreError, time_of};
use crate::secrets::random_bytes;
use crate::settings::Settings;

/// The name of an erasure contains its time, and a random number.
const NAME: &str = "erased-%Y%m%dT%H%M%S%.3fZ";

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    #[error(transparent)]
    Store(#[from] BackupStoreError),
    #[error("{0} is not an erasure: mend it, or remove it if it is no file of this service")]
    Garbled(String),
    #[error("an erasure cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// One erasure.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    salt: String,
    digest: String,
}

/// Erasures, by their names.
#[derive(Debug, Default)]
pub(crate) struct Erasures(BTreeMap<String, Entry>);

impl Erasures {
    /// The lists that apply to a restore of `archive`: the one beside it, and that of the usual
    /// store.
    pub(crate) async fn of(archive: &str, settings: &Settings) -> Result<Self, ListError> {
        let mut erasures = Self::default();
        erasures.read(&BackupStore::around(archive)?).await?;
        let usual = settings.backup_store()?;
        if !matches!(&usual, BackupStore::Directory(directory) if !directory.exists()) {
            erasures.read(&usual).await?;
        }
        Ok(erasures)
    }

    async fn read(&mut self, store: &BackupStore) -> Result<(), ListError> {
        for name in store.all_names().await? {
            if begun_at(&name).is_none() {
                continue;
            }
            let entry = serde_json::from_slice(&store.read(&name).await?);
            let entry = entry.map_err(|_| ListError::Garbled(name.clone()))?;
            self.0.insert(name, entry);
        }
        Ok(())
    }

    /// Adds an erasure to the list in `store`; returns its name. It is never dated before an archive
    /// there: the clock may be behind, and [`expire`] would take the erasure for an old one.
    pub(crate) async fn add(
        store: &BackupStore,
        contact: &Contact,
        now: DateTime<Utc>,
    ) -> Result<String, ListError> {
        let salt = URL_SAFE_NO_PAD.encode(random_bytes::<16>());
        let digest = digest(salt.as_bytes(), contact);
        let mut draft = store.draft()?;
        let entry = serde_json::to_vec(&Entry { salt, digest }).map_err(std::io::Error::from)?;
        draft.write_all(&entry)?;
        let archives = store.all_names().await?;
        let newest = archives.iter().filter_map(|name| time_of(name)).max();
        let at = newest.map_or(now, |newest| now.max(newest));
        let number = URL_SAFE_NO_PAD.encode(random_bytes::<6>());
        let name = format!("{}-{number}.json", at.format(NAME));
        store.keep(draft, &name).await?;
        Ok(name)
    }

    /// Erases everybody on the list whose erasure the restored rows do not know: they are from
    /// before it. From then on they know it. Returns what was erased, by table; `None` if the rows
    /// know all of them.
    pub(crate) async fn apply(
        mut self,
        load: &mut dyn Load,
        act: &Act,
    ) -> Result<Option<Vec<(&'static str, usize)>>, StoreError> {
        let known = erasure::entries(load).await?;
        self.0.retain(|name, _| !known.contains(name));
        if self.0.is_empty() {
            return Ok(None);
        }
        let erased = erasure::erase(load, &|contact| self.has(contact), &Found::default()).await?;
        for (name, entry) in &self.0 {
            // The numbers are those of all erasures together.
            erasure::note(load, &Found::default(), &entry.digest, Some(name), act).await?;
        }
        Ok(Some(erased.counts()))
    }

    fn has(&self, contact: &Contact) -> bool {
        self.0.values().any(|entry| entry.digest == digest(entry.salt.as_bytes(), contact))
    }
}

/// Removes erasures that are a day older than every archive in `store`: no archive has what they
/// removed. A backup that was begun while a person was erased may still have the person.
pub(crate) async fn expire(store: &BackupStore) -> Result<(), BackupStoreError> {
    let names = store.all_names().await?;
    let Some(oldest) = names.iter().filter_map(|name| time_of(name)).min() else {
        return Ok(());
    };
    for name in names
        .iter()
        .filter(|name| begun_at(name).is_some_and(|at| oldest - at > TimeDelta::days(1)))
    {
        store.remove(name).await?;
    }
    Ok(())
}

/// When the erasure of that name was begun; `None` for any other name.
fn begun_at(name: &str) -> Option<DateTime<Utc>> {
    let (time, _) = name.strip_suffix(".json")?.split_once("Z-")?;
    let time = NaiveDateTime::parse_from_str(&format!("{time}Z"), NAME).ok()?;
    Some(time.and_utc())
}

/// A keyed hash of a contact.
pub(crate) fn digest(key: &[u8], contact: &Contact) -> String {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key");
    mac.update(contact.to_string().as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use exit3_domain::contact::ContactKind;

    use super::*;

    fn contact(text: &str) -> Contact {
        Contact::read(ContactKind::Email, text).unwrap()
    }

    #[tokio::test]
    async fn a_list_knows_the_erased_and_names_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let store = BackupStore::Directory(directory.path().to_owned());
        let now = "2026-11-29T10:00:00Z".parse().unwrap();
        for address in ["ana@acme.hr", "eva@acme.hr"] {
            Erasures::add(&store, &contact(address), now).await.unwrap();
        }
        std::fs::write(directory.path().join("erased-notes.json"), "of somebody else").unwrap();
        let mut list = Erasures::default();
        list.read(&store).await.unwrap();
        let has = |address: &str| list.has(&contact(address));
        assert!(has("Ana@acme.hr") && has("eva@acme.hr") && !has("iva@acme.hr"));
        for name in store.all_names().await.unwrap() {
            let text = String::from_utf8(store.read(&name).await.unwrap()).unwrap();
            assert!(!text.contains("ana@acme.hr") && !name.contains("ana"), "{name}: {text}");
        }
    }

    #[tokio::test]
    async fn links_to_erasures_count_and_one_that_leads_nowhere_is_named() {
        let [directory, elsewhere] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let store = BackupStore::Directory(directory.path().to_owned());
        let other = BackupStore::Directory(elsewhere.path().to_owned());
        let now = "2026-11-29T10:00:00Z".parse().unwrap();
        let name = Erasures::add(&other, &contact("ana@acme.hr"), now).await.unwrap();
        let link = directory.path().join(&name);
        std::os::unix::fs::symlink(elsewhere.path().join(&name), &link).unwrap();
        let mut list = Erasures::default();
        list.read(&store).await.unwrap();
        assert!(list.has(&contact("ana@acme.hr")));
        other.remove(&name).await.unwrap();
        let error = Erasures::default().read(&store).await.unwrap_err().to_string();
        assert!(error.contains(&name), "{error}");
        // An archive that is only linked is not one of the store.
        let archive = "exit3-20261102T100001.000Z.backup";
        std::os::unix::fs::symlink("nowhere", directory.path().join(archive)).unwrap();
        assert_eq!(store.all_names().await.unwrap(), [name]);
    }

    #[tokio::test]
    async fn an_erasure_by_a_clock_that_is_behind_stays_with_the_archives() {
        let directory = tempfile::tempdir().unwrap();
        let archive = "exit3-20261102T100001.000Z.backup";
        std::fs::write(directory.path().join(archive), "").unwrap();
        let store = BackupStore::Directory(directory.path().to_owned());
        let behind = "2020-01-01T00:00:00Z".parse().unwrap();
        Erasures::add(&store, &contact("ana@acme.hr"), behind).await.unwrap();
        expire(&store).await.unwrap();
        let mut list = Erasures::default();
        list.read(&store).await.unwrap();
        assert!(list.has(&contact("ana@acme.hr")));
    }

    #[tokio::test]
    async fn a_garbled_erasure_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let name = "erased-20261129T100000.000Z-abc.json";
        std::fs::write(directory.path().join(name), "{").unwrap();
        let store = BackupStore::Directory(directory.path().to_owned());
        let error = Erasures::default().read(&store).await.unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    }

    #[tokio::test]
    async fn an_erasure_stays_as_long_as_an_archive_from_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(directory.path().join(name), "{}").unwrap();
        let erasures = ["erased-20261101T100000.000Z-a.json", "erased-20261102T100000.000Z-b.json"];
        let archives = ["exit3-20261102T100001.000Z.backup", "exit3-20261104T100000.000Z.backup"];
        erasures.iter().chain(&archives).for_each(|name| put(name));
        let store = BackupStore::Directory(directory.path().to_owned());
        expire(&store).await.unwrap();
        let mut left = store.all_names().await.unwrap();
        left.sort();
        assert_eq!(left, [erasures[1], archives[0], archives[1]]);
    }
}
