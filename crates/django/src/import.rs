//! Imports everything from the Django service.

use std::collections::{HashMap, HashSet};

use exit3_archive::{ArchiveError, TableSum};
use exit3_domain::clients::is_contract_path;
use exit3_domain::email::DisposableDomains;
use exit3_domain::events::{Act, Changes, NewEvent, Subject, Verb};
use exit3_ports::{ContractError, ForeignSource, Load, StoreError, Value, events};
use serde_json::json;

use crate::contracts::{Bringing, Contracts};
use crate::decide::{Conflict, Why};
use crate::error::ImportError;
use crate::plan::plan;
use crate::report::{Remark, Report, What};
use crate::rows::Reading;
use crate::source::missing;
use crate::sums::sums;
use crate::tables::{Move, id, moves};
use crate::walk::{Around, Arrivals};
use crate::write::write;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Domains of disposable addresses, which the current rules refuse.
    pub disposable: DisposableDomains,
    /// The source and the target of contract files.
    pub contracts: Contracts,
    /// Whether the source overwrites changes made here.
    pub overwrite: bool,
}

/// The result of an import.
#[derive(Debug)]
pub struct Imported {
    /// The tables, in the order in which they were written.
    pub tables: Vec<ImportedTable>,
    /// The number of copied contract files.
    pub contracts: u64,
    /// Remarks about single rows.
    pub report: Report,
}

/// The result for one table.
#[derive(Debug)]
pub struct ImportedTable {
    /// The table's name in the source.
    pub from: &'static str,
    /// Rows that were added.
    pub added: usize,
    /// Rows that were changed.
    pub changed: usize,
    /// Rows that were removed.
    pub removed: usize,
    /// Rows of the source that were merged into others.
    pub merged: usize,
    /// The sum of the rows that should have arrived.
    pub there: TableSum,
    /// The sum of the stored rows with the same ids.
    pub here: TableSum,
}

/// Imports everything from `source`, or nothing if there is an error. Rows that have not changed in
/// the source stay as they are here. One event tells how many rows were added, changed and removed.
///
/// # Errors
/// [`ImportError`].
pub async fn import(
    source: &mut dyn ForeignSource,
    mut here: Box<dyn Load>,
    options: &Options,
    act: &Act,
) -> Result<Imported, ImportError> {
    let missing = missing(source).await?;
    if !missing.is_empty() {
        return Err(ImportError::Missing(missing));
    }
    let moves = moves();
    let (merged, unsubscribed) = merges(source, &moves).await?;
    let disposable = options.disposable.clone();
    let mut around = Around { disposable, merged, unsubscribed, leads: HashSet::new() };
    let mut report = Report::default();
    let mut plans = Vec::new();
    for it in &moves {
        let (load, wins) = (here.as_mut(), options.overwrite);
        plans.push(plan(it, source, load, &mut around, wins, &mut report).await?);
    }
    let mut conflicts: Vec<_> =
        plans.iter_mut().flat_map(|plan| plan.conflicts.drain(..)).collect();
    let mut contracts = options.contracts.stage(options.overwrite);
    for it in moves.iter().filter(|it| it.to.table.name == "clients") {
        bring_contracts(it, source, &around, &mut contracts, &mut report, &mut conflicts).await?;
    }
    if !conflicts.is_empty() {
        return Err(ImportError::Conflicts(conflicts));
    }
    write(&moves, &plans, source, here.as_mut(), &around).await?;
    let mut tables = Vec::new();
    for (it, plan) in moves.iter().zip(&plans) {
        let (there, own) = sums(it, source, here.as_mut(), &around).await?;
        if there != own {
            return Err(ImportError::Differs(it.to.table.name));
        }
        tables.push(ImportedTable {
            from: it.from.name,
            added: plan.add.len(),
            changed: plan.change.len(),
            removed: plan.remove.len(),
            merged: if it.to.table.name == "subscribers" { around.merged.len() } else { 0 },
            there,
            here: own,
        });
    }
    events::load(here.as_mut(), &imported(&tables), act).await?;
    let contracts = contracts.finish()?;
    here.commit().await?;
    Ok(Imported { tables, contracts, report })
}

/// The event of an import: the number of rows that were added, changed and removed, by table.
fn imported(tables: &[ImportedTable]) -> NewEvent {
    let count = |table: &ImportedTable| {
        let ImportedTable { added, changed, removed, .. } = table;
        let counts = json!({ "added": added, "changed": changed, "removed": removed });
        (table.there.name.to_owned(), counts)
    };
    NewEvent {
        verb: Verb::of(Subject::DATABASE, Verb::IMPORTED),
        subject: Subject { resource: Subject::DATABASE.into(), id: 0 },
        changes: Changes::Row(tables.iter().map(count).collect()),
    }
}

/// Finds subscriptions whose addresses differ only in case: those that are merged into the first
/// one, and the first ones that become unsubscribed by that.
async fn merges(
    source: &mut dyn ForeignSource,
    moves: &[Move],
) -> Result<(HashMap<i64, i64>, HashSet<i64>), StoreError> {
    let (mut merged, mut unsubscribed) = (HashMap::new(), HashSet::new());
    let mut first: HashMap<String, i64> = HashMap::new();
    for it in moves.iter().filter(|it| it.to.table.name == "subscribers") {
        let mut arrivals = Arrivals::of(it);
        while let Some(row) = arrivals.next_raw(source).await? {
            let Some(mut reading) = Reading::of(it.from, &row) else { continue };
            (it.read)(&mut reading, &DisposableDomains::default());
            let row = reading.finish(&it.to).row;
            let (Some(Value::Text(email)), Some(Value::Boolean(wanted))) = (row.get(1), row.get(2))
            else {
                continue;
            };
            let into = *first.entry(email.clone()).or_insert(id(&row));
            if into != id(&row) {
                merged.insert(id(&row), into);
            }
            if !wanted {
                unsubscribed.insert(into);
            }
        }
    }
    Ok((merged, unsubscribed))
}

async fn bring_contracts(
    it: &Move,
    source: &mut dyn ForeignSource,
    around: &Around,
    contracts: &mut Bringing<'_>,
    report: &mut Report,
    conflicts: &mut Vec<Conflict>,
) -> Result<(), ImportError> {
    let place = it.to.columns.iter().position(|column| column.name == "contract_file");
    let mut arrivals = Arrivals::of(it);
    while let Some((arrival, _)) = arrivals.next(source, around).await? {
        let Some(Value::Text(path)) = place.and_then(|place| arrival.row.get(place)) else {
            continue;
        };
        // The path was listed when the row was converted.
        if !is_contract_path(path) {
            continue;
        }
        let id = id(&arrival.row);
        match contracts.bring(path) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => {
                let what = What::NoContract { path: path.clone(), why };
                let column = "contract_file";
                report.remarks.push(Remark { table: it.from.name, id, column, what });
            }
            Err(ArchiveError::Contract(ContractError::Exists(path))) => {
                let why = Why::Contract(path);
                conflicts.push(Conflict { table: it.to.table.name, id, why });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
