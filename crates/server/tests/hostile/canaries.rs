//! Personal data and secrets never reach a log; other client data never reaches it unescaped.

use exit3_testkit::collector::Collector;
use exit3_testkit::postgres::TestPostgres;
use serde_json::json;

use crate::service::Service;
use crate::{LEADS, head};

const NEWSLETTER: &str = "/backend/api/v1/newsletter/";

/// Texts sent by a client or set by an operator, each in a different place.
const CANARIES: [&str; 12] = [
    "canary-name",
    "canary-mail",
    "385990001112",
    "canary-notes",
    "canary-search",
    "canary-header",
    "canary-agent",
    "canary-path",
    "canary-basic-key",
    "canary-secret-key",
    "canary-password",
    "canary-wrong-key",
];

async fn use_it(service: &Service, named: &str) {
    let lead = json!({
        "full_name": "canary-name", "position": "CTO", "email": "canary-mail@acme.hr",
        "phone_number": "+385990001112", "notes": "canary-notes\n\u{1b}[31mINFO forged"
    });
    let subscriber = json!({"email": "canary-mail@acme.hr"}).to_string();
    for key in ["canary-basic-key", named, "canary-wrong-key"] {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("User-Agent", "canary-agent"),
            ("X-Canary", "canary-header"),
            ("X-Forwarded-For", "canary-header"),
        ];
        service.post_with(LEADS, &headers, &lead.to_string()).await;
        service.post_with(LEADS, &headers, "{\"full_name\": \"canary-name\", \"email\": 1").await;
        service.post_with(LEADS, &headers, &lead.to_string().replace("canary-name", "<x>")).await;
        service.post_with(NEWSLETTER, &headers, &subscriber).await;
        service.post_with(NEWSLETTER, &headers, &subscriber).await;
        for path in [
            "/backend/api/v1/leads/?search=canary-search",
            "/backend/api/v1/leads/?cursor=canary-search",
            "/backend/api/v1/leads/1/",
            "/backend/canary-path%0aINFO%20forged",
        ] {
            service.get_with(path, &headers).await;
        }
    }
    for odd in crate::odd::requests() {
        service.raw(&odd.bytes);
    }
    service.raw(head("GET", "/canary-path", "X: canary-header\0\r\n").as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_data_reaches_a_text_log() {
    assert_no_output_has_client_data("pretty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_data_reaches_a_json_log() {
    assert_no_output_has_client_data("json").await;
}

/// Checks all outputs at the most detailed level.
async fn assert_no_output_has_client_data(format: &str) {
    let collector = Collector::start();
    let endpoint = format!("http://{}", collector.address());
    let dsn = format!("http://public@{}/7", collector.address());
    let postgres = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("{}&password=canary-password", postgres.url("postgres"));
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("BASIC_API_KEY", "canary-basic-key"),
        ("SECRET_KEY", "canary-secret-key"),
        ("LOG_LEVEL", "TRACE"),
        ("REDIS_URL", "redis://:canary-password@127.0.0.1:1/0"),
        ("RATE_LIMIT_USER", "100000/second"),
        ("LOG_FORMAT", format),
        ("LOG_DIR", "logs"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("SENTRY_DSN", &dsn),
        ("SENTRY_TRACES_SAMPLE_RATE", "1"),
    ];
    let mut make = crate::service::exit3(directory.path());
    make.args("api-key create --name canary --scope leads:create".split(' ')).envs(env);
    let made = make.output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    let token = said.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned();
    assert!(token.starts_with("exit3_sk_"), "{said}");

    let service = Service::start(directory.path(), &env);
    use_it(&service, &token).await;
    // The database fails in between.
    drop(postgres);
    use_it(&service, &token).await;
    let metrics = service.metrics().await;
    assert!(service.logs("the database is not available"), "{}", service.output());
    service.terminate();
    let (output, errors) = (service.output(), service.errors());
    assert!(service.wait().success());

    let file = std::fs::read_to_string(directory.path().join("logs/exit3.log")).unwrap();
    let sent: Vec<String> =
        collector.bodies().iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    let sent = sent.join("\n");
    for (told, word) in [
        (&output, "exit3_http::requests"),
        (&file, "exit3_http::requests"),
        (&metrics, "exit3_leads_total"),
        (&sent, "leads.create"),
        (&sent, "\"transaction\""),
    ] {
        assert!(told.contains(word), "{word} is told: {told}");
    }
    let logs = output + &errors + &file + &String::from_utf8(made.stderr).unwrap();
    assert!(!logs.contains("forged") && !logs.contains('\u{1b}'), "{logs}");
    let all = logs + &metrics + &sent;
    for canary in CANARIES.iter().chain([&token.as_str(), &&token[21..53]]) {
        let line = all.lines().find(|line| line.contains(*canary));
        assert_eq!(line, None, "{canary} was logged");
    }
}
