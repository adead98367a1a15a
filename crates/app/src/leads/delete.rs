use exit3_domain::leads::LeadId;

use exit3_ports::TRACE;

use crate::{App, FindError};

/// Removes the lead of that id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "leads.delete", skip_all)]
pub async fn delete(app: &App, id: LeadId) -> Result<(), FindError> {
    Ok(app.leads.delete(id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;
    use exit3_ports::StoreError;

    #[tokio::test]
    async fn says_when_there_is_none() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_delete().returning(|_| Err(StoreError::NotFound));
        let outcome = delete(&mocks.into_app(), LeadId(2)).await;
        assert!(matches!(outcome, Err(FindError::NotFound)));
    }
}
