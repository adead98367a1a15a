//! The writing connection, and what happens when its files become unsafe.

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

/// A probe write is tried once in this many ticks.
const TRIED: u32 = 4;

pub(super) struct Hand {
    connector: Connector,
    /// `None` after a failure, because the state of the connection is then unknown.
    connection: Option<SqliteConnection>,
    /// Only keeps the files open: while it does, SQLite does not replace any of them.
    keeper: Option<SqliteConnection>,
    watch: Watch,
    ticks: u32,
    /// The number of frames in the log at the last tick.
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

    /// Runs all `jobs` in one transaction. After a refusal none of them is safe.
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
        // A write to files that are gone is lost.
        self.watch.look(connection, self.connector.files(), Since::Ours)
    }

    /// Makes sure that there is a connection whose writes will last.
    fn check(&mut self) -> Result<(), Refusal> {
        self.connector.files().in_place()?;
        // Later writes of others do not bring anything back. After a restart, the log may.
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

    /// Runs a write that changes nothing.
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

    /// Moves the log to the main file after a pause in writing, so that less is lost if the log is
    /// lost.
    fn move_log(&mut self) {
        let (Some(state), Some(connection)) = (self.watch.state(), &mut self.connection) else {
            return;
        };
        if state.moved < state.frames && state.frames == self.frames {
            // A failure is temporary, or the next write notices it.
            let _ = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            let looked = self.watch.look(connection, self.connector.files(), Since::Ours);
            self.note(looked.err());
        }
        self.frames = state.frames;
    }

    fn note(&mut self, refusal: Option<Refusal>) {
        // After a failed write nothing is known about the next one.
        if refusal == Some(Refusal::NotCommitted) {
            return;
        }
        self.connector.files().note(refusal);
        // A later failure is a new one, to be rescued again.
        self.rescued &= refusal.is_some();
        if let Some(refusal @ (Refusal::FileGone | Refusal::LogGone | Refusal::LogOverwritten)) =
            refusal
        {
            self.save(refusal);
        }
    }

    /// Saves acknowledged writes while the removed or damaged files are still open here: to the
    /// main file or, failing that, to a copy beside it.
    fn save(&mut self, refusal: Refusal) {
        let files = self.connector.files();
        let Some(connection) = self.connection.as_mut().or(self.keeper.as_mut()) else { return };
        let Ok(state) = State::read(connection) else { return };
        let is_whole = |state: State| {
            let (log, _) = files.log()?;
            Log::read(log, state.frames).ok()??.is_whole(log).ok()
        };
        let mut lacks = state.moved < state.frames;
        // A log of another program starts from the main file, without the contents of our log.
        let is_free = !files.main_in_place() || !files.has_foreign_log();
        if state.frames > 0
            && refusal != Refusal::LogOverwritten
            && is_free
            && is_whole(state) == Some(true)
        {
            // An empty log does not harm another file in place of the main one.
            let moved = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            if matches!(moved, Ok((false, ..))) {
                lacks = false;
                tracing::warn!("all acknowledged writes have been moved to the database file");
            }
        }
        if (lacks || files.main_is_removed()) && !self.rescued {
            self.rescued = true;
            let place = files.rescue();
            match copy(connection, &place) {
                Ok(()) => tracing::error!(
                    "all acknowledged writes are kept in {}: docs/OPERATIONS.md says what to do",
                    place.display()
                ),
                Err(error) => tracing::error!(
                    %error,
                    "the last acknowledged writes may be lost, and cannot be copied to {}",
                    place.display()
                ),
            }
        }
    }
}

/// Maps an error of a commit.
fn refusal_of(error: &diesel::result::Error) -> Refusal {
    if is_busy(&error.to_string()) { Refusal::Locked } else { Refusal::NotCommitted }
}

/// Copies the database as this connection sees it, readable by the owner only.
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

/// Makes sure that a file survives a power cut.
fn last(place: &Path) -> io::Result<()> {
    File::open(place)?.sync_all()?;
    place.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
