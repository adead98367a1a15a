//! Logs, metrics, traces and error reports.

mod errors;
mod files;
mod json;
mod lines;
mod logs;
mod losses;
pub(crate) mod metrics;
mod output;
mod traces;

use std::path::PathBuf;

use exit3_ports::TRACE;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use tracing::Metadata;
use tracing::subscriber::Interest;
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer as _, Registry};

use self::traces::Traces;
use crate::settings::{OtelSettings, TelemetrySettings};
use lines::Lines;
pub(crate) use losses::Dropped;
pub(crate) use traces::{follow, traced};

/// A consumer of log events and spans.
type Layer = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Writes the log to standard error, for a command that uses standard output itself.
pub(crate) fn start_for_command(settings: &TelemetrySettings) {
    init(vec![logs::layer(settings, std::io::stderr)]);
}

/// The running exporters. Dropping this sends what is left, which takes a few seconds at most.
pub(crate) struct Telemetry {
    /// Dropped first, because the others may still log.
    _traces: Option<Traces>,
    _errors: Option<errors::Errors>,
    /// The outputs of the log.
    lines: Vec<Lines>,
}

impl Telemetry {
    /// Counts the log lines that could not be written.
    pub(crate) fn dropped(&self) -> Dropped {
        Lines::dropped(&self.lines)
    }
}

/// Starts logs, metrics, traces and error reports. Exporters have threads of their own: nothing
/// waits for them, and what they have no room for is dropped.
///
/// # Errors
/// One sentence about an exporter that cannot be started with these settings.
pub(crate) fn start(settings: &TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    let (writer, lines) = logs::outputs(settings)?;
    let traces = traces::start(settings)?;
    let errors = settings.sentry.as_ref().map(errors::start).transpose()?;
    init(listeners(settings, writer, traces.as_ref()));
    Ok(Telemetry { _traces: traces, _errors: errors, lines })
}

/// All layers.
fn listeners<W>(settings: &TelemetrySettings, writer: W, traces: Option<&Traces>) -> Vec<Layer>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut layers = vec![logs::layer(settings, writer)];
    layers.extend(traces.map(Traces::layer));
    layers.extend(settings.sentry.iter().flat_map(errors::layers));
    if traces.is_some() || settings.sentry_takes_traces() {
        layers.insert(0, no_other_spans(settings.level).boxed());
    }
    layers
}

/// Logs warnings about the settings.
pub(crate) fn tell(notes: &[String]) {
    for note in notes {
        tracing::warn!("{note}");
    }
}

/// Describes this service as an OpenTelemetry resource. The settings take precedence.
fn resource(settings: &OtelSettings) -> Resource {
    let attributes = settings.attributes.iter();
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_service_name("exit3")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(attributes.map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .build()
}

/// Prevents spans outside of traces. The filter of a single layer cannot, because a span that it
/// may want at other times is created anyway. Other events and spans pass if they are at `level` or
/// above.
fn no_other_spans(level: LevelFilter) -> impl tracing_subscriber::Layer<Registry> + Send + Sync {
    let level = level.max(LevelFilter::INFO);
    dynamic_filter_fn(move |about, context| {
        *about.level() <= level && (about.target() != TRACE || is_traced(about, context))
    })
    .with_max_level_hint(level)
}

fn is_traced(span: &Metadata<'_>, context: &Context<'_, Registry>) -> bool {
    span.name() == "request" || context.lookup_current().is_some()
}

/// Spans of traces: the span of a traced request, and those below it.
fn spans() -> impl Filter<Registry> + Send + Sync + use<> {
    dynamic_filter_fn(|span, context| span.target() == TRACE && is_traced(span, context))
        .with_callsite_filter(|callsite| match callsite.target() {
            TRACE => Interest::sometimes(),
            _ => Interest::never(),
        })
        .with_max_level_hint(LevelFilter::INFO)
}

/// Why telemetry cannot start with these settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {0}")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("the metrics cannot be sent: {0}")]
    Metrics(#[source] reqwest::Error),
    #[error("SENTRY_DSN cannot be used: {0}")]
    Errors(#[from] reqwest::Error),
    #[error("the log cannot be written: {0}")]
    Log(#[from] std::io::Error),
    #[error("LOG_DIR cannot be used: {path}: {1}", path = .0.display())]
    LogDir(PathBuf, std::io::Error),
}

fn init(layers: Vec<Layer>) {
    // Only the first call in a process counts; tests call it many times.
    let _ = tracing_subscriber::registry().with(layers).try_init();
}

/// Logs where a panic happened, and in which module. Its message is left out, because it may quote data of a client.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let request_id = exit3_web::request_id();
        let module = exit3_app::modules::current();
        tracing::error!(request_id, module, place, "a panic, which is a bug in the program");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{LogFormat, MetricsBind, SentrySettings};
    use exit3_testkit::collector::Collector;

    fn told(sentry: Option<SentrySettings>) -> TelemetrySettings {
        TelemetrySettings {
            level: LevelFilter::OFF,
            format: LogFormat::Json,
            log_dir: None,
            client_ip: exit3_web::ClientIp::Off,
            metrics: MetricsBind::Off,
            otel: OtelSettings::default(),
            sentry,
        }
    }

    fn sentry(dsn: &str, traces_sample_rate: f32) -> SentrySettings {
        SentrySettings { dsn: dsn.into(), environment: None, release: None, traces_sample_rate }
    }

    /// Whether spans exist for a request, below it, and outside of it.
    fn made(settings: &TelemetrySettings) -> [bool; 3] {
        let all = listeners(settings, std::io::sink, None);
        let case = || !tracing::info_span!(target: TRACE, "leads.create").is_disabled();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(all), || {
            let request = tracing::info_span!(target: TRACE, "request");
            [!request.is_disabled(), request.in_scope(case), case()]
        })
    }

    #[test]
    fn no_span_is_created_outside_of_a_trace() {
        let dsn = "http://public@localhost/7";
        assert_eq!(made(&told(Some(sentry(dsn, 0.5)))), [true, true, false]);
        assert_eq!(made(&told(Some(sentry(dsn, 0.0)))), [false; 3]);
        assert_eq!(made(&told(None)), [false; 3]);
    }

    #[test]
    fn a_panic_is_reported_without_its_message() {
        let collector = Collector::start();
        let dsn = format!("http://public@{}/7", collector.address());
        let telemetry = start(&told(Some(sentry(&dsn, 0.0)))).unwrap();
        let usual = std::panic::take_hook();
        log_panics();
        // Not in another thread: Sentry's client of a new thread is the one that was set up first,
        // which may belong to another test.
        assert!(std::panic::catch_unwind(|| panic!("canary {}", 1)).is_err());
        std::panic::set_hook(usual);
        drop(telemetry);
        let told = String::from_utf8(collector.bodies().concat()).unwrap();
        assert!(told.contains("a panic, which is a bug in the program"), "{told}");
        assert!(told.contains("telemetry.rs:") && !told.contains("canary"), "{told}");
    }
}
