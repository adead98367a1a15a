//! nginx as it is deployed, in front of nodes: a client stays at one of them while that
//! lives.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::node::Node;

pub(crate) struct Nginx {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl Nginx {
    pub(crate) fn before<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let nodes: String = nodes
            .into_iter()
            .map(|node| format!("server {} max_fails=3 fail_timeout=5s;", node.address()))
            .collect();
        let configuration = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
             events {{ worker_connections 2048; }}
             http {{
                 access_log off; client_body_temp_path body; proxy_temp_path proxy;
                 fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
                 upstream exit3 {{ hash $http_authorization$binary_remote_addr consistent; {nodes} }}
                 server {{
                     listen {address};
                     add_header X-Node $upstream_addr always;
                     location / {{
                         proxy_pass http://exit3; proxy_http_version 1.1;
                         proxy_set_header Connection close; proxy_set_header Host $http_host;
                         proxy_set_header X-Forwarded-For $remote_addr;
                     }}
                 }}
             }}"
        );
        std::fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
        let child = Command::new("nginx")
            .arg("-p")
            .arg(directory.path())
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx (apt-get install nginx)");
        let began = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "nginx does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, address, _directory: directory }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, when it is asked.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
