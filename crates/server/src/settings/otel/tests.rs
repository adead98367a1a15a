use super::*;
use crate::variables::Variables;
use clap::Parser;
use secrecy::ExposeSecret;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn read(environment: &[(&str, &str)]) -> (OtelSettings, Vec<String>) {
    let mut arguments = Cli::parse_from(["exit3"]).arguments;
    arguments.variables = Variables::of(environment, "");
    arguments.otlp_endpoint = arguments.variables.get(ENDPOINT).map(str::to_owned);
    OtelSettings::check(&arguments).unwrap()
}

/// The addresses of traces and metrics, and the notes.
fn sent(environment: &[(&str, &str)]) -> (String, String, Vec<String>) {
    let (settings, notes) = read(environment);
    let shown = |export: &Option<Export>| {
        export.as_ref().map_or("nowhere".to_owned(), |export| export.endpoint.to_string())
    };
    (shown(&settings.traces), shown(&settings.metrics), notes)
}

const COLLECTOR: (&str, &str) = (ENDPOINT, "http://collector:4318");

#[test]
fn the_endpoints_and_exporters_say_what_is_sent_where() {
    let (traces, metrics) = ("http://collector:4318/v1/traces", "http://collector:4318/v1/metrics");
    let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t.example/up?key=1");
    for (environment, expected) in [
        (vec![], ("nowhere", "nowhere")),
        (vec![COLLECTOR], (traces, metrics)),
        (vec![(ENDPOINT, "http://collector:4318/")], (traces, metrics)),
        (
            vec![(ENDPOINT, "http://c/otlp")],
            ("http://c/otlp/v1/traces", "http://c/otlp/v1/metrics"),
        ),
        (vec![own], ("https://t.example/up?key=1", "nowhere")),
        (vec![own, COLLECTOR], ("https://t.example/up?key=1", metrics)),
        (vec![("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m/")], ("nowhere", "http://m/")),
        (vec![COLLECTOR, ("OTEL_SDK_DISABLED", "TRUE")], ("nowhere", "nowhere")),
        (vec![COLLECTOR, ("OTEL_SDK_DISABLED", "false")], (traces, metrics)),
        (vec![COLLECTOR, ("OTEL_TRACES_EXPORTER", "none")], ("nowhere", metrics)),
        (vec![COLLECTOR, ("OTEL_TRACES_EXPORTER", "otlp")], (traces, metrics)),
        (vec![COLLECTOR, ("OTEL_METRICS_EXPORTER", "None")], (traces, "nowhere")),
        (vec![COLLECTOR, ("OTEL_METRICS_EXPORTER", "prometheus")], (traces, "nowhere")),
        (vec![COLLECTOR, ("OTEL_METRICS_EXPORTER", "otlp, prometheus")], (traces, metrics)),
        (vec![("OTEL_TRACES_EXPORTER", "otlp")], ("http://localhost:4318/v1/traces", "nowhere")),
        (
            vec![("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none")],
            ("nowhere", "nowhere"),
        ),
    ] {
        let (traces, metrics, notes) = sent(&environment);
        assert_eq!((&*traces, &*metrics), expected, "{environment:?}");
        assert_eq!(notes, Vec::<String>::new(), "{environment:?}");
    }
}

#[test]
fn each_variable_that_is_not_followed_has_one_note() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/etc/key.pem"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,nonsense"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
        ),
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "otlp,console"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_LOG_LEVEL", "debug"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=1,nonsense"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always_on"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://zipkin"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
        ("OTEL_CONFIG_FILE", "/etc/otel.yaml"),
        ("OTEL_SERVICE_NAMES", "leads"),
    ] {
        let (_, notes) = read(&[COLLECTOR, (name, value)]);
        assert_eq!(notes.len(), 1, "{name}={value}: {notes:?}");
        assert!(notes[0].starts_with(&format!("{name} is not followed: ")), "{}", notes[0]);
    }
    let (_, notes) = read(&[("OTEL_SERVICE_NAME", "leads")]);
    assert_eq!(
        notes,
        ["OTEL_SERVICE_NAME is not followed: nothing is sent without OTEL_EXPORTER_OTLP_ENDPOINT"]
    );
}

#[test]
fn followed_variables_have_no_note() {
    let (settings, notes) = read(&[
        COLLECTOR,
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "NONE"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "5000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "2000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "9"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "0"),
        ("OTEL_PROPAGATORS", "tracecontext,baggage"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a, service.version=1%2C2,team="),
        ("OTEL_SERVICE_NAME", "leads"),
        ("OTEL_TRACES_SAMPLER", ""),
    ]);
    assert_eq!(notes, Vec::<String>::new());
    let timeout = |export: &Option<Export>| export.as_ref().unwrap().timeout.as_millis();
    assert_eq!((timeout(&settings.traces), timeout(&settings.metrics)), (5000, 2000));
    assert_eq!(settings.every, Some(Duration::from_secs(1)));
    let queue = settings.queue;
    assert_eq!((queue.size, queue.batch), (Some(100), Some(50)));
    assert_eq!((queue.delay, settings.most_attributes), (Some(Duration::from_millis(10)), Some(9)));
    let attributes: Vec<String> =
        settings.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let expected = ["service.name=a", "service.version=1,2", "team=", "service.name=leads"];
    assert_eq!(attributes, expected);
}

#[test]
fn a_sampler_chooses_with_or_without_the_caller() {
    for (sampler, argument, expected, by_caller) in [
        ("always_on", "", "Some(AlwaysOn)", false),
        ("ALWAYS_OFF", "", "Some(AlwaysOff)", false),
        ("traceidratio", "0.25", "Some(TraceIdRatioBased(0.25))", false),
        ("traceidratio", "", "Some(TraceIdRatioBased(1.0))", false),
        ("parentbased_always_on", "", "Some(ParentBased(AlwaysOn))", true),
        ("parentbased_traceidratio", "0", "Some(ParentBased(TraceIdRatioBased(0.0)))", true),
        ("", "", "None", true),
    ] {
        let name = "OTEL_TRACES_SAMPLER";
        let environment = [COLLECTOR, (name, sampler), ("OTEL_TRACES_SAMPLER_ARG", argument)];
        let (settings, notes) = read(&environment);
        assert_eq!(format!("{:?}", settings.sampling.sampler), expected);
        assert_eq!(settings.sampling.by_caller, by_caller, "{sampler}");
        assert_eq!(notes, Vec::<String>::new(), "{sampler}");
    }
    for (argument, reason) in [("2", "from 0 to 1"), ("half", "not a valid number")] {
        let ratio = ("OTEL_TRACES_SAMPLER", "traceidratio");
        let (settings, notes) = read(&[COLLECTOR, ratio, ("OTEL_TRACES_SAMPLER_ARG", argument)]);
        assert!(notes.len() == 1 && notes[0].contains(reason), "{notes:?}");
        assert!(format!("{:?}", settings.sampling.sampler).contains("1.0"));
    }
}

#[test]
fn a_caller_is_followed_unless_the_propagators_leave_it_out() {
    for (propagators, follows) in
        [("", true), ("tracecontext", true), ("baggage", false), ("none", false), ("b3", true)]
    {
        let (settings, _) = read(&[COLLECTOR, ("OTEL_PROPAGATORS", propagators)]);
        assert_eq!(settings.sampling.follows_caller, follows, "{propagators}");
    }
}

#[test]
fn headers_come_from_their_variables() {
    let headers = |environment: &[(&str, &str)]| {
        let (settings, _) = read(environment);
        let shown = |export: Export| -> Vec<String> {
            let shown = export.headers.iter();
            shown.map(|(name, value)| format!("{name}: {}", value.expose_secret())).collect()
        };
        (shown(settings.traces.unwrap()), shown(settings.metrics.unwrap()))
    };
    let general = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, Authorization = Basic%20eDp5=,,");
    let expected = ["api-key: a%20b", "Authorization: Basic%20eDp5="];
    let (traces, metrics) = headers(&[COLLECTOR, general]);
    assert_eq!(
        (traces, metrics),
        (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec())
    );
    let (traces, metrics) = headers(&[
        (ENDPOINT, "http://ana:p%2Fw@collector"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "own=1,b\u{e4}d=1,new=a%0Ab"),
    ]);
    assert_eq!(traces, ["authorization: Basic YW5hOnAvdw=="]);
    assert_eq!(metrics, ["own: 1", "authorization: Basic YW5hOnAvdw=="]);
    assert!(!format!("{:?}", read(&[COLLECTOR, general]).0).contains("eDp5"));
}

#[test]
fn an_invalid_address_is_refused_without_printing_it() {
    for name in ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] {
        for value in ["collector:4318", "http://", "http://ana:hunter2/x@c:4318", "unix:/c.sock"] {
            let mut arguments = Cli::parse_from(["exit3"]).arguments;
            arguments.variables = Variables::of(&[(name, value)], "");
            let problem = OtelSettings::check(&arguments).unwrap_err().to_string();
            assert!(problem.starts_with(name) && !problem.contains("hunter2"), "{problem}");
        }
    }
}
