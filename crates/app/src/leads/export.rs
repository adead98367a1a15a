//! How leads are exported.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::access;
use exit3_domain::exports::Column;
use exit3_domain::leads::{COLUMNS, Lead, LeadFilter, LeadOrder, LeadOwner, LeadSort, RESOURCE};
use exit3_domain::paging::{Slice, Step};
use exit3_ports::{Repositories, StoreError};
use serde_json::Value;

use crate::exports::{Exported, words_of};

#[async_trait]
impl Exported for LeadSort {
    type Filter = LeadFilter;

    const RESOURCE: &'static str = RESOURCE;
    const RECORD: access::Record = access::Record::Lead(None);
    const COLUMNS: &'static [Column<Lead>] = COLUMNS;

    fn told(filter: &LeadFilter) -> Vec<(&'static str, Option<Value>)> {
        // No `..`, so that the compiler reports a new filter.
        let LeadFilter {
            statuses,
            sources,
            categories,
            created_after,
            created_before,
            owner,
            due,
            words,
        } = filter;
        let owner = owner.map(|owner| match owner {
            LeadOwner::Staff(id) => id.0.into(),
            LeadOwner::Somebody => "somebody".into(),
            LeadOwner::Nobody => "nobody".into(),
        });
        // The list in the order of next steps has all leads with one.
        let any = DateTime::<Utc>::MAX_UTC;
        vec![
            ("status", words_of(statuses.as_ref())),
            ("source", words_of(sources.as_ref())),
            ("category", words_of(categories.as_ref())),
            ("created_after", created_after.map(|at| at.to_rfc3339().into())),
            ("created_before", created_before.map(|at| at.to_rfc3339().into())),
            ("owner", owner),
            ("due", due.map(|at| if at == any { "any".into() } else { at.to_rfc3339().into() })),
            ("search", (!words.is_empty()).then_some(Value::Bool(true))),
        ]
    }

    async fn step(
        all: &Repositories,
        filter: &LeadFilter,
        step: &Step,
    ) -> Result<Slice<Lead>, StoreError> {
        all.leads.walk(filter, LeadOrder::NEWEST, step).await
    }
}
