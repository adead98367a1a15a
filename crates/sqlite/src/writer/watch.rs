//! Whether the files hold what was written to them.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use crate::connection::{Change, Files, Log};
use crate::error::Refusal;
use crate::sql::Sql;

/// How often the files are checked before a mismatch counts: another process may just be
/// beginning the log anew, or have ended moving it to the main file.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Who may have written to the files since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// We alone.
    Ours,
    /// Anybody.
    Anybody,
}

/// Remembers how the files were.
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

/// What SQLite knows of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Changes when other connections commit.
    version: i64,
    /// How many frames there are.
    pub(super) frames: u64,
    /// How many of them are in the main file as well.
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

/// Whether somebody was in the way, and the frames in the log and of these in the main file.
pub(super) fn checkpoint(
    connection: &mut SqliteConnection,
    pragma: &'static str,
) -> QueryResult<(bool, u64, u64)> {
    let row: (i64, i64, i64) =
        Sql::<(BigInt, BigInt, BigInt)>::new(pragma).get_result(connection)?;
    let number = |number| u64::try_from(number).unwrap_or_default();
    Ok((row.0 != 0, number(row.1), number(row.2)))
}

/// Whether the log holds what SQLite believes it to hold.
pub(crate) fn content(connection: &mut SqliteConnection, files: &Files) -> Result<(), Refusal> {
    files.in_place()?;
    if files.log().is_none() {
        // There was no room for it, so nobody has written to it.
        return Ok(());
    }
    Watch::default().look(connection, files, Since::Anybody)
}

impl Watch {
    /// Checks that the files are as they were left, but for writes through SQLite.
    pub(super) fn look(
        &mut self,
        connection: &mut SqliteConnection,
        files: &Files,
        since: Since,
    ) -> Result<(), Refusal> {
        files.in_place()?;
        // Once it is known, there is no need to be sure again.
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
                    tracing::warn!(%error, "it cannot be seen how the files of the database are");
                    return Err(Refusal::NotCommitted);
                }
            }
        }
    }

    /// What is in the log and not in the main file, if that was so at the last look as well.
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
        // After that: SQLite knows of what was moved once all of it has been written.
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
        // The main file changes only when frames are moved to it. A log with frames shows that;
        // one without may have been begun and ended since.
        let nothing_moved = is_same_log
            && state.moved == seen.state.moved
            && (log.is_some() || state.version == seen.state.version);
        if since == Since::Anybody && nothing_moved && main != seen.main {
            if files.is_being_moved() {
                // Before the end of that there is nothing to compare with.
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
