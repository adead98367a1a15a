//! Whether the service can work.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Obstacle, StoreError};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::timeout;

use crate::App;
use crate::modules::{Switch, within};

/// How long a module may take to tell its health.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether requests can be served, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Requests can be served.
    Ready,
    /// The database does not answer or takes no writes, because of this. Leads and sign-ups wait in the
    /// spool.
    IntakeOnly(String),
    /// Migrations that this program knows have not been applied.
    SchemaOutdated,
    /// The database does not answer.
    DatabaseAway,
    /// The database answers, but cannot do its work.
    Hindered(Obstacle),
}

/// Tells the health of a module: details if it works, or else why it does not. It runs among
/// requests, so it must not block the thread.
pub type AskModule = fn(App) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// A module whose health is shown.
#[derive(Debug, Clone, Copy)]
pub struct ModuleCheck {
    /// Its switch.
    pub switch: &'static Switch,
    /// Tells more, while the module is on.
    pub ask: Option<AskModule>,
}

/// The health of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleHealth {
    /// It works; with details, if it has any.
    Works(Option<Value>),
    /// It is on, but does not work, because of this.
    Fails(String),
    /// It was turned off, because of this.
    Off(Arc<str>),
}

/// The health of each module. A module that panics or takes too long spoils only its own.
pub async fn modules(app: &App) -> Vec<(&'static str, ModuleHealth)> {
    let checks = app.modules.iter().map(async |check| {
        let health = match check.switch.off() {
            Some(reason) => ModuleHealth::Off(reason),
            None => within(Some(check.switch), ask(app, check.ask)).await,
        };
        (check.switch.module(), health)
    });
    join_all(checks).await
}

async fn ask(app: &App, ask: Option<AskModule>) -> ModuleHealth {
    let Some(ask) = ask else { return ModuleHealth::Works(None) };
    let answer = async { ask(app.clone()).await };
    match timeout(PATIENCE, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(Ok(details))) => ModuleHealth::Works(Some(details)),
        Ok(Ok(Err(reason))) => ModuleHealth::Fails(reason),
        Ok(Err(_)) => ModuleHealth::Fails("a panic: see the log".to_owned()),
        Err(_) => ModuleHealth::Fails(format!("no answer within {PATIENCE:?}")),
    }
}

/// Checks that the database answers.
///
/// # Errors
/// [`StoreError`] if it does not.
pub async fn database(app: &App) -> Result<(), StoreError> {
    app.repositories()?.health.ping().await
}

/// Checks whether requests can be served. It takes at most `patience` for the database, and as long for
/// the spool.
pub async fn readiness(app: &App, patience: Duration) -> Readiness {
    let intake = async || {
        let intake = app.intake.as_ref()?;
        let takes = timeout(patience, intake.takes_leads()).await;
        takes.unwrap_or(false).then(|| Readiness::IntakeOnly(intake.cause()))
    };
    // A balancer must not take a node away that takes leads.
    let only = if app.is_away() { Some(intake().await) } else { None };
    if let Some(Some(only)) = only {
        return only;
    }
    let asked = timeout(patience, of_database(app)).await;
    match asked.unwrap_or(Readiness::DatabaseAway) {
        away @ (Readiness::DatabaseAway | Readiness::Hindered(Obstacle::WritesFail(_))) => {
            let only = match only {
                Some(known) => known,
                None => intake().await,
            };
            only.unwrap_or(away)
        }
        readiness => readiness,
    }
}

async fn of_database(app: &App) -> Readiness {
    let Ok(repositories) = app.repositories() else {
        return Readiness::DatabaseAway;
    };
    let schema = repositories.health.schema_is_current().await;
    if matches!(schema, Ok(false)) {
        return Readiness::SchemaOutdated;
    }
    // An obstacle may be the reason why the schema cannot be read.
    match (schema, repositories.health.obstacle().await) {
        (_, Ok(Some(obstacle))) => Readiness::Hindered(obstacle),
        (Ok(_), Ok(None)) => Readiness::Ready,
        _ => Readiness::DatabaseAway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, away};

    #[tokio::test]
    async fn tells_an_old_schema_from_an_absent_database() {
        let mut mocks = Mocks::new();
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(true));
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(false));
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Err(away()));
        mocks.repositories.health.expect_obstacle().times(1).returning(|| Ok(None));
        mocks.repositories.health.expect_obstacle().times(1).returning(|| Err(away()));
        let app = mocks.into_app();
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::Ready);
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::SchemaOutdated);
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::DatabaseAway);
    }

    #[tokio::test]
    async fn a_hindered_database_is_not_ready_even_if_its_schema_is_current() {
        let mut mocks = Mocks::new();
        let lacks = || Obstacle::Lacks("the table leads".to_owned());
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(true));
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Err(away()));
        mocks.repositories.health.expect_schema_is_current().times(1).returning(|| Ok(true));
        mocks.repositories.health.expect_obstacle().times(2).returning(move || Ok(Some(lacks())));
        mocks.repositories.health.expect_obstacle().times(1).returning(|| Err(away()));
        let app = mocks.into_app();
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::Hindered(lacks()));
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::Hindered(lacks()));
        assert_eq!(readiness(&app, PATIENCE).await, Readiness::DatabaseAway);
    }

    #[tokio::test(start_paused = true)]
    async fn a_module_spoils_only_its_own_health() {
        static OFF: Switch = Switch::of("agenda");
        static ON: Switch = Switch::of("meetings");
        OFF.turn_off("its migration failed");
        let asks: [(&Switch, Option<AskModule>); 6] = [
            (&OFF, Some(|_| panic!("a module that is off is not asked"))),
            (&ON, None),
            (&ON, Some(|_| Box::pin(async { Ok(7.into()) }))),
            (&ON, Some(|_| Box::pin(async { Err("no calendar".to_owned()) }))),
            (&ON, Some(|_| panic!("in a module"))),
            (&ON, Some(|_| Box::pin(std::future::pending()))),
        ];
        let mut app = Mocks::new().into_app();
        app.modules = asks.map(|(switch, ask)| ModuleCheck { switch, ask }).into();
        let (names, health): (Vec<_>, Vec<_>) = modules(&app).await.into_iter().unzip();
        assert_eq!(names[..2], ["agenda", "meetings"]);
        let fails = |reason: &str| ModuleHealth::Fails(reason.to_owned());
        assert_eq!(
            health,
            [
                ModuleHealth::Off("its migration failed".into()),
                ModuleHealth::Works(None),
                ModuleHealth::Works(Some(7.into())),
                fails("no calendar"),
                fails("a panic: see the log"),
                fails("no answer within 500ms"),
            ]
        );
    }
}
