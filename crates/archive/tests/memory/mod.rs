//! A database in memory.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use exit3_ports::{
    Column, Load, ModuleRecord, PAGE_BYTES, Row, Shape, Snapshot, StoreError, TABLES, Table, Value,
};

type Rows = BTreeMap<&'static str, Vec<Row>>;

#[derive(Clone, Default)]
pub(crate) struct Memory {
    rows: Rows,
    pub(crate) last_ids: BTreeMap<&'static str, i64>,
    /// The ids of rows that were removed.
    pub(crate) removed: BTreeMap<&'static str, Vec<i64>>,
    /// A defect that the tests must detect: one row is lost.
    pub(crate) forgets_a_row: bool,
    /// Whether `confirm` reports damage after all rows have been read.
    pub(crate) is_damaged_meanwhile: bool,
    /// The most rows, and bytes of text, that were read or written at once.
    pub(crate) most: (usize, usize),
    /// The tables that were locked.
    pub(crate) locked: Vec<&'static str>,
    /// Whether the consumers of events were placed behind the loaded ones.
    pub(crate) has_passed_events: bool,
    pub(crate) modules: Vec<ModuleRecord>,
    committed: Arc<Mutex<Option<Memory>>>,
}

impl Memory {
    pub(crate) fn put(&mut self, table: &'static str, rows: Vec<Row>) {
        self.rows.insert(table, rows);
    }

    pub(crate) fn rows_of(&self, table: &str) -> Vec<Row> {
        self.rows.get(table).cloned().unwrap_or_default()
    }

    pub(crate) fn was_committed(&self) -> bool {
        self.committed.lock().unwrap().is_some()
    }

    pub(crate) fn committed(&self) -> Memory {
        self.committed.lock().unwrap().clone().expect("a commit")
    }
}

impl Memory {
    fn note(&mut self, rows: &[Row]) {
        let bytes = rows.iter().map(text).sum();
        self.most = (self.most.0.max(rows.len()), self.most.1.max(bytes));
    }
}

/// The total length of a row's texts.
fn text(row: &Row) -> usize {
    let texts = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        _ => 0,
    });
    texts.sum()
}

fn id(row: &Row) -> i64 {
    match row[0] {
        Value::Integer(id) => id,
        _ => panic!("a row without an id"),
    }
}

/// The place of a column in the rows of its table.
fn place(shape: &Shape, column: &Column) -> usize {
    shape.table.columns.iter().position(|known| known == column).unwrap()
}

/// A row with all columns of its table; those that the shape lacks are NULL.
fn widened(shape: &Shape, row: Row) -> Row {
    let mut wide = vec![Value::Null; shape.table.columns.len()];
    for (value, column) in row.into_iter().zip(&shape.columns) {
        wide[place(shape, column)] = value;
    }
    wide
}

#[async_trait]
impl Snapshot for Memory {
    async fn schema(&mut self) -> Result<String, StoreError> {
        Ok(String::new())
    }

    async fn modules(&mut self) -> Result<Vec<ModuleRecord>, StoreError> {
        Ok(self.modules.clone())
    }

    async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError> {
        let own = TABLES.iter().map(|table| Shape::of(table, |_| true).unwrap());
        Ok(own.chain(ModuleRecord::shapes(&self.modules, |_, _| true)?).collect())
    }

    async fn damage(&mut self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn confirm(&mut self) -> Result<(), StoreError> {
        if self.is_damaged_meanwhile {
            return Err(StoreError::Unavailable("its files were damaged".into()));
        }
        Ok(())
    }

    async fn consumers(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(Vec::new())
    }

    async fn count(&mut self, table: &'static Table) -> Result<u64, StoreError> {
        Ok(self.rows_of(table.name).len() as u64)
    }

    async fn last_id(&mut self, table: &'static Table) -> Result<i64, StoreError> {
        let highest = self.rows_of(table.name).last().map(id).unwrap_or_default();
        Ok(self.last_ids.get(table.name).copied().unwrap_or_default().max(highest))
    }

    async fn rows(&mut self, shape: &Shape, after: i64, most: u32) -> Result<Vec<Row>, StoreError> {
        let rows = self.rows_of(shape.table.name).into_iter();
        let beyond = |row: &Row| matches!(row[0], Value::Integer(id) if id > after);
        let mut rows: Vec<Row> = rows.filter(beyond).take(most as usize).collect();
        let mut bytes = 0;
        let full = rows.iter().position(|row| {
            bytes += text(row);
            bytes >= PAGE_BYTES
        });
        rows.truncate(full.map_or(rows.len(), |last| last + 1));
        for row in &mut rows {
            let own = shape.columns.iter().map(|column| row[place(shape, column)].clone());
            *row = own.collect();
        }
        self.note(&rows);
        Ok(rows)
    }
}

#[async_trait]
impl Load for Memory {
    async fn clear(&mut self) -> Result<(), StoreError> {
        self.rows.clear();
        Ok(())
    }

    async fn write(&mut self, shape: &Shape, mut rows: Vec<Row>) -> Result<(), StoreError> {
        self.note(&rows);
        if self.forgets_a_row {
            rows.pop();
        }
        let all = self.rows.entry(shape.table.name).or_default();
        all.extend(rows.into_iter().map(|row| widened(shape, row)));
        all.sort_by_key(id);
        Ok(())
    }

    async fn replace(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
        self.note(&rows);
        for row in rows {
            let all = self.rows.entry(shape.table.name).or_default();
            let own = all.iter_mut().find(|own| id(own) == id(&row)).expect("a row to replace");
            for (value, column) in row.into_iter().zip(&shape.columns) {
                own[place(shape, column)] = value;
            }
            // The key of each of these tables is its second column.
            let key = own[1].clone();
            let is_unique = matches!(shape.table.name, "subscribers" | "clients" | "staff");
            let holders = all.iter().filter(|own| own[1] == key).count();
            assert!(!is_unique || key == Value::Null || holders == 1, "two rows have the key");
        }
        Ok(())
    }

    async fn lock(&mut self, table: &'static Table) -> Result<(), StoreError> {
        self.locked.push(table.name);
        Ok(())
    }

    async fn remove(&mut self, table: &'static Table, ids: Vec<i64>) -> Result<(), StoreError> {
        self.removed.entry(table.name).or_default().extend(&ids);
        let all = self.rows.entry(table.name).or_default();
        all.retain(|row| !ids.contains(&id(row)));
        Ok(())
    }

    async fn keep_ids(&mut self, table: &'static Table, id: i64) -> Result<(), StoreError> {
        self.last_ids.insert(table.name, id);
        Ok(())
    }

    async fn pass_events(&mut self) -> Result<(), StoreError> {
        self.has_passed_events = true;
        Ok(())
    }

    async fn place_consumer(&mut self, _: &str, _: i64) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let committed = Arc::clone(&self.committed);
        *committed.lock().unwrap() = Some(*self);
        Ok(())
    }
}
