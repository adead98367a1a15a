use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::service::{Service, exit3};
use crate::{KEY, LEAD, LEADS, LIVE, start, wait_for};

const JSON: (&str, &str) = ("LOG_FORMAT", "json");

/// The lines about requests, once there are `count` of them.
fn requests(service: &Service, count: usize) -> Vec<Value> {
    wait_for(|| {
        let of_requests = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("every line is JSON");
            (line["target"] == "exit3_http::requests").then_some(line)
        };
        let lines: Vec<Value> = service.output().lines().filter_map(of_requests).collect();
        (lines.len() >= count).then_some(lines)
    })
}

#[tokio::test]
async fn every_request_is_logged_as_one_line_of_json() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[JSON, ("LOG_CLIENT_IP", "full")]);
    let key = format!("Basic {KEY}");
    let headers = [("Authorization", key.as_str()), ("X-Request-Id", "mine")];
    let created = service.post_with(LEADS, &headers, LEAD).await;
    assert_eq!(created.headers()["x-request-id"], "mine");
    let bytes = created.bytes().await.unwrap().len();
    let found = service.get_with(&format!("{LEADS}1/?search=ana"), &headers).await;
    assert_eq!(found.status(), 200);
    let made = service.get("/backend/nowhere/", "").await;
    let made = made.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!((made.len(), &made[14..15]), (36, "7"), "{made}");

    let lines = requests(&service, 3);
    let line = &lines[0];
    for (field, value) in [
        ("level", Value::from("INFO")),
        ("message", "request".into()),
        ("request_id", "mine".into()),
        ("method", "POST".into()),
        ("route", LEADS.into()),
        ("status", 201.into()),
        ("client", "127.0.0.1".into()),
        ("key", "BASIC_API_KEY".into()),
        ("bytes", bytes.into()),
    ] {
        assert_eq!(line[field], value, "{field}: {line}");
    }
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
    assert_eq!(lines[1]["route"], "/backend/api/v1/leads/{id}/");
    assert_eq!(lines[2]["route"], "unmatched");
    assert_eq!(lines[2]["request_id"], made);
    assert_eq!(lines[2].get("key"), None);
    service.stop();
}

#[tokio::test]
async fn the_network_of_a_clients_address_is_logged_by_default() {
    for (setting, client) in [("truncated", Some("127.0.0.0")), ("off", None)] {
        let directory = tempfile::tempdir().unwrap();
        let service = start(directory.path(), &[JSON, ("LOG_CLIENT_IP", setting)]);
        service.get(LIVE, "").await;
        let lines = requests(&service, 1);
        assert_eq!(lines[0].get("client").and_then(Value::as_str), client);
        service.stop();
    }
}

#[tokio::test]
async fn an_error_is_logged_once_with_its_cause_and_the_id_of_its_request() {
    let directory = tempfile::tempdir().unwrap();
    let url = ("DATABASE_URL", "postgres://ana:hunter2@127.0.0.1:1/leads");
    let service = start(directory.path(), &[JSON, url, ("AUTO_MIGRATE", "false")]);
    let key = format!("Basic {KEY}");
    let headers = [("Authorization", key.as_str()), ("X-Request-Id", "lost")];
    assert_eq!(service.get_with(LEADS, &headers).await.status(), 503);
    assert_eq!(requests(&service, 1)[0]["status"], 503);
    let output = service.output();
    let lines: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["message"] == "the database is not available")
        .collect();
    assert_eq!(lines.len(), 1, "{output}");
    assert_eq!(lines[0]["request_id"], "lost");
    assert!(lines[0]["cause"].as_str().unwrap().contains("Connection refused"), "{output}");
    service.stop();
}

#[tokio::test]
async fn invalid_requests_are_logged_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[JSON]);
    let answer = service.raw(b"rubbish\r\n\r\n").text;
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    let line = requests(&service, 1).remove(0);
    assert_eq!(line["message"], "no request");
    assert_eq!((&line["request_id"], &line["status"]), (&id.into(), &400.into()));
    service.stop();
}

#[tokio::test]
async fn a_client_that_disconnects_early_is_logged_too() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[JSON]);
    let head = format!(
        "POST {LEADS} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let mut stream = std::net::TcpStream::connect(service.address()).unwrap();
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    drop(stream);
    let line = requests(&service, 1).remove(0);
    assert!([400, 499].contains(&line["status"].as_u64().unwrap()), "{line}");
    service.stop();
}

#[tokio::test]
async fn in_production_standard_output_is_json_without_keys() {
    let directory = tempfile::tempdir().unwrap();
    let production = [("PRODUCTION", "true"), ("ALLOWED_HOSTS", "127.0.0.1"), ("LOG_DIR", "logs")];
    let service = Service::start(directory.path(), &production);
    let errors = wait_for(|| Some(service.errors()).filter(|said| said.contains("Try: ")));
    let key = errors.lines().find(|line| line.starts_with("API key")).unwrap();
    let key = key.rsplit(": ").next().unwrap().to_owned();
    assert_eq!(service.get(LEADS, &key).await.status(), 200);
    requests(&service, 1);
    service.terminate();
    let output = service.output();
    assert!(service.wait().success());
    assert!(output.contains("Listening on http://127.0.0.1:"), "{output}");
    for (path, mode) in [("logs", 0o700), ("logs/exit3.log", 0o600)] {
        let metadata = std::fs::metadata(directory.path().join(path)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{path}");
    }
    let file = std::fs::read_to_string(directory.path().join("logs/exit3.log")).unwrap();
    assert!(file.contains("exit3_http::requests") && file.starts_with(&output), "{file}");
    assert!(!file.contains(&key) && !output.contains(&key));
}

#[test]
fn a_command_prints_to_standard_output_and_logs_to_standard_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = exit3(directory.path());
    command.env("LOG_FORMAT", "json").env("LOG_LEVEL", "TRACE").arg("migrate");
    let output = command.output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("\"level\""), "{said}");
}
