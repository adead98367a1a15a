//! Counts and reports log lines that could not be written.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often to look for new losses.
const LOOK: Duration = Duration::from_secs(1);
/// The shortest time between two reports.
const TELL: Duration = Duration::from_secs(60);

/// The lines that were lost on one output.
pub(super) struct Loss {
    output: String,
    count: AtomicU64,
    /// The reason of the latest loss.
    reason: Mutex<String>,
}

impl Loss {
    pub(super) fn new(output: impl Into<String>) -> Self {
        Self { output: output.into(), count: AtomicU64::new(0), reason: Mutex::default() }
    }

    pub(super) fn add(&self, lines: u64, reason: impl Display) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason.to_string();
        self.count.fetch_add(lines, Ordering::Relaxed);
    }

    /// Reports the lines that were lost since the last report.
    fn tell(&self, told: &mut Told) {
        let count = self.count.load(Ordering::Relaxed);
        let is_due = told.when.is_none_or(|when| when.elapsed() >= TELL);
        if count == told.count || !is_due {
            return;
        }
        let lost = count - told.count;
        *told = Told { count, when: Some(Instant::now()) };
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let output = &self.output;
        let lines = if lost == 1 { "1 line".to_owned() } else { format!("{lost} lines") };
        let sentence = format!("{lines} of the log did not get to {output}: {reason}");
        // The log may have another output; standard error is for the case that it has none.
        tracing::warn!("{sentence}");
        let _ = writeln!(io::stderr(), "exit3: {sentence}");
    }
}

#[derive(Default)]
struct Told {
    count: u64,
    when: Option<Instant>,
}

/// The losses of all outputs.
#[derive(Clone)]
pub(crate) struct Dropped(Vec<Arc<Loss>>);

impl Dropped {
    pub(super) fn new(losses: Vec<Arc<Loss>>) -> Self {
        Self(losses)
    }

    /// The number of lost lines.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|loss| loss.count.load(Ordering::Relaxed)).sum()
    }

    /// Starts a thread that reports losses. It is a separate thread because standard error may
    /// block, too.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn tell(&self) -> io::Result<()> {
        let watched: Vec<Weak<Loss>> = self.0.iter().map(Arc::downgrade).collect();
        std::thread::Builder::new().name("log-losses".to_owned()).spawn(move || {
            let mut told: Vec<Told> = watched.iter().map(|_| Told::default()).collect();
            loop {
                std::thread::sleep(LOOK);
                let mut any = false;
                for (loss, told) in watched.iter().zip(&mut told) {
                    if let Some(loss) = loss.upgrade() {
                        any = true;
                        loss.tell(told);
                    }
                }
                if !any {
                    return;
                }
            }
        })?;
        Ok(())
    }
}
