//! Log lines on their way from those who log to where they are written, by a thread that
//! takes at once what has gathered. Nobody waits for it.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that wait to be written; those for which there is no room are dropped.
const ROOM: usize = 4 << 20;
/// How long lines gather: a write of each would cost more than all else that is done for
/// it.
const GATHER: Duration = Duration::from_millis(20);
/// Bytes that are kept for the lines to come when there were many.
const KEPT: usize = 64 << 10;
/// How long the end of the process waits for somebody to take the last lines.
const GOODBYE: Duration = Duration::from_secs(1);

/// Takes lines from everywhere.
#[derive(Clone, Default)]
pub(super) struct Gathering(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    some: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    ended: bool,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has gathered, in exchange for an empty buffer, and whether it is the last.
    fn take(&self, empty: Vec<u8>) -> (Vec<u8>, bool) {
        let waiting = self.waiting();
        let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.ended;
        let waited = self.some.wait_while(waiting, nothing);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
        (std::mem::replace(&mut waiting.lines, empty), waiting.ended)
    }
}

impl Gathering {
    /// Begins to write to `output`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn write_to(&self, mut output: impl Write + Send + 'static) -> io::Result<Lines> {
        let shared = Arc::clone(&self.0);
        let (end, ended) = mpsc::channel::<()>();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            let _end = end;
            let mut empty = Vec::new();
            loop {
                let (mut lines, last) = shared.take(empty);
                // Nobody is left who could be told.
                let _ = output.write_all(&lines).and_then(|()| output.flush());
                if last {
                    return;
                }
                lines.clear();
                lines.shrink_to(KEPT);
                empty = lines;
                std::thread::sleep(GATHER);
            }
        })?;
        Ok(Lines { gathering: self.clone(), ended })
    }
}

/// A line, in one piece.
impl Write for &Gathering {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting();
        if waiting.lines.len() + line.len() > ROOM {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            waiting.lines.extend_from_slice(line);
            if waiting.lines.len() == line.len() {
                self.0.some.notify_one();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Gathering {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// What was written of the log. The rest is written when this is dropped.
pub(crate) struct Lines {
    gathering: Gathering,
    ended: Receiver<()>,
}

impl Lines {
    /// Counts the lines for which there was no room.
    pub(crate) fn dropped(&self) -> Dropped {
        Dropped(self.gathering.clone())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.gathering.0.waiting().ended = true;
        self.gathering.0.some.notify_one();
        // The thread holds the other end, and sends nothing.
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}

/// Lines for which there was no room.
#[derive(Clone)]
pub(crate) struct Dropped(Gathering);

impl Dropped {
    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.0.0.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes nothing until it is let, then whatever it is given.
    struct Stuck(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(lines);
            Ok(lines.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_arrive_whole_and_in_order_and_those_without_room_are_counted() {
        let (let_go, stuck) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let gathering = Gathering::default();
        let lines = gathering.write_to(Stuck(stuck, Arc::clone(&written))).unwrap();
        let dropped = lines.dropped();
        let line = |number: usize| format!("{number:>999}\n");
        let mut given = 0;
        while dropped.count() == 0 {
            assert!(given < 3 * ROOM / 1000, "it takes lines without end");
            (&gathering).write_all(line(given).as_bytes()).unwrap();
            given += 1;
        }
        assert!(given * 1000 > ROOM, "{given} lines are all there was room for");
        drop(let_go);
        drop(lines);
        let expected: String = (0..given - 1).map(line).collect();
        assert!(*written.lock().unwrap() == expected.as_bytes());
    }

    #[test]
    fn an_output_that_takes_nothing_holds_up_no_end() {
        let (let_go, stuck) = mpsc::channel();
        let gathering = Gathering::default();
        let lines = gathering.write_to(Stuck(stuck, Arc::default())).unwrap();
        (&gathering).write_all(b"a line\n").unwrap();
        drop(lines);
        drop(let_go);
    }
}
