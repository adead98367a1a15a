//! Throwaway Redis: a server of its own, gone when it is dropped, or when the process
//! that started it is.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that keeps nothing, at a socket in a directory of its own.
pub struct TestRedis {
    directory: TempDir,
    child: Option<Child>,
}

impl TestRedis {
    /// Starts a server. It needs the program `redis-server`, not a running service.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut redis = Self { directory, child: None };
        redis.start_again();
        redis
    }

    /// The server's address.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// Starts a server at the same address, where it was stopped.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&mut self) {
        let socket = self.socket();
        let _ = std::fs::remove_file(&socket);
        // Its input ends when this process does, and then so does the server.
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

    /// Stops the server as a power cut would.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        let mut child = self.child.take().expect("a running server");
        drop(child.stdin.take());
        child.wait().expect("the shell ends");
    }

    /// Sends the server a signal, such as `-STOP`.
    ///
    /// # Panics
    /// Where it cannot.
    pub fn signal(&self, signal: &str) {
        let id = std::fs::read_to_string(self.directory.path().join("pid")).expect("a process");
        assert!(Command::new("kill").args([signal, id.trim()]).status().expect("kill").success());
    }

    /// What the server answers to a command.
    ///
    /// # Panics
    /// Where it does not.
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
