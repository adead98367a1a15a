//! The Django service to be replaced, with a database that Django created.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use exit3_testkit::postgres::TestDatabase;
use serde_json::Value;

use super::Kind;
use super::here::database;

/// The API key of both services.
pub(crate) const KEY: &str = "key-of-the-tests";
/// The password of the account `ana`.
pub(crate) const PASSWORD: &str = "ana's čšž password";

/// A running Django service; it ends on drop.
pub(crate) struct DjangoService {
    directory: tempfile::TempDir,
    url: String,
    _database: Option<TestDatabase>,
    server: Child,
    address: String,
}

impl DjangoService {
    /// Creates tables by Django's migrations, an account by `createsuperuser`, and rows.
    pub(crate) async fn new(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (url, database) = database(kind, directory.path(), "django.sqlite3").await;
        let manage = |arguments: &[&str]| {
            let mut command = python(directory.path(), &url);
            command.arg("manage.py").args(arguments);
            output(command.env("DJANGO_SUPERUSER_PASSWORD", PASSWORD));
        };
        manage(&["migrate"]);
        let email = "ana@acme.hr";
        manage(&["createsuperuser", "--noinput", "--username", "ana", "--email", email]);
        script(directory.path(), &url, &["make"]);
        let mut server = python(directory.path(), &url)
            .args(["-m", "gunicorn", "peer.wsgi", "--bind", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next().expect("gunicorn listens").unwrap();
            if let Some((_, rest)) = line.split_once("Listening at: ") {
                break rest.split(' ').next().unwrap().to_owned();
            }
        };
        // Keep reading its log, so that it never blocks on it.
        std::thread::spawn(move || log.for_each(drop));
        Self { directory, url, _database: database, server, address }
    }

    /// Its database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its directory of uploaded files.
    pub(crate) fn media(&self) -> PathBuf {
        self.directory.path().join("media")
    }

    /// Runs a script from `tests/django/rows.py`.
    pub(crate) fn script(&self, what: &[&str]) -> String {
        script(self.directory.path(), &self.url, what)
    }

    /// Starts a script that runs until its standard input ends.
    pub(crate) fn begin_script(&self, what: &[&str]) -> Child {
        let mut command = rows(self.directory.path(), &self.url);
        command.args(what).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// What the pages of Django's admin show: the fields of each row of each kind.
    pub(crate) fn shown(&self) -> Value {
        let mut command = rows(self.directory.path(), &self.url);
        command.env("DJANGO_SETTINGS_MODULE", "peer.admin_settings").arg("shown");
        serde_json::from_str(&output(&mut command)).unwrap()
    }

    /// Clients and staff as Django has them.
    pub(crate) fn dump(&self) -> Value {
        serde_json::from_str(&self.script(&["dump"])).unwrap()
    }
}

impl Drop for DjangoService {
    fn drop(&mut self) {
        // The master of gunicorn ends its workers.
        let id = self.server.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.server.wait();
    }
}

fn script(directory: &Path, url: &str, what: &[&str]) -> String {
    output(rows(directory, url).args(what))
}

fn rows(directory: &Path, url: &str) -> Command {
    let mut command = python(directory, url);
    command.arg("../../tests/django/rows.py");
    command
}

/// A Python with Django, in the directory of the Django service.
fn python(directory: &Path, url: &str) -> Command {
    let python = std::env::var_os("DJANGO_PYTHON").expect("DJANGO_PYTHON, as scripts/e2e/django");
    let mut command = Command::new(python);
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/django"))
        .env("DATABASE_URL", url)
        .env("MEDIA_ROOT", directory.join("media"))
        .env("BASIC_API_KEY", KEY)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
