use std::net::TcpListener;
use std::time::{Duration, Instant};

use exit3_testkit::collector::Collector;
use exit3_testkit::postgres::TestPostgres;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::{KEY, LEAD, LEADS, LIVE, start};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn spans(collector: &Collector) -> Vec<Span> {
    let requests = collector.bodies_at("/v1/traces").into_iter().map(|body| {
        ExportTraceServiceRequest::decode(body.as_slice()).expect("an export of traces")
    });
    let resources = requests.flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    format!("{:?}", found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_reaches_from_the_caller_to_the_query() {
    let postgres = TestPostgres::start();
    let collector = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let (url, endpoint) = (postgres.url("postgres"), format!("http://{}", collector.address()));
    let env = [("DATABASE_URL", url.as_str()), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)];
    let service = start(directory.path(), &env);
    let (key, traceparent) = (format!("Basic {KEY}"), format!("00-{TRACE}-{PARENT}-01"));
    let headers = [("Authorization", key.as_str()), ("traceparent", &traceparent)];
    assert_eq!(service.post_with(LEADS, &headers, LEAD).await.status(), 201);
    // Queued spans are sent at shutdown.
    service.stop();

    let spans = spans(&collector);
    let called = |name: &str| {
        let mut found =
            spans.iter().filter(|span| span.name == name && hex(&span.trace_id) == TRACE);
        found.next().unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
    };
    let request = called("POST /backend/api/v1/leads/");
    let case = called("leads.create");
    let query = called("INSERT leads");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(case.parent_span_id, request.span_id);
    assert_eq!(query.parent_span_id, case.span_id);
    for (span, name, value) in [
        (request, "http.request.method", "POST"),
        (request, "http.route", LEADS),
        (request, "http.response.status_code", "201"),
        (query, "db.system.name", "postgresql"),
        (query, "db.operation.name", "INSERT"),
        (query, "db.query.text", "INSERT INTO"),
    ] {
        assert!(attribute(span, name).contains(value), "{name} of {span:#?}");
    }
    let all = String::from_utf8_lossy(&collector.bodies().concat()).into_owned();
    assert!(!all.contains("ana@acme.hr") && !all.contains(KEY), "{all}");
}

#[tokio::test]
async fn a_request_of_an_untraced_caller_is_not_traced() {
    let collector = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", collector.address());
    let service = start(directory.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    for traceparent in [format!("00-{TRACE}-{PARENT}-00"), "00-rubbish-01".to_owned()] {
        let headers = [("traceparent", traceparent.as_str())];
        assert_eq!(service.get_with(LIVE, &headers).await.status(), 200);
    }
    service.stop();
    let spans = spans(&collector);
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_ne!(hex(&spans[0].trace_id), TRACE);
}

/// Sends `requests` requests, and returns how many of them were traced.
async fn traced(sampler: Option<&str>, requests: usize) -> usize {
    let collector = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", collector.address());
    let mut env = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    env.extend(sampler.map(|sampler| ("OTEL_TRACES_SAMPLER", sampler)));
    let service = start(directory.path(), &env);
    for _ in 0..requests {
        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    }
    service.stop();
    let spans = spans(&collector);
    let called = |name: &str| spans.iter().filter(|span| span.name == name).count();
    let traced = called("GET /backend/api/v1/leads/");
    // Without the request's span there are no spans below it.
    assert_eq!(called("read"), traced);
    traced
}

#[tokio::test]
async fn ten_requests_a_second_are_traced_unless_the_sampler_is_set() {
    let begun = Instant::now();
    let chosen = traced(None, 100).await;
    // Ten at once, and another one every tenth of a second.
    let most = 10 + begun.elapsed().as_millis() / 100;
    assert!(chosen >= 10 && chosen as u128 <= most, "{chosen} of 100, {most} at most");
    assert_eq!(traced(Some("always_on"), 30).await, 30);
    assert_eq!(traced(Some("always_off"), 30).await, 0);
}

#[tokio::test]
async fn a_sampler_that_ignores_the_caller_overrides_it() {
    for (sampler, expected) in [("always_on", 1), ("parentbased_always_on", 0)] {
        let collector = Collector::start();
        let directory = tempfile::tempdir().unwrap();
        let endpoint = format!("http://{}", collector.address());
        let env =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_TRACES_SAMPLER", sampler)];
        let service = start(directory.path(), &env);
        let parent = format!("00-{TRACE}-{PARENT}-00");
        assert_eq!(service.get_with(LIVE, &[("traceparent", &parent)]).await.status(), 200);
        service.stop();
        assert_eq!(spans(&collector).len(), expected, "{sampler}");
    }
}

/// The paths that receive data with these settings in `.env`, where COLLECTOR is replaced by the
/// collector's address.
async fn paths(dotenv: &str) -> Vec<&'static str> {
    let collector = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let address = format!("http://{}", collector.address());
    let dotenv = dotenv.replace("COLLECTOR", &address);
    std::fs::write(directory.path().join(".env"), dotenv).unwrap();
    let service = start(directory.path(), &[]);
    assert_eq!(service.get(LIVE, "").await.status(), 200);
    service.stop();
    let taken = ["/v1/traces", "/own/traces", "/v1/metrics"].into_iter();
    taken.filter(|path| !collector.bodies_at(path).is_empty()).collect()
}

#[tokio::test]
async fn opentelemetry_variables_work_in_the_env_file_too() {
    let everything = "OTEL_EXPORTER_OTLP_ENDPOINT=COLLECTOR\n";
    assert_eq!(paths(everything).await, ["/v1/traces", "/v1/metrics"]);
    assert_eq!(paths(&format!("{everything}OTEL_SDK_DISABLED=true")).await, [""; 0]);
    let none = paths(&format!("{everything}OTEL_TRACES_EXPORTER=none")).await;
    assert_eq!(none, ["/v1/metrics"]);
    let alone = paths("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=COLLECTOR/own/traces").await;
    assert_eq!(alone, ["/own/traces"]);
}

#[tokio::test]
async fn an_unavailable_collector_fails_no_request_and_delays_no_shutdown() {
    // One address refuses connections; the other accepts them and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [gone, hanging.local_addr().unwrap()] {
        let directory = tempfile::tempdir().unwrap();
        let endpoint = format!("http://{address}");
        let dsn = format!("http://public@{address}/7");
        let env = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50"),
            ("SENTRY_DSN", &dsn),
        ];
        let service = start(directory.path(), &env);
        // More spans than fit into the queue.
        for _ in 0..200 {
            assert_eq!(service.get(LIVE, "").await.status(), 200);
        }
        let began = Instant::now();
        service.stop();
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}
