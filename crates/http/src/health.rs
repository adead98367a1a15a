//! `/health/`

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use exit3_app::App;
use exit3_app::health::Readiness;
use exit3_ports::{BackupStatus, Obstacle};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth;

/// The path at and below which load balancers probe the service.
pub(crate) const PATH: &str = "/backend/health";

/// How long a response waits for the database.
const PATIENCE: Duration = Duration::from_millis(1900);

/// How the service is.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub(crate) struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
    #[schema(example = "healthy")]
    pub database: &'static str,
    #[schema(example = "0.1.0")]
    pub version: &'static str,
}

/// Whether one of the service's duties can be done.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub(crate) struct State {
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Only for a key that opens everything, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// Whether requests can be served, and what else a holder of a key may know.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub(crate) struct Ready {
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Only for a key that opens everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub backups: Option<Backups>,
}

/// How the backups are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Backups {
    /// When the last complete backup was begun.
    pub last_success: Option<DateTime<Utc>>,
    /// When a backup was last restored for a trial with success.
    pub last_verified: Option<DateTime<Utc>>,
    /// Whether the last trial was one.
    pub verification_ok: Option<bool>,
}

impl From<BackupStatus> for Backups {
    fn from(status: BackupStatus) -> Self {
        Self {
            last_success: status.backed_up_at,
            last_verified: status.verified_at,
            verification_ok: status.verification_ok,
        }
    }
}

/// How the service and its database are.
#[utoipa::path(
    get,
    path = "/backend/health/",
    tag = "service",
    operation_id = "health",
    responses(
        (status = 200, description = "All is well.", body = Health),
        (status = 503, description = "The database is away.", body = Health)
    )
)]
pub(crate) async fn health(app: Data<App>) -> HttpResponse {
    let answer = tokio::time::timeout(PATIENCE, exit3_app::health::database(&app)).await;
    let version = env!("CARGO_PKG_VERSION");
    if matches!(answer, Ok(Ok(()))) {
        HttpResponse::Ok().json(Health { status: "ok", database: "healthy", version })
    } else {
        let degraded = Health { status: "degraded", database: "unhealthy", version };
        HttpResponse::ServiceUnavailable().json(degraded)
    }
}

/// Whether the process lives. Never touches the database.
#[utoipa::path(
    get,
    path = "/backend/health/live/",
    tag = "service",
    operation_id = "live",
    responses((status = 200, description = "It lives.", body = State))
)]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(State { status: "ok", detail: None })
}

/// Whether requests can be served: the database answers, takes writes, and has
/// everything that this program knows, with the rights to use it; it may have more.
#[utoipa::path(
    get,
    path = "/backend/health/ready/",
    tag = "service",
    operation_id = "ready",
    responses(
        (status = 200, description = "They can.", body = Ready),
        (status = 503, description = "They cannot.", body = State)
    )
)]
pub(crate) async fn ready(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let readiness = tokio::time::timeout(PATIENCE, exit3_app::health::readiness(&app)).await;
    let (status, detail) = match readiness {
        Ok(Readiness::Ready) => {
            let backups = backups(&app, &request).await;
            return HttpResponse::Ok().json(Ready { status: "ok", backups });
        }
        Ok(Readiness::SchemaOutdated) => ("schema outdated", None),
        Ok(Readiness::Hindered(obstacle)) => {
            let opens = auth::opens_everything(&app, &request).await;
            let detail = opens.then(|| obstacle.to_string());
            match obstacle {
                Obstacle::Lacks(_) => ("database incomplete", detail),
                Obstacle::WritesFail(_) => ("writes fail", detail),
            }
        }
        Ok(Readiness::DatabaseAway) | Err(_) => ("database unavailable", None),
    };
    HttpResponse::ServiceUnavailable().json(State { status, detail })
}

/// The state of the backups, for callers that may see it.
async fn backups(app: &App, request: &HttpRequest) -> Option<Backups> {
    if !auth::opens_everything(app, request).await {
        return None;
    }
    exit3_app::backups::status(app).await.ok().map(Backups::from)
}
