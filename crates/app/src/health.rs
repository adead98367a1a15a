//! Whether the service can work.

use exit3_ports::{Obstacle, StoreError};

use crate::App;

/// Whether requests can be served, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Requests can be served.
    Ready,
    /// Migrations that this program knows have not been applied.
    SchemaOutdated,
    /// The database does not answer.
    DatabaseAway,
    /// The database answers, but cannot do its work.
    Hindered(Obstacle),
}

/// Checks that the database answers.
///
/// # Errors
/// [`StoreError`] if it does not.
pub async fn database(app: &App) -> Result<(), StoreError> {
    app.repositories()?.health.ping().await
}

/// Checks whether requests can be served.
pub async fn readiness(app: &App) -> Readiness {
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
        assert_eq!(readiness(&app).await, Readiness::Ready);
        assert_eq!(readiness(&app).await, Readiness::SchemaOutdated);
        assert_eq!(readiness(&app).await, Readiness::DatabaseAway);
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
        assert_eq!(readiness(&app).await, Readiness::Hindered(lacks()));
        assert_eq!(readiness(&app).await, Readiness::Hindered(lacks()));
        assert_eq!(readiness(&app).await, Readiness::DatabaseAway);
    }
}
