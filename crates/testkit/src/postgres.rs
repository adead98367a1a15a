//! Throwaway PostgreSQL: one server for the tests of a process, which ends with the process,
//! however that ends.
//!
//! It needs the server's programs (`initdb`, `postgres`), not a running service. If
//! `TEST_POSTGRES_URL` (of a superuser) is set, that server is used instead.
//! `TEST_POSTGRES_PROGRAMS` is the directory of the programs of another version.

mod cluster;
mod pooler;
mod programs;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

pub use cluster::TestPostgres;
pub use pooler::{Statements, TestPgBouncer};

/// Counts the databases of this process.
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database name that no other process uses on a shared server.
fn fresh_name() -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{number}", std::process::id())
}

/// Connects to the database of `url`.
///
/// # Panics
/// If that fails.
pub async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .unwrap_or_else(|error| panic!("cannot connect to {url}: {error:?}"));
    tokio::spawn(connection);
    client
}

/// A PostgreSQL program, of the version of the test servers.
pub fn program(name: &str) -> std::process::Command {
    std::process::Command::new(programs::directory().join(name))
}

/// A server shared by the tests of a process.
pub struct SharedPostgres {
    admin_url: String,
    template: OnceCell<String>,
    _cluster: Option<TestPostgres>,
}

/// The server shared by the tests of this process; the first call starts it.
pub fn shared() -> &'static SharedPostgres {
    static SHARED: OnceLock<SharedPostgres> = OnceLock::new();
    SHARED.get_or_init(|| match std::env::var("TEST_POSTGRES_URL") {
        Ok(admin_url) => SharedPostgres { admin_url, template: OnceCell::new(), _cluster: None },
        Err(_) => {
            let cluster = TestPostgres::start();
            SharedPostgres {
                admin_url: cluster.url("postgres"),
                template: OnceCell::new(),
                _cluster: Some(cluster),
            }
        }
    })
}

impl SharedPostgres {
    /// Creates an empty database.
    pub async fn create_database(&self) -> TestDatabase {
        self.create(None).await
    }

    /// Creates a database with the schema from `migrate`, which runs once, on a template.
    pub async fn create_migrated<F>(&self, migrate: impl FnOnce(String) -> F) -> TestDatabase
    where
        F: Future<Output = ()>,
    {
        let template = self.template.get_or_init(|| async {
            let name = format!("{}_template", fresh_name());
            let admin = client(&self.admin_url).await;
            admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
            migrate(with_database(&self.admin_url, &name)).await;
            name
        });
        let template = template.await;
        self.create(Some(template)).await
    }

    async fn create(&self, template: Option<&str>) -> TestDatabase {
        let name = fresh_name();
        let admin = client(&self.admin_url).await;
        // A template must have no connections, and those of the migrations take a moment to close.
        let template = template.unwrap_or("template1");
        for attempt in 0.. {
            let created =
                admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
            match created {
                Ok(()) => break,
                Err(_) if attempt < 100 => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                Err(error) => panic!("cannot create a database: {error:?}"),
            }
        }
        TestDatabase { url: with_database(&self.admin_url, &name), name, admin }
    }
}

/// The database of one test, dropped with this value.
pub struct TestDatabase {
    url: String,
    name: String,
    admin: Client,
}

impl TestDatabase {
    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Only useful if the server outlives the process. The statement is sent without waiting for
        // its outcome.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let sent = std::pin::pin!(self.admin.batch_execute(&drop));
        let waker = std::task::Waker::noop();
        let _ = sent.poll(&mut std::task::Context::from_waker(waker));
    }
}

/// Replaces the database in `url`.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find('/').map_or(address.len(), |at| start + at);
    format!("{}/{name}?{options}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_an_address_can_be_changed() {
        let changed = |url| with_database(url, "b");
        assert_eq!(changed("postgres://u@h:1/a?x=y"), "postgres://u@h:1/b?x=y");
        assert_eq!(changed("postgres://u@h:1"), "postgres://u@h:1/b?");
    }
}
