//! Tables of modules.

use exit3_archive::{
    ArchiveError, ArchiveWriter, Head, Keys, LeftOut, Lock, Summary, back_up, check_modules, copy,
    restore,
};
use exit3_files::ContractDirectory;
use exit3_ports::{Column, Kind, ModuleRecord, ModuleSchema, Row, Table, Value};

use crate::memory::Memory;
use crate::{Quiet, head, open, subscriber};

const COLUMNS: &[Column] = &[Column::new("id", Kind::Integer), Column::new("name", Kind::Text)];
const GUESTS: Table = Table { name: "guests", columns: COLUMNS, ..Table::EMPTY };

/// What a database records of a module with this version and this table.
fn record(version: &str, table: Table) -> ModuleRecord {
    let tables: &'static [Table] = vec![table].leak();
    let schema = ModuleSchema { module: "guests", tables, postgres: &[], sqlite: &[] };
    let row = ("guests".to_owned(), version.to_owned(), "1".to_owned(), schema.definition());
    ModuleRecord::newest([row]).unwrap().remove(0)
}

fn with(modules: Vec<ModuleRecord>) -> Memory {
    let mut memory = Memory::default();
    memory.modules = modules;
    memory
}

fn guests() -> Vec<Row> {
    (1..=120).map(|id| vec![Value::Integer(id), Value::Text("Iva".to_owned())]).collect()
}

/// A database with guests and subscribers.
fn full() -> Memory {
    let mut memory = with(vec![record("2", GUESTS)]);
    memory.put("guests", guests());
    memory.put("subscribers", vec![subscriber(1)]);
    memory
}

async fn archive(memory: &mut Memory) -> Vec<u8> {
    let head = Head { modules: memory.modules.clone(), ..head() };
    let writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head).unwrap();
    let files = ContractDirectory::new("/nonexistent");
    back_up(memory, &files, writer, &Quiet).await.unwrap().0
}

async fn restored(bytes: &[u8], to: &Memory) -> Result<Summary, ArchiveError> {
    let mut reader = open(bytes, &Keys::default())?;
    restore(&mut reader, Box::new(to.clone()), None, false, &Quiet).await
}

#[tokio::test]
async fn rows_of_a_module_are_restored_where_its_table_is() {
    let bytes = archive(&mut full()).await;
    let to = with(vec![record("2", GUESTS)]);
    let summary = restored(&bytes, &to).await.unwrap();
    assert_eq!((summary.rows(), summary.left_out_tables), (121, vec![]));
    assert_eq!(to.committed().rows_of("guests"), guests());
}

#[tokio::test]
async fn rows_of_a_module_that_the_database_lacks_are_checked_and_left_out() {
    let bytes = archive(&mut full()).await;
    let to = Memory::default();
    let summary = restored(&bytes, &to).await.unwrap();
    let (module, table) = ("guests".to_owned(), "guests".to_owned());
    assert_eq!(summary.left_out_tables, [LeftOut { module, table, rows: 120 }]);
    assert_eq!(summary.rows(), 1);
    let to = to.committed();
    assert_eq!((to.rows_of("guests"), to.rows_of("subscribers").len()), (vec![], 1));
}

#[tokio::test]
async fn an_archive_of_a_newer_version_of_a_module_is_refused() {
    let bytes = archive(&mut full()).await;
    let to = with(vec![record("1", GUESTS)]);
    let refused = restored(&bytes, &to).await.unwrap_err();
    let sentence = "the archive was written by a newer version of the module guests (2); restore \
                    it with that version";
    assert_eq!(refused.to_string(), sentence);
    assert!(!to.was_committed());
    // A column that the table does not have, although the versions are the same.
    let to = with(vec![record("2", Table { columns: &COLUMNS[..1], ..GUESTS })]);
    let refused = restored(&bytes, &to).await.unwrap_err();
    assert!(refused.to_string().contains("columns of table guests"), "{refused}");
}

#[tokio::test]
async fn a_table_that_no_module_of_the_archive_defines_is_refused() {
    let head = Head { modules: vec![record("2", Table { name: "rooms", ..GUESTS })], ..head() };
    let writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head).unwrap();
    let files = ContractDirectory::new("/nonexistent");
    let bytes = back_up(&mut full(), &files, writer, &Quiet).await.unwrap().0;
    let refused = restored(&bytes, &Memory::default()).await.unwrap_err();
    assert!(refused.to_string().contains("newer version of exit3 (table guests)"), "{refused}");
}

#[tokio::test]
async fn a_database_with_a_module_is_copied_to_one_that_has_it() {
    let to = with(vec![record("2", GUESTS)]);
    let summary = copy(&mut full(), Box::new(to.clone()), &Quiet).await.unwrap();
    assert_eq!(summary.rows(), 121);
    assert_eq!(to.committed().rows_of("guests"), guests());
    for modules in [vec![], vec![record("1", GUESTS)]] {
        let mut to = with(modules);
        let refused = copy(&mut full(), Box::new(to.clone()), &Quiet).await.unwrap_err();
        let sentence = "the database has the module guests (2): promote it with a program that has \
                        this version of it";
        assert_eq!(refused.to_string(), sentence);
        assert!(check_modules(&mut full(), &mut to).await.is_err() && !to.was_committed());
    }
}
