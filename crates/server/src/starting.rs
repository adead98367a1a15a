//! Starts the service: it listens at once, and looks for its database until it is available.
//!
//! The start runs on a thread of its own. Stopping does not wait for it, and requests are answered
//! even while the start is blocked.

mod late;
mod modules;
mod progress;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use exit3_app::intake::Intake;
use exit3_ports::SchemaState;
use sd_notify::NotifyState;
use tokio::sync::oneshot;
use tokio::time::{interval, sleep, timeout};

use crate::backend::{Backend, DatabaseError, Shared};
use crate::settings::Settings;
use crate::systemd::tell;
use crate::upgrade::upgrade;
pub(crate) use late::Late;
pub(crate) use progress::Progress;
use progress::Teller;

/// How long requests wait for the first attempt to reach the database, and for migrations, before
/// they are refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to log what the start waits for.
const TELL: Duration = Duration::from_secs(5);
/// How much more time to ask systemd for with each message.
const EXTENSION: Duration = Duration::from_secs(60);
/// The time limit of queries that a database answers at once.
const ANSWER: Duration = Duration::from_secs(10);
/// How long stopping waits for the start to clean up.
const GOODBYE: Duration = Duration::from_secs(1);

/// The first and the longest pause between attempts to reach the database.
const AWAY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// The same after failed migrations. Each attempt may make a backup, and locks tables.
const FAILED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30 * 60));

/// Serves requests until the database is available.
#[derive(Clone)]
pub(crate) struct Early {
    shared: Shared,
    progress: Progress,
}

/// A start in progress.
pub(crate) struct Starting {
    early: Early,
    outcome: oneshot::Receiver<Result<Backend, DatabaseError>>,
    cancel: Option<oneshot::Sender<()>>,
    ended: Receiver<()>,
}

impl Starting {
    /// Starts to look for the database.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn begin(
        settings: &Arc<Settings>,
        intake: Option<Arc<Intake>>,
    ) -> std::io::Result<Self> {
        let shared = Shared::of(settings).with_intake(intake);
        let (teller, progress) = progress::channel();
        let (found, outcome) = oneshot::channel();
        let (cancel, cancelled) = oneshot::channel::<()>();
        let (end, ended) = mpsc::channel::<()>();
        let early = Early { shared: shared.clone(), progress };
        let settings = Arc::clone(settings);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("start".to_owned()).spawn(move || {
            let _end = end;
            let start = Start { settings, shared, teller, since: Instant::now() };
            let outcome = runtime.block_on(async {
                tokio::select! {
                    outcome = start.run() => Some(outcome),
                    _ = cancelled => None,
                }
            });
            if let Some(outcome) = outcome {
                // The receiver is gone if the service stops.
                let _ = found.send(outcome);
            }
            // Blocked work, such as waiting for a lock, ends with the process.
            runtime.shutdown_background();
        })?;
        Ok(Self { early, outcome, cancel: Some(cancel), ended })
    }

    /// Serves requests until the database is available.
    pub(crate) fn early(&self) -> Early {
        self.early.clone()
    }

    /// The progress of the start.
    pub(crate) fn progress(&self) -> Progress {
        self.early.progress.clone()
    }

    /// Waits until the database is ready. Call it once.
    ///
    /// # Errors
    /// [`DatabaseError`] if trying again cannot help.
    pub(crate) async fn outcome(&mut self) -> Result<Backend, DatabaseError> {
        // A missing result means a panic, which the panic hook has logged.
        let interrupted = |_| DatabaseError::defect("the start was interrupted");
        (&mut self.outcome).await.map_err(interrupted)?
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.cancel = None;
        // The thread never sends on this channel; it drops its end when it stops.
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}

/// Looks for the database.
struct Start {
    settings: Arc<Settings>,
    shared: Shared,
    teller: Teller,
    since: Instant,
}

/// Why an attempt failed.
enum Obstacle {
    /// The database is unavailable or unsuitable.
    Away(DatabaseError),
    /// The database is available but could not be migrated.
    Migrations(String),
}

impl Start {
    async fn run(&self) -> Result<Backend, DatabaseError> {
        let database = self.settings.database.describe();
        let (mut away, mut failed) = (AWAY.0, FAILED.0);
        let (mut told, mut opened) = (None, None);
        loop {
            let attempt = self.attempt(&database, &mut opened);
            let (reason, pause) = match attempt.await {
                Ok(backend) => {
                    if told.is_some() {
                        let waited = self.since.elapsed().as_secs();
                        tracing::info!("{database} is ready, {waited} s after the start");
                        tell(&[NotifyState::Status("serving")]);
                    }
                    return Ok(backend);
                }
                Err(Obstacle::Away(error)) if !error.may_pass => return Err(error),
                Err(Obstacle::Away(error)) => {
                    let pause = away;
                    away = (away * 2).min(AWAY.1);
                    (error.to_string(), pause)
                }
                Err(Obstacle::Migrations(error)) => {
                    let pause = failed;
                    failed = (failed * 2).min(FAILED.1);
                    (error, pause)
                }
            };
            self.teller.waits(&reason);
            let sentence = format!("waiting for {database}: {reason}");
            let is_new = told.as_ref().is_none_or(|(known, when): &(String, Instant)| {
                *known != sentence || when.elapsed() >= TELL
            });
            if is_new {
                self.tell(&sentence);
                told = Some((sentence.clone(), Instant::now()));
            }
            self.telling(&sentence, sleep(pause)).await;
        }
    }

    /// Opens the database, unless an earlier attempt has, and migrates it.
    async fn attempt(
        &self,
        database: &str,
        opened: &mut Option<Backend>,
    ) -> Result<Backend, Obstacle> {
        let sentence = format!("waiting for {database}: it has not answered yet");
        let open = async {
            let backend = match &*opened {
                Some(backend) => backend.clone(),
                None => opened.insert(self.open().await?).clone(),
            };
            in_time(backend.check_fitness()).await?;
            if !self.settings.auto_migrate {
                // Serves what the schema allows, and refuses the rest.
                modules::check(&backend).await;
                self.teller.serves(backend.clone());
                in_time(self.schema(&backend)).await?;
                return Ok((backend, None));
            }
            let changes = in_time(backend.pending_data_changes()).await?;
            Ok((backend, Some(changes)))
        };
        let (backend, changes) = self.telling(&sentence, open).await.map_err(Obstacle::Away)?;
        if let Some(changes) = changes {
            let sentence = format!("waiting for the migrations of {database}");
            let upgrade = upgrade(&self.settings, &backend, &changes);
            let upgraded = self.telling(&sentence, upgrade).await;
            upgraded.map_err(|error| Obstacle::Migrations(error.to_string()))?;
        }
        let patience = PATIENCE.saturating_sub(self.since.elapsed());
        modules::bring_up(&self.settings, &backend, patience).await;
        self.teller.serves(backend.clone());
        Ok(backend)
    }

    async fn open(&self) -> Result<Backend, DatabaseError> {
        let (shared, settings) = (self.shared.clone(), Arc::clone(&self.settings));
        let open = move || Backend::open_with(shared, &settings.database);
        match tokio::task::spawn_blocking(open).await {
            Ok(opened) => opened,
            Err(_) => Err(DatabaseError::defect("the database could not be opened")),
        }
    }

    /// Checks that the schema is current, without changing it.
    async fn schema(&self, backend: &Backend) -> Result<(), DatabaseError> {
        match backend.schema_state().await? {
            SchemaState::Current => Ok(()),
            SchemaState::Missing => Err(DatabaseError::passing(
                "there is no schema yet: run `exit3 migrate`, or start a node that migrates",
            )),
            SchemaState::Outdated => Err(DatabaseError::passing(
                "the schema is outdated: run `exit3 migrate`, or start a node that migrates",
            )),
        }
    }

    /// Runs `work`, and logs `sentence` every few seconds. Requests that wait for it are refused
    /// once it takes too long.
    async fn telling<T>(&self, sentence: &str, work: impl Future<Output = T>) -> T {
        let patience = sleep(PATIENCE.saturating_sub(self.since.elapsed()));
        let mut often = interval(TELL);
        often.reset();
        tokio::pin!(work, patience);
        let mut patient = true;
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = &mut patience, if patient => {
                    patient = false;
                    self.teller.takes_long(sentence);
                }
                _ = often.tick() => self.tell(sentence),
            }
        }
    }

    fn tell(&self, sentence: &str) {
        let waited = self.since.elapsed().as_secs();
        tracing::warn!("{sentence} ({waited} s since the start)");
        extend(sentence);
    }
}

/// Asks systemd for more time to start, and tells it why.
fn extend(status: &str) {
    let microseconds = EXTENSION.as_micros().try_into().unwrap_or(u32::MAX);
    tell(&[NotifyState::ExtendTimeoutUsec(microseconds)]);
    tell(&[NotifyState::Status(status)]);
}

/// Runs a query that a database answers at once, with a time limit.
async fn in_time<T>(
    question: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, DatabaseError> {
    let late = || DatabaseError::passing("there is no answer within 10 s");
    timeout(ANSWER, question).await.unwrap_or_else(|_| Err(late()))
}
