//! Checks that the files contain what was written to them.

use std::collections::VecDeque;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use crate::connection::{Change, Files, Header, Log};
use crate::error::Refusal;
use crate::sql::Sql;

/// How often to check before a mismatch counts: another process may just be restarting the log, or
/// may have just moved it to the main file.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The most frames that a sweep checks at once.
const SWEPT: u64 = 2048;
/// How many earlier headers of the log are remembered.
const HEADERS: usize = 1024;
/// The version of a connection that has not been seen yet.
const NO_VERSION: i64 = -1;

/// How much of the log a check reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The new frames. For a check right after our own write, which has changed the file.
    New,
    /// All frames, if the file has changed since the last check.
    Changed,
    /// All frames, if the file has changed since all frames were last read. A change while we
    /// wrote as well looks like ours to the other checks.
    Whole,
}

/// Remembers the state of the files.
#[derive(Default)]
pub(super) struct Watch {
    seen: Option<Seen>,
    /// The headers of earlier logs. SQLite never writes one of them again.
    earlier: VecDeque<Header>,
    /// The last frame that [`Self::sweep`] has checked.
    swept: u64,
}

#[derive(Clone)]
struct Seen {
    state: State,
    log: Option<Log>,
    log_change: Change,
    /// The last change of the log when all frames were last read.
    read: Option<Change>,
    main: Option<Change>,
}

/// SQLite's view of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Changes when another connection commits.
    version: i64,
    /// The number of frames.
    pub(super) frames: u64,
    /// How many of them are also in the main file.
    pub(super) moved: u64,
}

impl State {
    pub(super) fn read(connection: &mut SqliteConnection) -> QueryResult<Self> {
        let version = Sql::<Integer>::new("PRAGMA data_version");
        let version = version.get_result::<i32>(connection)?.into();
        let (_, frames, moved) = checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        Ok(Self { version, frames, moved })
    }
}

/// Runs a checkpoint. Returns whether it was blocked, the frames in the log, and how many of them
/// are in the main file.
pub(super) fn checkpoint(
    connection: &mut SqliteConnection,
    pragma: &'static str,
) -> QueryResult<(bool, u64, u64)> {
    let row: (i64, i64, i64) =
        Sql::<(BigInt, BigInt, BigInt)>::new(pragma).get_result(connection)?;
    let number = |number| u64::try_from(number).unwrap_or_default();
    Ok((row.0 != 0, number(row.1), number(row.2)))
}

/// Whether the log contains what SQLite believes it contains.
pub(crate) fn content(connection: &mut SqliteConnection, files: &Files) -> Result<(), Refusal> {
    files.in_place()?;
    if let Some(known) = files.trouble().filter(|it| it.is_of_files()) {
        return Err(known);
    }
    if files.log().is_none() {
        // The log was never created, for lack of room, so nothing has been written.
        return Ok(());
    }
    Watch::default().look(connection, files, Depth::Changed)
}

impl Watch {
    /// Checks that the files have changed only by writes through SQLite.
    pub(super) fn look(
        &mut self,
        connection: &mut SqliteConnection,
        files: &Files,
        depth: Depth,
    ) -> Result<(), Refusal> {
        files.in_place()?;
        // A known mismatch need not be confirmed again.
        let known =
            matches!(files.trouble(), Some(Refusal::FileOverwritten | Refusal::LogOverwritten));
        let mut looks = if known { 1 } else { LOOKS };
        loop {
            looks -= 1;
            match self.compare(connection, files, depth) {
                Ok(Ok(seen)) => {
                    self.remember(seen);
                    return Ok(());
                }
                Ok(Err(refusal)) if looks == 0 => return Err(refusal),
                Ok(Err(_)) => std::thread::sleep(PAUSE),
                Err(error) => {
                    tracing::warn!(%error, "cannot check the files of the database");
                    return Err(Refusal::NotCommitted);
                }
            }
        }
    }

    fn remember(&mut self, seen: Seen) {
        let header = |seen: &Seen| seen.log.as_ref().map(Log::header);
        if let Some(before) = self.seen.as_ref().and_then(header)
            && header(&seen) != Some(before)
        {
            self.earlier.truncate(HEADERS - 1);
            self.earlier.push_front(before);
            self.swept = 0;
        }
        self.seen = Some(seen);
    }

    /// Checks the next part of the log. While clients write all the time, this finds damage of
    /// frames that were written earlier.
    pub(super) fn sweep(&mut self, files: &Files) -> Result<(), Refusal> {
        let Some((seen, (file, _))) = self.seen.as_ref().zip(files.log()) else { return Ok(()) };
        let Some(log) = &seen.log else { return Ok(()) };
        let from = self.swept;
        let to = seen.state.frames.min(from + SWEPT);
        // At the end it starts again, even if clients never pause.
        self.swept = if to < seen.state.frames { to } else { 0 };
        // If another process has restarted the log, the next check compares it.
        let is_same = || log.is_begun(file).unwrap_or(false);
        match log.is_whole(file, from, to) {
            Ok(false) if is_same() => Err(Refusal::LogOverwritten),
            _ => Ok(()),
        }
    }

    /// The state of the log at the last check, if it was successful.
    pub(super) fn state(&self) -> Option<State> {
        self.seen.as_ref().map(|seen| seen.state)
    }

    /// The next check uses a new connection, whose versions differ from those of the last one.
    pub(super) fn reconnected(&mut self) {
        if let Some(seen) = &mut self.seen {
            seen.state.version = NO_VERSION;
        }
    }

    /// Whether `state` can only come from this process: neither the index nor the main file has
    /// been changed by others since the last successful check.
    pub(super) fn trusts(&self, state: State, files: &Files) -> bool {
        self.seen.as_ref().is_some_and(|seen| {
            state.version == seen.state.version
                && state.frames >= seen.state.frames
                && state.moved >= seen.state.moved
                && (state.moved > seen.state.moved || files.main_change() == seen.main)
        })
    }

    /// Whether the frames of `state` that are not in the main file yet are unchanged.
    pub(super) fn has_rest(&self, state: State, files: &Files) -> bool {
        let log = self.seen.as_ref().and_then(|seen| seen.log.as_ref());
        state.moved == state.frames
            || log.zip(files.log()).is_some_and(|(log, (file, _))| {
                log.is_whole(file, state.moved, state.frames).unwrap_or(false)
            })
    }

    /// Whether the log still holds every frame of the last successful check.
    pub(super) fn has_log(&self, files: &Files) -> bool {
        let Some((seen, (file, _))) = self.seen.as_ref().zip(files.log()) else { return false };
        seen.log.as_ref().is_none_or(|log| {
            log.is_begun(file).unwrap_or(false)
                && log.is_whole(file, 0, seen.state.frames).unwrap_or(false)
        })
    }

    fn compare(
        &self,
        connection: &mut SqliteConnection,
        files: &Files,
        depth: Depth,
    ) -> Result<Result<Seen, Refusal>, Box<dyn std::error::Error>> {
        let state = State::read(connection)?;
        // Read after the state: SQLite counts frames as moved only once all of them are written.
        let main = files.main_change();
        let Some((file, log_change)) = files.log() else {
            return Ok(Err(Refusal::NotOpened));
        };
        let log = match state.frames {
            0 => None,
            frames => match Log::read(file, frames)? {
                Some(log) => Some(log),
                None => return Ok(Err(Refusal::LogOverwritten)),
            },
        };
        let mut now = Seen { state, log, log_change, read: None, main };
        let unread = match &self.seen {
            Some(seen) => match self.compare_with(seen, &now, files)? {
                Ok(is_same_log) => seen.unread(&now, is_same_log, depth),
                Err(refusal) => return Ok(Err(refusal)),
            },
            None => Some(0),
        };
        now.read = match unread {
            Some(0) => Some(log_change),
            _ => self.seen.as_ref().and_then(|seen| seen.read),
        };
        if let (Some(log), Some(after)) = (&now.log, unread)
            && !log.is_whole(file, after, state.frames)?
        {
            return Ok(Err(Refusal::LogOverwritten));
        }
        Ok(Ok(now))
    }

    /// Compares two states of the files. Returns whether the log was not restarted in between.
    fn compare_with(
        &self,
        seen: &Seen,
        now: &Seen,
        files: &Files,
    ) -> Result<Result<bool, Refusal>, Box<dyn std::error::Error>> {
        let is_same_log = match (&now.log, &seen.log) {
            (Some(log), Some(before)) => log.has_same_header(before),
            (log, before) => log.is_none() && before.is_none(),
        };
        if let (true, Some(log), Some(before), Some((file, _))) =
            (is_same_log, &now.log, &seen.log, files.log())
            && !log.follows(before, file)?
        {
            return Ok(Err(Refusal::LogOverwritten));
        }
        let is_earlier = |log: &Log| self.earlier.contains(&log.header());
        if !is_same_log && (now.log.as_ref().is_some_and(is_earlier) || seen.is_cut_off(now)) {
            return Ok(Err(Refusal::LogOverwritten));
        }
        let is_complete = now.state.moved == now.state.frames;
        let has_length = |log: &Log| now.main.is_some_and(|it| it.length() == log.length_of_main());
        let is_cut = is_complete && now.log.as_ref().is_some_and(|log| !has_length(log));
        if is_cut || (seen.nothing_moved(now, is_same_log) && now.main != seen.main) {
            // While another connection moves frames, there is nothing to compare with.
            if !files.is_being_moved() {
                return Ok(Err(Refusal::FileOverwritten));
            }
        }
        Ok(Ok(is_same_log))
    }
}

impl Seen {
    /// The frame after which the log must be read, if at all.
    fn unread(&self, now: &Self, is_same_log: bool, depth: Depth) -> Option<u64> {
        match depth {
            _ if !is_same_log => Some(0),
            Depth::New => Some(self.state.frames),
            Depth::Changed => (now.log_change != self.log_change).then_some(0),
            Depth::Whole => (Some(now.log_change) != self.read).then_some(0),
        }
    }

    /// Whether the main file must be unchanged. It changes only when frames are moved to it.
    fn nothing_moved(&self, now: &Self, is_same_log: bool) -> bool {
        let is_only_ours = now.state.version == self.state.version;
        match is_same_log {
            // The frames show whether that happened; an empty log may have been started and
            // finished since.
            true => now.state.moved <= self.state.moved && (now.log.is_some() || is_only_ours),
            // Our own commit has restarted a log that had been moved completely.
            false => is_only_ours && self.state.moved == self.state.frames && now.state.moved == 0,
        }
    }

    /// Whether the log was replaced before all of it had been moved. SQLite restarts it only
    /// afterwards, and the main file shows that. File times have a limited resolution.
    fn is_cut_off(&self, now: &Self) -> bool {
        let is_later = now.main.is_some_and(|main| now.log_change.is_later_than(main));
        self.state.moved < self.state.frames && now.main == self.main && is_later
    }
}

#[cfg(test)]
mod tests;
