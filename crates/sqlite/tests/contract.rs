//! Runs the contract suite of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod common;

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::contract::Harness;

async fn harness() -> Harness {
    record_statements();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contract.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    database.migrate().unwrap();
    Harness { guard: Box::new((database.clone(), directory)), ..common::harness_over(&database) }
}

static RECORD: OnceLock<File> = OnceLock::new();

/// For `scripts/freeze-statements`: records the adapter's statements in the file named by the
/// variable.
fn record_statements() {
    if let Some(path) = std::env::var_os("RECORD_STATEMENTS") {
        RECORD.get_or_init(|| File::create(path).unwrap());
        set_default_instrumentation(|| Some(Box::new(record) as Box<dyn Instrumentation>)).unwrap();
    }
}

fn record(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let statement = text.split(" -- binds").next().unwrap_or_default();
        if !statement.contains('\n') {
            let mut file = RECORD.get().unwrap();
            file.write_all(format!("{statement}\n").as_bytes()).unwrap();
        }
    }
}

exit3_testkit::repository_contract!(harness().await);
