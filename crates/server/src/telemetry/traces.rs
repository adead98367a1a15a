//! Sends traces to an OpenTelemetry collector.

use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use secrecy::ExposeSecret;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer as _;

use super::{Layer, TelemetryError};
use crate::settings::TelemetrySettings;

/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";
/// The flag that says that the caller traces this request.
const SAMPLED: u8 = 1;
/// How long shutdown waits for the last spans to be sent.
const GOODBYE: Duration = Duration::from_secs(2);

/// The defaults of the OpenTelemetry specification: queued spans, spans in a batch, and the delay.
const QUEUE: usize = 2048;
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(5);

/// Requests traced per second, if neither callers nor the settings decide. A quiet service traces
/// all requests; a busy one does not pay for spans of all, which would cost a third of a create.
const A_SECOND: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// The sampling rules from the settings.
static RULES: OnceLock<Rules> = OnceLock::new();

struct Rules {
    /// Chooses among requests whose callers do not decide; `None` if a sampler chooses.
    choice: Option<DefaultDirectRateLimiter>,
    by_caller: bool,
    follows_caller: bool,
}

/// Collects spans and sends them.
pub(super) struct Traces(SdkTracerProvider);

/// Starts to collect spans, if a collector is configured.
///
/// # Errors
/// [`TelemetryError`]: the exporter cannot be built.
pub(super) fn start(settings: &TelemetrySettings) -> Result<Option<Traces>, TelemetryError> {
    let otel = &settings.otel;
    let Some(export) = &otel.traces else { return Ok(None) };
    let sampling = &otel.sampling;
    RULES.get_or_init(|| {
        // If another sampler chooses, it sees all requests.
        let chooses = sampling.sampler.is_none() && !settings.sentry_takes_traces();
        Rules {
            choice: chooses.then(|| RateLimiter::direct(Quota::per_second(A_SECOND))),
            by_caller: sampling.by_caller,
            follows_caller: sampling.follows_caller,
        }
    });
    let headers = export.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(export.endpoint.as_str())
        .with_timeout(export.timeout)
        .with_headers(headers.collect());
    let queue = BatchConfigBuilder::default()
        .with_max_queue_size(otel.queue.size.unwrap_or(QUEUE))
        .with_max_export_batch_size(otel.queue.batch.unwrap_or(BATCH))
        .with_scheduled_delay(otel.queue.delay.unwrap_or(DELAY));
    let processor = BatchSpanProcessor::builder(exporter.build()?);
    let all = || Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let mut provider = SdkTracerProvider::builder()
        .with_resource(super::resource(otel))
        .with_sampler(sampling.sampler.clone().unwrap_or_else(all))
        .with_span_processor(processor.with_batch_config(queue.build()).build());
    if let Some(most) = otel.most_attributes {
        provider = provider.with_max_attributes_per_span(most);
    }
    Ok(Some(Traces(provider.build())))
}

impl Traces {
    pub(super) fn layer(&self) -> Layer {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("exit3"))
            // Nothing in the process uses these.
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_filter(super::spans())
            .boxed()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(GOODBYE) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Whether to trace a request with these headers, if traces are collected. The caller decides;
/// otherwise the limit per second does, unless the settings say otherwise.
pub(crate) fn traced(headers: &HeaderMap) -> bool {
    let rules = RULES.get();
    let by_caller = rules.is_none_or(|rules| rules.by_caller && rules.follows_caller);
    let parent = headers.get(TRACEPARENT).filter(|_| by_caller);
    match parent.and_then(|parent| flags(parent.as_bytes())) {
        Some(flags) => flags & SAMPLED != 0,
        // A malformed header counts as missing.
        None => {
            let choice = rules.and_then(|rules| rules.choice.as_ref());
            choice.is_none_or(|choice| choice.check().is_ok())
        }
    }
}

/// The flags of the caller's trace, if the header has the form that W3C defines.
fn flags(parent: &[u8]) -> Option<u8> {
    let mut parts = parent.split(|byte| *byte == b'-');
    let lengths = [2, 32, 16, 2];
    let mut last = None;
    for length in lengths {
        let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        last = parts.next().filter(|part| part.len() == length && part.iter().all(is_hex));
        last?;
    }
    // Later versions may append further parts.
    (parts.next().is_none() || !parent.starts_with(b"00")).then_some(())?;
    u8::from_str_radix(std::str::from_utf8(last?).ok()?, 16).ok()
}

/// Makes a span continue the trace in a request's headers.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    let follows = RULES.get().is_none_or(|rules| rules.follows_caller);
    let parent = headers.get(TRACEPARENT).filter(|_| follows);
    if parent.is_some_and(|parent| flags(parent.as_bytes()).is_some()) {
        let parent = TraceContextPropagator::new().extract(&Headers(headers));
        // Fails only if no spans are collected.
        let _ = span.set_parent(parent);
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_caller_decides_whether_a_request_is_traced() {
        for (flags, expected) in [("00", false), ("01", true), ("02", false), ("03", true)] {
            let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(TRACEPARENT);
            headers.insert(name, HeaderValue::try_from(parent).unwrap());
            assert_eq!(traced(&headers), expected, "{flags}");
        }
    }

    #[test]
    fn a_malformed_header_decides_nothing() {
        let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        for parent in [
            "",
            "00",
            "00-rubbish-00",
            &format!("00-{ids}"),
            &format!("00-{ids}-"),
            &format!("00-{ids}-0"),
            &format!("00-{ids}-00-00"),
            &format!("00-{}-00", ids.to_uppercase()),
            &format!("00-{ids}-00,00-{ids}-00"),
        ] {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(TRACEPARENT);
            headers.insert(name, HeaderValue::from_str(parent).unwrap());
            assert!(traced(&headers), "{parent}");
        }
        assert_eq!(flags(format!("01-{ids}-01-more").as_bytes()), Some(1));
    }
}
