use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use actix_web::HttpServer;
use exit3_http::{AllowedHosts, Api, ApiSettings, Sunset};
use secrecy::ExposeSecret;

use super::{Failure, say};
use crate::backend::Backend;
use crate::settings::{Secrets, Settings};

/// Seconds that requests in flight have to finish once the service is asked to
/// stop.
const GRACE: u64 = 30;

/// Takes the address that the settings name.
///
/// # Errors
/// One sentence: the address is taken, or is not one of this machine.
pub fn listen(settings: &Settings) -> Result<TcpListener, Failure> {
    let address = settings.listen;
    Ok(TcpListener::bind(address)
        .map_err(|error| format!("HOST and PORT: cannot listen on {address}: {error}"))?)
}

/// Serves the API at `listener` until the process is asked to stop.
///
/// # Errors
/// One sentence: the database cannot be opened or brought up to date.
pub fn serve(settings: Settings, secrets: Secrets, listener: TcpListener) -> Result<(), Failure> {
    let backend = Backend::open(&settings.database, settings.disposable.clone())?;
    actix_web::rt::System::new().block_on(run(settings, secrets, backend, listener))
}

async fn run(
    settings: Settings,
    secrets: Secrets,
    backend: Backend,
    listener: TcpListener,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    if settings.auto_migrate {
        migrate(&backend).await?;
    }
    let workers = settings.workers;
    let database = backend.describe();
    let api_settings = ApiSettings {
        api_key: secrets.api_key.clone(),
        secret: secrets.secret_key.clone(),
        allowed_hosts: AllowedHosts::new(settings.allowed_hosts.clone()),
        cors_origins: settings.cors_origins.clone(),
        sunset: Sunset(settings.sunset),
    };
    let server = HttpServer::new(move || Api::new(backend.app(workers), &api_settings).service())
        .workers(workers)
        .shutdown_timeout(GRACE)
        .listen(listener)?
        .run();
    greet(&settings, &secrets, address, &database);
    Ok(server.await?)
}

async fn migrate(backend: &Backend) -> Result<(), Failure> {
    let applied = backend.migrate().await?;
    if applied > 0 {
        tracing::info!(applied, "migrated the database");
    }
    Ok(())
}

fn greet(settings: &Settings, secrets: &Secrets, address: SocketAddr, database: &str) {
    let reachable = reachable(address);
    say(format_args!("Listening on http://{address}"));
    say(format_args!("Database: {database}"));
    say(format_args!("Docs: http://{reachable}/backend/api/docs/"));
    if secrets.api_key_is_new {
        let key = secrets.api_key.expose_secret();
        say(format_args!(
            "API key, shown this once and kept in {}: {key}",
            settings.data_dir.join("api_key").display()
        ));
        say(format_args!(
            "Try: curl -H 'Authorization: Basic {key}' http://{reachable}/backend/api/v1/leads/"
        ));
    }
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}
