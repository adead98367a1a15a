//! The real binary as a child process on a free port.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The settings of rate limits.
pub const LIMITS: [&str; 4] = [
    "RATE_LIMIT_ANON",
    "RATE_LIMIT_USER",
    "RATE_LIMIT_LEAD_CREATE",
    "RATE_LIMIT_NEWSLETTER_CREATE",
];

/// The binary in a directory of its own, with only the environment that a test gives it.
pub fn exit3(directory: &Path) -> Command {
    quiet(Command::new(BINARY), directory)
}

/// The same with a socket inherited from another process, as from systemd.
fn exit3_at(directory: &Path, socket: &TcpListener) -> Command {
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, BINARY]);
    let mut command = quiet(command, directory);
    let socket = socket.try_clone().expect("another handle of the socket");
    command.stdin(std::os::fd::OwnedFd::from(socket));
    command
}

/// Starts the service with a limit on the size of its files, in bytes.
pub fn limited(directory: &Path, bytes: u64, env: &[(&str, &str)]) -> Service {
    // POSIX shells count in units of 512 bytes.
    let script = "ulimit -f \"$1\" && exec \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, BINARY, &(bytes / 512).to_string()]);
    Service::launch(quiet(command, directory), directory, env)
}

fn quiet(mut command: Command, directory: &Path) -> Command {
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // Keeps coverage data if it is being collected.
        .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
        // Temporary files of a killed command disappear with the test.
        .env("TMPDIR", directory)
        .env("PORT", "0")
        .env("METRICS_BIND", "127.0.0.1:0")
        // Other tests send more requests than the limits allow.
        .envs(LIMITS.iter().map(|name| (*name, "off")))
        .stdin(Stdio::null());
    command
}

const BINARY: &str = env!("CARGO_BIN_EXE_exit3");

/// A running service, which is killed on drop.
pub struct Service {
    child: Child,
    output: Arc<Mutex<String>>,
    address: String,
    client: reqwest::Client,
    directory: PathBuf,
}

impl Service {
    /// Starts the service and waits until it listens.
    pub fn start(directory: &Path, env: &[(&str, &str)]) -> Self {
        Self::launch(exit3(directory), directory, env)
    }

    /// Starts the service with an inherited socket, and waits until it listens.
    pub fn start_at(socket: &TcpListener, directory: &Path, env: &[(&str, &str)]) -> Self {
        Self::launch(exit3_at(directory, socket), directory, env)
    }

    fn launch(mut command: Command, directory: &Path, env: &[(&str, &str)]) -> Self {
        let log = directory.join("service.log");
        let log = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(log);
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
            // The last line of the greeting depends on whether the key is new.
            let listens = after(&text, "Listening on http");
            if let (Some(address), true) = (listens, text.contains("Docs: ")) {
                break address.trim_start_matches('s').trim_start_matches("://").to_owned();
            }
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(directory.join("service.log"));
                panic!("the service stopped with {status}: {}", log.unwrap_or_default());
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the service does not start");
            std::thread::sleep(Duration::from_millis(5));
        };
        std::thread::sleep(Duration::from_millis(50));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { child, output, address, client, directory: directory.to_owned() }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The standard output so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// The standard error so far.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.directory.join("service.log")).unwrap()
    }

    /// Whether the service logs `text`, now or within a few seconds.
    pub fn logs(&self, text: &str) -> bool {
        let began = Instant::now();
        while !self.output().contains(text) {
            if began.elapsed() > Duration::from_secs(10) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// The metrics in Prometheus' format.
    pub async fn metrics(&self) -> String {
        assert!(self.logs("Metrics: http"), "{}", self.output());
        let address = after(&self.output(), "Metrics: ").unwrap();
        self.client.get(address).send().await.expect("an answer").text().await.expect("text")
    }

    /// The process's resident memory in bytes.
    pub fn memory(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.id())).unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    /// The most memory that the service has taken since the last call, in bytes, without mapped files.
    pub fn peak(&self) -> usize {
        let process = format!("/proc/{}", self.id());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let value = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(':').trim().strip_suffix(" kB").unwrap().parse().unwrap()
        };
        std::fs::write(format!("{process}/clear_refs"), "5").unwrap();
        (value("VmHWM") - value("RssFile")) << 10
    }

    /// Sends `bytes` over a new connection, and reads until the service closes it or is silent for
    /// a while.
    pub fn raw(&self, bytes: &[u8]) -> Raw {
        raw(&self.address, bytes)
    }

    /// The key, if the service has printed one.
    pub fn printed_key(&self) -> Option<String> {
        let output = self.output();
        let line = output.lines().find(|line| line.starts_with("API key"))?;
        Some(line.rsplit(": ").next()?.to_owned())
    }

    /// `GET`, with a key unless it is empty.
    pub async fn get(&self, path: &str, key: &str) -> reqwest::Response {
        self.send(self.client.get(self.url(path)), key).await
    }

    /// `GET` with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let request = self.client.get(self.url(path));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.expect("an answer")
    }

    /// `POST` of JSON with headers.
    pub async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        json: &str,
    ) -> reqwest::Response {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(json.to_owned()).send().await.expect("an answer")
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, key: &str, json: &str) -> reqwest::Response {
        self.send_json(self.client.post(self.url(path)), key, json).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, path: &str, key: &str, json: &str) -> reqwest::Response {
        self.send_json(self.client.patch(self.url(path)), key, json).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str, key: &str) -> reqwest::Response {
        self.send(self.client.delete(self.url(path)), key).await
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

    /// The process id.
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

    /// Waits until the service has stopped; `None` if it takes longer than `patience`.
    pub fn wait_for(mut self, patience: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Asks the service to stop, and waits for it.
    pub fn stop(self) {
        self.terminate();
        assert!(self.wait().success(), "the service stops without a fault");
    }

    /// Kills the service, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The word after `text` in a log of either format.
pub fn after(output: &str, text: &str) -> Option<String> {
    let (_, rest) = output.split_once(text)?;
    Some(rest.split(['"', '\n', ' ']).next()?.to_owned())
}

/// The data received over a connection.
pub struct Raw {
    /// Everything that was received.
    pub text: String,
    /// Whether the service closed the connection.
    pub closed: bool,
}

impl Raw {
    /// The statuses of all responses, in order.
    pub fn statuses(&self) -> Vec<u16> {
        let heads = self.text.split("HTTP/1.1 ").skip(1);
        heads.filter_map(|head| head.get(..3)?.parse().ok()).collect()
    }
}

/// Like [`Service::raw`], for any listener at `address`.
pub fn raw(address: &str, bytes: &[u8]) -> Raw {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    exchange(stream, bytes)
}

/// Like [`raw`], over an existing connection.
pub fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> Raw {
    // The service may refuse the request before reading all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let closed = match stream.read_to_end(&mut answer) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    };
    Raw { text: String::from_utf8_lossy(&answer).into_owned(), closed }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
