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
use url::Url;

use super::otlp::{Span, request};
use crate::clock::SystemClock;
use crate::settings::TelemetrySettings;
use crate::telemetry::{TelemetryError, resource};

/// How often they are sent, where `OTEL_METRIC_EXPORT_INTERVAL` does not say so.
const EVERY: Duration = Duration::from_secs(60);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
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
    /// The one that the settings and the standard names in the environment are about.
    ///
    /// # Errors
    /// [`TelemetryError::Endpoint`]; [`TelemetryError::Metrics`]: there is nothing to send
    /// with.
    pub(crate) fn of(settings: &TelemetrySettings) -> Result<Option<Self>, TelemetryError> {
        let Some(general) = &settings.otlp_endpoint else { return Ok(None) };
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if var("OTEL_METRICS_EXPORTER").is_some_and(|exporter| exporter == "none") {
            return Ok(None);
        }
        let endpoint = var("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
        let endpoint = endpoint.unwrap_or_else(|| format!("{general}/v1/metrics"));
        let is_address = |url: &Url| matches!(url.scheme(), "http" | "https");
        let endpoint = Url::parse(&endpoint).ok().filter(is_address);
        let endpoint = endpoint.ok_or(TelemetryError::Endpoint)?;
        let given = var("OTEL_EXPORTER_OTLP_METRICS_HEADERS");
        let given = given.or_else(|| var("OTEL_EXPORTER_OTLP_HEADERS")).unwrap_or_default();
        let client = Client::builder().timeout(PATIENCE).default_headers(headers(&given));
        // Headers are for nobody else.
        let client = client.redirect(Policy::none());
        let every = var("OTEL_METRIC_EXPORT_INTERVAL").and_then(|every| every.parse().ok());
        let every = every.filter(|every| *every > 0).map_or(EVERY, Duration::from_millis);
        let attributes = ResourceAttributesWithSchema::from(&resource()).attributes.0;
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

/// Headers as the environment names them: `name=value,name=value`, percent-encoded. What
/// is none is left out.
fn headers(given: &str) -> HeaderMap {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let mut value = HeaderValue::try_from(&*value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name.trim()).ok()?, value))
    };
    given.split(',').filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_taken_as_the_environment_names_them() {
        let headers = headers("api-key=a%20b, Authorization = Basic%20eDp5=,,odd,b\u{e4}d=1");
        assert_eq!(headers.len(), 2);
        assert_eq!(headers.get("api-key").unwrap(), "a b");
        assert_eq!(headers.get("authorization").unwrap(), "Basic eDp5=");
    }
}
