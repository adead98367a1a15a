//! Reads of clients for pages.

use exit3_domain::clients::{Client, ClientFilter, ClientOrder};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::search;
use exit3_ports::{StoreError, TRACE};

use crate::App;

/// The most clients that [`suggest`] returns.
const SUGGESTED: u32 = 8;

/// The newest clients that match what someone is typing, at most [`SUGGESTED`]. Nothing for a text
/// without words, or with too many.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "clients.suggest", skip_all)]
pub async fn suggest(app: &App, typed: &str) -> Result<Vec<Client>, StoreError> {
    let words = search::words(typed).unwrap_or_default();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let filter = ClientFilter { words, ..ClientFilter::default() };
    let step = Step { from: None, direction: Direction::Forward, size: SUGGESTED };
    let found = app.repositories()?.clients.walk(&filter, ClientOrder::NEWEST, &step).await?;
    Ok(found.rows)
}

#[cfg(test)]
mod tests {
    use exit3_domain::paging::Slice;

    use super::*;
    use crate::testing::Mocks;

    #[tokio::test]
    async fn suggests_the_newest_clients_with_the_typed_words() {
        let mut mocks = Mocks::new();
        mocks.repositories.clients.expect_walk().times(1).returning(|filter, order, step| {
            assert_eq!(
                (filter.words.as_slice(), order),
                (["acme".to_owned()].as_slice(), ClientOrder::NEWEST)
            );
            assert_eq!((step.from.as_ref(), step.size), (None, SUGGESTED));
            Ok(Slice { rows: Vec::new(), has_next: false, has_previous: false })
        });
        let app = mocks.into_app();
        assert!(suggest(&app, " Acme").await.unwrap().is_empty());
        // The database is not asked.
        assert!(suggest(&app, " ").await.unwrap().is_empty());
    }
}
