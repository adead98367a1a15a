//! Rate limits of the real binary, with one node and with two.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod service;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use exit3_domain::api_keys::KeyToken;
use exit3_testkit::postgres;
use exit3_testkit::redis::TestRedis;
use serde_json::Value;
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";
const AUTHORIZATION: (&str, &str) = ("Authorization", "Basic key-of-the-tests");
const LEAD: &str = r#"{"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}"#;

fn start(directory: &Path, env: &[(&str, &str)]) -> Service {
    let basics = [("BASIC_API_KEY", KEY), ("SECRET_KEY", "secret-of-the-tests")];
    Service::start(directory, &[&basics, env].concat())
}

/// Sends all `requests` at once, and counts the responses by status.
async fn count<F>(requests: impl IntoIterator<Item = F>) -> BTreeMap<u16, usize>
where
    F: Future<Output = reqwest::Response> + Send + 'static,
{
    let sent: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    let mut counts = BTreeMap::new();
    for answer in sent {
        *counts.entry(answer.await.unwrap().status().as_u16()).or_default() += 1;
    }
    counts
}

async fn leads(service: &Service) -> u64 {
    // From another visitor, so that this request is not refused.
    let headers = [AUTHORIZATION, ("X-Forwarded-For", "198.51.100.99")];
    let list: Value = service.get_with(LEADS, &headers).await.json().await.unwrap();
    list["count"].as_u64().unwrap()
}

fn create(
    service: &Arc<Service>,
    visitor: String,
) -> impl Future<Output = reqwest::Response> + use<> {
    let service = Arc::clone(service);
    async move {
        let headers = [AUTHORIZATION, ("X-Forwarded-For", visitor.as_str())];
        service.post_with(LEADS, &headers, LEAD).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_ten_of_a_thousand_concurrent_creates_of_a_visitor_succeed() {
    let directory = tempfile::tempdir().unwrap();
    let env = [("RATE_LIMIT_LEAD_CREATE", "10/hour"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let service = Arc::new(start(directory.path(), &env));
    let one = "203.0.113.5".to_owned();
    let counts = count((0..1000).map(|_| create(&service, one.clone()))).await;
    assert_eq!(counts, BTreeMap::from([(201, 10), (429, 990)]));
    assert_eq!(leads(&service).await, 10);
    // Other visitors of the same proxy are not affected, nor is reading.
    let others = count((0..9).map(|n| create(&service, format!("203.0.113.{}", 100 + n)))).await;
    assert_eq!(others, BTreeMap::from([(201, 9)]));
    let refused = create(&service, one).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((300..=360).contains(&wait), "{wait}");
    let detail: Value = refused.json().await.unwrap();
    let sentence = format!("Request was throttled. Expected available in {wait} seconds.");
    assert_eq!(detail["detail"], sentence);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_cannot_forge_another_visitor() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_ANON", "5/hour")]);
    let mut statuses = Vec::new();
    for number in 0..7 {
        let made_up = format!("203.0.113.{number}");
        let forwarded = format!("for={made_up}");
        let headers = [
            AUTHORIZATION,
            ("X-Forwarded-For", made_up.as_str()),
            ("X-Real-IP", made_up.as_str()),
            ("Forwarded", forwarded.as_str()),
        ];
        statuses.push(service.get_with(LEADS, &headers).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    assert_eq!(service.get("/backend/health/", "").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_website_that_forwards_its_visitors_is_not_limited_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_ANON", "2/hour")]);
    let mut make = exit3(directory.path());
    make.args("api-key create --name website --scope leads:read --forwards-visitors".split(' '));
    let said = String::from_utf8(make.output().unwrap().stdout).unwrap();
    let token = said.lines().next().unwrap().rsplit(": ").next().unwrap();
    let authorization = format!("Bearer {token}");
    let visit = async |visitor: &str| {
        let headers = [("Authorization", authorization.as_str()), ("X-Forwarded-For", visitor)];
        service.get_with(LEADS, &headers).await.status().as_u16()
    };
    for number in 0..10 {
        let visitor = format!("2001:db8:0:{number}::1");
        assert_eq!(visit(&visitor).await, 200);
        assert_eq!(visit(&format!("2001:db8:0:{number}::2")).await, 200);
        assert_eq!(visit(&format!("2001:db8:0:{number}::3")).await, 429, "one /64, one visitor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_cannot_be_guessed() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_ANON", "100/hour")]);
    let mut statuses = Vec::new();
    for guess in 0..12 {
        statuses.push(service.get(LEADS, &format!("guess-{guess}")).await.status().as_u16());
    }
    assert_eq!(statuses, [[403; 10].as_slice(), &[429; 2]].concat());
    // A correct key is never locked out.
    assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    assert_eq!(service.get(LEADS, "guess").await.status(), 429);
}

/// Named keys are random, and guesses from the same address lock none of them out: neither a used
/// nor an unused one, nor one that is created later.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_lock_no_named_key_out() {
    let database = postgres::shared().create_database().await;
    let directory = tempfile::tempdir().unwrap();
    // A fast machine sends more requests than the flood guard lets through.
    let env = [
        ("DATABASE_URL", database.url()),
        ("RATE_LIMIT_ANON", "100/hour"),
        ("RATE_LIMIT_FLOOD", "off"),
    ];
    let service = start(directory.path(), &env);
    let make = |name: &str| {
        let mut make = exit3(directory.path());
        make.env("DATABASE_URL", database.url()).env("SECRET_KEY", "secret-of-the-tests");
        make.args(["api-key", "create", "--name", name, "--scope", "leads:read"]);
        let said = String::from_utf8(make.output().unwrap().stdout).unwrap();
        said.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned()
    };
    let ask = async |key: &str| service.get(LEADS, key).await.status().as_u16();
    let (used, unused) = (make("used"), make("unused"));
    assert_eq!(ask(&used).await, 200);
    let guess = |number: u8| KeyToken::secret(&[number; 40]).expose().to_owned();
    for number in 0..10 {
        assert_eq!(ask(&guess(number)).await, 403);
    }
    for number in 10..60 {
        assert_eq!(ask(&guess(number)).await, 429);
        // A key that only begins like a correct one is wrong.
        assert_eq!(ask(&format!("{used}x")).await, 429);
    }
    for _ in 0..3 {
        assert_eq!((ask(&used).await, ask(&unused).await), (200, 200));
        assert_eq!(ask(&guess(99)).await, 429);
    }
    let made = make("made");
    // The cached list of keys is at most a second old.
    let began = std::time::Instant::now();
    while ask(&made).await != 200 {
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "the key is locked out");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(ask(KEY).await, 200);
}

/// Readiness needs no key, but tells more to a correct one.
#[tokio::test(flavor = "multi_thread")]
async fn keys_cannot_be_guessed_where_none_is_needed() {
    const READY: &str = "/backend/health/ready/";
    let directory = tempfile::tempdir().unwrap();
    let service = start(directory.path(), &[("RATE_LIMIT_ANON", "100/hour")]);
    let ready = async |key: &str| {
        let answer = service.get(READY, key).await;
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["status"], "ok");
        body.get("backups").is_some()
    };
    // Reading with the correct key, or without a key, is not guessing.
    for _ in 0..15 {
        assert!(ready(KEY).await);
        assert!(!ready("").await);
    }
    for guess in 0..10 {
        assert!(!ready(&format!("guess-{guess}")).await);
    }
    assert!(ready(KEY).await);
    assert_eq!(service.get(LEADS, KEY).await.status(), 200);
    assert_eq!(service.get(LEADS, "guess").await.status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_stopped_before_everything_else() {
    let directory = tempfile::tempdir().unwrap();
    let env = [("RATE_LIMIT_FLOOD", "20/minute"), ("CORS_ALLOWED_ORIGINS", "https://exit3.agency")];
    let service = Arc::new(start(directory.path(), &env));
    let ask = |service: &Arc<Service>| {
        let service = Arc::clone(service);
        async move { service.get("/backend/health/live/", "").await }
    };
    let counts = count((0..200).map(|_| ask(&service))).await;
    assert_eq!(counts[&200] + counts[&429], 200);
    assert!((20..=22).contains(&counts[&200]), "{counts:?}");
    let refused = ask(&service).await;
    assert_eq!(refused.headers()["x-content-type-options"], "nosniff");
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
    assert!(refused.text().await.unwrap().contains("Request was throttled."));
    // A browser that opens a page shows one.
    let headers = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let refused = service.get_with("/backend/admin/", &headers).await;
    assert_eq!(
        (refused.status().as_u16(), refused.headers().contains_key("retry-after")),
        (429, true)
    );
    assert_eq!(refused.headers()["content-type"], "text/html; charset=utf-8");
    assert!(refused.text().await.unwrap().contains("<p>Request was throttled."));
    // Only pages of allowed origins see `Retry-After`.
    for (origin, may) in [("https://exit3.agency", true), ("https://evil.test", false)] {
        let headers = [("Origin", origin), ("Accept", "application/problem+json")];
        let refused = service.get_with("/backend/health/live/", &headers).await;
        assert_eq!(refused.status(), 429);
        let told = refused.headers();
        assert_eq!(told["vary"], "Origin");
        assert_eq!(told["content-type"], "application/problem+json");
        assert_eq!(told["x-content-type-options"], "nosniff");
        let allowed = told.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(allowed, may.then_some(origin));
        let seen = told.get("access-control-expose-headers");
        let seen = seen.is_some_and(|seen| seen.to_str().unwrap().contains("retry-after"));
        assert_eq!(seen, may);
        assert!(told.contains_key("retry-after") && told.contains_key("x-request-id"));
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["status"], 429);
        assert_eq!(problem["errors"]["detail"], problem["detail"]);
    }
}

/// How often Redis did not answer this node in time.
fn misses(node: &Service) -> usize {
    // Lines are gathered before they are written.
    std::thread::sleep(std::time::Duration::from_millis(100));
    node.output().matches("Redis does not count").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_count_together_and_each_alone_without_redis() {
    let database = postgres::shared().create_database().await;
    let mut redis = tokio::task::spawn_blocking(TestRedis::start).await.unwrap();
    let url = redis.url();
    let env = [
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", url.as_str()),
        ("RATE_LIMIT_LEAD_CREATE", "10/hour"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut nodes = directories.each_ref().map(|dir| Arc::new(start(dir.path(), &env)));
    // On a busy machine Redis may answer too late, and then each node counts by itself. Such an
    // attempt proves nothing.
    let mut attempts = 1..=20;
    let counts = loop {
        let visitor = format!("198.51.100.{}", attempts.next().expect("Redis is always late"));
        let before = leads(&nodes[0]).await;
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for _ in 0..10 {
            let round = count((0..6).map(|n| create(&nodes[n % 2], visitor.clone()))).await;
            for (status, number) in round {
                *counts.entry(status).or_default() += number;
            }
        }
        if nodes.iter().all(|node| misses(node) == 0) {
            assert_eq!(leads(&nodes[0]).await, before + 10);
            break counts;
        }
        drop(nodes);
        nodes = directories.each_ref().map(|dir| Arc::new(start(dir.path(), &env)));
    };
    assert_eq!(counts, BTreeMap::from([(201, 10), (429, 50)]));

    redis.kill();
    let alone = "203.0.113.6".to_owned();
    for node in &nodes {
        let counts = count((0..30).map(|_| create(node, alone.clone()))).await;
        assert_eq!(counts, BTreeMap::from([(201, 10), (429, 20)]));
        assert!(node.logs("Redis does not count"), "{}", node.output());
    }
}
