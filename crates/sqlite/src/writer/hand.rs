//! The writing connection, and what happens when its files become unsafe.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::batch::{self, Write};
use super::watch::{Depth, State, Watch, checkpoint};
use crate::connection::{BUSY, Connector, Files, FilesError, Log, OpenError, look};
use crate::error::{Refusal, is_busy};
use crate::sql::Sql;

/// The number of frames after which the log is moved to the main file while clients write.
const LONG: u64 = 2048;
/// How many frames later to try again if a reader kept some of them in the log.
const AGAIN: u64 = 512;

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
    /// The number of frames in the log when it was last moved because of its length.
    tried: u64,
    rescued: bool,
    /// Whether a damaged log was emptied. There is nothing to compare with until a restart.
    emptied: bool,
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
            tried: 0,
            rescued: false,
            emptied: false,
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
            self.connection = Some(self.connector.careful_writer()?);
            self.watch.reconnected();
        }
        Ok(())
    }

    /// Runs all `writes` in one transaction. After a refusal none of them is safe.
    pub(super) fn commit(&mut self, writes: &mut [Box<dyn Write>]) -> Result<(), Refusal> {
        let done = self.try_commit(writes);
        self.note(done.err());
        done
    }

    fn try_commit(&mut self, writes: &mut [Box<dyn Write>]) -> Result<(), Refusal> {
        self.check(Depth::Changed)?;
        let mut connection = self.connection.take().ok_or(Refusal::NotOpened)?;
        if let Err(error) = batch::commit_together(&mut connection, writes) {
            tracing::error!(%error, writes = writes.len(), "a commit failed");
            return Err(self.why(refusal_of(&error)));
        }
        let connection = self.connection.insert(connection);
        // A write to files that are gone is lost.
        self.watch.look(connection, self.connector.files(), Depth::New)
    }

    /// Makes sure that there is a connection whose writes will last.
    fn check(&mut self, depth: Depth) -> Result<(), Refusal> {
        self.connector.files().in_place()?;
        if self.emptied {
            return Err(Refusal::LogOverwritten);
        }
        // Later writes of others do not bring anything back. After a restart, the log may.
        if self.connector.files().trouble() == Some(Refusal::FileOverwritten) {
            return Err(Refusal::FileOverwritten);
        }
        if let Err(error) = self.connect() {
            tracing::debug!(%error, "the database cannot be opened for writing");
            return Err(self.why(Refusal::NotOpened));
        }
        // A smaller check would not see again what a sweep has found.
        let known = self.connector.files().trouble() == Some(Refusal::LogOverwritten);
        let depth = if known { Depth::Whole } else { depth };
        let connection = self.connection.as_mut().ok_or(Refusal::NotOpened)?;
        self.watch.look(connection, self.connector.files(), depth)
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
        let mut found = self.check(Depth::Whole);
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
        self.watch.look(connection, self.connector.files(), Depth::New)
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
            let looked = self.watch.look(connection, self.connector.files(), Depth::New);
            self.note(looked.err());
        }
        self.frames = state.frames;
    }

    /// What happens after each commit, and at a tick while there are writes. SQLite does not check
    /// the frames that it moves, so all of them are checked before.
    pub(super) fn after_commit(&mut self, ticks: bool) {
        if self.connector.files().trouble().is_some() {
            return;
        }
        if ticks && let Err(refusal) = self.watch.sweep(self.connector.files()) {
            self.note(Some(refusal));
            return;
        }
        let Some(state) = self.watch.state() else { return };
        let is_long = state.frames.saturating_sub(state.moved) >= LONG;
        if !is_long || state.frames.abs_diff(self.tried) < AGAIN {
            return;
        }
        self.tried = state.frames;
        let mut looked = self.check(Depth::Whole);
        if let (Ok(()), Some(connection)) = (looked, &mut self.connection) {
            let _ = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            looked = self.watch.look(connection, self.connector.files(), Depth::New);
        }
        self.note(looked.err());
    }

    /// Closes the connections. The last connection that is closed moves the log and removes it.
    /// After damage, that would destroy what can still be rescued.
    pub(super) fn close(mut self) {
        if self.keeper.is_some() {
            let found = self.check(Depth::Whole);
            self.note(found.err());
        }
        if self.connector.files().trouble().is_some_and(Refusal::is_of_files) {
            // The process keeps it open until it ends.
            std::mem::forget(self.keeper.take());
        }
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
        let mut lacks = state.moved < state.frames;
        let is_known = self.watch.trusts(state, files);
        // SQLite does not read frames again that are already in the main file. If it found the
        // damaged log at the next start, it would put earlier versions of pages over the newer ones.
        let can_move = if refusal == Refusal::LogOverwritten {
            is_known && !self.emptied && self.watch.has_rest(state, files)
        } else {
            // A log of another program starts from the main file, without the contents of our log.
            let is_free = !files.main_in_place() || !files.has_foreign_log();
            state.frames > 0 && is_free && is_whole(files, state)
        };
        if can_move {
            // An empty log does not harm another file in place of the main one.
            // Callers wait for this, and the next tick tries again.
            let _ = connection.batch_execute("PRAGMA busy_timeout = 300");
            let moved = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            let _ = connection.batch_execute(BUSY);
            if matches!(moved, Ok((false, ..))) {
                lacks = false;
                self.emptied = refusal == Refusal::LogOverwritten;
                tracing::warn!("all acknowledged writes have been moved to the database file");
            }
        }
        if self.rescued {
            return;
        }
        if refusal == Refusal::LogOverwritten && !self.emptied && self.watch.has_log(files) {
            self.rescued = true;
            tracing::warn!(
                "the -wal file still holds all acknowledged writes: restart the service"
            );
            return;
        }
        let is_removed = files.main_is_removed();
        let is_foreign = refusal == Refusal::LogOverwritten && !is_known && !self.emptied;
        if lacks || is_removed || is_foreign {
            self.rescued = true;
            let place = files.rescue();
            if let (true, Some(directory)) = (is_removed, place.parent()) {
                // It may have been removed together with the files.
                let _ = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            }
            let is_sure = refusal != Refusal::LogOverwritten && is_whole(files, state);
            rescue(connection, &place, is_sure);
        }
    }
}

/// Whether the log is unchanged.
fn is_whole(files: &Files, state: State) -> bool {
    files.log().is_some_and(|(log, _)| {
        let read = Log::read(log, state.frames);
        let whole = read.map(|it| it.map(|it| it.is_whole(log, 0, state.frames)));
        matches!(whole, Ok(Some(Ok(true))))
    })
}

/// Copies the database to `place`, and says in the log what the copy is worth.
fn rescue(connection: &mut SqliteConnection, place: &Path, is_sure: bool) {
    let kept = place.display();
    match copy(connection, place) {
        Ok(()) if is_sure => tracing::error!(
            "all acknowledged writes are kept in {kept}: docs/OPERATIONS.md says what to do"
        ),
        Ok(()) => tracing::error!(
            "what can still be read is kept in {kept}, and may lack acknowledged writes: \
             docs/OPERATIONS.md says what to do"
        ),
        Err(error) => tracing::error!(
            %error,
            "the last acknowledged writes may be lost, and cannot be copied to {kept}"
        ),
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
