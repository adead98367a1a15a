use std::time::{Duration, Instant};

use exit3_ports::{StoreError, with_causes};
use tokio::time::sleep;

use super::replay::replay;
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
/// The most ids that one statement reserves.
const AT_ONCE: u64 = 50_000;

/// Looks after the intake of this node: notices that the database is back, stores what waits in the
/// spool, reserves ids, and learns the keys. Never returns; without an intake, it does nothing.
pub async fn tend(app: &App) {
    let Some(intake) = &app.intake else { return std::future::pending().await };
    let mut tending = Tending { app, intake, seen: Instant::now(), keys: None, refused: None };
    loop {
        match tending.turn().await {
            Ok(()) => {}
            Err(StoreError::Unavailable(cause)) => {
                tending.fails(StoreError::Unavailable(cause)).await
            }
            Err(error) => {
                tracing::error!(error = with_causes(&error), "the intake is not looked after");
            }
        }
        let pause = if intake.state() == State::Away { AWAY } else { THERE };
        tokio::select! {
            () = intake.woken.notified(), if intake.state() != State::Away => {}
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
}

impl Tending<'_> {
    async fn turn(&mut self) -> Result<(), StoreError> {
        if self.intake.state() != State::There {
            self.check_ids().await?;
            if self.intake.becomes(State::There) == State::Away {
                tracing::info!("the database takes leads and sign-ups again");
            }
        }
        self.reserve().await?;
        if is_due(&mut self.keys, KEYS) {
            self.intake.learn_keys(self.app).await?;
        }
        let with_refused = is_due(&mut self.refused, REFUSED);
        let replayed = replay(self.app, self.intake.spool(), with_refused).await?;
        if replayed.stored > 0 {
            tracing::info!("{} leads and sign-ups of the spool are stored", replayed.stored);
        }
        Ok(())
    }

    /// The database is away, unless its schema is just older than this program: then leads are stored
    /// without an id of the node.
    async fn fails(&self, error: StoreError) {
        if self.intake.state() == State::Unchecked
            && let Ok(repositories) = self.app.repositories()
            && matches!(repositories.health.schema_is_current().await, Ok(false))
        {
            return;
        }
        self.intake.note_away(&error);
    }

    /// Reserves an id, which shows that the database takes writes. If it is lower than one that the
    /// spool has, the database was restored to an earlier state: it will assign the ids of this node
    /// to others, so the node gives up those that it has not used, and the database skips those of
    /// leads that wait.
    async fn check_ids(&self) -> Result<(), StoreError> {
        let (leads, spool) = (&self.app.repositories()?.leads, self.intake.spool());
        let mut reserved = leads.reserve_ids(1).await?;
        let known = spool.last_id().await?.max(self.intake.ids.last());
        let next = reserved.first().map_or(0, |range| *range.start());
        if next <= known {
            tracing::error!(
                "the database assigns ids again that this node has reserved: was it restored? The \
                 node reserves others"
            );
            self.intake.forget_ids().await;
            let skipped = u32::try_from(spool.last_id().await? - next).unwrap_or(0);
            if skipped > 0 {
                leads.reserve_ids(skipped).await?;
                reserved.clear();
            }
        }
        spool.put_ids(&reserved).await
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
        let ids = self.app.repositories()?.leads.reserve_ids(count).await?;
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
