//! An `App` over mocks of all ports.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, ApiKeyId, KeyToken, Scope, Scopes};
use exit3_domain::email::DisposableDomains;
use exit3_domain::events::{Act, Actor, Author};
use exit3_domain::leads::{Lead, LeadId, LeadInput, LeadWork};
use exit3_domain::raw::RawValue;
use exit3_ports::{
    ContractStore, MockClock, MockContractScanner, MockContractStore, MockQuotas, MockRepositories,
    StoreError,
};

use crate::App;
use crate::access::Doer;
use crate::contracts::Contracts;
use crate::quotas::Limits;
use crate::sign_ins::Entrance;

/// The time of the mocked clock.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap()
}

/// Mocks without expectations, except for the clock.
pub(crate) struct Mocks {
    pub(crate) repositories: MockRepositories,
    pub(crate) quotas: MockQuotas,
    pub(crate) limits: Limits,
    pub(crate) contracts: Arc<dyn ContractStore>,
    pub(crate) scanner: Option<MockContractScanner>,
}

impl Mocks {
    pub(crate) fn new() -> Self {
        Self {
            repositories: MockRepositories::default(),
            quotas: MockQuotas::new(),
            limits: Limits::default(),
            contracts: Arc::new(MockContractStore::new()),
            scanner: None,
        }
    }

    pub(crate) fn into_app(self) -> App {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        self.into_app_with(clock)
    }

    /// An app whose clock returns these times one after another.
    pub(crate) fn into_app_at(self, times: impl IntoIterator<Item = DateTime<Utc>>) -> App {
        let mut clock = MockClock::new();
        for time in times {
            clock.expect_now().times(1).return_const(time);
        }
        self.into_app_with(clock)
    }

    fn into_app_with(self, clock: MockClock) -> App {
        App {
            database: Ok(self.repositories.into()),
            keyring: Arc::default(),
            bell: Arc::default(),
            quotas: Arc::new(self.quotas),
            limits: self.limits,
            clock: Arc::new(clock),
            entrance: Arc::new(Entrance::new(TimeDelta::hours(12), TimeDelta::days(14), |bytes| {
                bytes.fill(7);
            })),
            disposable: DisposableDomains::default(),
            intake: None,
            modules: Arc::default(),
            contracts: Contracts {
                store: self.contracts,
                scanner: self.scanner.map(|scanner| Arc::new(scanner) as _),
            },
        }
    }
}

/// The author of writes.
pub(crate) fn author() -> Author {
    Actor::command("test").into()
}

/// [`author`], who may do everything.
pub(crate) fn doer() -> Doer {
    Doer::operator(author())
}

/// A write by [`author`] at the time of the mocked clock.
pub(crate) fn act() -> Act {
    author().at(now())
}

/// The error of a database that does not answer.
pub(crate) fn away() -> StoreError {
    StoreError::Unavailable("away".into())
}

/// A valid lead, as a client sends it.
pub(crate) fn ana() -> LeadInput {
    LeadInput {
        full_name: RawValue::text("Ana Horvat"),
        position: RawValue::text("CTO"),
        email: RawValue::text("ana@acme.hr"),
        ..LeadInput::default()
    }
}

/// A stored lead.
pub(crate) fn stored(id: i64) -> Lead {
    Lead {
        id: LeadId(id),
        details: ana().into_new(&DisposableDomains::default()).unwrap(),
        work: LeadWork::default(),
        created_at: now(),
        updated_at: now(),
    }
}

/// The token of [`api_key`].
pub(crate) fn token() -> KeyToken {
    KeyToken::secret(&[7; 40])
}

/// A stored, valid key, modified by `change`.
pub(crate) fn api_key(change: impl FnOnce(&mut ApiKey)) -> ApiKey {
    let mut key = ApiKey {
        id: ApiKeyId(1),
        draft: ApiKeyDraft {
            name: "website".to_owned(),
            scopes: Scopes::of([Scope::create("leads")]),
            origins: Vec::new(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        },
        prefix: token().prefix().clone(),
        digest: token().digest(),
        created_at: now(),
        revoked_at: None,
        last_used_at: None,
    };
    change(&mut key);
    key
}
