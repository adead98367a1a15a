//! A real nginx with the files of `deploy/nginx/`, in front of real services. Only paths, ports and
//! names are replaced.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A running nginx that answers to `localhost` and `127.0.0.1`.
pub struct Nginx {
    child: Child,
    /// `host:port` for plain HTTP.
    pub plain: String,
    /// `host:port` for TLS.
    pub tls: String,
    directory: tempfile::TempDir,
}

impl Nginx {
    /// Starts nginx in front of nodes at these addresses, and waits until it listens.
    pub fn before(nodes: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [plain, tls] = [free_port(), free_port()];
        let upstream = fs::read_to_string(deployed("exit3/upstream.conf")).unwrap();
        let node = "    server 127.0.0.1:8000 ";
        let line = upstream.lines().find(|line| line.starts_with(node)).expect("a node");
        let lines: Vec<String> =
            nodes.iter().map(|address| line.replace("127.0.0.1:8000", address)).collect();
        write(directory.path(), &upstream.replace(line, &lines.join("\n")), plain, tls);
        let child = nginx(directory.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx (apt-get install nginx)");
        let nginx = Self {
            child,
            plain: format!("127.0.0.1:{plain}"),
            tls: format!("127.0.0.1:{tls}"),
            directory,
        };
        let began = Instant::now();
        while TcpStream::connect(&nginx.tls).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "nginx does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx
    }

    /// The path of the certificate, in PEM.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("exit3/certs/fullchain.pem")
    }

    /// The access log, once it has a line with `text`: nginx writes the line after it has answered.
    pub fn log_with(&self, text: &str) -> String {
        let began = Instant::now();
        loop {
            let log = fs::read_to_string(self.directory.path().join("exit3.log")).unwrap();
            if log.contains(text) {
                return log;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no {text} in {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Opens a TLS connection for arbitrary bytes. Reading times out after a second.
    pub fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.certificate()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let stream = TcpStream::connect(&self.tls).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        StreamOwned::new(tls, stream)
    }

    /// A client that trusts the certificate and follows no redirects.
    pub fn client(&self) -> reqwest::Client {
        self.client_builder().build().unwrap()
    }

    /// The builder of that client.
    pub fn client_builder(&self) -> reqwest::ClientBuilder {
        let certificate = fs::read(self.certificate()).unwrap();
        reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&certificate).unwrap()])
            .redirect(reqwest::redirect::Policy::none())
    }

    /// The HTTPS address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.tls.rsplit(':').next().unwrap())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It ends its workers when it is asked to stop.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Lets nginx check the deployed files, with `upstream` for the nodes.
pub fn check(upstream: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), upstream, free_port(), free_port());
    nginx(directory.path()).arg("-t").output().expect("nginx (apt-get install nginx)")
}

/// The path of a file in `deploy/nginx/`.
pub fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nginx").join(name)
}

fn nginx(directory: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).args(["-c", "nginx.conf", "-e", "error.log"]);
    command
}

/// Writes the deployed files to `directory`, with test paths and ports instead of the real ones.
fn write(directory: &Path, upstream: &str, plain: u16, tls: u16) {
    fs::create_dir_all(directory.join("exit3/certs")).unwrap();
    let here = directory.display().to_string();
    let mut names = vec!["exit3.conf".to_owned()];
    for file in fs::read_dir(deployed("exit3")).unwrap() {
        names.push(format!("exit3/{}", file.unwrap().file_name().to_string_lossy()));
    }
    for name in names {
        let text = fs::read_to_string(deployed(&name)).unwrap();
        let text = if name == "exit3/upstream.conf" { upstream.to_owned() } else { text };
        let text = text
            .replace("/etc/nginx/", &format!("{here}/"))
            .replace("/var/log/nginx/", &format!("{here}/"))
            .replace("/var/www/", &format!("{here}/"))
            .replace("server_name api.exit3.agency;", "server_name localhost 127.0.0.1 [::1];")
            .replace("set $exit3_tls_port \"\";", &format!("set $exit3_tls_port \":{tls}\";"))
            .replace("listen 80", &format!("listen 127.0.0.1:{plain}"))
            .replace("listen 443", &format!("listen 127.0.0.1:{tls}"));
        // One address is enough.
        let lines: Vec<&str> = text.lines().filter(|line| !line.contains("listen [::]")).collect();
        fs::write(directory.join(name), lines.join("\n") + "\n").unwrap();
    }
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(directory.join("exit3/certs/fullchain.pem"), made.cert.pem()).unwrap();
    fs::write(directory.join("exit3/certs/privkey.pem"), made.signing_key.serialize_pem()).unwrap();
    // The context that Debian's nginx.conf provides.
    let main = "daemon off; worker_processes 1; pid nginx.pid;
        events { worker_connections 1024; }
        http {
            client_body_temp_path body; proxy_temp_path proxy;
            fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
            include exit3.conf;
        }";
    fs::write(directory.join("nginx.conf"), main).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
