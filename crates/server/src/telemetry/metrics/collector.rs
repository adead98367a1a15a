//! Sending metrics to an OpenTelemetry collector, over HTTP.

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

/// How often they are sent, where `OTEL_METRIC_EXPORT_INTERVAL` does not say so.
const EVERY: Duration = Duration::from_secs(60);
/// How long the end of the process waits for the last of them to be taken.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whom metrics are sent to, and how often.
pub(crate) struct Collector {
    client: Client,
    endpoint: Url,
    every: Duration,
    resource: Resource,
    began: u64,
}

impl Collector {
    /// The one that the settings are about.
    ///
    /// # Errors
    /// [`TelemetryError::Metrics`]: there is nothing to send with.
    pub(crate) fn of(settings: &TelemetrySettings) -> Result<Option<Self>, TelemetryError> {
        let otel = &settings.otel;
        let Some(export) = &otel.metrics else { return Ok(None) };
        let client = Client::builder().timeout(export.timeout).default_headers(headers(export));
        // Headers are for nobody else.
        let client = client.redirect(Policy::none());
        let (endpoint, every) = (export.endpoint.clone(), otel.every.unwrap_or(EVERY));
        let attributes = ResourceAttributesWithSchema::from(&resource(otel)).attributes.0;
        let resource = Resource { attributes, ..Default::default() };
        let client = client.build().map_err(TelemetryError::Metrics)?;
        Ok(Some(Self { client, endpoint, every, resource, began: now() }))
    }

    /// Begins to send what `exposition` returns, from a thread of its own.
    ///
    /// # Errors
    /// There is no thread to be had.
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

    /// Sends what stands in `exposition`. That it could not is told by the log.
    fn send(&self, exposition: &str) {
        let span = Span { began: self.began, now: now() };
        let body = request(exposition, self.resource.clone(), span).encode_to_vec();
        let sent = self.client.post(self.endpoint.clone()).body(body);
        let sent = sent.header(CONTENT_TYPE, "application/x-protobuf").send();
        if let Err(error) = sent.and_then(Response::error_for_status) {
            // Its address may have a password in it.
            let error = error.without_url();
            tracing::warn!(%error, "the metrics could not be sent");
        }
    }
}

/// Metrics that are being sent. The last of them are when this is dropped.
pub(crate) struct Sending {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop = None;
        // The thread holds the other end, and sends nothing.
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
