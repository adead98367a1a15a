//! One server: its directory, its process, and what may happen to them.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::programs::{self, User};

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the end of its input, which is the end of the tests, and then ends
/// the server and removes its directory.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    for process in "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
        kill -CONT "$process" 2>/dev/null
    done
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

/// A PostgreSQL server for tests that stop or pause it; others want
/// [`super::shared`]. It listens on a free port of 127.0.0.1, trusts everybody,
/// and forgets everything: nothing is forced to disk. It ends when this is
/// dropped or the process ends.
pub struct TestPostgres {
    programs: PathBuf,
    user: Option<User>,
    directory: PathBuf,
    port: u16,
    server: Option<Child>,
    watchdog: Child,
}

impl TestPostgres {
    /// Makes and starts a server.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        let programs = programs::directory();
        let user = User::other_than_root();
        let directory = new_directory(user);
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&directory);
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = watchdog.process_group(0).spawn().expect("sh starts");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(directory.join("data"));
        // A locale without rules of its own is the hardest for case and order.
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.env("LC_ALL", "C").current_dir("/");
        user.inspect(|user| user.runs(&mut initdb));
        programs::run(&mut initdb);
        let mut postgres = Self { programs, user, directory, port: 0, server: None, watchdog };
        postgres.launch();
        postgres
    }

    /// The address of a database of the server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The address of a database of the server, over its socket.
    pub fn socket_url(&self, database: &str) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{directory}:{}/{database}", self.port)
    }

    /// Stops the server at once, as a crash does.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            self.signal("CONT");
            signal("QUIT", &[server.id()]);
            server.wait().expect("the server ends");
        }
    }

    /// Starts the server again, on the same port.
    pub fn restart(&mut self) {
        self.stop();
        let _ = fs::remove_file(self.directory.join("data/postmaster.pid"));
        assert!(self.try_launch(), "the server does not start: {}", self.log());
    }

    /// Makes the server hang, with its connections open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Ends [`Self::pause`].
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn launch(&mut self) {
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
            self.port = free.local_addr().expect("a port").port();
            drop(free);
            // Another process may have been quicker to take it.
            if self.try_launch() {
                return;
            }
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    fn try_launch(&mut self) -> bool {
        let log = fs::File::create(self.directory.join("log")).expect("a log");
        let mut command = Command::new(self.programs.join("postgres"));
        command.arg("-D").arg(self.directory.join("data"));
        command.arg("-k").arg(&self.directory).arg("-p").arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=200",
            "shared_buffers=256MB",
            "max_wal_size=2GB",
        ] {
            command.args(["-c", setting]);
        }
        self.user.inspect(|user| user.runs(&mut command));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Ctrl-C is for the tests; the watchdog sees to the rest.
        command.process_group(0).current_dir("/");
        let mut server = command.spawn().expect("postgres starts");
        let ready = Command::new(self.programs.join("pg_isready"))
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if server.try_wait().expect("a process").is_some() {
                return false;
            }
            if self.is_ready(ready) {
                self.server = Some(server);
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        let _ = server.kill();
        false
    }
}
