//! Whether the service can do its work.

use exit3_ports::StoreError;

use crate::App;

/// What stands between the service and its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing.
    Ready,
    /// Migrations that this program knows have not been applied.
    SchemaOutdated,
    /// The database does not answer.
    DatabaseAway,
}

/// Whether the database answers.
///
/// # Errors
/// [`StoreError`] where it does not.
pub async fn database(app: &App) -> Result<(), StoreError> {
    app.database.ping().await
}

/// Whether requests can be served.
pub async fn readiness(app: &App) -> Readiness {
    match app.database.schema_is_current().await {
        Ok(true) => Readiness::Ready,
        Ok(false) => Readiness::SchemaOutdated,
        Err(_) => Readiness::DatabaseAway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, away};

    #[tokio::test]
    async fn tells_an_old_schema_from_an_absent_database() {
        let mut mocks = Mocks::new();
        mocks.database.expect_schema_is_current().times(1).returning(|| Ok(true));
        mocks.database.expect_schema_is_current().times(1).returning(|| Ok(false));
        mocks.database.expect_schema_is_current().times(1).returning(|| Err(away()));
        let app = mocks.into_app();
        assert_eq!(readiness(&app).await, Readiness::Ready);
        assert_eq!(readiness(&app).await, Readiness::SchemaOutdated);
        assert_eq!(readiness(&app).await, Readiness::DatabaseAway);
    }
}
