//! How subscribers are exported.

use async_trait::async_trait;
use exit3_domain::access;
use exit3_domain::exports::Column;
use exit3_domain::paging::{Slice, Step};
use exit3_domain::subscribers::{
    COLUMNS, RESOURCE, Subscriber, SubscriberFilter, SubscriberOrder, SubscriberSort,
};
use exit3_ports::{Repositories, StoreError};
use serde_json::Value;

use crate::exports::Exported;

#[async_trait]
impl Exported for SubscriberSort {
    type Filter = SubscriberFilter;

    const RESOURCE: &'static str = RESOURCE;
    const RECORD: access::Record = access::Record::Subscriber;
    const COLUMNS: &'static [Column<Subscriber>] = COLUMNS;

    fn told(filter: &SubscriberFilter) -> Vec<(&'static str, Option<Value>)> {
        // No `..`, so that the compiler reports a new filter.
        let SubscriberFilter { is_subscribed, words } = filter;
        vec![
            ("is_subscribed", is_subscribed.map(Into::into)),
            ("search", (!words.is_empty()).then(|| true.into())),
        ]
    }

    async fn step(
        all: &Repositories,
        filter: &SubscriberFilter,
        step: &Step,
    ) -> Result<Slice<Subscriber>, StoreError> {
        all.subscribers.walk(filter, SubscriberOrder::NEWEST, step).await
    }
}
