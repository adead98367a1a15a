use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use exit3_domain::quotas::{Quota, Rate};
use exit3_ports::{Charge, Quotas, Standing};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult, Script};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::local::LocalQuotas;

/// How long Redis may take to answer a node that serves, before the node counts by itself.
pub const PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is not asked again after it failed to answer.
const PAUSE: Duration = Duration::from_secs(1);

/// The text is not a Redis URL. The message omits it, because it may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as redis://:password@host:6379/0")]
pub struct RedisUrlError;

/// Counts in Redis for all nodes. While Redis is unreachable or slow, this node counts by itself.
/// Connections belong to the runtime of the first request.
pub struct SharedQuotas {
    client: Client,
    /// How long Redis may take to answer.
    patience: Duration,
    /// Reconnects by itself after a broken connection, but not after a refused one (for example a
    /// wrong password). The manager is then replaced.
    redis: Mutex<ConnectionManager>,
    script: Script,
    give_back: Script,
    /// Counts what this node has let through, for the time when it has to decide.
    own: Arc<LocalQuotas>,
    /// Set while Redis does not count.
    away: Mutex<Option<Away>>,
}

struct Away {
    /// When Redis was last asked.
    since: Instant,
    /// The error that Redis answered; `None` if it could not be reached.
    refusal: Option<String>,
}

impl SharedQuotas {
    /// Does not connect yet. Redis may take `patience` to answer: [`PATIENCE`] in a node that
    /// serves.
    ///
    /// # Errors
    /// [`RedisUrlError`].
    pub fn new(
        url: &SecretString,
        own: Arc<LocalQuotas>,
        patience: Duration,
    ) -> Result<Self, RedisUrlError> {
        let client = client(url)?;
        let redis = Mutex::new(manager(&client, patience).map_err(|_| RedisUrlError)?);
        let script = Script::new(include_str!("charge.lua"));
        let give_back = Script::new(include_str!("give_back.lua"));
        Ok(Self { client, patience, redis, script, give_back, own, away: Mutex::default() })
    }

    /// Checks that `url` is a Redis URL, without connecting.
    ///
    /// # Errors
    /// [`RedisUrlError`].
    pub fn check(url: &SecretString) -> Result<(), RedisUrlError> {
        client(url).map(drop)
    }

    /// Charges all quotas in one round trip.
    async fn ask(&self, charges: &[Charge]) -> RedisResult<Vec<Standing>> {
        let mut call = self.script.prepare_invoke();
        for Charge { quota, rate, subject } in charges {
            call.key(key(*quota, *rate, *subject));
            call.arg(rate.period.duration().as_micros() as u64);
            call.arg(rate.limit);
        }
        let mut redis = lock(&self.redis).clone();
        let answer: Vec<(u32, i64)> = call.invoke_async(&mut redis).await?;
        let standings = answer.into_iter().map(|(remaining, wait)| {
            let refused_for = u64::try_from(wait).ok().map(Duration::from_micros);
            Standing { remaining, refused_for }
        });
        Ok(standings.collect())
    }

    /// Takes charges back in one round trip.
    async fn take_back(&self, charges: &[(Charge, u32)]) -> RedisResult<()> {
        let mut call = self.give_back.prepare_invoke();
        for (Charge { quota, rate, subject }, times) in charges {
            call.key(key(*quota, *rate, *subject));
            call.arg(rate.period.duration().as_micros() as u64 * u64::from(*times));
            call.arg(rate.limit);
        }
        let mut redis = lock(&self.redis).clone();
        call.invoke_async(&mut redis).await
    }

    async fn try_to_ask(&self, charges: &[Charge]) -> Option<Vec<Standing>> {
        match timeout(self.patience, self.ask(charges)).await {
            Ok(Ok(standings)) => {
                self.note_answer();
                Some(standings)
            }
            Ok(Err(error)) => {
                if !error.is_io_error()
                    && let Ok(fresh) = manager(&self.client, self.patience)
                {
                    *lock(&self.redis) = fresh;
                }
                self.note_failure(&error.to_string(), !error.is_io_error());
                None
            }
            Err(_) => {
                self.note_failure(&format!("no answer within {:?}", self.patience), false);
                None
            }
        }
    }

    fn is_away(&self) -> bool {
        lock(&self.away).as_ref().is_some_and(|away| away.since.elapsed() < PAUSE)
    }

    fn note_answer(&self) {
        if lock(&self.away).take().is_some() {
            tracing::info!("Redis counts again for all nodes");
        }
    }

    /// Logs a failure once, and again when Redis gives another reason.
    fn note_failure(&self, cause: &str, is_refusal: bool) {
        let refusal = is_refusal.then(|| cause.to_owned());
        let mut away = lock(&self.away);
        if away.as_ref().is_none_or(|away| away.refusal != refusal) {
            tracing::warn!(cause, "Redis does not count; this node counts by itself");
        }
        *away = Some(Away { since: Instant::now(), refusal });
    }
}

/// The key under which Redis counts a subject.
fn key(quota: Quota, rate: Rate, subject: u64) -> String {
    format!("exit3:quota:{quota}:{rate}:{subject:x}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects on first use.
fn manager(client: &Client, patience: Duration) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(patience))
        .set_connection_timeout(Some(patience * 4))
        .set_number_of_retries(0);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn client(url: &SecretString) -> Result<Client, RedisUrlError> {
    Client::open(url.expose_secret()).map_err(|_| RedisUrlError)
}

#[async_trait]
impl Quotas for SharedQuotas {
    async fn charge(&self, charges: &[Charge]) -> Vec<Standing> {
        let answer = if self.is_away() { None } else { self.try_to_ask(charges).await };
        match answer {
            Some(standings) if is_refused(&standings) => standings,
            // Granted requests are also charged here, and both must agree: a Redis that comes, goes
            // or forgets grants nothing extra.
            Some(standings) => {
                let own = self.own.charge_now(charges);
                if is_refused(&own) { own } else { standings }
            }
            None => self.own.charge_now(charges),
        }
    }

    async fn give_back(&self, charges: &[(Charge, u32)]) {
        self.own.give_back_now(charges);
        if !charges.is_empty() && !self.is_away() {
            // A Redis that is away keeps the charges, which are replenished with time.
            let _ = timeout(self.patience, self.take_back(charges)).await;
        }
    }
}

fn is_refused(standings: &[Standing]) -> bool {
    standings.iter().any(|standing| standing.refused_for.is_some())
}
