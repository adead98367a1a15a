use exit3_domain::leads::{Lead, LeadId};

use exit3_ports::TRACE;

use crate::{App, FindError};

/// The lead of that id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "leads.find", skip_all)]
pub async fn find(app: &App, id: LeadId) -> Result<Lead, FindError> {
    app.leads.find(id).await?.ok_or(FindError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, stored};

    #[tokio::test]
    async fn says_when_there_is_none() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_find().returning(|id| Ok((id.0 == 1).then(|| stored(1))));
        let app = mocks.into_app();
        assert_eq!(find(&app, LeadId(1)).await.unwrap(), stored(1));
        assert!(matches!(find(&app, LeadId(2)).await, Err(FindError::NotFound)));
    }
}
