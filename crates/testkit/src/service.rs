//! The real program as a child process, over HTTP. Needs the feature `service` of this crate.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;

pub use reqwest::{Method, StatusCode};

/// The key of the API in [`Program::command`].
const KEY: &str = "key-of-the-tests";

/// The password of all staff that [`Program::create_staff`] makes.
const PASSWORD: &str = "plavi konj daleko";

/// A program in a directory of its own. It listens on a free port and uses the embedded database in
/// the directory unless it has the URL of another one.
///
/// ```no_run
/// use exit3_testkit::service::{Method, Program};
///
/// # async fn of_tags() {
/// let directory = tempfile::tempdir().unwrap();
/// // `env!("CARGO_BIN_EXE_tags")` in a test of the crate that has the binary `tags`.
/// let tags = Program { binary: "target/debug/tags", directory: directory.path(), database: None };
/// assert!(tags.says(&["--help"]).contains("TAGS_AT_MOST"));
/// tags.create_staff("ana", "manager");
///
/// let service = tags.serve();
/// let (status, list) = service.ask(Method::GET, "tags/", None).await;
/// assert_eq!((status.as_u16(), list["count"].as_u64()), (200, Some(0)));
/// let visitor = service.sign_in("ana").await;
/// assert!(visitor.see("tags/").await.contains("Tags"));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its file.
    pub binary: &'a str,
    /// Where it runs, and keeps its data and its backups.
    pub directory: &'a Path,
    /// The URL of its PostgreSQL database.
    pub database: Option<&'a str>,
}

impl Program<'_> {
    /// The program with only these settings, to which a test can add its own.
    pub fn command(self) -> Command {
        let mut command = Command::new(self.binary);
        command.current_dir(self.directory).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Keeps coverage data if it is being collected.
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)));
        command.envs([("PORT", "0"), ("METRICS_BIND", "off"), ("BASIC_API_KEY", KEY)]);
        command.envs([("SECRET_KEY", "secret-of-the-tests"), ("BACKUP_TO", "backups")]);
        command.envs(self.database.map(|url| ("DATABASE_URL", url)));
        command
    }

    /// Runs a command.
    pub fn run(self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the program starts")
    }

    /// What a command prints, which must succeed.
    pub fn says(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a command says, in one or more lines, when it is refused.
    pub fn refuses(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} is not refused");
        String::from_utf8(output.stderr).expect("text")
    }

    /// Makes an account of the back office with this name and role.
    pub fn create_staff(self, name: &str, role: &str) {
        let mut create = self.command();
        create.args(["staff", "create", "--username", name, "--role", role]);
        let mut create =
            create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
        let mut asks = create.stdin.take().expect("it asks for a password");
        asks.write_all(PASSWORD.as_bytes()).expect("it reads the password");
        drop(asks);
        assert!(create.wait().expect("it ends").success(), "the account {name} is made");
    }

    /// Starts the service, and waits until it listens.
    pub fn serve(self) -> Service {
        Service::launch(&mut self.command())
    }
}

/// A running service, which is killed on drop.
#[derive(Debug)]
pub struct Service {
    child: Child,
    address: String,
    client: Client,
}

impl Service {
    /// Starts the service with a [command](Program::command), and waits until it listens.
    pub fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = loop {
            let line = lines.next().expect("the service listens").expect("text");
            if let Some(address) = line.strip_prefix("Listening on ") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { child, address, client }
    }

    /// The answer of the API to a request with a full-access key. `path` is behind the version.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}/backend/api/v1/{path}", self.address);
        let request = self.client.request(method, url);
        let request = request.header("Authorization", format!("Basic {KEY}"));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Signs an account of [`Program::create_staff`] in to the back office.
    pub async fn sign_in(&self, name: &str) -> Visitor<'_> {
        let mut visitor = Visitor { service: self, cookie: String::new() };
        let form = [("_username", name), ("_password", PASSWORD)];
        let answer = visitor.post("sign-in/", &form).await;
        let cookie = answer.headers().get("set-cookie").expect("the person is signed in");
        let cookie = cookie.to_str().expect("text").split(';').next();
        cookie.unwrap_or_default().clone_into(&mut visitor.cookie);
        visitor
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who is signed in to the back office, with a browser in Croatian.
#[derive(Debug)]
pub struct Visitor<'a> {
    service: &'a Service,
    cookie: String,
}

impl Visitor<'_> {
    /// The page at a path below `/backend/admin/`.
    pub async fn see(&self, path: &str) -> String {
        let request = self.service.client.get(self.url(path));
        let request = request.header("cookie", &self.cookie).header("accept-language", "hr");
        request.send().await.expect("an answer").text().await.expect("text")
    }

    /// Sends a form. Returns the status, and where the answer leads.
    pub async fn send(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Option<String>) {
        let answer = self.post(path, form).await;
        let leads_to = answer.headers().get("location");
        (answer.status(), leads_to.map(|it| it.to_str().expect("text").to_owned()))
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let request = self.service.client.post(self.url(path)).form(form);
        let request =
            request.header("sec-fetch-site", "same-origin").header("cookie", &self.cookie);
        request.send().await.expect("an answer")
    }

    fn url(&self, path: &str) -> String {
        format!("{}/backend/admin/{path}", self.service.address)
    }
}

/// Waits until something is so, for a minute and a half at most. Otherwise fails with these words.
pub async fn until(otherwise: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(90), "{otherwise}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
