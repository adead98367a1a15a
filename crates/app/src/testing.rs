//! Mocks of all ports, put together.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use exit3_domain::email::DisposableDomains;
use exit3_domain::leads::{Lead, LeadId, LeadInput};
use exit3_domain::raw::RawValue;
use exit3_ports::{
    MockClock, MockDatabaseHealth, MockLeadRepository, MockSubscriberRepository, StoreError,
};

use crate::App;

/// The time that the mocked clock tells.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap()
}

/// Mocks that expect nothing yet, but for the clock.
pub(crate) struct Mocks {
    pub(crate) leads: MockLeadRepository,
    pub(crate) subscribers: MockSubscriberRepository,
    pub(crate) database: MockDatabaseHealth,
}

impl Mocks {
    pub(crate) fn new() -> Self {
        Self {
            leads: MockLeadRepository::new(),
            subscribers: MockSubscriberRepository::new(),
            database: MockDatabaseHealth::new(),
        }
    }

    pub(crate) fn into_app(self) -> App {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        App {
            leads: Arc::new(self.leads),
            subscribers: Arc::new(self.subscribers),
            database: Arc::new(self.database),
            clock: Arc::new(clock),
            disposable: DisposableDomains::default(),
        }
    }
}

/// A database that does not answer.
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
        created_at: now(),
        updated_at: now(),
    }
}
