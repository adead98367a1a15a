//! Throwaway PgBouncer: a pooler in front of a test server, which ends on drop or with the process
//! that started it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::cluster::new_directory;
use super::programs::User;
use super::with_database;

/// Whether a pooler tracks prepared statements and gives each its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    /// Statements are tracked.
    Kept,
    /// Statements are passed on unchanged.
    PassedOn,
}

/// A pooler on a Unix socket in its own directory. It connects as the superuser.
pub struct TestPgBouncer {
    directory: PathBuf,
    settings: String,
    shell: Child,
}

impl TestPgBouncer {
    /// Starts a pooler in front of the server of `url`, with this `pool_mode` and at most
    /// `sessions` server sessions. It needs the program `pgbouncer`, not a running service.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(url: &str, mode: &str, statements: Statements, sessions: u8) -> Self {
        let program = program(statements);
        let server = url.rsplit('@').next().and_then(|rest| rest.split('/').next());
        let (host, port) = server.and_then(|server| server.split_once(':')).expect("a port");
        let max = match statements {
            Statements::Kept => "max_prepared_statements = 100",
            Statements::PassedOn if keeps(&program) => "max_prepared_statements = 0",
            Statements::PassedOn => "",
        };
        let user = User::other_than_root();
        let directory = new_directory(user);
        let settings = format!(
            "[databases]\n* = host={host} port={port} user=postgres\n\
             [pgbouncer]\nunix_socket_dir = {}\nlisten_port = 6432\nauth_type = any\n\
             max_client_conn = 200\n{max}\n",
            directory.display(),
        );
        write_settings(&directory, &settings, mode, sessions);
        // The script's input is closed when this process ends; then the pooler ends too.
        let script = "\"$1\" \"$2/settings.ini\" >\"$2/log\" 2>&1 & \
                      echo $! >\"$2/pid\"; \
                      trap 'kill -KILL $!; rm -rf \"$2\"' EXIT; read _";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(program).arg(&directory).current_dir("/");
        user.inspect(|user| user.runs(&mut shell));
        let shell = shell.stdin(Stdio::piped()).spawn().expect("a shell");
        let pooler = Self { directory, settings, shell };
        let begun = Instant::now();
        while tokio_postgres::connect(&pooler.url("postgres"), tokio_postgres::NoTls).await.is_err()
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", pooler.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        pooler
    }

    /// The URL of a database, through the pooler.
    pub fn url(&self, database: &str) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{directory}:6432/{database}")
    }

    /// The URL of the database of `url`, through the pooler.
    pub fn url_of(&self, url: &str) -> String {
        let name = url.rsplit('/').next().and_then(|rest| rest.split('?').next());
        with_database(&self.url(""), name.unwrap_or_default())
    }

    /// Changes `pool_mode` and the number of sessions at run time.
    ///
    /// # Panics
    /// If the pooler refuses.
    pub async fn change(&self, mode: &str, sessions: u8) {
        write_settings(&self.directory, &self.settings, mode, sessions);
        let process = std::fs::read_to_string(self.directory.join("pid")).expect("a process");
        let hang_up = Command::new("kill").args(["-HUP", process.trim()]).status();
        assert!(hang_up.expect("kill").success());
        let begun = Instant::now();
        while !self.log().contains("got SIGHUP") {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The log of the pooler.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for TestPgBouncer {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn write_settings(directory: &Path, settings: &str, mode: &str, sessions: u8) {
    let settings = format!("{settings}pool_mode = {mode}\ndefault_pool_size = {sessions}\n");
    std::fs::write(directory.join("settings.ini"), settings).expect("a file");
}

/// The distribution's program or, to track statements, one that is new enough. If the
/// distribution's is not, `scripts/test` builds one.
fn program(statements: Statements) -> PathBuf {
    let own = PathBuf::from("pgbouncer");
    if statements == Statements::PassedOn || keeps(&own) {
        return own;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    target.join("test-tools/pgbouncer/pgbouncer")
}

/// Whether a program can track statements (1.21 and newer).
fn keeps(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    let output = output.unwrap_or_else(|error| {
        panic!("{} (apt-get install pgbouncer): {error}", program.display())
    });
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let numbers: (u32, u32) =
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    numbers >= (1, 21)
}
