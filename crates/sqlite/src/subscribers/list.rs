//! How lists of subscribers are read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::paging::{Glance, Slice, Step};
use exit3_domain::subscribers::{Subscriber, SubscriberFilter, SubscriberOrder, SubscriberSort};
use exit3_ports::StoreError;

use super::SubscriberRow;
use crate::listing::searched::{self, Start};
use crate::listing::{Indexed, is_descending};
use crate::merge::{Arm, Equal};
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::window::Access;

impl Indexed for SubscriberFilter {
    type Sort = SubscriberSort;
    type Row = SubscriberRow;
    type Types = (BigInt, Text, Bool);

    const TABLE: &'static str = "subscribers";
    const COLUMNS: &'static str = "id, email, is_subscribed";

    fn key(by: SubscriberSort) -> &'static [&'static str] {
        match by {
            SubscriberSort::Id => &["id"],
            SubscriberSort::Email => &["email", "id"],
            SubscriberSort::IsSubscribed => &["is_subscribed", "id"],
        }
    }

    fn read(row: SubscriberRow) -> Result<Subscriber, StoreError> {
        Ok(row.into())
    }

    fn words(&self) -> &[String] {
        &self.words
    }

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        if !self.words.is_empty() {
            select.words(&self.words);
            select.sql(" AND in_time()");
        }
    }

    const CHECKED: &'static str = "id, search_document";

    fn is_common(&self) -> bool {
        self.words.is_empty()
    }

    fn stored_count(&self) -> Option<Sql<BigInt>> {
        let mut select = Sql::new("SELECT coalesce(sum(n), 0) FROM subscriber_counts WHERE 1");
        if let Some(wanted) = self.is_subscribed {
            select.sql(" AND is_subscribed = ").int(i64::from(wanted));
        }
        self.words.is_empty().then_some(select)
    }

    fn arms(
        &self,
        _: &mut SqliteConnection,
        access: Access,
        by: SubscriberSort,
    ) -> QueryResult<Vec<Arm>> {
        let is_sorted = access == Access::Sorted;
        let index = match (self.is_subscribed, by) {
            (Some(_), SubscriberSort::Email) if !is_sorted => {
                " INDEXED BY subscribers_by_choice_email"
            }
            (Some(_), _) => " INDEXED BY subscribers_by_is_subscribed",
            // The index on addresses belongs to a constraint and has no name to refer to. It is the
            // only index in that order.
            (None, SubscriberSort::Email) if !is_sorted => "",
            (None, SubscriberSort::IsSubscribed) if !is_sorted => {
                " INDEXED BY subscribers_by_is_subscribed"
            }
            (None, _) => " NOT INDEXED",
        };
        let wanted = self.is_subscribed.map(|wanted| Equal::Int(i64::from(wanted)));
        let equal = wanted.map(|wanted| ("is_subscribed", wanted)).into_iter().collect();
        Ok(vec![Arm { equal, ..Arm::all(index) }])
    }
}

/// Rows in the order of their ids lie side by side, so it takes as long to look at so many times as many.
const SIDE_BY_SIDE: usize = 8;

/// A step that looks for words among the next rows only: there is no search index of subscribers.
pub(super) async fn glance(
    store: &SqliteStore,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step,
) -> Result<Glance<Subscriber>, StoreError> {
    if filter.words.is_empty() {
        return Ok(Glance {
            slice: store.indexed_walk(filter, order, step).await?,
            is_cut_short: false,
        });
    }
    let is_side_by_side = order.by == SubscriberSort::Id && filter.is_subscribed.is_none();
    let ahead = store.ahead * if is_side_by_side { SIDE_BY_SIDE } else { 1 };
    let (filter, own, most) = (filter.clone(), step.clone(), step.size as usize + 1);
    let glance = move |connection: &mut SqliteConnection| {
        let descending = is_descending(order, &own);
        let start = Start { by: order.by, descending, from: own.from.as_ref(), ahead };
        let found = searched::ahead(connection, &filter, start, most)?;
        let is_cut_short = !found.is_end && found.ids.len() < most;
        Ok((searched::load::<SubscriberFilter>(connection, &found.ids)?, is_cut_short))
    };
    let (rows, is_cut_short) = store.read(glance).await?;
    let mut rows: Vec<Subscriber> = rows.into_iter().map(SubscriberRow::into).collect();
    searched::sort(&mut rows, order.by, is_descending(order, step));
    Ok(Glance { slice: Slice::of(step, rows), is_cut_short })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use exit3_domain::order::Order;
    use exit3_domain::paging::{Direction, PageNumber, PageRequest};
    use exit3_domain::subscribers::NewSubscriber;
    use exit3_ports::SubscriberRepository;
    use exit3_testkit::builders::some_act;

    use super::super::SqliteSubscriberRepository;
    use super::*;
    use crate::connection::Connector;
    use crate::listing::Listed;
    use crate::readers::Readers;
    use crate::writer::Writer;
    use crate::{SqliteDatabase, SqliteSettings};

    /// The same list without counts, indexes and cached statements.
    #[derive(Clone, Default)]
    struct Plain(SubscriberFilter);

    impl Listed for Plain {
        type Sort = SubscriberSort;
        type Row = SubscriberRow;
        type Types = (BigInt, Text, Bool);

        const TABLE: &'static str = SubscriberFilter::TABLE;
        const COLUMNS: &'static str = SubscriberFilter::COLUMNS;

        fn key(by: SubscriberSort) -> &'static [&'static str] {
            SubscriberFilter::key(by)
        }

        fn read(row: SubscriberRow) -> Result<Subscriber, StoreError> {
            SubscriberFilter::read(row)
        }

        fn words(&self) -> &[String] {
            &self.0.words
        }

        fn conditions<ST>(&self, select: &mut Sql<ST>) {
            if let Some(wanted) = self.0.is_subscribed {
                select.sql(" AND is_subscribed = ").int(i64::from(wanted));
            }
        }
    }

    #[tokio::test]
    async fn a_list_without_counts_and_indexes_has_the_same_rows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lists.sqlite3");
        let settings = SqliteSettings::default();
        SqliteDatabase::open(&path, &settings).unwrap().migrate().unwrap();
        let connector = Connector::reached_by(&path, &path).unwrap();
        let readers = Arc::new(Readers::new(connector.clone(), 1, settings.patience));
        let writer = Arc::new(Writer::start(connector).unwrap());
        let (patience, ahead) = (settings.patience, settings.ahead);
        let store = SqliteStore { readers, writer, patience, ahead, module: None };
        let new = |n| NewSubscriber {
            email: format!("a{}@acme.hr", n % 7 * 10 + n),
            is_subscribed: n % 3 == 0,
        };
        let given: Vec<NewSubscriber> = (0..20).map(new).collect();
        SqliteSubscriberRepository::new(store.clone())
            .create_many(&given, &some_act())
            .await
            .unwrap();
        for is_subscribed in [None, Some(true), Some(false)] {
            for words in [Vec::new(), vec!["a1".to_owned()], vec!["nobody".to_owned()]] {
                let filter = SubscriberFilter { is_subscribed, words };
                let plain = Plain(filter.clone());
                for (by, descending) in
                    SubscriberSort::ALL.iter().flat_map(|by| [(*by, true), (*by, false)])
                {
                    let order = Order { by, descending };
                    for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
                        let page = PageRequest { number, size: 3 };
                        let expected = store.indexed_page(&filter, order, page).await.unwrap();
                        assert_eq!(store.page(&plain, order, page).await.unwrap(), expected);
                        // The row of the position need not match the filter.
                        let all = SubscriberFilter::default();
                        let all = store.indexed_page(&all, order, page).await.unwrap();
                        let rows = all.map(|page| page.rows).unwrap_or_default();
                        let from = rows.last().map(|row| order.position(row));
                        for direction in [Direction::Forward, Direction::Backward] {
                            let step = Step { from: from.clone(), direction, size: 3 };
                            let expected = store.indexed_walk(&filter, order, &step).await.unwrap();
                            let found = store.walk(&plain, order, &step).await.unwrap();
                            assert_eq!(found, expected, "{order} {step:?}");
                        }
                    }
                }
            }
        }
    }
}
