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

use diesel::connection::SimpleConnection;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::{Connection, SqliteConnection};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::contract::Harness;

async fn harness() -> Harness {
    record_statements();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contract.sqlite3");
    // So few that searches come to the index.
    let settings = SqliteSettings { ahead: 20, ..SqliteSettings::default() };
    let database = SqliteDatabase::open(&path, &settings).unwrap();
    database.migrate().unwrap();
    let url = path.display().to_string();
    Harness {
        guard: Box::new((database.clone(), directory)),
        refuse_events: Box::new(move |refused| {
            let url = url.clone();
            Box::pin(async move { refuse_events(&url, refused) })
        }),
        ..common::harness_over(&database)
    }
}

fn refuse_events(url: &str, refused: bool) {
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON events \
                  BEGIN SELECT RAISE(ABORT, 'no event is taken'); END";
    let mut connection = SqliteConnection::establish(url).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    connection.batch_execute(if refused { refuse } else { "DROP TRIGGER refuse" }).unwrap();
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
