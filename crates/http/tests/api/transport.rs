//! Hosts, CORS and HTTPS, which are checked before anything else.

use exit3_web::{Hsts, TrustedProxies};

use crate::*;

fn site(change: impl FnOnce(&mut Site)) -> Service {
    let mut site = Site {
        allowed_hosts: AllowedHosts::new(["api.test".to_owned()]),
        trusted_proxies: TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]),
        ..Site::default()
    };
    change(&mut site);
    let mut service = Service { site, ..Service::default() };
    service.repositories.health.expect_ping().returning(|| Ok(()));
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    let page = || Page { count: 60, number: 1, rows: vec![lead(1)] };
    service.repositories.leads.expect_list().returning(move |_, _, _| Ok(Some(page())));
    service
}

fn from(peer: &str, request: TestRequest) -> TestRequest {
    request.peer_addr(format!("{peer}:4711").parse().unwrap())
}

fn to(host: &str) -> TestRequest {
    get("/backend/api/v1/leads/1/").insert_header(("Host", host))
}

#[actix_web::test]
async fn only_allowed_hosts_are_answered() {
    assert_eq!(site(|_| ()).answer(to("api.test:8000")).await.status, StatusCode::OK);
    for request in [
        to("evil.test"),
        to("evil.test").insert_header(("X-Forwarded-Host", "api.test")),
        to("api.test").append_header(("Host", "evil.test")),
        // Preflights are refused too, because hosts are checked first.
        to("evil.test")
            .method("OPTIONS".parse().unwrap())
            .insert_header(("Origin", "https://exit3.agency"))
            .insert_header(("Access-Control-Request-Method", "GET")),
        get("http://evil.test/backend/api/v1/leads/1/"),
    ] {
        let answer = site(|_| ()).answer(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json(), json!({"detail": "Invalid host."}));
    }
}

#[actix_web::test]
async fn health_is_reachable_by_address() {
    let ask = |path: &str, host: &str| {
        site(|_| ()).answer(TestRequest::get().uri(path).insert_header(("Host", host)))
    };
    for path in ["/backend/health/", "/backend/health", "/backend/health/live"] {
        for host in ["10.0.0.1", "10.0.0.1:8000", "[::1]:8000", "localhost", "api.test"] {
            assert_eq!(ask(path, host).await.status, StatusCode::OK, "{path} {host}");
        }
        assert_eq!(ask(path, "evil.test").await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let other = ask("/backend/healthy/", "10.0.0.1").await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn health_is_reachable_without_a_host() {
    let with = |request: TestRequest, host: Option<&str>| match host {
        Some(host) => request.insert_header(("Host", host)),
        None => request,
    };
    for host in [None, Some("")] {
        for path in ["/backend/health/", "/backend/health", "/backend/health/live/"] {
            for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 204)] {
                let request = TestRequest::with_uri(path).method(method.parse().unwrap());
                let request = request.version(actix_web::http::Version::HTTP_10);
                let answer =
                    site(|site| site.ssl_redirect = true).answer(with(request, host)).await;
                assert_eq!(answer.status.as_u16(), status, "{method} {path} {host:?}");
            }
        }
        for path in ["/", LEADS, "/backend/healthy/"] {
            let answer = site(|_| ()).answer(with(get(path), host.or(Some("")))).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
            let answer = site(|_| ()).answer(with(TestRequest::get().uri(path), host)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        }
    }
    // An absolute URL in the request line, as sent to a proxy.
    for (line, host, status) in [
        ("http://10.0.0.1:8000/backend/health/", None, 200),
        ("http://10.0.0.1:8000/backend/health/", Some("10.0.0.1:8000"), 200),
        ("http://10.0.0.1/backend/health/", Some(""), 400),
        ("http://10.0.0.1/backend/health/", Some("10.0.0.2"), 400),
        ("http://evil.test/backend/health/", None, 400),
    ] {
        let answer = site(|_| ()).answer(with(TestRequest::get().uri(line), host)).await;
        assert_eq!(answer.status.as_u16(), status, "{line} {host:?}");
    }
    // A host that is not text, or two hosts, is never treated as a missing host.
    let odd = TestRequest::get().uri("/backend/health/");
    let bytes = actix_web::http::header::HeaderValue::from_bytes(b"\xff").unwrap();
    let answer = site(|_| ()).answer(odd.insert_header(("Host", bytes))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let two = TestRequest::get().uri("/backend/health/").append_header(("Host", ""));
    let answer = site(|_| ()).answer(two.append_header(("Host", ""))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_trusted_proxy_alone_names_the_host() {
    let through = |peer| from(peer, to("inner").insert_header(("X-Forwarded-Host", "api.test")));
    let using = || site(|site| site.use_forwarded_host = true);
    assert_eq!(using().answer(through("10.0.0.1")).await.status, StatusCode::OK);
    assert_eq!(using().answer(through("192.0.2.1")).await.status, StatusCode::BAD_REQUEST);
    let unused = site(|_| ()).answer(through("10.0.0.1")).await;
    assert_eq!(unused.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn links_have_the_scheme_and_host_of_the_request_as_far_as_they_are_believed() {
    let list = |peer| {
        let request = get(LEADS)
            .insert_header(("Host", "api.test"))
            .insert_header(("X-Forwarded-Proto", "https"))
            .insert_header(("X-Forwarded-Host", "www.evil.test"))
            .insert_header(("Forwarded", "host=evil.test;proto=https"));
        from(peer, request)
    };
    let next = |answer: Answer| answer.json()["next"].as_str().unwrap().to_owned();
    let stranger = site(|_| ()).answer(list("192.0.2.1")).await;
    assert_eq!(next(stranger), "http://api.test/backend/api/v1/leads/?page=2");
    let proxy = site(|_| ()).answer(list("10.0.0.1")).await;
    assert_eq!(next(proxy), "https://api.test/backend/api/v1/leads/?page=2");
}

#[actix_web::test]
async fn requests_over_plain_http_are_redirected() {
    let strict = || site(|site| site.ssl_redirect = true);
    let path = "/backend/api/v1/leads?page=2";
    let request = post(path, "application/json", "{}").insert_header(("Host", "api.test"));
    let answer = strict().answer(request).await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.header("location"), Some("https://api.test/backend/api/v1/leads?page=2"));
    assert_eq!(strict().answer(to("evil.test")).await.status, StatusCode::BAD_REQUEST);
    let encrypted = from("10.0.0.1", to("api.test").insert_header(("X-Forwarded-Proto", "https")));
    assert_eq!(strict().answer(encrypted).await.status, StatusCode::OK);
    let claimed = from("192.0.2.1", to("api.test").insert_header(("X-Forwarded-Proto", "https")));
    assert_eq!(strict().answer(claimed).await.status, StatusCode::PERMANENT_REDIRECT);
    for path in ["/backend/health/", "/backend/health"] {
        let health = TestRequest::get().uri(path).insert_header(("Host", "10.0.0.1"));
        assert_eq!(strict().answer(health).await.status, StatusCode::OK);
    }
}

#[actix_web::test]
async fn hsts_is_sent_over_https_only() {
    let hsts = Hsts { seconds: 31_536_000, include_subdomains: true, preload: true };
    let strict = || site(|site| site.hsts = Some(hsts));
    let through =
        |proto| from("10.0.0.1", to("api.test").insert_header(("X-Forwarded-Proto", proto)));
    let answer = strict().answer(through("https")).await;
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains; preload")
    );
    let plain = strict().answer(through("http")).await;
    assert!(plain.header("strict-transport-security").is_none());
}

#[actix_web::test]
async fn only_allowed_origins_get_a_header() {
    let service = |credentials| Service {
        cors: CorsSettings { origins: vec!["https://exit3.agency".into()], credentials },
        ..Service::default()
    };
    let from = |origin: &str| {
        TestRequest::get().uri("/backend/health/live/").insert_header(("Origin", origin))
    };
    for credentials in [false, true] {
        let allowed = service(credentials).answer(from("https://exit3.agency")).await;
        assert_eq!(allowed.header("access-control-allow-origin"), Some("https://exit3.agency"));
        let may = allowed.header("access-control-allow-credentials");
        assert_eq!(may, credentials.then_some("true"));
        for other in [
            "https://exit3.agency.evil.test",
            "https://notexit3.agency",
            "http://exit3.agency",
            "https://exit3.agency:444",
            "null",
            "*",
        ] {
            let answer = service(credentials).answer(from(other)).await;
            assert!(answer.header("access-control-allow-origin").is_none(), "{other}");
            assert!(answer.header("access-control-allow-credentials").is_none(), "{other}");
        }
    }
}

/// A service that allows pages of https://exit3.agency.
fn called_by_a_page() -> Service {
    Service {
        cors: CorsSettings { origins: vec!["https://exit3.agency".into()], credentials: false },
        ..Service::default()
    }
}

fn preflight(origin: &str, method: &str) -> TestRequest {
    TestRequest::with_uri(LEADS)
        .method("OPTIONS".parse().unwrap())
        .insert_header(("Origin", origin))
        .insert_header(("Access-Control-Request-Method", method))
}

#[actix_web::test]
async fn a_preflight_is_answered_without_a_key_for_a_day() {
    let service = called_by_a_page();
    let preflight = preflight("https://exit3.agency", "POST")
        .insert_header(("Access-Control-Request-Headers", "authorization,content-type"));
    let answer = service.answer(preflight).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-max-age"), Some("86400"));
    let methods = answer.header("access-control-allow-methods").unwrap();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert!(methods.contains(method), "{method}");
    }
    let headers = answer.header("access-control-allow-headers").unwrap().to_lowercase();
    assert!(headers.contains("authorization") && headers.contains("x-csrftoken"));
}

#[rstest]
#[case::sentry(&["sentry-trace,baggage"])]
#[case::w3c(&["traceparent, tracestate"])]
#[case::ours(&["x-request-id,idempotency-key,consistency-token"])]
#[case::datadog(&["x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id"])]
#[case::case(&["Content-Type, SENTRY-TRACE"])]
#[case::empty_elements(&[",authorization,, content-type ,"])]
#[case::tabs(&["authorization\t,\tcontent-type"])]
#[case::nothing(&[""])]
#[case::only_commas(&[", ,"])]
#[case::lines(&["authorization", "", "baggage"])]
#[case::missing(&[])]
#[actix_web::test]
async fn a_page_may_send_what_libraries_add_to_its_requests(#[case] lines: &[&str]) {
    let service = called_by_a_page();
    let preflight = preflight("https://exit3.agency", "POST");
    let preflight = lines.iter().fold(preflight, |request, line| {
        request.append_header(("Access-Control-Request-Headers", *line))
    });
    let answer = service.answer(preflight).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://exit3.agency"));
    let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
    let allowed: Vec<&str> = allowed.split(',').map(str::trim).collect();
    let asked = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    for name in asked.filter(|name| !name.is_empty()) {
        assert!(allowed.contains(&name.to_lowercase().as_str()), "{name}: {allowed:?}");
    }
}

#[rstest]
#[case("GET", 200)]
#[case("HEAD", 200)]
#[case("PATCH", 200)]
#[case("OPTIONS", 200)]
#[case("head", 400)]
#[case("patch", 400)]
#[case("TRACE", 400)]
#[case("BREW", 400)]
// Without a method it is not a preflight, so it is refused for its missing key.
#[case("", 403)]
#[actix_web::test]
async fn a_preflight_may_ask_for_the_methods_there_are(#[case] method: &str, #[case] status: u16) {
    let service = called_by_a_page();
    let answer = service.answer(preflight("https://exit3.agency", method)).await;
    assert_eq!(answer.status.as_u16(), status);
    if status == 200 {
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("GET") && !methods.contains("HEAD"), "{methods}");
    }
}

#[actix_web::test]
async fn a_preflight_that_is_refused_says_so_as_any_error() {
    let ask = |origin: &str, headers: &'static str| {
        preflight(origin, "POST").insert_header(("Access-Control-Request-Headers", headers))
    };
    for (origin, headers) in [
        ("https://evil.org", "authorization"),
        ("https://exit3.agency", "x-unknown"),
        ("https://exit3.agency", "authorization,,x unknown"),
    ] {
        let answer = called_by_a_page().answer(ask(origin, headers)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.header("access-control-allow-origin").is_none(), "{origin}");
        assert!(answer.json()["detail"].is_string());
        let problem = ask(origin, headers).insert_header(("Accept", "application/problem+json"));
        let answer = called_by_a_page().answer(problem).await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[actix_web::test]
async fn malformed_hosts_are_refused_even_if_any_host_is_allowed() {
    for host in ["user@exit3.agency", "exit3.agency/x", "exit3.agency:80:80", "<script>"] {
        let service = Service {
            site: Site { allowed_hosts: AllowedHosts::new(["*".into()]), ..Site::default() },
            ..Service::default()
        };
        let answer = service.answer(get(LEADS).insert_header(("Host", host))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{host}");
        assert_eq!(answer.json()["detail"], "Invalid host.", "{host}");
    }
}
