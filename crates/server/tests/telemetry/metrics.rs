use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use exit3_testkit::collector::Collector;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use prost::Message;

use crate::service::exit3;
use crate::{KEY, LEAD, LEADS, start};

const NEWSLETTER: &str = "/backend/api/v1/newsletter/";

/// The value of a time series.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_connections_are_counted() {
    let postgres = exit3_testkit::postgres::TestPostgres::start();
    let directory = tempfile::tempdir().unwrap();
    let url = postgres.url("postgres");
    let limit = ("RATE_LIMIT_NEWSLETTER_CREATE", "3/day");
    let service = start(directory.path(), &[("DATABASE_URL", &url), limit]);
    service.post(LEADS, KEY, LEAD).await;
    service.post(LEADS, KEY, LEAD).await;
    service.post(LEADS, KEY, "{}").await;
    let subscriber = r#"{"email": "ana@acme.hr"}"#;
    for (json, status) in [(subscriber, 201), (subscriber, 400), ("{}", 400), (subscriber, 429)] {
        assert_eq!(service.post(NEWSLETTER, KEY, json).await.status(), status);
    }
    service.raw(b"rubbish\r\n\r\n");
    let pool = url.split(['@', '?']).nth(1).unwrap();
    let connections =
        |state| format!("db_client_connection_count{{pool=\"{pool}\",state=\"{state}\"}}");
    let (used, idle) = (connections("used"), connections("idle"));
    let waits = format!("db_client_connection_wait_time_seconds_count{{pool=\"{pool}\"}}");
    // The service itself looks for jobs now and then.
    let began = Instant::now();
    let metrics = loop {
        let metrics = service.metrics().await;
        if value(&metrics, &used) == Some(0.0) || began.elapsed() > Duration::from_secs(10) {
            break metrics;
        }
    };
    let version = format!("exit3_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    let creates = "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
                   http_route=\"/backend/api/v1/leads/\",http_response_status_code=\"201\"}";
    for (series, expected) in [
        (version.as_str(), 1.0),
        (creates, 2.0),
        ("http_server_active_requests", 0.0),
        ("exit3_leads_total{outcome=\"created\"}", 2.0),
        ("exit3_leads_total{outcome=\"invalid\"}", 1.0),
        ("exit3_subscribers_total{outcome=\"created\"}", 1.0),
        ("exit3_subscribers_total{outcome=\"exists\"}", 1.0),
        ("exit3_subscribers_total{outcome=\"invalid\"}", 1.0),
        ("exit3_rate_limit_refusals_total{quota=\"newsletter-create\"}", 1.0),
        ("exit3_connection_errors_total{http_response_status_code=\"400\"}", 1.0),
        ("exit3_log_lines_dropped_total", 0.0),
        (used.as_str(), 0.0),
    ] {
        assert_eq!(value(&metrics, series), Some(expected), "{series} in {metrics}");
    }
    for series in ["exit3_disk_free_bytes", "exit3_disk_size_bytes", idle.as_str(), waits.as_str()]
    {
        assert!(value(&metrics, series).unwrap() > 0.0, "{series} in {metrics}");
    }
    assert!(!metrics.contains("exit3_tls_certificate_expiry"), "{metrics}");
    service.stop();
}

#[tokio::test]
async fn metrics_of_backups_exist_once_there_are_backups() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = exit3(directory.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let backups = [
        "exit3_backup_last_success_timestamp_seconds",
        "exit3_backup_last_verified_timestamp_seconds",
        "exit3_backup_last_verification_ok",
    ];
    let service = start(directory.path(), &[]);
    let metrics = service.metrics().await;
    assert!(!metrics.contains("exit3_backup"), "{metrics}");
    service.stop();

    run(&["backup", "--to", "archives"]);
    run(&["verify-backup", "--from", "archives"]);
    let service = start(directory.path(), &[]);
    let began = Instant::now();
    let metrics = loop {
        let metrics = service.metrics().await;
        if backups.iter().all(|series| value(&metrics, series).is_some()) {
            break metrics;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let [made, tried, ok] = backups.map(|series| value(&metrics, series).unwrap());
    assert!(made > 1.7e9 && tried >= made, "{made}, {tried}");
    assert_eq!(ok, 1.0);
    service.stop();
}

#[tokio::test]
async fn clients_cannot_create_time_series() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[]);
    service.get("/backend/health/live/", "").await;
    let series = |metrics: &str| -> BTreeSet<String> {
        let series = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        series.map(|(series, _)| series.to_owned()).collect()
    };
    let mut before = BTreeSet::new();
    for n in 0..20 {
        let request = |method: &str, target: &str| {
            format!("{method}{n} {target}{n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        };
        service.raw(request("BREW", "/backend/made-up-").as_bytes());
        service.raw(request("BREW", LEADS).as_bytes());
        if n == 0 {
            before = series(&service.metrics().await);
        }
    }
    let metrics = service.metrics().await;
    let made_up = series(&metrics);
    assert!(made_up.iter().any(|name| name.contains("_OTHER") && name.contains("unmatched")));
    assert!(!metrics.contains("made-up") && !metrics.contains("BREW"), "{metrics}");
    let new: Vec<_> = made_up.difference(&before).filter(|name| name.contains("http_")).collect();
    assert!(!before.is_empty() && new.is_empty(), "{new:?}");
    service.stop();
}

#[test]
fn a_configured_address_that_cannot_be_bound_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = exit3(directory.path()).env("METRICS_BIND", address).output().unwrap();
    assert!(!output.status.success());
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.contains("METRICS_BIND") && sentence.lines().count() == 1, "{sentence}");
    assert!(!directory.path().join("data/api_key").exists(), "no key was generated");
}

#[tokio::test]
async fn two_services_without_settings_run_side_by_side() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = start(one.path(), &[("METRICS_BIND", "")]);
    let second = start(two.path(), &[("METRICS_BIND", "")]);
    for service in [&first, &second] {
        assert_eq!(service.get("/backend/health/live/", "").await.status(), 200);
    }
    assert!(second.logs("no metrics are served: METRICS_BIND is not set"), "{}", second.output());
    first.stop();
    second.stop();
}

#[tokio::test]
async fn metrics_are_sent_to_a_collector_regularly_and_at_shutdown() {
    let collector = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", collector.address());
    let env = [
        ("METRICS_BIND", "off"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=leads,team=sales"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ];
    let service = start(directory.path(), &env);
    let requests = || {
        let bodies = collector.bodies_at("/v1/metrics").into_iter();
        bodies.map(|body| ExportMetricsServiceRequest::decode(&*body).unwrap())
    };
    let begun = Instant::now();
    while requests().count() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no metrics arrive");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.stop();
    // Once a minute, so that only shutdown sends this create.
    let service = start(directory.path(), &env[..3]);
    assert_eq!(service.post(LEADS, KEY, LEAD).await.status(), 201);
    service.stop();
    let mut told = requests().flat_map(|request| request.resource_metrics);
    // The last metrics about the create.
    let told = told.find(|told| format!("{told:?}").contains(LEADS));
    let mut told = told.expect("the create is counted");
    let resource = format!("{:?}", told.resource);
    assert!(resource.contains("\"leads\"") && resource.contains("service.version"), "{resource}");
    let metrics = told.scope_metrics.remove(0).metrics;
    let called = |name: &str| {
        let found = metrics.iter().find(|metric| metric.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {metrics:?}")).data.clone().unwrap()
    };
    let Data::Sum(leads) = called("exit3_leads_total") else { panic!("a counter") };
    for (outcome, count) in [("created", 1.0), ("invalid", 0.0), ("failed", 0.0)] {
        let point = leads.data_points.iter().find(|it| format!("{it:?}").contains(outcome));
        assert_eq!(point.unwrap().value, Some(number_data_point::Value::AsDouble(count)));
    }
    let Data::Histogram(took) = called("http.server.request.duration") else { panic!("times") };
    let create = took.data_points.iter().find(|point| format!("{point:?}").contains(LEADS));
    assert_eq!(create.unwrap().count, 1);
    assert!(matches!(called("exit3_disk_free_bytes"), Data::Gauge(_)));
}
