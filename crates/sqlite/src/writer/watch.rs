//! Checks that the files contain what was written to them.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use crate::connection::{Change, Files, Log};
use crate::error::Refusal;
use crate::sql::Sql;

/// How often to check before a mismatch counts: another process may just be restarting the log, or
/// may have just moved it to the main file.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Which processes may have written to the files since the last check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// Only this process.
    Ours,
    /// Any process.
    Anybody,
}

/// Remembers the state of the files.
#[derive(Default)]
pub(super) struct Watch {
    seen: Option<Seen>,
}

struct Seen {
    state: State,
    log: Option<Log>,
    log_change: Change,
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
    if files.log().is_none() {
        // The log was never created, for lack of room, so nothing has been written.
        return Ok(());
    }
    Watch::default().look(connection, files, Since::Anybody)
}

impl Watch {
    /// Checks that the files have changed only by writes through SQLite.
    pub(super) fn look(
        &mut self,
        connection: &mut SqliteConnection,
        files: &Files,
        since: Since,
    ) -> Result<(), Refusal> {
        files.in_place()?;
        // A known mismatch need not be confirmed again.
        let known =
            matches!(files.trouble(), Some(Refusal::FileOverwritten | Refusal::LogOverwritten));
        let mut looks = if known { 1 } else { LOOKS };
        loop {
            looks -= 1;
            match self.compare(connection, files, since) {
                Ok(Ok(seen)) => {
                    self.seen = Some(seen);
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

    /// The state of the log at the last check, if it was successful.
    pub(super) fn state(&self) -> Option<State> {
        self.seen.as_ref().map(|seen| seen.state)
    }

    fn compare(
        &self,
        connection: &mut SqliteConnection,
        files: &Files,
        since: Since,
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
        let Some(seen) = &self.seen else {
            return Ok(Ok(Seen { state, log, log_change, main }));
        };
        let is_same_log = match (&log, &seen.log) {
            (Some(log), Some(before)) => {
                if !log.follows(before, file)? {
                    return Ok(Err(Refusal::LogOverwritten));
                }
                log.has_same_header(before)
            }
            (log, before) => log.is_none() && before.is_none(),
        };
        // The main file changes only when frames are moved to it. If the log has frames, they show
        // whether that happened; an empty log may have been started and finished since.
        let nothing_moved = is_same_log
            && state.moved == seen.state.moved
            && (log.is_some() || state.version == seen.state.version);
        if since == Since::Anybody && nothing_moved && main != seen.main {
            if files.is_being_moved() {
                // Until then there is nothing to compare with.
                let seen = Seen { state, log, log_change, main };
                return Ok(Ok(seen));
            }
            return Ok(Err(Refusal::FileOverwritten));
        }
        if since == Since::Anybody
            && log_change != seen.log_change
            && let Some(log) = &log
            && !log.is_whole(file)?
        {
            return Ok(Err(Refusal::LogOverwritten));
        }
        Ok(Ok(Seen { state, log, log_change, main }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt;

    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::connection::{Connector, look};

    #[test]
    fn a_commit_of_others_does_not_hide_an_overwritten_main_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        std::fs::File::create(&path).unwrap();
        let connector = Connector::new(&path).unwrap();
        let mut ours = connector.writer().unwrap();
        look(&mut ours).unwrap();
        connector.files().remember().unwrap();
        ours.batch_execute("CREATE TABLE kept (x); INSERT INTO kept VALUES (1);").unwrap();
        checkpoint(&mut ours, "PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        let mut watch = Watch::default();
        watch.look(&mut ours, connector.files(), Since::Anybody).unwrap();

        let mut others = connector.writer().unwrap();
        others.batch_execute("INSERT INTO kept VALUES (2)").unwrap();
        watch.look(&mut ours, connector.files(), Since::Anybody).unwrap();

        let main = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut bytes = vec![0; 4096];
        main.read_exact_at(&mut bytes, 4096).unwrap();
        std::thread::sleep(PAUSE * 2);
        main.write_all_at(&bytes, 4096).unwrap();
        others.batch_execute("INSERT INTO kept VALUES (3)").unwrap();
        let looked = watch.look(&mut ours, connector.files(), Since::Anybody);
        assert_eq!(looked, Err(Refusal::FileOverwritten));
    }
}
