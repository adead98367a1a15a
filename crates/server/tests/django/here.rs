//! The target of an import.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use exit3_archive::{ArchiveReader, Event, Keys};
use exit3_ports::Row;
use exit3_testkit::postgres::{self, TestDatabase};

use super::Kind;
use super::replaced::{DjangoService, KEY};
use super::service::{Service, exit3};

/// A separate database for one of the services.
pub(crate) async fn database(
    kind: Kind,
    directory: &Path,
    name: &str,
) -> (String, Option<TestDatabase>) {
    match kind {
        Kind::Sqlite => (format!("sqlite:///{}", directory.join(name).display()), None),
        Kind::Postgres => {
            let database = postgres::shared().create_database().await;
            (database.url().to_owned(), Some(database))
        }
    }
}

/// A directory with a database of its own.
pub(crate) struct Here {
    directory: tempfile::TempDir,
    url: String,
    _database: Option<TestDatabase>,
}

impl Here {
    pub(crate) async fn new(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (url, database) = database(kind, directory.path(), "here.sqlite3").await;
        Self { directory, url, _database: database }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Its database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn env(&self) -> [(&str, &str); 3] {
        let secret = "secret-of-the-tests";
        [("DATABASE_URL", self.url.as_str()), ("BASIC_API_KEY", KEY), ("SECRET_KEY", secret)]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = exit3(self.path());
        command.envs(self.env()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn importing(&self, django: &DjangoService) -> Command {
        let mut command = self.command(&["import-django", "--from", django.url()]);
        command.arg("--media").arg(django.media());
        command
    }

    pub(crate) fn import(&self, django: &DjangoService, more: &[&str]) -> Output {
        self.importing(django).args(more).output().unwrap()
    }

    /// Starts an import without waiting for it.
    pub(crate) fn begin_import(&self, django: &DjangoService) -> Child {
        self.importing(django).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Runs an import that must succeed; returns its output.
    pub(crate) fn must_import(&self, django: &DjangoService) -> String {
        let output = self.import(django, &["--report", "report.txt"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a comparison; returns its output, and whether it found nothing unexpected.
    pub(crate) fn diff(&self, django: &DjangoService, new: &Service) -> (String, bool) {
        let new = new.url("");
        let urls = ["diff-django", "--old", django.address(), "--new", &new, "--old-key", KEY];
        let output = self.run(&urls);
        let told = [output.stdout, output.stderr].concat();
        (String::from_utf8(told).unwrap(), output.status.success())
    }

    /// All rows by table, read from a backup.
    pub(crate) fn rows(&self) -> BTreeMap<&'static str, Vec<Row>> {
        let to = tempfile::tempdir_in(self.path()).unwrap();
        let output = self.run(&["backup", "--to", to.path().to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let archive = to.path().read_dir().unwrap().next().unwrap().unwrap().path();
        let mut archive =
            ArchiveReader::open(File::open(archive).unwrap(), &Keys::default()).unwrap();
        let (mut rows, mut table) = (BTreeMap::<_, Vec<Row>>::new(), "");
        loop {
            match archive.next_event().unwrap() {
                Event::Table { shape, .. } => table = shape.table.name,
                Event::Row(row) => rows.entry(table).or_default().push(row),
                Event::End => return rows,
                _ => {}
            }
        }
    }
}

/// The line about one table.
pub(crate) fn done<'a>(said: &'a str, table: &str) -> &'a str {
    let start = format!("{table} -> ");
    said.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{said}"))
}

/// The lines about the rows that are stored now.
pub(crate) fn sums(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("  here")).collect()
}
