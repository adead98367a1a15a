//! Converts the metrics from Prometheus' text format to OpenTelemetry, so that nothing is measured
//! twice.
//!
//! Source: OpenTelemetry's "Prometheus and OpenMetrics Compatibility".

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::exposition::{Family, Sample, families};

/// Names and units from OpenTelemetry's semantic conventions. Metrics of our own keep their names.
const NAMES: [(&str, &str, &str); 4] = [
    ("http_server_request_duration_seconds", "http.server.request.duration", "s"),
    ("http_server_active_requests", "http.server.active_requests", "{request}"),
    ("db_client_connection_count", "db.client.connection.count", "{connection}"),
    ("db_client_connection_wait_time_seconds", "db.client.connection.wait_time", "s"),
];

/// A label with numeric values.
const STATUS: &str = "http_response_status_code";

/// Names of labels from the same conventions.
const LABELS: [(&str, &str); 5] = [
    ("http_request_method", "http.request.method"),
    ("http_route", "http.route"),
    (STATUS, "http.response.status_code"),
    ("pool", "db.client.connection.pool.name"),
    ("state", "db.client.connection.state"),
];

/// The start and the end of the measurement, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) began: u64,
    pub(super) now: u64,
}

/// Converts all metrics in `exposition`, which is in Prometheus' text format.
pub(super) fn request(
    exposition: &str,
    resource: Resource,
    span: Span,
) -> ExportMetricsServiceRequest {
    let metrics = families(exposition).iter().filter_map(|family| metric(family, span)).collect();
    let scope = InstrumentationScope { name: "exit3".to_owned(), ..Default::default() };
    let scope = ScopeMetrics { scope: Some(scope), metrics, ..Default::default() };
    let resource = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![scope],
        ..Default::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn metric(family: &Family<'_>, span: Span) -> Option<Metric> {
    let known = NAMES.iter().find(|(name, ..)| *name == family.name);
    let cumulative = AggregationTemporality::Cumulative as i32;
    let points = || family.samples.iter().map(|sample| number(sample, span)).collect();
    let data = match family.kind {
        "counter" => Data::Sum(Sum {
            data_points: points(),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        // The gauges that the conventions know are up-down counters there.
        "gauge" if known.is_some() => Data::Sum(Sum {
            data_points: points(),
            aggregation_temporality: cumulative,
            is_monotonic: false,
        }),
        "gauge" => Data::Gauge(Gauge { data_points: points() }),
        "histogram" => Data::Histogram(Histogram {
            data_points: histograms(family, span),
            aggregation_temporality: cumulative,
        }),
        _ => return None,
    };
    let (name, unit) = known.map_or((family.name, ""), |(_, name, unit)| (*name, *unit));
    Some(Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Default::default()
    })
}

fn number(sample: &Sample<'_>, span: Span) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(sample),
        start_time_unix_nano: span.began,
        time_unix_nano: span.now,
        value: Some(number_data_point::Value::AsDouble(sample.value)),
        ..Default::default()
    }
}

/// Converts a histogram. For each series, its lines are the cumulative buckets, then sum and count.
fn histograms(family: &Family<'_>, span: Span) -> Vec<HistogramDataPoint> {
    let mut points = Vec::new();
    let mut point = HistogramDataPoint::default();
    let mut below = 0;
    for sample in &family.samples {
        let count = sample.value as u64;
        if sample.name.ends_with("_bucket") {
            let le = sample.labels.iter().find(|(name, _)| *name == "le");
            let bound = le.and_then(|(_, bound)| bound.parse::<f64>().ok());
            point.explicit_bounds.extend(bound.filter(|bound| bound.is_finite()));
            point.bucket_counts.push(count.saturating_sub(below));
            below = count;
        } else if sample.name.ends_with("_sum") {
            point.sum = Some(sample.value);
        } else {
            point.count = count;
            point.attributes = attributes(sample);
            point.start_time_unix_nano = span.began;
            point.time_unix_nano = span.now;
            points.push(std::mem::take(&mut point));
            below = 0;
        }
    }
    points
}

fn attributes(sample: &Sample<'_>) -> Vec<KeyValue> {
    let attribute = |(label, value): &(&str, String)| {
        let known = LABELS.iter().find(|(name, _)| name == label);
        let number = value.parse().ok().filter(|_| *label == STATUS).map(Value::IntValue);
        let value = number.unwrap_or_else(|| Value::StringValue(value.clone()));
        KeyValue {
            key: known.map_or(*label, |(_, name)| *name).to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..Default::default()
        }
    };
    sample.labels.iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPOSITION: &str = "\
# TYPE exit3_leads_total counter
exit3_leads_total{outcome=\"created\"} 3

# TYPE http_server_active_requests gauge
http_server_active_requests 2

# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_route=\"/a/\",le=\"0.1\"} 1
http_server_request_duration_seconds_bucket{http_route=\"/a/\",le=\"0.5\"} 4
http_server_request_duration_seconds_bucket{http_route=\"/a/\",le=\"+Inf\"} 5
http_server_request_duration_seconds_sum{http_route=\"/a/\"} 2.5
http_server_request_duration_seconds_count{http_route=\"/a/\"} 5
http_server_request_duration_seconds_bucket{http_route=\"/b/\",le=\"0.1\"} 0
http_server_request_duration_seconds_bucket{http_route=\"/b/\",le=\"0.5\"} 2
http_server_request_duration_seconds_bucket{http_route=\"/b/\",le=\"+Inf\"} 2
http_server_request_duration_seconds_sum{http_route=\"/b/\"} 0.5
http_server_request_duration_seconds_count{http_route=\"/b/\"} 2

# TYPE exit3_disk_free_bytes gauge
exit3_disk_free_bytes 9.5
";

    fn metrics() -> Vec<Metric> {
        let span = Span { began: 1, now: 2 };
        let mut request = request(EXPOSITION, Resource::default(), span);
        request.resource_metrics.remove(0).scope_metrics.remove(0).metrics
    }

    #[test]
    fn counters_and_gauges_keep_their_values() {
        let metrics = metrics();
        let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("{metrics:?}") };
        assert_eq!(metrics[0].name, "exit3_leads_total");
        assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
        let point = &sum.data_points[0];
        assert_eq!(point.value, Some(number_data_point::Value::AsDouble(3.0)));
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1, 2));
        assert_eq!(point.attributes[0].key, "outcome");
        let Some(Data::Sum(active)) = &metrics[1].data else { panic!("{metrics:?}") };
        assert_eq!(metrics[1].name, "http.server.active_requests");
        assert!(!active.is_monotonic);
        assert_eq!(active.data_points[0].value, Some(number_data_point::Value::AsDouble(2.0)));
        let Some(Data::Gauge(free)) = &metrics[3].data else { panic!("{metrics:?}") };
        assert_eq!(metrics[3].name, "exit3_disk_free_bytes");
        assert_eq!(free.data_points[0].value, Some(number_data_point::Value::AsDouble(9.5)));
    }

    #[test]
    fn buckets_are_not_cumulative() {
        let metrics = metrics();
        let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("{metrics:?}") };
        assert_eq!((&*metrics[2].name, &*metrics[2].unit), ("http.server.request.duration", "s"));
        let [a, b] = &histogram.data_points[..] else { panic!("{histogram:?}") };
        assert_eq!(
            (&a.explicit_bounds[..], &a.bucket_counts[..]),
            (&[0.1, 0.5][..], &[1, 3, 1][..])
        );
        assert_eq!((a.count, a.sum), (5, Some(2.5)));
        assert_eq!(a.attributes.len(), 1);
        assert_eq!(a.attributes[0].key, "http.route");
        assert_eq!((&b.bucket_counts[..], b.count), (&[0, 2, 0][..], 2));
    }
}
