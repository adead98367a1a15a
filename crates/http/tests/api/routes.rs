//! Which routes need a key, redirects of paths, and what all routes have in common.

use crate::*;
use exit3_ports::Obstacle;

#[rstest]
#[case::none(None, "Invalid authorization header format")]
#[case::scheme_alone(Some("Basic"), "Invalid authorization header format")]
#[case::other_scheme(Some("Token peer-key"), "Invalid authorization header format")]
#[case::wrong(Some("Basic wrong"), "Invalid or missing API Key")]
#[case::prefix(Some("Basic peer"), "Invalid or missing API Key")]
#[case::longer(Some("Basic peer-key1"), "Invalid or missing API Key")]
#[case::wrong_bearer(Some("Bearer wrong"), "Invalid or missing API Key")]
#[actix_web::test]
async fn data_is_behind_the_key(#[case] header: Option<&str>, #[case] detail: &str) {
    let lists = resources().into_iter().map(|(_, path)| path);
    let paths: Vec<String> = lists.flat_map(|path| [format!("{path}1/"), path]).collect();
    let old = ["/backend/api/leads/", "/backend/api/newsletter/"];
    for path in paths.iter().map(String::as_str).chain(old) {
        let mut request = TestRequest::get().uri(path);
        if let Some(header) = header {
            request = request.insert_header(("Authorization", header));
        }
        let answer = Service::default().answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json(), json!({ "detail": detail }));
    }
}

#[actix_web::test]
async fn two_authorization_headers_are_refused_even_if_one_is_right() {
    let request = get(LEADS).append_header(("Authorization", "Basic other"));
    assert_eq!(Service::default().answer(request).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_bearer_token_opens_as_well() {
    let mut service = Service::default();
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(1))));
    let request = TestRequest::get()
        .uri("/backend/api/v1/leads/1/")
        .insert_header(("Authorization", "Bearer peer-key"));
    assert_eq!(service.answer(request).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn the_same_errors_come_as_a_problem_for_those_who_ask() {
    let request =
        post(LEADS, "application/json", "{}").insert_header(("Accept", "application/problem+json"));
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank", "title": "Bad Request", "status": 400,
            "errors": {
                "full_name": ["This field is required."],
                "position": ["This field is required."],
            }
        })
    );
}

#[rstest]
#[case(&["application/PROBLEM+json"], true)]
#[case(&["text/html, application/problem+json"], true)]
#[case(&["application/problem+json, application/json"], true)]
#[case(&["text/html", "application/problem+json"], true)]
#[case(&["application/problem+json, */*;q=0.1"], true)]
#[case(&["application/problem+json;q=0"], false)]
#[case(&["application/problem+json;q=0.5, application/json"], false)]
#[case(&["application/problem+json-seq"], false)]
#[case(&["*/*"], false)]
#[case(&["application/json, ;;;"], false)]
#[actix_web::test]
async fn clients_that_prefer_plain_json_get_it(#[case] accept: &[&str], #[case] problem: bool) {
    let mut request = post(LEADS, "application/json", "{}");
    for range in accept {
        request = request.append_header(("Accept", *range));
    }
    let answer = Service::default().answer(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json().get("errors").is_some(), problem);
}

#[actix_web::test]
async fn a_problem_keeps_the_headers_of_its_error() {
    let requests = vec![
        with_key(TestRequest::put().uri(LEADS))
            .insert_header(("Accept", "application/problem+json")),
        TestRequest::get()
            .uri("/backend/api/leads/")
            .insert_header(("Accept", "application/problem+json")),
    ];
    let answers = Service::default().answers(requests).await;
    assert_eq!(answers[0].header("allow"), Some("HEAD, GET, POST, OPTIONS"));
    assert_eq!(answers[0].json()["detail"], "Method \"PUT\" not allowed.");
    assert!(answers[1].header("deprecation").is_some());
    assert_eq!(answers[1].status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_path_without_its_last_slash_is_served() {
    let mut service = Service::default();
    service
        .repositories
        .leads
        .expect_list()
        .returning(|_, _, _| Ok(Some(Page { count: 60, number: 1, rows: vec![] })));
    let answer = service.answer(get("/backend/api/v1/leads?page=1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["next"], format!("http://api.test{LEADS}?page=2"));
}

#[actix_web::test]
async fn old_paths_name_their_successor() {
    let mut service = Service {
        sunset: Some(DateTime::from_timestamp_micros(1_830_297_600_000_000).unwrap()),
        ..Service::default()
    };
    service.repositories.leads.expect_find().returning(|_| Ok(Some(lead(7))));
    let requests = vec![get("/backend/api/leads/7/"), get("/backend/api/v1/leads/7/")];
    let answers = service.answers(requests).await;
    assert_eq!(answers[0].header("deprecation"), Some("@1795478400"));
    assert_eq!(
        answers[0].header("link"),
        Some("</backend/api/v1/leads/7/>; rel=\"successor-version\"")
    );
    assert_eq!(answers[0].header("sunset"), Some("Sat, 01 Jan 2028 00:00:00 GMT"));
    assert!(answers[1].header("deprecation").is_none());
}

#[actix_web::test]
async fn a_wrong_method_names_the_right_ones() {
    let requests = vec![
        with_key(TestRequest::put().uri(LEADS)),
        with_key(TestRequest::post().uri("/backend/api/v1/leads/1/")),
        with_key(TestRequest::with_uri("/backend/health/").method("FOO".parse().unwrap())),
    ];
    let answers = Service::default().answers(requests).await;
    let allow: Vec<_> = answers.iter().map(|answer| answer.header("allow").unwrap()).collect();
    let one = "HEAD, GET, PUT, PATCH, DELETE, OPTIONS";
    assert_eq!(allow, ["HEAD, GET, POST, OPTIONS", one, "HEAD, GET, OPTIONS"]);
    assert!(answers.iter().all(|answer| answer.status == StatusCode::METHOD_NOT_ALLOWED));
    assert_eq!(answers[0].json(), json!({"detail": "Method \"PUT\" not allowed."}));
}

#[actix_web::test]
async fn health_reports_the_state_of_the_database() {
    let mut service = Service::default();
    service.repositories.health.expect_ping().times(1).returning(|| Ok(()));
    service.repositories.health.expect_ping().times(1).returning(|| Err(away()));
    service.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(true));
    service.repositories.health.expect_obstacle().times(1).returning(|| Ok(None));
    service.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(false));
    let open = |path: &str| TestRequest::get().uri(path);
    let requests = vec![
        open("/backend/health/"),
        open("/backend/health"),
        open("/backend/health/ready/"),
        open("/backend/health/ready/"),
        open("/backend/health/live/"),
    ];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        answers[0].json(),
        json!({"status": "ok", "database": "healthy", "version": version})
    );
    assert_eq!(answers[1].json()["status"], "degraded");
}

#[actix_web::test]
async fn obstacles_are_only_reported_to_a_key_with_all_scopes() {
    for (obstacle, status) in [
        (Obstacle::Lacks("no INSERT on leads".to_owned()), "database incomplete"),
        (Obstacle::WritesFail("no INSERT on leads".to_owned()), "writes fail"),
    ] {
        let mut service = Service::default();
        service.repositories.health.expect_schema_is_current().returning(|| Ok(true));
        service.repositories.health.expect_obstacle().returning(move || Ok(Some(obstacle.clone())));
        service.repositories.api_keys.expect_find_by_prefix().returning(|_| Ok(None));
        let ready = || TestRequest::get().uri("/backend/health/ready/");
        let wrong = ready().insert_header(("Authorization", "Basic another"));
        let answers = service.answers(vec![ready(), wrong, with_key(ready())]).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(answers[0].json(), json!({"status": status}));
        assert_eq!(answers[1].json(), json!({"status": status}));
        let told = json!({"status": status, "detail": "no INSERT on leads"});
        assert_eq!(answers[2].json(), told);
    }
}

#[actix_web::test]
async fn a_key_with_all_scopes_sees_the_state_of_the_backups() {
    let mut service = Service::default();
    service.repositories.health.expect_schema_is_current().returning(|| Ok(true));
    service.repositories.health.expect_obstacle().returning(|| Ok(None));
    service.repositories.api_keys.expect_find_by_prefix().returning(|_| Ok(None));
    let status =
        BackupStatus { backed_up_at: Some(now()), verified_at: None, verification_ok: Some(false) };
    service.repositories.backups.expect_status().times(1).returning(move || Ok(status));
    service.repositories.backups.expect_status().times(1).returning(|| Err(away()));
    let ready = || TestRequest::get().uri("/backend/health/ready/");
    let requests = vec![
        ready(),
        ready().insert_header(("Authorization", "Basic another")),
        with_key(ready()),
        with_key(ready()),
    ];
    let answers = service.answers(requests).await;
    let bare = json!({"status": "ok"});
    for (answer, told) in answers.iter().zip([false, false, true, false]) {
        assert_eq!(answer.status, StatusCode::OK);
        if told {
            let backups = &answer.json()["backups"];
            assert_eq!(backups["last_success"], json!(now()));
            assert_eq!(backups["last_verified"], Value::Null);
            assert_eq!(backups["verification_ok"], false);
        } else {
            assert_eq!(answer.json(), bare);
        }
    }
}

#[actix_web::test]
async fn the_schema_comes_as_json_or_yaml() {
    let schema = |path: &str| TestRequest::get().uri(path);
    let requests = vec![
        schema("/backend/api/schema/"),
        schema("/backend/api/schema/?format=yaml"),
        schema("/backend/api/schema/").insert_header(("Accept", "application/yaml")),
        schema("/backend/api/schema/?format=xml"),
    ];
    let answers = Service::default().answers(requests).await;
    assert!(answers[0].json()["openapi"].as_str().unwrap().starts_with("3.1"));
    for yaml in &answers[1..3] {
        assert_eq!(yaml.header("content-type"), Some("application/yaml"));
        assert!(yaml.body.starts_with(b"openapi: 3.1"));
    }
    assert_eq!(answers[3].status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_pages_find_every_file_in_the_binary() {
    for page in ["/backend/api/docs/", "/backend/api/redoc/"] {
        let html = Service::default().answer(TestRequest::get().uri(page)).await;
        let html = String::from_utf8(html.body).unwrap();
        let files: Vec<&str> =
            html.split(['"']).filter(|text| text.starts_with("/backend/")).collect();
        assert!(files.len() >= 3, "{html}");
        assert!(!html.contains("http://") && !html.contains("https://"));
        for file in files {
            let answer = Service::default().answer(TestRequest::get().uri(file)).await;
            assert_eq!(answer.status, StatusCode::OK, "{file}");
            assert!(!answer.body.is_empty());
        }
    }
    let outside = "/backend/api/docs/assets/..%2f..%2fCargo.toml";
    let answer = Service::default().answer(TestRequest::get().uri(outside)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn unknown_paths_are_not_found_without_a_key() {
    for path in ["/", "/backend/", "/backend/api/v1/nothing/", "/backend/api/v1/leads/1/notes/"] {
        let answer = Service::default().answer(TestRequest::get().uri(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json(), json!({"detail": "Not found."}));
    }
}
