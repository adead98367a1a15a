//! Throwaway Redis: a server that ends on drop or with the process that started it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server without persistence, on a Unix socket in its own directory.
pub struct TestRedis {
    directory: TempDir,
    child: Option<Child>,
}

impl TestRedis {
    /// Starts a server. It needs the program `redis-server`, not a running service.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut redis = Self { directory, child: None };
        redis.start_again();
        redis
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// Restarts a stopped server at the same address.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let socket = self.socket();
        let _ = std::fs::remove_file(&socket);
        // The script's input is closed when this process ends; then the server ends too.
        let script = "redis-server --port 0 --unixsocket \"$1\" --save '' --appendonly no \
                      --dir \"$2\" >/dev/null 2>&1 & \
                      trap 'kill -KILL $!' EXIT; echo $! >\"$2/pid\"; read _";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([&socket, self.directory.path()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        self.child = Some(child);
        let began = Instant::now();
        while !answers(&socket) {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills the server, as a power cut would.
    ///
    /// # Panics
    /// If it is not running.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        let mut child = self.child.take().expect("a running server");
        drop(child.stdin.take());
        child.wait().expect("the shell ends");
    }

    /// Sends a signal, such as `-STOP`, to the server.
    ///
    /// # Panics
    /// If that fails.
    pub fn signal(&self, signal: &str) {
        let id = std::fs::read_to_string(self.directory.path().join("pid")).expect("a process");
        assert!(Command::new("kill").args([signal, id.trim()]).status().expect("kill").success());
    }

    /// Runs a command and returns the server's answer.
    ///
    /// # Panics
    /// If that fails.
    pub fn ask(&self, words: &[&str]) -> String {
        let answer = Command::new("redis-cli").arg("-s").arg(self.socket()).args(words).output();
        String::from_utf8(answer.expect("redis-cli").stdout).expect("text")
    }
}

fn answers(socket: &Path) -> bool {
    let ping = Command::new("redis-cli").arg("-s").arg(socket).arg("PING").output();
    ping.expect("redis-cli (apt-get install redis-server)").stdout.starts_with(b"PONG")
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}
