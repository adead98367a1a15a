//! The standard variables of OpenTelemetry. Each of them is followed, or a note says why not.
//!
//! Source: OpenTelemetry's "Environment Variable Specification" and "OpenTelemetry Protocol
//! Exporter".

mod read;

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use self::read::Reader;
use super::{Arguments, SettingsError};

/// What is sent over OTLP, and where to.
#[derive(Debug, Clone, Default)]
pub struct OtelSettings {
    /// Where to send traces.
    pub traces: Option<Export>,
    /// Where to send metrics.
    pub metrics: Option<Export>,
    /// How often metrics are sent.
    pub every: Option<Duration>,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// How spans are queued and sent.
    pub queue: Queue,
    /// The most attributes of a span.
    pub most_attributes: Option<u32>,
    /// The attributes of the resource, percent-decoded.
    pub attributes: Vec<(String, String)>,
}

/// A target of telemetry.
#[derive(Clone)]
pub struct Export {
    /// The address, including the path.
    pub endpoint: Url,
    /// The headers, with percent-encoded values.
    pub headers: Vec<(String, SecretString)>,
    /// How long the collector may take to answer.
    pub timeout: Duration,
}

impl fmt::Debug for Export {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path may contain a token.
        formatter.debug_struct("Export").field("host", &self.endpoint.host_str()).finish()
    }
}

/// Which requests are traced.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// The sampler; without one, ten requests per second are traced.
    pub sampler: Option<Sampler>,
    /// Whether a caller that sends a trace header decides.
    pub by_caller: bool,
    /// Whether a request continues its caller's trace.
    pub follows_caller: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { sampler: None, by_caller: true, follows_caller: true }
    }
}

/// How spans are queued and sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queue {
    /// The most queued spans.
    pub size: Option<usize>,
    /// The most spans in one batch.
    pub batch: Option<usize>,
    /// How often batches are sent.
    pub delay: Option<Duration>,
}

/// The variables of one kind of telemetry.
struct Signal {
    exporter: &'static str,
    endpoint: &'static str,
    headers: &'static str,
    timeout: &'static str,
    protocol: &'static str,
    compression: &'static str,
    path: &'static str,
}

const TRACES: Signal = Signal {
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    headers: "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    timeout: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    compression: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    path: "v1/traces",
};

const METRICS: Signal = Signal {
    exporter: "OTEL_METRICS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    headers: "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    timeout: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    protocol: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    compression: "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
    path: "v1/metrics",
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The default address of a collector.
const USUAL: &str = "http://localhost:4318";
/// The default time limit of a collector.
const PATIENCE: Duration = Duration::from_secs(10);

impl OtelSettings {
    /// Reads the variables, with notes about those that are not followed.
    pub(super) fn check(arguments: &Arguments) -> Result<(Self, Vec<String>), SettingsError> {
        let mut read = Reader::new(&arguments.variables);
        if read.is_true("OTEL_SDK_DISABLED") {
            return Ok((Self::default(), Vec::new()));
        }
        let general = arguments.otlp_endpoint.as_deref();
        let general = general.map(|text| address(ENDPOINT, text)).transpose()?;
        let mut metrics = read.export(&METRICS, general.as_ref())?;
        let longest = read.positive("OTEL_METRIC_EXPORT_TIMEOUT").map(Duration::from_millis);
        if let (Some(metrics), Some(longest)) = (&mut metrics, longest) {
            metrics.timeout = metrics.timeout.min(longest);
        }
        let settings = Self {
            traces: read.export(&TRACES, general.as_ref())?,
            metrics,
            every: read.positive("OTEL_METRIC_EXPORT_INTERVAL").map(Duration::from_millis),
            sampling: read.sampling(),
            queue: Queue {
                size: read.positive("OTEL_BSP_MAX_QUEUE_SIZE"),
                batch: read.positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
                delay: read.positive("OTEL_BSP_SCHEDULE_DELAY").map(Duration::from_millis),
            },
            most_attributes: read.most_attributes(),
            attributes: read.attributes(),
        };
        read.only("OTEL_LOGS_EXPORTER", &["none"], "logs are not sent");
        let temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        read.only(temporality, &["cumulative"], "metrics are cumulative");
        let aggregation = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
        read.only(aggregation, &["explicit_bucket_histogram"], "buckets are explicit");
        read.only("OTEL_METRICS_EXEMPLAR_FILTER", &["always_off"], "there are no exemplars");
        Ok((settings, read.notes()))
    }
}

impl Reader<'_> {
    fn export(
        &mut self,
        signal: &Signal,
        general: Option<&Url>,
    ) -> Result<Option<Export>, SettingsError> {
        // Prometheus is served at METRICS_BIND in any case.
        let exporters = self.words(signal.exporter, &["otlp", "none", "prometheus"]);
        let own = self.get(signal.endpoint);
        let own = own.map(|text| address(signal.endpoint, text)).transpose()?;
        for (name, general) in [
            (signal.protocol, "OTEL_EXPORTER_OTLP_PROTOCOL"),
            (signal.compression, "OTEL_EXPORTER_OTLP_COMPRESSION"),
        ] {
            let (followed, why) = match name == signal.protocol {
                true => ("http/protobuf", "only http/protobuf is spoken"),
                false => ("none", "nothing is compressed"),
            };
            self.only(name, &[followed], why);
            self.only(general, &[followed], why);
        }
        let headers = self.headers(signal.headers);
        let general_headers = self.headers("OTEL_EXPORTER_OTLP_HEADERS");
        let timeout = self.positive(signal.timeout);
        let timeout = timeout.or(self.positive("OTEL_EXPORTER_OTLP_TIMEOUT"));
        let below = |base: &Url| {
            let mut url = base.clone();
            url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), signal.path));
            url
        };
        let wanted = exporters.as_ref().map(|words| words.iter().any(|word| word == "otlp"));
        let usual = || Url::parse(USUAL).ok().filter(|_| wanted == Some(true));
        let endpoint = own.or_else(|| general.map(below)).or_else(|| usual().as_ref().map(below));
        self.decided |= endpoint.is_some() || wanted == Some(false);
        let Some(mut endpoint) = endpoint.filter(|_| wanted != Some(false)) else {
            return Ok(None);
        };
        let mut headers = headers.or(general_headers).unwrap_or_default();
        headers.extend(credentials(&mut endpoint));
        let timeout = timeout.map_or(PATIENCE, Duration::from_millis);
        Ok(Some(Export { endpoint, headers, timeout }))
    }

    /// Parses `name=value,name=value` with percent-encoded values.
    fn headers(&mut self, name: &'static str) -> Option<Vec<(String, SecretString)>> {
        let pairs = self.get(name)?.split(',').filter(|pair| !pair.trim().is_empty());
        let header = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            let decoded = percent_decode_str(value).decode_utf8().ok()?;
            let is_one = reqwest::header::HeaderName::try_from(name).is_ok()
                && reqwest::header::HeaderValue::try_from(&*decoded).is_ok();
            is_one.then(|| (name.to_owned(), SecretString::from(value)))
        };
        let headers: Vec<Option<_>> = pairs.map(header).collect();
        if headers.iter().any(Option::is_none) {
            self.note(name, "only its parts of the form name=value, percent-encoded, are sent");
        }
        Some(headers.into_iter().flatten().collect())
    }

    fn sampling(&mut self) -> Sampling {
        let (name, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        let word = self.get(name).map(str::to_ascii_lowercase);
        let word = word.as_deref().unwrap_or_default();
        let by_caller = word.starts_with("parentbased_");
        let sampler = match word.trim_start_matches("parentbased_") {
            "always_on" => Some(Sampler::AlwaysOn),
            "always_off" => Some(Sampler::AlwaysOff),
            "traceidratio" => Some(Sampler::TraceIdRatioBased(self.ratio(argument))),
            "" => None,
            _ => {
                self.note(name, "the service does not know this sampler");
                None
            }
        };
        if !matches!(sampler, Some(Sampler::TraceIdRatioBased(_))) && self.get(argument).is_some() {
            self.note(argument, "only ratio-based samplers use it");
        }
        let propagators = self.words("OTEL_PROPAGATORS", &["tracecontext", "baggage", "none"]);
        Sampling {
            by_caller: by_caller || sampler.is_none(),
            sampler: match sampler {
                Some(root) if by_caller => Some(Sampler::ParentBased(Box::new(root))),
                sampler => sampler,
            },
            follows_caller: propagators
                .is_none_or(|words| words.iter().any(|word| word == "tracecontext")),
        }
    }

    fn ratio(&mut self, name: &'static str) -> f64 {
        match self.number::<f64>(name) {
            Some(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            Some(_) => {
                self.note(name, "it is not from 0 to 1");
                1.0
            }
            None => 1.0,
        }
    }

    fn most_attributes(&mut self) -> Option<u32> {
        // Our spans have neither events nor links.
        for name in ["OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT"] {
            self.number::<u32>(name);
        }
        let general = self.number("OTEL_ATTRIBUTE_COUNT_LIMIT");
        self.number("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").or(general)
    }

    /// The attributes of the resource, with the service name from its own variable.
    fn attributes(&mut self) -> Vec<(String, String)> {
        let name = "OTEL_RESOURCE_ATTRIBUTES";
        let pairs = self.get(name).unwrap_or_default().split(',');
        let pairs = pairs.filter(|pair| !pair.trim().is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let decoded = |text: &str| {
                percent_decode_str(text.trim()).decode_utf8().ok().map(|text| text.into_owned())
            };
            Some((decoded(key).filter(|key| !key.is_empty())?, decoded(value)?))
        });
        let attributes: Option<Vec<_>> = pairs.collect();
        if attributes.is_none() {
            self.note(name, "it is not key=value,key=value, percent-encoded");
        }
        let service = self.get("OTEL_SERVICE_NAME");
        let service = service.map(|service| ("service.name".to_owned(), service.to_owned()));
        attributes.unwrap_or_default().into_iter().chain(service).collect()
    }
}

/// Removes the user name and password from an address, and returns a header with them.
fn credentials(endpoint: &mut Url) -> Option<(String, SecretString)> {
    if endpoint.username().is_empty() && endpoint.password().is_none() {
        return None;
    }
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let name = plain(endpoint.username());
    let password = plain(endpoint.password().unwrap_or_default());
    // Fails only for an address without a host.
    let _ = endpoint.set_username("");
    let _ = endpoint.set_password(None);
    let encoded = STANDARD.encode(format!("{name}:{password}"));
    Some(("authorization".to_owned(), format!("Basic {encoded}").into()))
}

fn address(name: &'static str, text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(Url::has_host).ok_or_else(|| {
        // The address may contain a password.
        let problem = "is not an address such as http://localhost:4318 (a password in it is \
                       percent-encoded: / is %2F)";
        SettingsError::new(name, problem)
    })
}

#[cfg(test)]
mod tests;
