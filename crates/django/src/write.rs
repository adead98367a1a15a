//! Writes the planned changes.

use exit3_archive::ArchiveError;
use exit3_ports::{ForeignSource, Load, Row, StoreError, Table, Value};

use crate::error::ImportError;
use crate::plan::{Plan, hash};
use crate::rows::Arrival;
use crate::tables::{Move, id};
use crate::walk::{Around, Arrivals, BATCH};

/// Carries out the plans. A changed row is updated in place, so that columns which only exist here
/// keep their values. Rows that refer to others are deleted before them.
pub(crate) async fn write(
    moves: &[Move],
    plans: &[Plan],
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &Around,
) -> Result<(), ImportError> {
    for (it, plan) in moves.iter().zip(plans).rev() {
        let forgotten = plan.remove.iter().chain(&plan.change).chain(&plan.forget).copied();
        remove(here, it.memory.table, forgotten).await?;
        if !it.referred_to {
            remove(here, it.to.table, plan.remove.iter().copied()).await?;
        }
    }
    for (it, plan) in moves.iter().zip(plans) {
        if let Some(place) = it.unique
            && !plan.change.is_empty()
        {
            free_keys(it, place, plan, source, here, around).await?;
        }
        // Imports after the first one usually write little.
        if [&plan.add, &plan.change, &plan.remember].iter().any(|ids| !ids.is_empty()) {
            write_table(it, plan, source, here, around).await?;
        }
        here.keep_ids(it.to.table, plan.last).await?;
        if it.referred_to {
            remove(here, it.to.table, plan.remove.iter().copied()).await?;
        }
    }
    Ok(())
}

async fn write_table(
    it: &Move,
    plan: &Plan,
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &Around,
) -> Result<(), ImportError> {
    let mut arrivals = Arrivals::of(it);
    let mut batch = Batch::default();
    while let Some((arrival, _)) = arrivals.next(source, around).await? {
        batch.add(plan, arrival)?;
        if batch.rows >= BATCH as usize {
            std::mem::take(&mut batch).write(it, here).await?;
        }
    }
    Ok(batch.write(it, here).await?)
}

/// Gives the rows that change a key that no other row has, so that what one gives up another
/// can have.
async fn free_keys(
    it: &Move,
    place: usize,
    plan: &Plan,
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &Around,
) -> Result<(), ImportError> {
    let mut arrivals = Arrivals::of(it);
    let mut rows = Vec::new();
    while let Some((arrival, _)) = arrivals.next(source, around).await? {
        let mut row = arrival.row;
        let id = id(&row);
        if plan.change.binary_search(&id).is_err() {
            continue;
        }
        if let Some(key) = row.get_mut(place) {
            *key = match key {
                // No name and no address begins like this.
                Value::Text(_) => Value::Text(format!("\u{1f}{id}")),
                _ => Value::Null,
            };
        }
        rows.push(row);
        if rows.len() >= BATCH as usize {
            here.replace(&it.to, std::mem::take(&mut rows)).await?;
        }
    }
    if !rows.is_empty() {
        here.replace(&it.to, rows).await?;
    }
    Ok(())
}

async fn remove(
    here: &mut dyn Load,
    table: &'static Table,
    ids: impl Iterator<Item = i64>,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = ids.collect();
    for ids in ids.chunks(BATCH as usize) {
        here.remove(table, ids.to_vec()).await?;
    }
    Ok(())
}

/// Rows that are written in one statement.
#[derive(Default)]
struct Batch {
    rows: usize,
    add: Vec<Row>,
    replace: Vec<Row>,
    remember: Vec<Row>,
}

impl Batch {
    fn add(&mut self, plan: &Plan, arrival: Arrival) -> Result<(), ArchiveError> {
        let id = id(&arrival.row);
        let is_in = |ids: &[i64]| ids.binary_search(&id).is_ok();
        let (is_new, is_changed) = (is_in(&plan.add), is_in(&plan.change));
        if !is_new && !is_changed && !is_in(&plan.remember) {
            return Ok(());
        }
        self.rows += 1;
        self.remember.push(vec![
            Value::Integer(id),
            Value::Bytes(hash(&arrival.row)?.to_vec()),
            Value::Text(arrival.original),
        ]);
        if is_changed {
            self.replace.push(arrival.row);
        } else if is_new {
            self.add.push(arrival.row);
        }
        Ok(())
    }

    async fn write(self, it: &Move, here: &mut dyn Load) -> Result<(), StoreError> {
        if !self.replace.is_empty() {
            here.replace(&it.to, self.replace).await?;
        }
        if !self.add.is_empty() {
            here.write(&it.to, self.add).await?;
        }
        if !self.remember.is_empty() {
            here.write(&it.memory, self.remember).await?;
        }
        Ok(())
    }
}
