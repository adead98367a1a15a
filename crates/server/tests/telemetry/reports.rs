use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use exit3_testkit::collector::Collector;
use exit3_testkit::postgres::TestPostgres;
use serde_json::Value;

use crate::{KEY, LEADS, start, wait_for};

/// The events in all envelopes.
fn events(sentry: &Collector) -> Vec<Value> {
    let bodies = sentry.bodies();
    let lines = bodies.iter().flat_map(|body| body.split(|byte| *byte == b'\n'));
    let json = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    json.filter(|json| json.get("logger").is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_reported_without_data_of_its_request() {
    let sentry = Collector::start();
    let directory = tempfile::tempdir().unwrap();
    let dsn = format!("http://public@{}/7", sentry.address());
    let postgres = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = postgres.url("postgres");
    let env = [
        ("SENTRY_DSN", dsn.as_str()),
        ("SENTRY_ENVIRONMENT", "stage"),
        ("SENTRY_RELEASE", "exit3@7"),
        ("DATABASE_URL", url.as_str()),
    ];
    let service = start(directory.path(), &env);
    // An unexpected error of the database is a bug.
    let client = exit3_testkit::postgres::client(&url).await;
    client.batch_execute("ALTER TABLE leads ADD COLUMN more text NOT NULL").await.unwrap();
    let key = format!("Basic {KEY}");
    let headers = [
        ("Authorization", key.as_str()),
        ("X-Request-Id", "the-one"),
        ("Cookie", "canary-cookie"),
        ("User-Agent", "canary-agent"),
    ];
    let lead = r#"{"full_name": "canary-name", "position": "CTO", "email": "canary@acme.hr"}"#;
    assert_eq!(service.post_with(LEADS, &headers, lead).await.status(), 500);
    // A bad request is not an error of the service.
    assert_eq!(service.post_with(LEADS, &headers, "{").await.status(), 400);
    let event = wait_for(|| events(&sentry).pop());
    service.stop();
    assert_eq!(events(&sentry).len(), 1);
    assert_eq!(event["environment"], "stage");
    assert_eq!(event["release"], "exit3@7");
    let text = event.to_string();
    assert!(text.contains("the database refused") && text.contains("the-one"), "{text}");
    assert_eq!((event.get("request"), event.get("user")), (None, None));
    let all: Vec<u8> = sentry.bodies().concat();
    let all = String::from_utf8_lossy(&all);
    assert!(!all.contains("canary") && !all.contains(KEY), "{all}");
}

#[tokio::test]
async fn traces_are_sent_to_sentry_only_if_configured() {
    for (rate, sent) in [("0", false), ("1", true)] {
        let sentry = Collector::start();
        let directory = tempfile::tempdir().unwrap();
        let dsn = format!("http://public@{}/7", sentry.address());
        let env = [("SENTRY_DSN", dsn.as_str()), ("SENTRY_TRACES_SAMPLE_RATE", rate)];
        let service = start(directory.path(), &env);
        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
        service.stop();
        let all = sentry.bodies().concat();
        let all = String::from_utf8_lossy(&all);
        assert_eq!(all.contains("\"transaction\""), sent, "{all}");
        assert!(!all.contains(KEY), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unresponsive_sentry_does_not_delay_shutdown() {
    let sentry = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://public@{}/7", sentry.local_addr().unwrap());
    let (taken, holds) = mpsc::channel();
    std::thread::spawn(move || sentry.incoming().try_for_each(|stream| taken.send(stream)));
    let directory = tempfile::tempdir().unwrap();
    let env = [("SENTRY_DSN", dsn.as_str()), ("SENTRY_TRACES_SAMPLE_RATE", "1")];
    let service = start(directory.path(), &env);
    for _ in 0..3 {
        assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    }
    let held = holds.recv_timeout(Duration::from_secs(20)).expect("a report is sent");
    service.terminate();
    let status = service.wait_for(Duration::from_secs(30)).expect("the service has stopped");
    assert!(status.success());
    drop((held, holds));
}
