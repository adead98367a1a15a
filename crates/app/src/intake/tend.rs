use std::time::{Duration, Instant};

use exit3_ports::{Obstacle, StoreError, with_causes};
use tokio::time::sleep;

use super::replay::{ReplayError, Replayed, replay_page};
use super::{Intake, State};
use crate::App;

/// How often the node looks whether the database is back.
const AWAY: Duration = Duration::from_millis(250);
/// How often it looks after the reserved ids, and after the spool.
const THERE: Duration = Duration::from_secs(1);
/// How often it learns which keys there are.
const KEYS: Duration = Duration::from_secs(10);
/// How often it tries again what the database has refused.
const REFUSED: Duration = Duration::from_secs(60);
/// How long the node stores entries of the spool before it looks after the rest.
const AT_A_STRETCH: Duration = Duration::from_secs(1);
/// How often the reserved ids may fail to be checked before the node does without them.
const CHECKS: u32 = 8;
/// The most ids that one statement reserves.
const AT_ONCE: u64 = 50_000;
/// How many ids of waiting leads the database skips after it was restored, and how many at once.
const MOST_SKIPPED: i64 = 1_000_000;
const STEP: u32 = 10_000;

/// Looks after the intake of this node: notices that the database is back, stores what waits in the
/// spool, reserves ids, and learns the keys. Never returns; without an intake, it does nothing.
pub async fn tend(app: &App) {
    let Some(intake) = &app.intake else { return std::future::pending().await };
    let mut tending = Tending::new(app, intake);
    loop {
        if let Err(error) = tending.turn().await {
            intake.note_away(&error);
        }
        let pause = match (intake.is_away(), tending.rest) {
            (true, _) => AWAY,
            (false, None) => THERE,
            (false, Some(_)) => continue,
        };
        tokio::select! {
            // Nobody needs to hurry if no ids can be reserved.
            () = intake.woken.notified(), if tending.reserves && !intake.is_away() => {}
            () = sleep(pause) => {}
        }
    }
}

struct Tending<'a> {
    app: &'a App,
    intake: &'a Intake,
    /// When the use of ids was last looked at.
    seen: Instant,
    keys: Option<Instant>,
    refused: Option<Instant>,
    /// When the log last named a trouble.
    told: Option<Instant>,
    /// Whether the last attempt to reserve ids succeeded.
    reserves: bool,
    /// How often in a row the reserved ids could not be checked.
    failed_checks: u32,
    /// The entries that this replay has not tried yet.
    rest: Option<Rest>,
}

/// The entries of a spool behind the number `after`.
#[derive(Clone, Copy)]
struct Rest {
    after: i64,
    with_refused: bool,
}

impl<'a> Tending<'a> {
    fn new(app: &'a App, intake: &'a Intake) -> Self {
        let (seen, reserves) = (Instant::now(), true);
        Self {
            app,
            intake,
            seen,
            keys: None,
            refused: None,
            told: None,
            reserves,
            failed_checks: 0,
            rest: None,
        }
    }

    /// # Errors
    /// [`StoreError`] if the database is away.
    async fn turn(&mut self) -> Result<(), StoreError> {
        if self.intake.state() != State::There {
            self.ask_database().await?;
            let checked = match self.check_ids().await {
                Ok(()) => {
                    self.failed_checks = 0;
                    Ok(())
                }
                Err(ReplayError::Database(error)) => {
                    self.ask_database().await?;
                    self.failed_checks += 1;
                    // A database that has just come back may be slow. Leads wait meanwhile.
                    if self.failed_checks < CHECKS && self.intake.takes_leads().await {
                        return Err(error);
                    }
                    Err(error)
                }
                Err(ReplayError::Spool(error)) => Err(error),
            };
            // A spool that fails, or a schema without the function that reserves ids, does not keep
            // the database from taking leads.
            let state = if checked.is_ok() { State::There } else { State::Unchecked };
            if self.intake.becomes(state) == State::Away {
                tracing::info!("the database takes leads and sign-ups again");
            }
            self.tell("no ids are reserved for new leads", checked);
        }
        if is_due(&mut self.keys, KEYS)
            && let Err(error) = self.intake.learn_keys(self.app).await
        {
            self.ask_database().await?;
            self.tell("the keys cannot be read", Err(error));
        }
        let reserved = self.reserve().await;
        self.reserves = reserved.is_ok();
        if !self.reserves {
            self.ask_database().await?;
        }
        self.tell("no more ids are reserved for new leads", reserved);
        let mut replayed = Replayed::default();
        let outcome = self.replay(&mut replayed).await;
        if replayed.stored > 0 {
            tracing::info!("{} leads and sign-ups of the spool are stored", replayed.stored);
        }
        match outcome {
            Ok(()) => {}
            Err(ReplayError::Database(error)) => {
                self.ask_database().await?;
                self.tell("the spool is not emptied", Err(error));
            }
            Err(ReplayError::Spool(error)) => self.tell("the spool is not emptied", Err(error)),
        }
        Ok(())
    }

    /// Stores entries of the spool for a while. The next turn goes on with the rest.
    async fn replay(&mut self, replayed: &mut Replayed) -> Result<(), ReplayError> {
        let spool = self.intake.spool();
        let mut rest = match self.rest.take() {
            Some(rest) => rest,
            None => Rest { after: 0, with_refused: is_due(&mut self.refused, REFUSED) },
        };
        let status = spool.status().await.map_err(ReplayError::Spool)?;
        if status.waiting == status.problems && !rest.with_refused {
            return Ok(());
        }
        let began = Instant::now();
        while let Some(last) =
            replay_page(self.app, spool, rest.after, rest.with_refused, replayed).await?
        {
            rest.after = last;
            if began.elapsed() >= AT_A_STRETCH {
                self.rest = Some(rest);
                break;
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`StoreError`] if the database does not answer, or takes no writes.
    async fn ask_database(&self) -> Result<(), StoreError> {
        match self.app.repositories()?.health.obstacle().await? {
            Some(Obstacle::WritesFail(why)) => Err(StoreError::Unavailable(why.into())),
            _ => Ok(()),
        }
    }

    /// Logs a trouble, at most once a minute.
    fn tell(&mut self, what: &str, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome
            && is_due(&mut self.told, REFUSED)
        {
            tracing::warn!("{what}: {}", with_causes(&error));
        }
    }

    /// Reserves an id. If it is lower than one that the spool has, the database was restored to an
    /// earlier state: it will assign the ids of this node to others, so the node gives up those that it
    /// has not used, and the database skips those of leads that wait.
    async fn check_ids(&self) -> Result<(), ReplayError> {
        use ReplayError::{Database, Spool};
        let leads = &self.app.repositories().map_err(Database)?.leads;
        let spool = self.intake.spool();
        let known = spool.last_id().await.map_err(Spool)?.max(self.intake.ids.last());
        let mut reserved = leads.reserve_ids(1).await.map_err(Database)?;
        let Some(next) = reserved.first().map(|range| *range.start()) else {
            let none = "the role may not insert leads";
            return Err(Database(StoreError::Unavailable(none.into())));
        };
        if next <= known {
            self.give_up_ids().await;
            // Step by step, and not without end: a lead whose id is taken gets another one.
            let (mut next, last) = (next, spool.last_id().await.map_err(Spool)?);
            while next <= last && last - next < MOST_SKIPPED {
                reserved = leads.reserve_ids(STEP).await.map_err(Database)?;
                next = reserved.last().map_or(i64::MAX, |range| range.end().saturating_add(1));
            }
            reserved.retain(|range| *range.start() > last);
        }
        spool.put_ids(&reserved).await.map_err(Spool)
    }

    async fn give_up_ids(&self) {
        tracing::error!(
            "the database assigns ids again that this node has reserved: was it restored? The node \
             reserves others"
        );
        self.intake.forget_ids().await;
    }

    async fn reserve(&mut self) -> Result<(), StoreError> {
        let seconds = self.seen.elapsed().as_secs_f64();
        self.seen = Instant::now();
        let spool = self.intake.spool();
        let wanted = self.intake.ids.wanted(seconds);
        let has = spool.status().await?.ids;
        self.intake.ids.note_reserved(has);
        // Rarely more than needed, so that the ids of a node follow each other.
        if has >= wanted / 4 * 3 {
            return Ok(());
        }
        let count = (wanted - has).min(AT_ONCE);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let known = spool.last_id().await?.max(self.intake.ids.last());
        let ids = self.app.repositories()?.leads.reserve_ids(count).await?;
        if ids.iter().any(|range| *range.start() <= known) {
            self.give_up_ids().await;
        }
        spool.put_ids(&ids).await?;
        self.intake.ids.note_reserved(has + u64::from(count));
        Ok(())
    }
}

/// Whether something is due again, which is noted.
fn is_due(last: &mut Option<Instant>, after: Duration) -> bool {
    let is_due = last.is_none_or(|last| last.elapsed() >= after);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

#[cfg(test)]
mod tests;
