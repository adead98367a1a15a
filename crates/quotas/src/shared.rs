use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use exit3_ports::{Charge, Quotas, Standing};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult, Script};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::local::LocalQuotas;

/// How long an answer may take before this node counts by itself.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long nobody is asked who has not answered.
const PAUSE: Duration = Duration::from_secs(1);

/// A text that is no address of a Redis. It may hold a password, so it is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as redis://:password@host:6379/0")]
pub struct RedisUrlError;

/// Lets Redis count for all nodes. Where it is away or slow, this node counts by
/// itself. Connections belong to the runtime that first asks.
pub struct SharedQuotas {
    client: Client,
    /// Connects again by itself where a connection broke, and only there: one that was
    /// refused, as by a wrong password, would be for ever. So then it is replaced.
    redis: Mutex<ConnectionManager>,
    script: Script,
    /// Knows what this node let through, for when it has to decide.
    own: Arc<LocalQuotas>,
    /// Where Redis does not count.
    away: Mutex<Option<Away>>,
}

struct Away {
    /// When it was last asked.
    since: Instant,
    /// What it answered instead; nothing where it was not reached.
    refusal: Option<String>,
}

impl SharedQuotas {
    /// Talks to nobody yet.
    ///
    /// # Errors
    /// [`RedisUrlError`].
    pub fn new(url: &SecretString, own: Arc<LocalQuotas>) -> Result<Self, RedisUrlError> {
        let client = client(url)?;
        let redis = Mutex::new(manager(&client).map_err(|_| RedisUrlError)?);
        let script = Script::new(include_str!("charge.lua"));
        Ok(Self { client, redis, script, own, away: Mutex::default() })
    }

    /// Whether a Redis could be at that address.
    ///
    /// # Errors
    /// [`RedisUrlError`].
    pub fn check(url: &SecretString) -> Result<(), RedisUrlError> {
        client(url).map(drop)
    }

    /// One round trip.
    async fn ask(&self, charges: &[Charge]) -> RedisResult<Vec<Standing>> {
        let mut call = self.script.prepare_invoke();
        for Charge { quota, rate, subject } in charges {
            call.key(format!("exit3:quota:{quota}:{rate}:{subject:x}"));
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

    async fn try_to_ask(&self, charges: &[Charge]) -> Option<Vec<Standing>> {
        match timeout(PATIENCE, self.ask(charges)).await {
            Ok(Ok(standings)) => {
                self.note_answer();
                Some(standings)
            }
            Ok(Err(error)) => {
                if !error.is_io_error()
                    && let Ok(fresh) = manager(&self.client)
                {
                    *lock(&self.redis) = fresh;
                }
                self.note_failure(&error.to_string(), !error.is_io_error());
                None
            }
            Err(_) => {
                self.note_failure("no answer within 50 ms", false);
                None
            }
        }
    }

    fn is_away(&self) -> bool {
        lock(&self.away).as_ref().is_some_and(|away| away.since.elapsed() < PAUSE)
    }

    fn note_answer(&self) {
        if lock(&self.away).take().is_some() {
            tracing::info!("Redis counts again, for all nodes");
        }
    }

    /// Tells of a failure once, and again when Redis refuses for another reason.
    fn note_failure(&self, cause: &str, is_refusal: bool) {
        let refusal = is_refusal.then(|| cause.to_owned());
        let mut away = lock(&self.away);
        if away.as_ref().is_none_or(|away| away.refusal != refusal) {
            tracing::warn!(cause, "Redis does not count: this node does, by itself");
        }
        *away = Some(Away { since: Instant::now(), refusal });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects when it is first asked.
fn manager(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE * 4))
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
            // What is let through counts here too, and never for more than there is:
            // so a Redis that comes or goes in the middle, or forgets, grants nothing.
            Some(standings) => {
                let own = self.own.charge_now(charges);
                if is_refused(&own) { own } else { standings }
            }
            None => self.own.charge_now(charges),
        }
    }
}

fn is_refused(standings: &[Standing]) -> bool {
    standings.iter().any(|standing| standing.refused_for.is_some())
}
