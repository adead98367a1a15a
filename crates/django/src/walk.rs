//! Walking through tables by id.

use std::collections::{HashMap, HashSet, VecDeque};

use exit3_domain::email::DisposableDomains;
use exit3_ports::{DjangoRow, DjangoSource, Row, Shape, Snapshot, StoreError, Value};

use crate::report::{Remark, What};
use crate::rows::{Arrival, Reading};
use crate::tables::{Move, id};

/// Rows at a time.
pub(crate) const BATCH: u32 = 500;

/// What a row depends on beside itself.
pub(crate) struct Around {
    pub(crate) disposable: DisposableDomains,
    /// Subscriptions that become part of another one, and of which.
    pub(crate) merged: HashMap<i64, i64>,
    /// Subscriptions of which one that became part of them was unsubscribed.
    pub(crate) unsubscribed: HashSet<i64>,
    /// All leads of the source.
    pub(crate) leads: HashSet<i64>,
}

impl Around {
    /// What a row becomes; no row of ours, where it becomes part of another one.
    pub(crate) fn arrival(&self, it: &Move, row: &DjangoRow) -> Option<(Arrival, bool)> {
        let mut reading = Reading::of(it.from, row)?;
        (it.read)(&mut reading, &self.disposable);
        let mut arrival = reading.finish(&it.to);
        let id = id(&arrival.row);
        match it.to.table.name {
            "subscribers" => {
                if let Some(into) = self.merged.get(&id) {
                    let email = row.get(1).cloned().flatten().unwrap_or_default();
                    let what = What::Merged { into: *into, email };
                    arrival.remarks = vec![Remark { table: it.from.name, id, column: "", what }];
                    return Some((arrival, false));
                }
                if let (true, Some(value)) =
                    (self.unsubscribed.contains(&id), arrival.row.get_mut(2))
                {
                    *value = Value::Boolean(false);
                }
            }
            "clients" => {
                let lead = arrival.row.get_mut(1);
                if let Some(lead @ Value::Integer(_)) = lead
                    && !matches!(lead, Value::Integer(id) if self.leads.contains(id))
                {
                    let from = row.get(1).cloned().flatten();
                    arrival.original = serde_json::json!({ "client_info_id": from }).to_string();
                    let what = What::Altered { from, to: None };
                    let column = "client_info_id";
                    arrival.remarks.push(Remark { table: it.from.name, id, column, what });
                    *lead = Value::Null;
                }
            }
            _ => {}
        }
        Some((arrival, true))
    }
}

/// The rows of a table of the source, as what they become.
pub(crate) struct Arrivals<'a> {
    it: &'a Move,
    after: i64,
    ended: bool,
    rows: VecDeque<DjangoRow>,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn of(it: &'a Move) -> Self {
        Self { it, after: i64::MIN, ended: false, rows: VecDeque::new() }
    }

    /// The next row as it is in the source.
    pub(crate) async fn next_raw(
        &mut self,
        source: &mut dyn DjangoSource,
    ) -> Result<Option<DjangoRow>, StoreError> {
        if self.rows.is_empty() && !self.ended {
            let rows = source.rows(self.it.from, self.after, BATCH).await?;
            self.ended = rows.len() < BATCH as usize;
            let last = rows.last().and_then(|row| row.first()?.as_deref()?.parse().ok());
            self.after = last.unwrap_or(self.after);
            self.rows = rows.into();
        }
        Ok(self.rows.pop_front())
    }

    /// The next row, and whether it becomes one of ours.
    pub(crate) async fn next(
        &mut self,
        source: &mut dyn DjangoSource,
        around: &Around,
    ) -> Result<Option<(Arrival, bool)>, StoreError> {
        let row = self.next_raw(source).await?;
        Ok(row.and_then(|row| around.arrival(self.it, &row)))
    }
}

/// The rows of one of our tables.
pub(crate) struct Stored<'a> {
    shape: &'a Shape,
    after: i64,
    ended: bool,
    rows: VecDeque<Row>,
}

impl<'a> Stored<'a> {
    pub(crate) fn of(shape: &'a Shape) -> Self {
        Self { shape, after: i64::MIN, ended: false, rows: VecDeque::new() }
    }

    /// The id of the next row.
    pub(crate) async fn peek<S: Snapshot + ?Sized>(
        &mut self,
        from: &mut S,
    ) -> Result<Option<i64>, StoreError> {
        if self.rows.is_empty() && !self.ended {
            let rows = from.rows(self.shape, self.after, BATCH).await?;
            self.ended = rows.is_empty();
            self.after = rows.last().map_or(self.after, id);
            self.rows = rows.into();
        }
        Ok(self.rows.front().map(id))
    }

    /// The next row, if it is that of `id`.
    pub(crate) fn take(&mut self, wanted: i64) -> Option<Row> {
        self.rows.pop_front_if(|row| id(row) == wanted)
    }
}
