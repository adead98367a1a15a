//! A node whose socket outlives its process.

use std::net::TcpListener;
use std::time::Instant;

use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::service::{Service, exit3};

pub(crate) const KEY: &str = "key-of-the-tests";

pub(crate) struct Node {
    socket: TcpListener,
    address: String,
    env: Vec<(String, String)>,
    directory: TempDir,
    service: Option<Service>,
}

impl Node {
    /// Creates a node without starting it; its socket already accepts connections.
    pub(crate) fn new(env: &[(&str, &str)]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        // The same backlog as under systemd.
        rustix::net::listen(&socket, 4096).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let basics = [
            ("BASIC_API_KEY", KEY),
            ("SECRET_KEY", "secret-of-the-tests"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let env =
            basics.iter().chain(env).map(|(name, value)| (name.to_string(), value.to_string()));
        let directory = tempfile::tempdir().unwrap();
        Self { socket, address, env: env.collect(), directory, service: None }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Creates a key that can read leads.
    pub(crate) fn reading_key(&self) -> String {
        let mut command = exit3(self.directory.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.args(["api-key", "create", "--name", "reader", "--scope", "leads:read"]);
        let said = block_in_place(|| command.output()).unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        said.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned()
    }

    pub(crate) fn start(&mut self) {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (&**name, &**value)).collect();
        let start = || Service::start_at(&self.socket, self.directory.path(), &env);
        self.service = Some(block_in_place(start));
    }

    /// As `systemctl restart` does.
    pub(crate) fn restart(&mut self) {
        let service = self.service.take().unwrap();
        block_in_place(|| service.stop());
        self.start();
    }

    /// The log of the node.
    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("service.log")).unwrap_or_default()
    }

    /// Kills the process, and returns when it was gone.
    pub(crate) fn kill(&mut self) -> Instant {
        let service = self.service.take().unwrap();
        block_in_place(|| service.kill());
        Instant::now()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} logged:\n{}", self.address, self.log());
        }
    }
}
