//! Passes log lines to the outputs. Each output has a queue and a thread that writes all queued
//! lines at once. Code that logs never waits for an output, and outputs do not wait for each other.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use super::losses::{Dropped, Loss};
use super::output::Output;

/// The capacity of a queue in bytes. Lines without room are dropped and counted.
const ROOM: usize = 4 << 20;
/// How long lines gather before they are written. Writing each one separately would cost more than
/// everything else about it.
const GATHER: Duration = Duration::from_millis(20);
/// The capacity in bytes that the buffer keeps after a burst.
const KEPT: usize = 64 << 10;
/// How long shutdown waits for each output to write the last lines.
const GOODBYE: Duration = Duration::from_secs(1);

/// Accepts lines from every thread.
#[derive(Clone, Default)]
pub(super) struct Gathering(Vec<Arc<Queue>>);

struct Queue {
    waiting: Mutex<Waiting>,
    some: Condvar,
    loss: Arc<Loss>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    ended: bool,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps the queued lines for an empty buffer; also returns whether they are the last ones.
    fn take(&self, empty: Vec<u8>) -> (Vec<u8>, bool) {
        let waiting = self.waiting();
        let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.ended;
        let waited = self.some.wait_while(waiting, nothing);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
        (std::mem::replace(&mut waiting.lines, empty), waiting.ended)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.lines.len() + line.len() > ROOM {
            drop(waiting);
            self.loss.add(1, "its queue is full");
            return;
        }
        waiting.lines.extend_from_slice(line);
        if waiting.lines.len() == line.len() {
            self.some.notify_one();
        }
    }
}

impl Gathering {
    /// Adds an output. `name` identifies it in messages.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn write_to(
        &mut self,
        name: impl Into<String>,
        output: impl Write + Send + 'static,
    ) -> io::Result<Lines> {
        let loss = Arc::new(Loss::new(name));
        let queue = Queue { waiting: Mutex::default(), some: Condvar::new(), loss };
        let queue = Arc::new(queue);
        self.0.push(Arc::clone(&queue));
        let (end, ended) = mpsc::channel::<()>();
        let (taken, mut output) = (Arc::clone(&queue), Output::new(output));
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            let _end = end;
            let mut empty = Vec::new();
            loop {
                let (mut lines, last) = taken.take(empty);
                if let Err((lost, error)) = output.write_lines(&lines) {
                    taken.loss.add(lost, error);
                }
                if last {
                    return;
                }
                lines.clear();
                lines.shrink_to(KEPT);
                empty = lines;
                std::thread::sleep(GATHER);
            }
        })?;
        Ok(Lines { queue, ended })
    }
}

/// Every write must be one whole line.
impl Write for &Gathering {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.iter().for_each(|queue| queue.add(line));
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

/// Writes the log to one output. Dropping it writes the remaining lines.
pub(crate) struct Lines {
    queue: Arc<Queue>,
    ended: Receiver<()>,
}

impl Lines {
    /// Counts the lines that were lost on all of these outputs.
    pub(crate) fn dropped(all: &[Self]) -> Dropped {
        Dropped::new(all.iter().map(|lines| Arc::clone(&lines.queue.loss)).collect())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.queue.waiting().ended = true;
        self.queue.some.notify_one();
        // The thread never sends on this channel; it drops its end when it stops.
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks until it is released, then writes everything.
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
    fn lines_arrive_in_order_and_dropped_ones_are_counted() {
        let (let_go, stuck) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut gathering = Gathering::default();
        let lines = gathering.write_to("it", Stuck(stuck, Arc::clone(&written))).unwrap();
        let lines = [lines];
        let dropped = Lines::dropped(&lines);
        let line = |number: usize| format!("{number:>999}\n");
        let mut given = 0;
        while dropped.count() == 0 {
            assert!(given < 3 * ROOM / 1000, "the queue never becomes full");
            (&gathering).write_all(line(given).as_bytes()).unwrap();
            given += 1;
        }
        assert!(given * 1000 > ROOM, "there was room for only {given} lines");
        drop(let_go);
        drop(lines);
        let expected: String = (0..given - 1).map(line).collect();
        assert!(*written.lock().unwrap() == expected.as_bytes());
    }

    #[test]
    fn a_blocked_output_delays_neither_shutdown_nor_other_outputs() {
        let (let_go, stuck) = mpsc::channel();
        let (free, open) = mpsc::channel();
        drop(free);
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut gathering = Gathering::default();
        let stuck = gathering.write_to("one", Stuck(stuck, Arc::default())).unwrap();
        let open = gathering.write_to("other", Stuck(open, Arc::clone(&written))).unwrap();
        (&gathering).write_all(b"a line\n").unwrap();
        drop(open);
        assert_eq!(*written.lock().unwrap(), b"a line\n");
        drop(stuck);
        drop(let_go);
    }
}
