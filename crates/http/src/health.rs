//! `/health/`

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use exit3_app::App;
use exit3_app::health::{ModuleHealth, Readiness};
use exit3_ports::spool::SpoolStatus;
use exit3_ports::{BackupStatus, Obstacle};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth;

/// The path at and below which load balancers probe the service.
pub(crate) const PATH: &str = "/backend/health";

/// How long a response waits for the database.
const PATIENCE: Duration = Duration::from_millis(1900);

/// The health of the service.
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

/// Whether a check succeeded.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub(crate) struct State {
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Details, if there are any; only for a key with all scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// Whether the service is ready, with details for keys that have all scopes.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words speak for themselves")]
pub(crate) struct Ready {
    /// `ok`, or `intake only` while the database is away: then leads and sign-ups are taken, and wait.
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Only for a key with all scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub backups: Option<Backups>,
    /// The health of each module, if there are any; only for a key with all scopes. The document does
    /// not describe it, because it is the same with and without modules.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub modules: Option<BTreeMap<&'static str, ModuleState>>,
    /// Why the database takes no leads, if it is away; only for a key with all scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// What waits on this node for the database, if it has a spool; only for a key with all scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub spool: Option<SpoolState>,
}

impl Ready {
    const EMPTY: Self =
        Self { status: "", backups: None, modules: None, detail: None, spool: None };
}

/// What waits on this node for the database.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpoolState {
    /// How many leads and sign-ups wait.
    pub waiting: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<DateTime<Utc>>,
    /// How many of them the database has refused.
    pub refused: u64,
}

/// The health of a module.
#[derive(Serialize)]
pub(crate) struct ModuleState {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

impl From<ModuleHealth> for ModuleState {
    fn from(health: ModuleHealth) -> Self {
        let (status, detail) = match health {
            ModuleHealth::Works(details) => ("ok", details),
            ModuleHealth::Fails(reason) => ("failing", Some(reason.into())),
            ModuleHealth::Off(reason) => ("off", Some(reason.as_ref().into())),
        };
        Self { status, detail }
    }
}

/// The state of the backups.
#[derive(Serialize, ToSchema)]
pub(crate) struct Backups {
    /// When the last complete backup was started.
    pub last_success: Option<DateTime<Utc>>,
    /// When a trial restore of a backup last succeeded.
    pub last_verified: Option<DateTime<Utc>>,
    /// Whether the last trial restore succeeded.
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

/// Returns the health of the service and its database.
#[utoipa::path(
    get,
    path = "/backend/health/",
    tag = "service",
    operation_id = "health",
    responses(
        (status = 200, description = "Both are healthy.", body = Health),
        (status = 503, description = "The database is unavailable.", body = Health)
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

/// Whether the process responds. Does not use the database.
#[utoipa::path(
    get,
    path = "/backend/health/live/",
    tag = "service",
    operation_id = "live",
    responses((status = 200, description = "The process responds.", body = State))
)]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(State { status: "ok", detail: None })
}

/// Whether the service can handle requests: the database responds and accepts writes, and has all
/// tables, columns and rights that this release needs. While the database is away, a node with a spool
/// is ready too, because it takes leads and sign-ups.
#[utoipa::path(
    get,
    path = "/backend/health/ready/",
    tag = "service",
    operation_id = "ready",
    responses(
        (status = 200, description = "The service is ready.", body = Ready),
        (status = 503, description = "The service is not ready.", body = State)
    )
)]
pub(crate) async fn ready(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let readiness = exit3_app::health::readiness(&app, PATIENCE).await;
    let (status, detail) = match readiness {
        Readiness::Ready => {
            let mut ready = Ready { status: "ok", ..Ready::EMPTY };
            if auth::opens_everything(&app, &request).await {
                ready.backups = exit3_app::backups::status(&app).await.ok().map(Backups::from);
                ready.modules = modules(&app).await;
                ready.spool = spool(&app).await;
            }
            return HttpResponse::Ok().json(ready);
        }
        Readiness::IntakeOnly(cause) => {
            let mut ready = Ready { status: "intake only", ..Ready::EMPTY };
            if auth::opens_everything(&app, &request).await {
                ready.detail = Some(cause).filter(|cause| !cause.is_empty());
                ready.spool = spool(&app).await;
            }
            return HttpResponse::Ok().json(ready);
        }
        Readiness::SchemaOutdated => ("schema outdated", None),
        Readiness::Hindered(obstacle) => {
            let opens = auth::opens_everything(&app, &request).await;
            let detail = opens.then(|| obstacle.to_string());
            match obstacle {
                Obstacle::Lacks(_) => ("database incomplete", detail),
                Obstacle::WritesFail(_) => ("writes fail", detail),
            }
        }
        Readiness::DatabaseAway => ("database unavailable", None),
    };
    HttpResponse::ServiceUnavailable().json(State { status, detail })
}

async fn spool(app: &App) -> Option<SpoolState> {
    let status = app.intake.as_ref()?.status().await.ok()?;
    let SpoolStatus { waiting, problems, oldest, .. } = status;
    Some(SpoolState { waiting, oldest, refused: problems })
}

/// The health of the modules; `None` if there are none.
async fn modules(app: &App) -> Option<BTreeMap<&'static str, ModuleState>> {
    let modules = exit3_app::health::modules(app).await.into_iter();
    let modules: BTreeMap<_, _> = modules.map(|(name, health)| (name, health.into())).collect();
    (!modules.is_empty()).then_some(modules)
}
