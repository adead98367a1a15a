//! Plans the changes to each row before anything is written.

use std::collections::HashMap;

use exit3_archive::{ArchiveError, encode};
use exit3_ports::{ForeignSource, Load, Row, Value};
use sha2::{Digest, Sha256};

use crate::decide::{Action, Conflict, Hash, Why, decide, overwrite};
use crate::report::Report;
use crate::rows::Arrival;
use crate::tables::{Move, id};
use crate::walk::{Around, Arrivals, Stored};

/// The ids of a table's rows, by what to do with them; each list is sorted.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) add: Vec<i64>,
    pub(crate) change: Vec<i64>,
    pub(crate) remove: Vec<i64>,
    /// The row is stored already and only needs to be remembered.
    pub(crate) remember: Vec<i64>,
    pub(crate) forget: Vec<i64>,
    pub(crate) last: i64,
    pub(crate) conflicts: Vec<Conflict>,
}

pub(crate) fn hash(row: &Row) -> Result<Hash, ArchiveError> {
    let mut line = Vec::new();
    encode(row, &mut line)?;
    Ok(Sha256::digest(&line).into())
}

/// Compares a table of the source with ours. With `source_wins`, conflicts are resolved in favour
/// of the source.
pub(crate) async fn plan(
    it: &Move,
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &mut Around,
    source_wins: bool,
    report: &mut Report,
) -> Result<Plan, ArchiveError> {
    let mut plan = Plan::default();
    let (mut arrivals, mut stored) = (Arrivals::of(it), Stored::of(&it.to));
    let mut memory = Stored::of(&it.memory);
    let mut keys = Keys::default();
    let mut arrival = next(&mut arrivals, source, around, report).await?;
    loop {
        let there = arrival.as_ref().map(|arrival| id(&arrival.row));
        let ids = [there, stored.peek(here).await?, memory.peek(here).await?];
        let Some(at) = ids.into_iter().flatten().min() else { break };
        let row = stored.take(at);
        let brought = memory.take(at);
        let arrived = arrival.take_if(|arrival| id(&arrival.row) == at);
        plan.step(it, at, arrived.as_ref(), row, brought, source_wins, &mut keys)?;
        if let Some(arrived) = arrived {
            plan.last = at;
            if it.referred_to {
                around.leads.insert(at);
            }
            report.remarks.extend(arrived.remarks);
        }
        if arrival.is_none() {
            arrival = next(&mut arrivals, source, around, report).await?;
        }
    }
    plan.conflicts.extend(keys.conflicts(it.to.table.name));
    Ok(plan)
}

/// The next row of the source that is not merged into another one.
async fn next(
    arrivals: &mut Arrivals<'_>,
    source: &mut dyn ForeignSource,
    around: &Around,
    report: &mut Report,
) -> Result<Option<Arrival>, ArchiveError> {
    loop {
        match arrivals.next(source, around).await? {
            Some((arrival, true)) => return Ok(Some(arrival)),
            Some((merged, false)) => report.remarks.extend(merged.remarks),
            None => return Ok(None),
        }
    }
}

impl Plan {
    #[allow(clippy::too_many_arguments, reason = "one row, seen from everywhere")]
    fn step(
        &mut self,
        it: &Move,
        at: i64,
        arrived: Option<&Arrival>,
        row: Option<Row>,
        brought: Option<Row>,
        source_wins: bool,
        keys: &mut Keys,
    ) -> Result<(), ArchiveError> {
        let there = arrived.map(|arrived| hash(&arrived.row)).transpose()?;
        let here = row.as_ref().map(hash).transpose()?;
        let key = |row: &Row| it.unique.and_then(|place| row.get(place).cloned());
        match (arrived, &row, &brought) {
            (Some(arrived), _, _) => keys.source(key(&arrived.row), at),
            (None, Some(row), None) => keys.own(key(row), at),
            _ => {}
        }
        let action = decide(there, here, brought.as_ref().and_then(digest));
        let action = match action {
            Ok(action) => action,
            Err(why) if source_wins => overwrite(&why, there.is_some()),
            Err(why) => {
                self.conflicts.push(Conflict { table: it.to.table.name, id: at, why });
                return Ok(());
            }
        };
        match action {
            Action::Keep => {
                let original = brought.as_ref().and_then(|row| row.get(2));
                let kept =
                    |arrived: &Arrival| Some(&Value::Text(arrived.original.clone())) == original;
                if arrived.is_some_and(|arrived| !kept(arrived)) {
                    self.change.push(at);
                }
            }
            Action::Add => self.add.push(at),
            Action::Change => self.change.push(at),
            Action::Remove => self.remove.push(at),
            Action::Remember => self.remember.push(at),
            Action::Forget => self.forget.push(at),
        }
        Ok(())
    }
}

/// The hash in a remembered row.
fn digest(row: &Row) -> Option<Hash> {
    match row.get(1) {
        Some(Value::Bytes(bytes)) => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

/// Values of a unique column.
#[derive(Default)]
struct Keys {
    source: HashMap<String, i64>,
    own: Vec<(String, i64)>,
}

impl Keys {
    fn source(&mut self, key: Option<Value>, id: i64) {
        if let Some(key) = word(key) {
            self.source.insert(key, id);
        }
    }

    fn own(&mut self, key: Option<Value>, id: i64) {
        self.own.extend(word(key).map(|key| (key, id)));
    }

    fn conflicts(self, table: &'static str) -> impl Iterator<Item = Conflict> {
        let Self { source, own } = self;
        own.into_iter().filter_map(move |(key, by)| {
            source.get(&key).map(|id| Conflict { table, id: *id, why: Why::Taken(by) })
        })
    }
}

fn word(key: Option<Value>) -> Option<String> {
    match key? {
        Value::Text(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
