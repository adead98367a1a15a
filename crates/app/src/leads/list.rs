use exit3_domain::leads::{Lead, LeadFilter, LeadOrder, LeadPosition};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::{StoreError, TRACE};

use crate::{App, ListError};

/// One page of the leads that match, with the count of all of them.
///
/// # Errors
/// [`ListError`].
#[tracing::instrument(target = TRACE, name = "leads.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    page: PageRequest,
) -> Result<Page<Lead>, ListError> {
    app.leads.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the leads that match.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.walk", skip_all)]
pub async fn walk(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step<LeadPosition>,
) -> Result<Slice<Lead>, StoreError> {
    app.leads.walk(filter, order, step).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, away};

    #[tokio::test]
    async fn tells_the_end_of_the_list_from_a_database_that_is_away() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_list().times(1).returning(|_, _, _| Ok(None));
        mocks.leads.expect_list().times(1).returning(|_, _, _| Err(away()));
        let app = mocks.into_app();
        let filter = LeadFilter::default();
        let page = PageRequest::first();
        let end = list(&app, &filter, LeadOrder::NEWEST, page).await;
        assert!(matches!(end, Err(ListError::PastTheEnd)));
        let away = list(&app, &filter, LeadOrder::NEWEST, page).await;
        assert!(matches!(away, Err(ListError::Store(StoreError::Unavailable(_)))));
    }
}
