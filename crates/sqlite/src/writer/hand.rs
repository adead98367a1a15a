//! The connection that writes, and what is done when its files are no longer safe.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::prelude::*;

use super::batch::{self, Job};
use super::watch::{Since, State, Watch, checkpoint};
use crate::connection::{Connector, FilesError, Log, OpenError, look};
use crate::error::{Refusal, is_busy};
use crate::sql::Sql;

/// In how many ticks it is tried once whether a write succeeds again.
const TRIED: u32 = 4;

pub(super) struct Hand {
    connector: Connector,
    /// None after a failure, when the state of a connection is anyone's guess.
    connection: Option<SqliteConnection>,
    /// Is never used for anything else than to keep the files open: while it is, SQLite
    /// itself replaces none of them.
    keeper: Option<SqliteConnection>,
    watch: Watch,
    ticks: u32,
    /// How many frames the log had at the last tick.
    frames: u64,
    rescued: bool,
}

impl Hand {
    pub(super) fn open(connector: Connector) -> Result<Self, OpenError> {
        let mut hand = Self {
            connector,
            connection: None,
            keeper: None,
            watch: Watch::default(),
            ticks: 0,
            frames: 0,
            rescued: false,
        };
        match hand.connect() {
            Err(_) if hand.connector.files().disk_is_full() => {
                hand.connector.files().note(Some(Refusal::DiskFull));
            }
            connected => {
                connected?;
                if hand.connector.files().disk_is_full() {
                    hand.connector.files().note(Some(Refusal::DiskFull));
                }
            }
        }
        Ok(hand)
    }

    fn connect(&mut self) -> Result<(), OpenError> {
        if self.keeper.is_none() {
            let mut keeper = self.connector.writer()?;
            look(&mut keeper)?;
            let changed = |refusal: Refusal| FilesError::Changed(refusal.to_string());
            self.connector.files().remember().map_err(changed)?;
            self.keeper = Some(keeper);
        }
        if self.connection.is_none() {
            self.connection = Some(self.connector.writer()?);
        }
        Ok(())
    }

    /// Does all `jobs` in one transaction. On a refusal none of them is safe.
    pub(super) fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Refusal> {
        let done = self.try_commit(jobs);
        self.note(done.err());
        done
    }

    fn try_commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Refusal> {
        self.check()?;
        let mut connection = self.connection.take().ok_or(Refusal::NotOpened)?;
        if let Err(error) = batch::commit_together(&mut connection, jobs) {
            tracing::error!(%error, writes = jobs.len(), "a commit failed");
            return Err(self.why(refusal_of(&error)));
        }
        let connection = self.connection.insert(connection);
        // What went to files that are gone by now is as good as not written.
        self.watch.look(connection, self.connector.files(), Since::Ours)
    }

    /// Sees to it that there is a connection, and that what it writes will last.
    fn check(&mut self) -> Result<(), Refusal> {
        self.connector.files().in_place()?;
        // What others write later brings nothing back. A restart may find it in the log.
        if self.connector.files().trouble() == Some(Refusal::FileOverwritten) {
            return Err(Refusal::FileOverwritten);
        }
        if let Err(error) = self.connect() {
            tracing::debug!(%error, "the database cannot be opened for writing");
            return Err(self.why(Refusal::NotOpened));
        }
        let connection = self.connection.as_mut().ok_or(Refusal::NotOpened)?;
        self.watch.look(connection, self.connector.files(), Since::Anybody)
    }

    fn why(&self, usually: Refusal) -> Refusal {
        if self.connector.files().disk_is_full() { Refusal::DiskFull } else { usually }
    }

    /// Checks the files while there are no writes.
    pub(super) fn tick(&mut self) {
        self.ticks = self.ticks.wrapping_add(1);
        let trouble = self.connector.files().trouble();
        let tries = matches!(trouble, Some(Refusal::DiskFull | Refusal::Locked));
        if tries && !self.ticks.is_multiple_of(TRIED) {
            return;
        }
        let mut found = self.check();
        if tries && found.is_ok() {
            found = self.try_write();
        }
        self.note(found.err());
        if found.is_ok() {
            self.move_log();
        }
    }

    /// Writes something that changes nothing.
    fn try_write(&mut self) -> Result<(), Refusal> {
        let connection = self.connection.as_mut().ok_or(Refusal::NotOpened)?;
        let written = connection.immediate_transaction(|connection| {
            Sql::<()>::new("PRAGMA user_version = 0").execute(connection)
        });
        if let Err(error) = written {
            self.connection = None;
            return Err(self.why(refusal_of(&error)));
        }
        self.watch.look(connection, self.connector.files(), Since::Ours)
    }

    /// Moves the log to the main file after a pause in writing: the less the log holds, the
    /// less can be lost with it.
    fn move_log(&mut self) {
        let (Some(state), Some(connection)) = (self.watch.state(), &mut self.connection) else {
            return;
        };
        if state.moved < state.frames && state.frames == self.frames {
            // What hinders it passes, or is found at the next write.
            let _ = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            let looked = self.watch.look(connection, self.connector.files(), Since::Ours);
            self.note(looked.err());
        }
        self.frames = state.frames;
    }

    fn note(&mut self, refusal: Option<Refusal>) {
        // Nothing is known of the next write after one that failed.
        if refusal == Some(Refusal::NotCommitted) {
            return;
        }
        self.connector.files().note(refusal);
        // What happens after that is lost another time.
        self.rescued &= refusal.is_some();
        if let Some(refusal @ (Refusal::FileGone | Refusal::LogGone | Refusal::LogOverwritten)) =
            refusal
        {
            self.save(refusal);
        }
    }

    /// Saves what was answered, as long as the files that have lost their names or bytes are
    /// still open here: to the main file, or else to a copy beside it.
    fn save(&mut self, refusal: Refusal) {
        let files = self.connector.files();
        let Some(connection) = self.connection.as_mut().or(self.keeper.as_mut()) else { return };
        let Ok(state) = State::read(connection) else { return };
        let is_whole = |state: State| {
            let (log, _) = files.log()?;
            Log::read(log, state.frames).ok()??.is_whole(log).ok()
        };
        let mut lacks = state.moved < state.frames;
        // A log of others begins where the main file ends, without what is in ours.
        let is_free = !files.main_in_place() || !files.has_foreign_log();
        if state.frames > 0
            && refusal != Refusal::LogOverwritten
            && is_free
            && is_whole(state) == Some(true)
        {
            // An empty log does no harm to another file at the place of the main one.
            let moved = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            if matches!(moved, Ok((false, ..))) {
                lacks = false;
                tracing::warn!("all that was answered has been moved to the database file");
            }
        }
        if (lacks || files.main_is_removed()) && !self.rescued {
            self.rescued = true;
            let place = files.rescue();
            match copy(connection, &place) {
                Ok(()) => tracing::error!(
                    "all that was answered is kept in {}: docs/OPERATIONS.md says what to do with it",
                    place.display()
                ),
                Err(error) => tracing::error!(
                    %error,
                    "what was answered last may be lost, and cannot be copied to {}",
                    place.display()
                ),
            }
        }
    }
}

/// Why a write was not committed, as far as SQLite says.
fn refusal_of(error: &diesel::result::Error) -> Refusal {
    if is_busy(&error.to_string()) { Refusal::Locked } else { Refusal::NotCommitted }
}

/// Copies the database as this connection sees it, for its owner alone.
fn copy(connection: &mut SqliteConnection, place: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let name = place.to_str().ok_or("its path is not UTF-8")?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)?;
    let copied = vacuum(connection, name).and_then(|()| last(place).map_err(Into::into));
    if copied.is_err() {
        std::fs::remove_file(place)?;
    }
    copied
}

fn vacuum(connection: &mut SqliteConnection, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut vacuum = Sql::<()>::new("VACUUM INTO ");
    vacuum.text(name);
    vacuum.execute(connection)?;
    Ok(())
}

/// Sees to it that a file survives a power cut.
fn last(place: &Path) -> io::Result<()> {
    File::open(place)?.sync_all()?;
    place.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
