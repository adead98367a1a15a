//! Writes the planned changes.

use exit3_archive::ArchiveError;
use exit3_ports::{ForeignSource, Load, Row, StoreError, Table, Value};

use crate::error::ImportError;
use crate::plan::{Plan, hash};
use crate::rows::Arrival;
use crate::tables::{Move, id};
use crate::walk::{Around, Arrivals, BATCH};

/// Carries out the plans. Rows that nothing refers to are deleted and inserted again, so that rows
/// can exchange unique values. Rows that refer to others are deleted before them.
pub(crate) async fn write(
    moves: &[Move],
    plans: &[Plan],
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &Around,
) -> Result<(), ImportError> {
    for (it, plan) in moves.iter().zip(plans).rev() {
        let gone = plan.remove.iter().chain(&plan.change);
        let forgotten = gone.clone().chain(&plan.forget).copied();
        remove(here, it.memory.table, forgotten).await?;
        if !it.referred_to {
            remove(here, it.to.table, gone.copied()).await?;
        }
    }
    for (it, plan) in moves.iter().zip(plans) {
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
        batch.add(it, plan, arrival)?;
        if batch.rows >= BATCH as usize {
            std::mem::take(&mut batch).write(it, here).await?;
        }
    }
    Ok(batch.write(it, here).await?)
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
    fn add(&mut self, it: &Move, plan: &Plan, arrival: Arrival) -> Result<(), ArchiveError> {
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
        if is_changed && it.referred_to {
            self.replace.push(arrival.row);
        } else if is_new || is_changed {
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
