//! The use cases over any repositories.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use exit3_app::App;
use exit3_app::contracts::Contracts;
use exit3_app::quotas::Limits;
use exit3_app::sign_ins::Entrance;
use exit3_domain::email::DisposableDomains;
use exit3_ports::{Charge, Clock, MockContractStore, Quotas, Repositories, Standing};

/// A clock that stands still.
struct Still(DateTime<Utc>);

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// Quotas that nobody asks for.
struct Unlimited;

#[async_trait]
impl Quotas for Unlimited {
    async fn charge(&self, _: &[Charge]) -> Vec<Standing> {
        Vec::new()
    }

    async fn give_back(&self, _: &[(Charge, u32)]) {}
}

/// What use cases need, at this time: mocks, or the repositories of a real database. Nothing is
/// limited, random numbers are the same each time, and there are no contract files.
///
/// ```
/// use std::sync::Arc;
///
/// use exit3_ports::MockRepositories;
/// use exit3_testkit::app::app;
/// use exit3_testkit::builders::at;
///
/// struct Tags {
///     at_most: usize,
/// }
///
/// let mut repositories = MockRepositories::default();
/// repositories.kept.keep(Arc::new(Tags { at_most: 10 }));
/// let app = app(repositories, at(0));
/// assert_eq!(app.kept::<Tags>().unwrap().at_most, 10);
/// ```
pub fn app(repositories: impl Into<Repositories>, now: DateTime<Utc>) -> App {
    let (idle, longest) = (TimeDelta::hours(12), TimeDelta::days(14));
    App {
        database: Ok(repositories.into()),
        keyring: Arc::default(),
        bell: Arc::default(),
        quotas: Arc::new(Unlimited),
        limits: Limits::default(),
        clock: Arc::new(Still(now)),
        entrance: Arc::new(Entrance::new(idle, longest, |bytes| bytes.fill(7))),
        disposable: DisposableDomains::default(),
        contracts: Contracts { store: Arc::new(MockContractStore::new()), scanner: None },
        intake: None,
        modules: Arc::default(),
    }
}
