//! The writer thread and its queue.

mod batch;
mod hand;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::SqliteConnection;
use exit3_ports::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use self::batch::{Task, Write};
use self::hand::Hand;
pub(crate) use self::watch::content;
use crate::connection::{Connector, OpenError};
use crate::error::Refusal;
use crate::telemetry;

/// The most queued writes.
const QUEUE: usize = 1024;
/// The most writes in one commit. With more, the first would wait longer than an `fsync`
/// takes.
const BATCH: usize = 256;

/// How often the files are checked while there are no writes.
const TICK: Duration = Duration::from_millis(250);

/// How long it takes until a process that finds damaged files has told others: a tick, and the
/// checks that [`watch`] repeats to be sure. It may take longer on a loaded machine.
pub(crate) const NOTICED: Duration = Duration::from_millis(1000);

enum Message {
    Write(Box<dyn Write>),
    Tick,
    Stop,
}

/// Sends writes to the writer thread.
pub(crate) struct Writer {
    line: mpsc::Sender<Message>,
    commits: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. On a full disk, writes are refused until there is room.
    pub(crate) fn start(connector: Connector) -> Result<Self, OpenError> {
        let hand = Hand::open(connector)?;
        let (line, waiting) = mpsc::channel(QUEUE);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_all(waiting, hand, &counter))
            .map_err(OpenError::Thread)?;
        let ticking = line.downgrade();
        std::thread::Builder::new()
            .name("sqlite-ticks".to_owned())
            .spawn(move || tick(&ticking))
            .map_err(OpenError::Thread)?;
        Ok(Self { line, commits, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` in a transaction and returns once it is on disk.
    ///
    /// If the future is dropped, `work` is still done completely or not at all.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(patience, work).instrument(telemetry::span("write")).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let deadline = Instant::now() + patience;
        let (reply, answer) = oneshot::channel();
        let place = match timeout_at(deadline, self.line.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(Refusal::Closed.into()),
            Err(_) => return Err(Refusal::Crowded.into()),
        };
        place.send(Message::Write(Box::new(Task::new(work, reply))));
        match timeout_at(deadline, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refusal::Closed.into()),
            Err(_) => Err(Refusal::OutOfTime.into()),
        }
    }

    /// The number of transactions committed since the start.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Finishes queued writes and ends the thread. Later writes are refused.
    pub(crate) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // The thread is emptying the full queue, so there will be room soon.
        while let Err(mpsc::error::TrySendError::Full(_)) = self.line.try_send(Message::Stop) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if thread.join().is_err() {
            tracing::error!("the thread that writes to the database panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The writer thread: takes all queued writes, runs them in one transaction, and answers.
fn write_all(mut line: mpsc::Receiver<Message>, mut hand: Hand, commits: &AtomicU64) {
    while let Some(message) = line.blocking_recv() {
        let mut writes = Vec::new();
        let mut ticks = false;
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                // Skip a write whose caller is gone before it began.
                Message::Write(write) if write.is_wanted() => writes.push(write),
                Message::Write(_) => {}
                Message::Tick => ticks = true,
                Message::Stop => line.close(),
            }
            next = if writes.len() < BATCH { line.try_recv().ok() } else { None };
        }
        if writes.is_empty() {
            if ticks {
                hand.tick();
            }
            continue;
        }
        let refusal = hand.commit(&mut writes).err();
        if refusal.is_none() {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        writes.into_iter().for_each(|write| write.answer(refusal));
        hand.after_commit(ticks);
    }
    hand.close();
}

/// Sends ticks to the thread until it has ended.
fn tick(line: &mpsc::WeakSender<Message>) {
    loop {
        std::thread::sleep(TICK);
        let Some(line) = line.upgrade() else { return };
        if let Err(mpsc::error::TrySendError::Closed(_)) = line.try_send(Message::Tick) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_to_a_removed_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        std::fs::File::create(&path).unwrap();
        let connector = Connector::new(&path).unwrap();
        let writer = Writer::start(connector).unwrap();
        let patience = Duration::from_secs(20);
        writer.write(patience, |_| Ok(())).await.unwrap();
        let work = move |_: &mut SqliteConnection| {
            std::fs::remove_file(&path).unwrap();
            Ok(())
        };
        let refused = writer.write(patience, work).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
}
