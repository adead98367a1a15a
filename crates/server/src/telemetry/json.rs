//! Writes log lines as JSON objects. tracing-subscriber writes the same objects, but formats every
//! piece, even quotes and commas, one by one; this writes bytes directly.

use std::io::Write;

use chrono::SecondsFormat;
use exit3_ports::Clock;
use serde::ser::{SerializeMap, Serializer};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_serde::SerdeMapVisitor;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::clock::SystemClock;

/// The size in bytes that most lines fit into.
const USUAL: usize = 512;

/// Writes each event as a line.
pub(super) struct JsonLines<W>(pub(super) W);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Ok(line) = line(event) {
            // There is nobody left to report a failure to.
            let _ = self.0.make_writer().write_all(&line);
        }
    }
}

fn line(event: &Event<'_>) -> serde_json::Result<Vec<u8>> {
    // For events from the `log` crate, the real metadata is in the event's fields.
    let logged = event.normalized_metadata();
    let about = logged.as_ref().unwrap_or_else(|| event.metadata());
    let now = SystemClock.now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut line = Vec::with_capacity(USUAL);
    let mut json = serde_json::Serializer::new(&mut line);
    let mut object = json.serialize_map(None)?;
    object.serialize_entry("timestamp", &now)?;
    object.serialize_entry("level", about.level().as_str())?;
    let mut fields = SerdeMapVisitor::new(object);
    event.record(&mut fields);
    let mut object = fields.take_serializer()?;
    object.serialize_entry("target", about.target())?;
    object.end()?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::super::lines::Gathering;
    use super::*;
    use serde_json::Value;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines that `log` writes.
    fn written(log: impl FnOnce()) -> String {
        let mut gathering = Gathering::default();
        let written = Written::default();
        let lines = gathering.write_to("it", written.clone()).unwrap();
        let layer = tracing_subscriber::registry().with(JsonLines(gathering));
        tracing::subscriber::with_default(layer, log);
        drop(lines);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_is_one_object_that_keeps_the_types_of_its_fields() {
        let line = written(|| {
            let nobody: Option<&str> = None;
            let cause = io::Error::other("it is away");
            tracing::warn!(
                target: "here",
                status = 201_u16,
                below = -1,
                took = 0.25,
                told = true,
                route = "/a/",
                nobody,
                %cause,
                "a {}",
                "request"
            );
        });
        let (time, rest) = line.split_at(r#"{"timestamp":"2026-11-24T00:00:00.000000Z""#.len());
        assert!(time.starts_with(r#"{"timestamp":"2"#) && time.ends_with("Z\""), "{line}");
        assert_eq!(
            rest,
            ",\"level\":\"WARN\",\"message\":\"a request\",\"status\":201,\"below\":-1,\
             \"took\":0.25,\"told\":true,\"route\":\"/a/\",\"cause\":\"it is away\",\
             \"target\":\"here\"}\n"
        );
    }

    #[test]
    fn values_cannot_break_out_of_their_line_or_field() {
        let hostile = "\"},\r\n{\"level\":\"ERROR\"\\\u{0}\u{1b}[2Jč\u{2028}";
        let line = written(|| tracing::info!(text = hostile, shown = %hostile, "{hostile}"));
        assert_eq!(line.matches(char::is_control).count(), 1, "{line}");
        assert!(line.ends_with('\n'), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        for field in ["text", "shown", "message"] {
            assert_eq!(value[field], hostile, "{field}");
        }
    }
}
