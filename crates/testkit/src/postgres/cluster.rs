//! One server: its directory and its process, and how tests stop or pause it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::programs::{self, User};

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A script that waits for the end of its input, that is, for the end of the tests. Then it stops
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

/// A PostgreSQL server for tests that stop or pause it; others use [`super::shared`]. It listens on
/// a free port of 127.0.0.1, accepts everybody, and never syncs to disk. It ends on drop or with
/// the process.
pub struct TestPostgres {
    programs: PathBuf,
    user: Option<User>,
    directory: PathBuf,
    port: u16,
    server: Option<Child>,
    watchdog: Child,
}

impl TestPostgres {
    /// Creates and starts a server.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        Self::make(|programs, directory| {
            let mut initdb = Command::new(programs.join("initdb"));
            initdb.arg("-D").arg(directory.join("data"));
            // The C locale is the hardest case for case folding and sorting.
            initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
            initdb
        })
    }

    /// Starts a server and a replica that follows it, on a blocking thread.
    ///
    /// # Panics
    /// If one of them does not start.
    pub async fn with_replica() -> (Self, Self) {
        let make = || {
            let primary = Self::start();
            let replica = primary.replica();
            (primary, replica)
        };
        tokio::task::spawn_blocking(make).await.expect("two servers")
    }

    /// Creates and starts a standby that follows this server.
    ///
    /// # Panics
    /// If it does not start.
    pub fn replica(&self) -> Self {
        Self::make(|programs, directory| {
            let mut backup = Command::new(programs.join("pg_basebackup"));
            backup.arg("-D").arg(directory.join("data")).arg("-d").arg(self.url("postgres"));
            backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
            backup
        })
    }

    /// Creates a directory, runs the program `filler` to fill it, and starts a server there.
    fn make(filler: impl FnOnce(&Path, &Path) -> Command) -> Self {
        let programs = programs::directory();
        let user = User::other_than_root();
        let directory = new_directory(user);
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&directory);
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = watchdog.process_group(0).spawn().expect("sh starts");
        let mut filler = filler(&programs, &directory);
        filler.env("LC_ALL", "C").current_dir("/");
        user.inspect(|user| user.runs(&mut filler));
        programs::run(&mut filler);
        let mut postgres = Self { programs, user, directory, port: 0, server: None, watchdog };
        postgres.launch();
        postgres
    }

    /// The URL of a database, over TCP.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The URL of a database, over the Unix socket.
    pub fn socket_url(&self, database: &str) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{directory}:{}/{database}", self.port)
    }

    /// Stops the server immediately, as in a crash.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            self.signal("CONT");
            signal("QUIT", &[server.id()]);
            server.wait().expect("the server ends");
        }
    }

    /// Starts the server again on the same port.
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
            // Another process may have taken the port.
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
            // A standby also polls its primary at this interval.
            "wal_retrieve_retry_interval=200ms",
        ] {
            command.args(["-c", setting]);
        }
        self.user.inspect(|user| user.runs(&mut command));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Ctrl-C must reach only the tests; the watchdog then stops the server.
        command.process_group(0).current_dir("/");
        self.server = Some(command.spawn().expect("postgres starts"));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let server = self.server.as_mut().expect("just started");
            if server.try_wait().expect("a process").is_some() {
                self.server = None;
                return false;
            }
            if self.is_ready() {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        self.stop();
        false
    }

    /// Whether the server accepts connections. It opens its port earlier, and logs this line when
    /// it is ready.
    fn is_ready(&self) -> bool {
        self.log().contains("system is ready to accept")
            && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// The log of the server since its last start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Sends a signal to the server and all of its child processes.
    fn signal(&self, name: &str) {
        let Some(server) = &self.server else { return };
        let children = format!("/proc/{0}/task/{0}/children", server.id());
        let children = fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        let processes: Vec<u32> = std::iter::once(server.id()).chain(children).collect();
        signal(name, &processes);
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.stop();
        // The watchdog removes the directory when its input is closed.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn signal(name: &str, processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).args(processes.iter().map(u32::to_string));
    // A process that has already ended cannot be signalled.
    let _ = kill.stderr(Stdio::null()).status();
}

/// Creates a directory owned by `user`, in memory if there is enough room.
pub(super) fn new_directory(user: Option<User>) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let directory = tempfile::Builder::new().prefix("exit3-postgres-").tempdir_in(parent);
    let directory = directory.expect("a directory").keep();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("permissions");
    if let Some(user) = user {
        chown(&directory, Some(user.uid), Some(user.gid)).expect("the directory changes hands");
    }
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_leaves_nothing_behind() {
        let mut server = TestPostgres::start();
        let directory = server.directory.clone();
        let process = server.server.as_ref().map(Child::id).expect("a process");
        server.restart();
        assert!(server.url("postgres").contains("127.0.0.1"));
        assert!(!Path::new(&format!("/proc/{process}")).exists());
        drop(server);
        assert!(!directory.exists());
    }
}
