use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use exit3_app::App;
use exit3_http::{Api, ApiSettings, Sunset};
use exit3_ports::Clock;
use secrecy::ExposeSecret;

use super::progress::Bars;
use super::{Failure, say};
use crate::archives::{self, Place};
use crate::backend::Backend;
use crate::clock::SystemClock;
use crate::connections::{self, Slots, room, tls::Tls};
use crate::flood::FloodGuard;
use crate::settings::{Secrets, Settings};

/// Connections at a time, where the system has room for that many and more: what they
/// take of memory must have an end too.
const MOST_CONNECTIONS: usize = 20_000;
/// How often it is noted when keys were used.
const NOTE: Duration = Duration::from_secs(10);

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
    let backend = Backend::open(&settings)?;
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
        migrate(&settings, &backend).await?;
    }
    warn_if_frozen(&backend);
    let workers = settings.workers;
    let database = backend.describe();
    let api_settings = ApiSettings {
        api_key: secrets.api_key.clone(),
        secret: secrets.secret_key.clone(),
        site: settings.site.clone(),
        cors: settings.cors.clone(),
        sunset: Sunset(settings.sunset),
    };
    let tls = settings.tls.clone().map(Tls::load).transpose()?;
    let flood = FloodGuard::new(settings.flood);
    let slots = Slots::new(room().min(settings.max_connections.unwrap_or(MOST_CONNECTIONS)));
    let housekeeping = actix_web::rt::spawn(keep_house(backend.clone(), flood.clone()));
    let app = backend.app(workers);
    let server = connections::serve(listener, workers, slots, tls, move || {
        Api::new(backend.app(workers), &api_settings).service().wrap(flood.middleware())
    })?;
    greet(&settings, &secrets, address, &database);
    server.await?;
    housekeeping.abort();
    note_uses(&app).await;
    Ok(())
}

/// Whoever starts this has perhaps forgotten that another database took over.
fn warn_if_frozen(backend: &Backend) {
    if backend.embedded().is_some_and(|database| database.is_frozen().unwrap_or_default()) {
        tracing::warn!(
            "the database can only be read since `exit3 promote`: set DATABASE_URL to the one \
             that took over, or run `exit3 promote --abort`"
        );
    }
}

/// Does now and then what requests are not to wait for.
async fn keep_house(backend: Backend, flood: FloodGuard) {
    let app = backend.app(usize::MAX);
    let mut often = actix_web::rt::time::interval(Duration::from_secs(1));
    let mut seldom = actix_web::rt::time::interval(NOTE);
    loop {
        tokio::select! {
            _ = often.tick() => flood.forget_idle(),
            _ = seldom.tick() => {
                note_uses(&app).await;
                let backend = backend.clone();
                // A million of them take a while.
                let _ = tokio::task::spawn_blocking(move || backend.forget_idle()).await;
            }
        }
    }
}

async fn note_uses(app: &App) {
    if let Err(error) = exit3_app::api_keys::note_uses(app).await {
        tracing::debug!(%error, "it could not be noted when keys were used");
    }
}

async fn migrate(settings: &Settings, backend: &Backend) -> Result<(), Failure> {
    let changes = backend.pending_data_changes().await?;
    if !changes.is_empty() {
        back_up(settings, backend, &changes.join(", ")).await?;
    }
    let applied = backend.migrate().await?;
    if applied > 0 {
        tracing::info!(applied, "migrated the database");
    }
    Ok(())
}

/// Keeps the rows that `migrations` are about to change; or tells why it cannot.
async fn back_up(settings: &Settings, backend: &Backend, migrations: &str) -> Result<(), Failure> {
    let Some(place) = &settings.backup.to else {
        tracing::warn!(
            migrations,
            "rows are changed without a backup before: BACKUP_TO does not say where to"
        );
        return Ok(());
    };
    let (place, now) = (Place::parse(place)?, SystemClock.now());
    let bars = Bars::default();
    let made = archives::make(backend, &settings.backup, &place, now, &bars).await?;
    tracing::info!(migrations, archive = made.name, "backed up before rows are changed");
    Ok(())
}

fn greet(settings: &Settings, secrets: &Secrets, address: SocketAddr, database: &str) {
    let reachable = reachable(address);
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    say(format_args!("Listening on {scheme}://{address}"));
    say(format_args!("Database: {database}"));
    say(format_args!("Docs: {scheme}://{reachable}/backend/api/docs/"));
    if secrets.api_key_is_new {
        let key = secrets.api_key.expose_secret();
        let kept = settings.data_dir.join("api_key");
        // What systemd's journal takes is read by others, and kept.
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            return say(format_args!("API key: in {}", kept.display()));
        }
        say(format_args!("API key, shown this once and kept in {}: {key}", kept.display()));
        say(format_args!(
            "Try: curl -H 'Authorization: Basic {key}' {scheme}://{reachable}/backend/api/v1/leads/"
        ));
    }
}

/// An address that a client on this machine can use.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}
