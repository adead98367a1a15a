//! How clients are exported.

use async_trait::async_trait;
use exit3_domain::access;
use exit3_domain::clients::{COLUMNS, Client, ClientFilter, ClientOrder, ClientSort, RESOURCE};
use exit3_domain::exports::Column;
use exit3_domain::paging::{Slice, Step};
use exit3_ports::{Repositories, StoreError};
use serde_json::Value;

use crate::exports::{Exported, words_of};

#[async_trait]
impl Exported for ClientSort {
    type Filter = ClientFilter;

    const RESOURCE: &'static str = RESOURCE;
    const RECORD: access::Record = access::Record::Client(None);
    const COLUMNS: &'static [Column<Client>] = COLUMNS;

    fn told(filter: &ClientFilter) -> Vec<(&'static str, Option<Value>)> {
        // No `..`, so that the compiler reports a new filter.
        let ClientFilter { categories, team_id, lead, has_contract, words } = filter;
        vec![
            ("category", words_of(categories.as_ref())),
            ("team_id", team_id.clone().map(Into::into)),
            ("lead", lead.map(|lead| lead.0.into())),
            ("has_contract", has_contract.map(Into::into)),
            ("search", (!words.is_empty()).then(|| true.into())),
        ]
    }

    async fn step(
        all: &Repositories,
        filter: &ClientFilter,
        step: &Step,
    ) -> Result<Slice<Client>, StoreError> {
        all.clients.walk(filter, ClientOrder::NEWEST, step).await
    }
}
