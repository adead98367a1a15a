//! Reports of errors to Sentry: what the log tells of them, and nothing of the request
//! that they happened in.

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

/// How long the end of the process waits for the last reports to be taken.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long one report may take. The end of the process waits for the one under way.
const PATIENCE: Duration = Duration::from_secs(2);

/// Those who send reports.
pub(super) struct Errors(#[allow(dead_code, reason = "held, not used")] ClientInitGuard);

/// Sends with a client that gives up in time; that of the library never does.
struct Sender(reqwest::Client);

impl TransportFactory for Sender {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options = ReqwestHttpTransportOptions::from(options);
        Arc::new(options.with_client(self.0.clone()).build())
    }
}

/// Begins to report.
///
/// # Errors
/// There is nothing to send with.
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

/// Errors, of which panics are some, since the hook logs them; and spans, where traces
/// are sent as well.
pub(super) fn layers(settings: &SentrySettings) -> Vec<Layer> {
    let errors = Targets::new()
        .with_default(LevelFilter::ERROR)
        // That a collector is away is not for here.
        .with_target("opentelemetry", LevelFilter::OFF);
    let mut layers = vec![ErrorLayer::new().with_filter(errors).boxed()];
    if settings.traces_sample_rate > 0.0 {
        layers.push(SpanLayer::new().with_filter(super::spans()).boxed());
    }
    layers
}

/// What no event of ours has, whatever a library adds.
#[allow(clippy::unnecessary_wraps, reason = "an event could be held back")]
fn stripped(mut event: Event<'static>) -> Option<Event<'static>> {
    event.request = None;
    event.user = None;
    Some(event)
}
