//! A real nginx in front: it and the service agree where a request ends.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::service::{Service, raw};
use crate::{LEADS, head, odd, start};

/// An nginx that passes everything on, over connections that are kept.
struct Nginx {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Nginx {
    fn before(service: &Service) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let configuration = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
             events {{ worker_connections 256; }}
             http {{
                 access_log off; client_body_temp_path body; proxy_temp_path proxy;
                 fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
                 upstream exit3 {{ server {}; keepalive 4; }}
                 server {{
                     listen {address}; server_name 127.0.0.1;
                     location / {{
                         proxy_pass http://exit3; proxy_http_version 1.1;
                         proxy_set_header Connection \"\"; proxy_set_header Host $host;
                         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                     }}
                 }}
             }}",
            service.address()
        );
        std::fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
        let child = Command::new("nginx")
            .arg("-p")
            .arg(directory.path())
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx (apt-get install nginx)");
        let began = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "nginx does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, address, _directory: directory }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, when it is asked.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// What nginx mends before it passes it on, so that the service sees nothing odd: it
/// reads a bare LF as the end of a line, leaves a header out that is none, writes the
/// length and the address anew.
const MENDED: [&str; 7] = [
    "bare line feeds",
    "a bare line feed",
    "a folded header",
    "a space before the colon",
    "an absolute address of another host",
    "a NUL in a header",
    "two hundred headers",
];

#[test]
fn nginx_and_the_service_agree_on_everything_odd() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "127.0.0.1")]);
    let nginx = Nginx::before(&service);
    let list = head("GET", LEADS, "");
    assert_eq!(raw(&nginx.address, list.as_bytes()).statuses(), [200]);
    // What has no version is answered without a status.
    for odd in odd::requests().iter().filter(|odd| odd.name != "no version") {
        let statuses = raw(&nginx.address, &odd.bytes).statuses();
        // One answer to one request: neither sees two where the other sees one.
        assert_eq!(statuses.len(), 1, "{}: {statuses:?}", odd.name);
        // 501 and 505 are what nginx says to codings and versions that it does not know.
        let refused = (400..500).contains(&statuses[0]) || [501, 505].contains(&statuses[0]);
        let mended = MENDED.contains(&odd.name) && statuses[0] == 200;
        assert!(refused || mended, "{}: {statuses:?}", odd.name);
    }
    // The connections between the two are as sound as before.
    for _ in 0..20 {
        let answer = raw(&nginx.address, list.as_bytes());
        assert_eq!(answer.statuses(), [200]);
        assert!(answer.text.contains("\"count\":0"), "{}", answer.text);
    }
}

/// A second request that hides in the first one's body, where one of the two may look
/// for a body and the other may not.
#[test]
fn no_request_hides_in_another() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("ALLOWED_HOSTS", "127.0.0.1")]);
    let nginx = Nginx::before(&service);
    let hidden = head("DELETE", "/backend/api/v1/leads/1/", "");
    let chunked = format!("0\r\n\r\n{hidden}");
    for headers in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding : chunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding:\x0bchunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: xchunked\r\n", chunked.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked, identity\r\n", chunked.len()),
        format!("Content-Length: {}\r\nX: a\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Content-Length: 5\r\nContent-Length: {}\r\n", chunked.len()),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
    ] {
        for address in [nginx.address.as_str(), service.address()] {
            let request =
                head("POST", LEADS, &format!("Content-Type: application/json\r\n{headers}"));
            let answer = raw(address, (request + &chunked).as_bytes());
            assert!(!answer.statuses().contains(&204), "{headers}: {}", answer.text);
            assert!(answer.statuses().len() <= 1, "{headers}: {}", answer.text);
        }
    }
}
