//! The job that sends canaries: it creates a lead through the public address, as a visitor would, looks
//! whether it has arrived, and tells somebody who waits for that.

use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_app::jobs::{Handling, Payload, Registry};
use exit3_app::{App, canaries};
use exit3_domain::canaries::CanaryId;
use exit3_domain::jobs::Schedule;
use exit3_http::{CANARY_HEADER, CanaryKey};
use exit3_ports::{Clock, StoreError, with_causes};
use metrics::{counter, gauge};
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::SystemClock;
use crate::module;
use crate::secrets::random_bytes;
use crate::settings::{CanarySettings, Secrets};

/// How often a canary is sent.
const EVERY: Duration = Duration::from_secs(300);
/// How long each of the two requests may take.
const PATIENCE: Duration = Duration::from_secs(15);

const FAILURES: &str = "exit3_canary_failures_total";
const SUCCESS: &str = "exit3_canary_last_success_timestamp_seconds";

/// The job that sends a canary.
#[derive(Debug, Serialize, Deserialize)]
struct SendCanary {}

impl Payload for SendCanary {
    const KIND: &'static str = "canaries.send";
}

/// Adds the job, which one node runs each time. To run it twice sends two canaries.
///
/// # Errors
/// One sentence, if there can be no client of HTTP, or a module claims the same job.
pub(crate) fn add(
    registry: &mut Registry,
    settings: &CanarySettings,
    secrets: &Secrets,
) -> Result<(), module::Failure> {
    let sender = Sender::new(settings, secrets)?;
    for step in Failure::STEPS {
        counter!(FAILURES, "step" => step).increment(0);
    }
    // So that an alert for old canaries fires if none arrives at all.
    note_success(SystemClock.now());
    let often = Schedule::every(SendCanary::KIND, EVERY);
    registry.schedule(often, &SendCanary {}, Handling::default(), move |app, _| {
        let sender = sender.clone();
        async move {
            // The next canary is soon enough. A job that fails would be repeated and kept.
            sender.run(&app).await;
            Ok(())
        }
    })?;
    Ok(module::check_jobs(registry)?)
}

fn note_success(at: DateTime<Utc>) {
    gauge!(SUCCESS).set(at.timestamp() as f64);
}

/// Why a canary did not arrive, or nobody was told that it did.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("CANARY_URL could not be reached")]
    Unreached(#[source] reqwest::Error),
    #[error("CANARY_URL answered {0}{1}")]
    Refused(StatusCode, String),
    #[error("CANARY_URL answered 201, but nothing arrived in the database{0}")]
    Lost(String),
    #[error("the database could not be asked whether the canary arrived")]
    Unasked(#[source] StoreError),
    #[error("the canary arrived, but CANARY_PING_URL could not be reached")]
    Unpinged(#[source] reqwest::Error),
    #[error("the canary arrived, but CANARY_PING_URL answered {0}")]
    PingRefused(StatusCode),
}

impl Failure {
    /// The steps that can fail, in their order.
    const STEPS: [&str; 5] = ["reach", "answer", "arrive", "database", "ping"];

    fn step(&self) -> &'static str {
        match self {
            Self::Unreached(_) => "reach",
            Self::Refused(..) => "answer",
            Self::Lost(_) => "arrive",
            Self::Unasked(_) => "database",
            Self::Unpinged(_) | Self::PingRefused(_) => "ping",
        }
    }
}

#[derive(Clone)]
struct Sender {
    client: Client,
    url: Url,
    ping: Option<Url>,
    api_key: SecretString,
    marks: CanaryKey,
}

impl Sender {
    fn new(settings: &CanarySettings, secrets: &Secrets) -> reqwest::Result<Self> {
        let CanarySettings { url, ping } = settings.clone();
        let client = Client::builder()
            .timeout(PATIENCE)
            // A visitor's form follows none with a POST, and the key is for one address alone.
            .redirect(Policy::none())
            // Each canary finds the address, and connects, anew.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("exit3-canary/", env!("CARGO_PKG_VERSION")));
        let marks = CanaryKey::new(&secrets.secret_key);
        Ok(Self { client: client.build()?, url, ping, api_key: secrets.api_key.clone(), marks })
    }

    async fn run(&self, app: &App) {
        let id = CanaryId(u128::from_le_bytes(random_bytes()));
        if let Err(failure) = self.send(app, id).await {
            let step = failure.step();
            counter!(FAILURES, "step" => step).increment(1);
            let error = with_causes(&failure);
            tracing::warn!(step, canary = %id, error, "a canary has failed: do leads arrive?");
        }
    }

    async fn send(&self, app: &App, id: CanaryId) -> Result<(), Failure> {
        let answer = self.post(app, id).await?;
        let request = request_of(&answer);
        if answer.status() != StatusCode::CREATED {
            return Err(Failure::Refused(answer.status(), request));
        }
        if !canaries::take(app, id).await.map_err(Failure::Unasked)? {
            return Err(Failure::Lost(request));
        }
        note_success(app.clock.now());
        self.ping().await
    }

    async fn post(&self, app: &App, id: CanaryId) -> Result<Response, Failure> {
        let key = format!("Basic {}", self.api_key.expose_secret());
        let body = id.body().unwrap_or_default();
        let request = self.client.post(self.url.clone()).header(AUTHORIZATION, key);
        let request = request.header(CANARY_HEADER.as_str(), self.marks.mark(id, app.clock.now()));
        let answer = request.json(&body).send().await;
        answer.map_err(|error| Failure::Unreached(error.without_url()))
    }

    async fn ping(&self) -> Result<(), Failure> {
        let Some(url) = &self.ping else { return Ok(()) };
        let answer = self.client.get(url.clone()).send().await;
        let answer = answer.map_err(|error| Failure::Unpinged(error.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Failure::PingRefused(status)),
        }
    }
}

/// The id by which the log of the node that answered knows the request, to follow its status.
fn request_of(answer: &Response) -> String {
    let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    id.map(|id| format!(" (request {})", id.escape_debug())).unwrap_or_default()
}
