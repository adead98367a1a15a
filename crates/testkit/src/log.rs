//! What the code under test logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

use tracing::Subscriber;

/// Captures the log of a test: give its [`subscriber`](Self::subscriber) to `with_subscriber` or
/// `set_default`.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes events from INFO up, a line each, into this log.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        listen_everywhere();
        let log = self.clone();
        tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).finish()
    }

    /// All lines so far.
    ///
    /// # Panics
    /// If a line is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives the threads of all other tests a subscriber that discards its events.
///
/// If one subscriber exists in the process, tracing asks only the thread that reaches an event
/// first whether anybody wants it. A thread without subscriber would answer "nobody", and the
/// event would be disabled for the test that captures it.
fn listen_everywhere() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let discarding = tracing_subscriber::fmt().with_writer(io::sink).finish();
        let _ = tracing::subscriber::set_global_default(discarding);
    });
}

#[cfg(test)]
mod tests {
    use super::Log;

    fn event() {
        tracing::info!("it happened");
    }

    #[test]
    fn an_event_that_another_thread_reached_first_is_captured() {
        let log = Log::default();
        let _listening = tracing::subscriber::set_default(log.subscriber());
        std::thread::spawn(event).join().unwrap();
        event();
        assert_eq!(log.text().matches("it happened").count(), 1, "{}", log.text());
    }
}
