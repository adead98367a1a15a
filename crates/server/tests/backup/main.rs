//! Backups, restores and promotion with the real binary, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod encrypted;
mod erase;
mod failures;
mod memory;
mod modules;
mod promote;
mod round_trip;
#[path = "../service/mod.rs"]
mod service;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use exit3_archive::{ArchiveReader, Event, Keys, TableSum};
use exit3_testkit::postgres::{self, TestDatabase};
use serde_json::{Value, json};
use service::{Service, exit3};

const LEADS: &str = "/backend/api/v1/leads/";
const KEY: &str = "key-of-the-tests";

/// A directory with a database of its own.
struct Site {
    directory: tempfile::TempDir,
    url: String,
    _database: Option<TestDatabase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Site {
    async fn new(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (url, database) = match kind {
            Kind::Sqlite => ("sqlite:///data/exit3.sqlite3".to_owned(), None),
            Kind::Postgres => {
                let database = postgres::shared().create_database().await;
                (database.url().to_owned(), Some(database))
            }
        };
        Self { directory, url, _database: database }
    }

    fn env(&self) -> [(&str, &str); 3] {
        [
            ("DATABASE_URL", self.url.as_str()),
            ("BASIC_API_KEY", KEY),
            ("SECRET_KEY", "secret-of-the-tests"),
        ]
    }

    fn service(&self) -> Service {
        Service::start(self.directory.path(), &self.env())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(&[], arguments)
    }

    fn run_with(&self, env: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = exit3(self.directory.path());
        command.envs(self.env()).envs(env.iter().copied()).args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; returns its output.
    fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a backup; returns its path.
    fn back_up(&self) -> PathBuf {
        let said = self.must(&["backup", "--to", "backups"]);
        let name = said.lines().next().unwrap().split(": ").next().unwrap();
        self.directory.path().join(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Runs a command that must fail with one sentence; returns the sentence.
fn refused(output: &Output) -> String {
    let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    sentence
}

/// The sums of an archive, checked against its content.
fn sums(path: &Path) -> Vec<TableSum> {
    let mut archive = ArchiveReader::open(File::open(path).unwrap(), &Keys::default()).unwrap();
    let mut sums = Vec::new();
    loop {
        match archive.next_event().unwrap() {
            Event::TableEnd(sum) => sums.push(sum),
            Event::End => return sums,
            _ => {}
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Creates leads until told to stop; returns the status for each e-mail address.
async fn write_until(service: Arc<Service>, stop: Arc<AtomicBool>) -> Vec<(String, u16)> {
    let mut answers = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let email = format!("under-load-{}@example.com", answers.len());
        let lead = json!({"full_name": "Ana Horvat", "position": "CTO", "email": email});
        let answer = service.post(LEADS, KEY, &lead.to_string()).await;
        if answer.status() == 503 {
            assert!(answer.headers().contains_key("retry-after"));
        }
        answers.push((email, answer.status().as_u16()));
    }
    answers
}

async fn count(service: &Service, filter: &str) -> u64 {
    let list: Value = service.get(&format!("{LEADS}?{filter}"), KEY).await.json().await.unwrap();
    list["count"].as_u64().unwrap_or_else(|| panic!("{list}"))
}
