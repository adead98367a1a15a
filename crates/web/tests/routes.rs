//! Routes with different policies on one real server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, HttpServer};
use exit3_domain::validation::{Invalid, Violation};
use exit3_web::body::{self, Incoming};
use exit3_web::{
    ApiError, CorsSettings, Edge, Endpoint, ErrorShape, Observer, RoutePolicy, Site, elsewhere,
    open,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LONG: Duration = Duration::from_secs(600);

/// A small body, a short time limit, a page, and errors as pages.
const SMALL: RoutePolicy = RoutePolicy {
    body_bytes: 16,
    body_time: Duration::from_millis(200),
    content_types: &["application/json"],
    page_security: "default-src 'self'",
    errors: ErrorShape::Html,
    is_streamed: false,
};

/// A large body, a long time limit, files only, and errors as problem details.
const LARGE: RoutePolicy = RoutePolicy {
    body_bytes: 4 * 1024 * 1024,
    body_time: LONG,
    content_types: &["application/pdf"],
    page_security: "default-src 'none'",
    errors: ErrorShape::Problem,
    is_streamed: false,
};

async fn fields(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let fields = body::read(&request, payload).await?;
    Ok(HttpResponse::Ok().body(fields.len().to_string()))
}

async fn bytes(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let mut incoming = Incoming::open(&request, payload)?;
    let mut bytes = 0;
    while let Some(piece) = incoming.next().await? {
        bytes += piece.len();
    }
    Ok(HttpResponse::Ok().body(bytes.to_string()))
}

async fn page() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body("<p>a page</p>")
}

async fn wrong() -> Result<HttpResponse, ApiError> {
    let mut invalid = Invalid::whole(Violation::new("a", "<script>alert('1')</script>"));
    invalid.push("a&b", Violation::new("a", "\"x\""));
    Err(invalid.into())
}

struct Server {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    fn start() -> Self {
        let edge = Edge::new(Site::default(), CorsSettings::default(), Observer::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = HttpServer::new(move || {
            edge.application(|config| {
                for (prefix, policy) in
                    [("/small/", SMALL), ("/large/", LARGE), ("/usual/", RoutePolicy::DEFAULT)]
                {
                    for endpoint in [
                        Endpoint::new("fields/").route(Method::POST, fields),
                        Endpoint::new("bytes/").route(Method::POST, bytes),
                        Endpoint::new("page/").route(Method::GET, page),
                        Endpoint::new("wrong/").route(Method::GET, wrong),
                    ] {
                        config.service(endpoint.policy(policy).resource(prefix, open));
                    }
                    config.service(elsewhere(prefix, policy));
                }
            })
        });
        let server = server.workers(1).listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, handle }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The response to a request that is sent at once.
    async fn ask(&self, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(head(method, path, content_type, body.len()).as_bytes()).await.unwrap();
        // A server that refuses the request may close the connection before it has read all of it.
        let _ = stream.write_all(body.as_bytes()).await;
        answer(stream).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn head(method: &str, path: &str, content_type: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
}

async fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // The connection may be reset after an error response.
    while let Ok(1..) = stream.read_buf(&mut bytes).await {}
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

#[actix_web::test]
async fn each_route_has_its_own_largest_body() {
    let server = Server::start();
    let (small, large) = ("[".repeat(17), "x".repeat(2 * 1024 * 1024));
    for (path, content_type, body, status) in [
        ("/small/fields/", "application/json", "{\"a\": 1, \"b\": 2}", 200),
        ("/small/fields/", "application/json", &small, 413),
        ("/small/bytes/", "application/json", &small, 413),
        ("/usual/fields/", "application/json", &format!("{{\"a\": \"{small}\"}}"), 200),
        ("/usual/fields/", "application/json", &large, 413),
        ("/large/bytes/", "application/pdf", &large, 200),
        ("/large/bytes/", "application/pdf", &large.repeat(3), 413),
    ] {
        let answer = server.ask("POST", path, content_type, body).await;
        assert_eq!(answer.status, status, "{path} {} {}", body.len(), answer.body);
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_body_in_chunks_is_not_larger_than_the_route_takes() {
    let server = Server::start();
    for (path, content_type, status) in
        [("/small/bytes/", "application/json", 413), ("/large/bytes/", "application/pdf", 200)]
    {
        let mut stream = server.connect().await;
        let chunked = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n\
             a\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"
        );
        stream.write_all(chunked.as_bytes()).await.unwrap();
        assert_eq!(answer(stream).await.status, status, "{path}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn each_route_takes_its_own_content_types() {
    let server = Server::start();
    for (path, content_type, status) in [
        ("/small/fields/", "application/json", 200),
        ("/small/fields/", "application/x-www-form-urlencoded", 415),
        ("/small/bytes/", "application/pdf", 415),
        ("/usual/fields/", "application/x-www-form-urlencoded", 200),
        ("/usual/fields/", "application/pdf", 415),
        ("/large/bytes/", "Application/PDF; x=y", 200),
        ("/large/bytes/", "application/json", 415),
        ("/large/bytes/", "", 415),
        ("/large/fields/", "application/json", 415),
    ] {
        let answer = server.ask("POST", path, content_type, "{}").await;
        assert_eq!(answer.status, status, "{path} {content_type}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn each_route_has_its_own_time_limit_for_a_body() {
    let server = Server::start();
    let (mut patient, mut quick) = (server.connect().await, server.connect().await);
    let head_of = |path, content_type| head("POST", path, content_type, 2);
    patient.write_all(head_of("/large/bytes/", "application/pdf").as_bytes()).await.unwrap();
    patient.write_all(b"{").await.unwrap();
    quick.write_all(head_of("/small/fields/", "application/json").as_bytes()).await.unwrap();
    quick.write_all(b"{").await.unwrap();
    // The quick route gives up first, although its request was sent later.
    assert_eq!(answer(quick).await.status, 408);
    patient.write_all(b"}").await.unwrap();
    let answer = answer(patient).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "2"));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn pages_have_the_policy_of_their_route_and_other_answers_the_strictest() {
    let server = Server::start();
    let name = "content-security-policy";
    let strictest = RoutePolicy::DEFAULT.page_security;
    for (path, status, security) in [
        ("/small/page/", 200, SMALL.page_security),
        ("/large/page/", 200, LARGE.page_security),
        ("/usual/page/", 200, strictest),
        ("/small/wrong/", 400, SMALL.page_security),
        ("/small/nowhere/", 404, SMALL.page_security),
        ("/large/wrong/", 400, strictest),
        ("/nowhere/", 404, strictest),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header(name)), (status, Some(security)), "{path}");
        assert_eq!(answer.head.to_lowercase().matches(name).count(), 1, "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn each_route_renders_errors_in_its_own_shape() {
    let server = Server::start();
    let json = "{\"a&b\":[\"\\\"x\\\"\"],\"non_field_errors\":[\"<script>alert('1')</script>\"]}";
    for (path, content_type, body) in [
        ("/usual/wrong/", "application/json", json.to_owned()),
        ("/usual/nowhere/", "application/json", "{\"detail\":\"Not found.\"}".to_owned()),
        ("/nowhere/", "application/json", "{\"detail\":\"Not found.\"}".to_owned()),
        (
            "/large/wrong/",
            "application/problem+json",
            format!(
                "{{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\
                 \"errors\":{json}}}"
            ),
        ),
        (
            "/large/nowhere/",
            "application/problem+json",
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\
             \"errors\":{\"detail\":\"Not found.\"},\"detail\":\"Not found.\"}"
                .to_owned(),
        ),
        (
            "/small/wrong/",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>400 Bad Request</title>\n</head>\n<body>\n<h1>Bad Request</h1>\n\
             <p>a&amp;b: &quot;x&quot;</p>\n\
             <p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>\n</body>\n</html>\n"
                .to_owned(),
        ),
        (
            "/small/nowhere/",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>404 Not Found</title>\n</head>\n<body>\n<h1>Not Found</h1>\n\
             <p>Not found.</p>\n</body>\n</html>\n"
                .to_owned(),
        ),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.body, body, "{path}");
    }
    let answer = server.ask("DELETE", "/small/page/", "", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("HEAD, GET, OPTIONS")));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    server.handle.stop(false).await;
}
