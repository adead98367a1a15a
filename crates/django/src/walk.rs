//! Walks through tables by id.

use std::collections::{HashMap, HashSet, VecDeque};

use exit3_domain::email::DisposableDomains;
use exit3_ports::{ForeignRow, ForeignSource, Row, Shape, Snapshot, StoreError, Value};

use crate::report::{Remark, What};
use crate::rows::{Arrival, Reading};
use crate::tables::{Move, id};

/// Rows in one batch.
pub(crate) const BATCH: u32 = 500;

/// What the conversion of a row needs to know about other rows.
pub(crate) struct Around {
    pub(crate) disposable: DisposableDomains,
    /// Subscriptions that are merged, with the id of the one that is kept.
    pub(crate) merged: HashMap<i64, i64>,
    /// Kept subscriptions that become unsubscribed because a merged one was.
    pub(crate) unsubscribed: HashSet<i64>,
    /// The ids of all leads of the source.
    pub(crate) leads: HashSet<i64>,
}

impl Around {
    /// Converts a row. The flag is false if the row is merged into another one.
    pub(crate) fn arrival(&self, it: &Move, row: &ForeignRow) -> Option<(Arrival, bool)> {
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

/// Reads the rows of a source table and converts them.
pub(crate) struct Arrivals<'a> {
    it: &'a Move,
    after: i64,
    ended: bool,
    rows: VecDeque<ForeignRow>,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn of(it: &'a Move) -> Self {
        Self { it, after: i64::MIN, ended: false, rows: VecDeque::new() }
    }

    /// The next row, unconverted.
    pub(crate) async fn next_raw(
        &mut self,
        source: &mut dyn ForeignSource,
    ) -> Result<Option<ForeignRow>, StoreError> {
        if self.rows.is_empty() && !self.ended {
            let rows = source.rows(self.it.from, self.after, BATCH).await?;
            self.ended = rows.len() < BATCH as usize;
            let last = rows.last().and_then(|row| row.first()?.as_deref()?.parse().ok());
            self.after = last.unwrap_or(self.after);
            self.rows = rows.into();
        }
        Ok(self.rows.pop_front())
    }

    /// The next row, converted, and whether it becomes a row of its own.
    pub(crate) async fn next(
        &mut self,
        source: &mut dyn ForeignSource,
        around: &Around,
    ) -> Result<Option<(Arrival, bool)>, StoreError> {
        let row = self.next_raw(source).await?;
        Ok(row.and_then(|row| around.arrival(self.it, &row)))
    }
}

/// Reads the rows of a table in this database.
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

    /// Returns the next row if its id is `wanted`.
    pub(crate) fn take(&mut self, wanted: i64) -> Option<Row> {
        self.rows.pop_front_if(|row| id(row) == wanted)
    }
}
