//! Versions of stored rows, by which a caller says which state of a row it has seen.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The version of a stored row: a digest of all its values. It changes whenever a value changes,
/// no matter which release wrote it, and it is the same on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// The version of a row.
    pub fn of(row: &impl Serialize) -> Self {
        let mut digest = Sink(Sha256::new());
        // Rows are structs of texts, numbers and times, which always serialize.
        let _ = serde_json::to_writer(&mut digest, row);
        let digest = digest.0.finalize();
        let half = digest.get(..16).unwrap_or_default();
        Self(URL_SAFE_NO_PAD.encode(half))
    }

    /// A version as a caller names it. Any text may be one.
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The version as text: letters, digits, `-` and `_`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

struct Sink(Sha256);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Some versions of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// Every version.
    Any,
    /// These versions.
    These(Vec<Version>),
}

impl Versions {
    /// Whether this version is one of them.
    pub fn contain(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::These(these) => these.contains(version),
        }
    }
}

/// Which versions of a row a caller is willing to change. By default, all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Only these, if there are any.
    pub only: Option<Versions>,
    /// None of these, if there are any.
    pub except: Option<Versions>,
}

impl Expected {
    /// Whether the row may be changed. The version is computed only if somebody asks for it.
    pub fn admits(&self, row: &impl Serialize) -> bool {
        if self.only.is_none() && self.except.is_none() {
            return true;
        }
        let version = Version::of(row);
        self.only.as_ref().is_none_or(|only| only.contain(&version))
            && !self.except.as_ref().is_some_and(|except| except.contain(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::{Lead, LeadId, LeadWork, example};
    use crate::staff::StaffId;
    use crate::subscribers::{Subscriber, SubscriberId};
    use chrono::DateTime;

    fn lead() -> Lead {
        let at = DateTime::UNIX_EPOCH;
        let work = LeadWork { owner: Some(StaffId(1)), ..LeadWork::default() };
        Lead { id: LeadId(1), details: example(), work, created_at: at, updated_at: at }
    }

    #[test]
    fn every_value_of_a_row_counts() {
        let row = lead();
        assert_eq!(Version::of(&row), Version::of(&row.clone()));
        let serde_json::Value::Object(values) = serde_json::to_value(&row).unwrap() else {
            panic!("a row is an object");
        };
        assert!(values.len() > 10, "{values:?}");
        for name in values.keys() {
            let mut other = values.clone();
            other.insert(name.clone(), "changed".into());
            assert_ne!(Version::of(&values), Version::of(&other), "{name}");
        }
        let missing =
            Lead { details: crate::leads::NewLead { notes: None, ..example() }, ..lead() };
        let empty = Lead {
            details: crate::leads::NewLead { notes: Some(String::new()), ..example() },
            ..lead()
        };
        assert_ne!(Version::of(&missing), Version::of(&empty));
    }

    /// Nodes of both releases serve a cluster during an upgrade.
    #[test]
    fn a_lead_without_work_has_the_version_that_0_1_gave_it() {
        let row = Lead { work: LeadWork::default(), ..lead() };
        assert_eq!(Version::of(&row).as_str(), "IUr2ntUlP2iVdAxI8WK1nQ");
    }

    #[test]
    fn a_version_is_short_and_fits_into_a_header() {
        let row = Subscriber { id: SubscriberId(1), email: "a@b.hr".into(), is_subscribed: true };
        let version = Version::of(&row);
        assert_eq!(version.as_str().len(), 22);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(version.as_str().bytes().all(fits));
        assert_eq!(Version::named(version.as_str()), version);
    }

    #[test]
    fn a_caller_admits_what_it_has_seen() {
        let row = lead();
        let these = |text: &str| Some(Versions::These(vec![Version::named(text)]));
        let own = Version::of(&row);
        let expected = |only, except| Expected { only, except }.admits(&row);
        assert!(expected(None, None));
        assert!(expected(Some(Versions::Any), None));
        assert!(expected(these(own.as_str()), these("other")));
        assert!(!expected(these("other"), None));
        assert!(!expected(Some(Versions::These(vec![])), None));
        assert!(!expected(None, these(own.as_str())));
        assert!(!expected(these(own.as_str()), Some(Versions::Any)));
    }
}
