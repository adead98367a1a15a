//! The real binary as a child process, on a free port of this machine.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The binary in a directory of its own, with nothing in its environment but
/// what a test gives it.
pub fn exit3(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exit3"));
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PORT", "0")
        .stdin(Stdio::null());
    command
}

/// A running service; killed when it goes out of scope.
pub struct Service {
    child: Child,
    output: Arc<Mutex<String>>,
    address: String,
    client: reqwest::Client,
}

impl Service {
    /// Starts the service and waits until it listens.
    pub fn start(directory: &Path, env: &[(&str, &str)]) -> Self {
        let mut command = exit3(directory);
        command.envs(env.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let output = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = Arc::clone(&output);
        std::thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                heard.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let began = Instant::now();
        let address = loop {
            let text = output.lock().unwrap().clone();
            // The greeting's last line depends on whether the key is new.
            let listens = text.lines().find_map(|line| line.strip_prefix("Listening on http://"));
            if let (Some(address), true) = (listens, text.contains("Docs: ")) {
                break address.to_owned();
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the service stopped with {status}");
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the service does not start");
            std::thread::sleep(Duration::from_millis(5));
        };
        std::thread::sleep(Duration::from_millis(50));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { child, output, address, client }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the service has printed so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// The key, if the service has printed one.
    pub fn printed_key(&self) -> Option<String> {
        let output = self.output();
        let line = output.lines().find(|line| line.starts_with("API key"))?;
        Some(line.rsplit(": ").next()?.to_owned())
    }

    /// `GET`, with the key if there is one.
    pub async fn get(&self, path: &str, key: &str) -> reqwest::Response {
        self.send(self.client.get(self.url(path)), key).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, key: &str, json: &str) -> reqwest::Response {
        self.send_json(self.client.post(self.url(path)), key, json).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, path: &str, key: &str, json: &str) -> reqwest::Response {
        self.send_json(self.client.patch(self.url(path)), key, json).await
    }

    async fn send_json(
        &self,
        request: reqwest::RequestBuilder,
        key: &str,
        json: &str,
    ) -> reqwest::Response {
        let request = request.header("content-type", "application/json").body(json.to_owned());
        self.send(request, key).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, key: &str) -> reqwest::Response {
        let request = match key {
            "" => request,
            key => request.header("authorization", format!("Basic {key}")),
        };
        request.send().await.expect("an answer")
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the service to stop.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until the service has stopped.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks the service to stop and waits until it has.
    pub fn stop(self) {
        self.terminate();
        assert!(self.wait().success(), "the service stops without a fault");
    }

    /// Stops the service as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
