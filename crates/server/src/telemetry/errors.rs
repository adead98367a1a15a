//! Reports errors to Sentry: the content of the log line, and nothing about the request.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sentry::integrations::tracing::{ErrorLayer, SpanLayer};
use sentry::protocol::Event;
use sentry::transports::ReqwestHttpTransportOptions;
use sentry::{ClientInitGuard, Transport, TransportFactory, TransportOptions};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::Layer;
use crate::settings::SentrySettings;

/// How long shutdown waits for the last reports to be sent.
const GOODBYE: Duration = Duration::from_secs(2);
/// The time limit of one report. Shutdown waits for the report that is being sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends reports until it is dropped.
pub(super) struct Errors(#[allow(dead_code, reason = "held, not used")] ClientInitGuard);

/// Sends reports with a client that has a time limit; Sentry's own client has none.
struct Sender(reqwest::Client);

impl TransportFactory for Sender {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options = ReqwestHttpTransportOptions::from(options);
        Arc::new(options.with_client(self.0.clone()).build())
    }
}

/// Starts to report errors.
///
/// # Errors
/// The HTTP client cannot be built.
pub(super) fn start(settings: &SentrySettings) -> reqwest::Result<Errors> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let release = settings.release.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
    let options = sentry::ClientOptions::new()
        .dsn(settings.dsn.expose_secret())
        .release(release.to_owned())
        .send_default_pii(false)
        .traces_sample_rate(settings.traces_sample_rate)
        .max_breadcrumbs(0)
        .shutdown_timeout(GOODBYE)
        .transport(Sender(client))
        .before_send(stripped);
    let options = match &settings.environment {
        Some(environment) => options.environment(environment.clone()),
        None => options,
    };
    Ok(Errors(sentry::init(options)))
}

/// The layers for errors (panics included, because the panic hook logs them) and for spans, if
/// traces go to Sentry.
pub(super) fn layers(settings: &SentrySettings) -> Vec<Layer> {
    let errors = Targets::new()
        .with_default(LevelFilter::ERROR)
        // Failures of the OpenTelemetry exporter are not reported to Sentry.
        .with_target("opentelemetry", LevelFilter::OFF);
    let mut layers = vec![ErrorLayer::new().with_filter(errors).boxed()];
    if settings.traces_sample_rate > 0.0 {
        layers.push(SpanLayer::new().with_filter(super::spans()).boxed());
    }
    layers
}

/// Removes what libraries add to events and must not leave the process.
#[allow(clippy::unnecessary_wraps, reason = "an event could be held back")]
fn stripped(mut event: Event<'static>) -> Option<Event<'static>> {
    event.request = None;
    event.user = None;
    Some(event)
}
