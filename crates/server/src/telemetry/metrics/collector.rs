//! Sends metrics to an OpenTelemetry collector over HTTP.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use exit3_ports::Clock;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use percent_encoding::percent_decode_str;
use prost::Message;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::otlp::{Span, request};
use crate::clock::SystemClock;
use crate::settings::{Export, TelemetrySettings};
use crate::telemetry::{TelemetryError, resource};

/// The default of `OTEL_METRIC_EXPORT_INTERVAL`.
const EVERY: Duration = Duration::from_secs(60);
/// How long shutdown waits for the last metrics to be sent.
const GOODBYE: Duration = Duration::from_secs(2);

/// A collector's address, and how often metrics are sent to it.
pub(crate) struct Collector {
    client: Client,
    endpoint: Url,
    every: Duration,
    resource: Resource,
    began: u64,
}

impl Collector {
    /// The collector from the settings, if there is one.
    ///
    /// # Errors
    /// [`TelemetryError::Metrics`] if the HTTP client cannot be built.
    pub(crate) fn of(settings: &TelemetrySettings) -> Result<Option<Self>, TelemetryError> {
        let otel = &settings.otel;
        let Some(export) = &otel.metrics else { return Ok(None) };
        let client = Client::builder().timeout(export.timeout).default_headers(headers(export));
        // Redirects are not followed, because the headers are meant for this collector only.
        let client = client.redirect(Policy::none());
        let (endpoint, every) = (export.endpoint.clone(), otel.every.unwrap_or(EVERY));
        let attributes = ResourceAttributesWithSchema::from(&resource(otel)).attributes.0;
        let resource = Resource { attributes, ..Default::default() };
        let client = client.build().map_err(TelemetryError::Metrics)?;
        Ok(Some(Self { client, endpoint, every, resource, began: now() }))
    }

    /// Starts a thread that sends the result of `exposition` regularly.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn send_on(
        self,
        exposition: impl Fn() -> String + Send + 'static,
    ) -> std::io::Result<Sending> {
        let (stop, stopped) = mpsc::channel::<()>();
        let (end, ended) = mpsc::channel::<()>();
        std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            let _end = end;
            loop {
                let waited = stopped.recv_timeout(self.every);
                self.send(&exposition());
                if waited != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Sending { stop: Some(stop), ended })
    }

    /// Sends `exposition` once. A failure is logged.
    fn send(&self, exposition: &str) {
        let span = Span { began: self.began, now: now() };
        let body = request(exposition, self.resource.clone(), span).encode_to_vec();
        let sent = self.client.post(self.endpoint.clone()).body(body);
        let sent = sent.header(CONTENT_TYPE, "application/x-protobuf").send();
        if let Err(error) = sent.and_then(Response::error_for_status) {
            // The URL may contain a password.
            let error = error.without_url();
            tracing::warn!(%error, "the metrics could not be sent");
        }
    }
}

/// Sends metrics until it is dropped; then it sends the last ones.
pub(crate) struct Sending {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop = None;
        // The thread never sends on this channel; it drops its end when it stops.
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}

fn now() -> u64 {
    let since_1970 = SystemClock.now().timestamp_nanos_opt();
    since_1970.and_then(|nanoseconds| nanoseconds.try_into().ok()).unwrap_or_default()
}

fn headers(export: &Export) -> HeaderMap {
    let header = |(name, value): &(String, SecretString)| {
        let value = percent_decode_str(value.expose_secret()).decode_utf8().ok()?;
        let mut value = HeaderValue::try_from(&*value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    export.headers.iter().filter_map(header).collect()
}
