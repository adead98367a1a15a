//! Throwaway mail server, which ends on drop or with the process that started it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A mail server at 127.0.0.1 that keeps what it gets. What it refuses is written in `smtp.py`.
pub struct TestSmtp {
    directory: TempDir,
    security: &'static str,
    /// Its port.
    pub port: u16,
    child: Option<Child>,
}

impl TestSmtp {
    /// Starts a server. `security` is `plain`, `starttls` or `tls`. It needs the package aiosmtpd,
    /// which `scripts/test` installs.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(security: &'static str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut server = Self { directory, security, port: 0, child: None };
        if security != "plain" {
            server.make_certificate();
        }
        server.start_again();
        server
    }

    /// Restarts a stopped server at the same port.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let told = self.directory.path().join("port");
        let _ = std::fs::remove_file(&told);
        let child = Command::new(python())
            .arg("-c")
            .arg(include_str!("smtp.py"))
            .arg(self.directory.path())
            .args([self.security, &self.port.to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python");
        self.child = Some(child);
        let began = Instant::now();
        loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            if let Ok(port) = text.parse() {
                self.port = port;
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "aiosmtpd does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        let _ = child.wait();
    }

    /// The certificate of the server, for `localhost`, which is its own authority.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    /// All mails that it has got: `from`, `to`, `content`, `encrypted` and `user`.
    ///
    /// # Panics
    /// If they cannot be read.
    pub fn mails(&self) -> Vec<Value> {
        let mails = std::fs::read_to_string(self.directory.path().join("mails"));
        let mails = mails.unwrap_or_default();
        mails.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn make_certificate(&self) {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(self.directory.path())
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

impl Drop for TestSmtp {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The Python into which `scripts/test` installs packages.
fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    target.join("test-tools/python/bin/python")
}
