use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::middleware::from_fn;
use exit3_admin::{Admin, AdminSettings};
use exit3_app::App;
use exit3_app::intake::tend;
use exit3_app::jobs::{Registry, Runner};
use exit3_app::staff::{self, StaffError};
use exit3_connections::{Slots, Tls, room};
use exit3_http::{Api, ApiSettings, Sunset};
use exit3_web::{Observer, observe};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use secrecy::ExposeSecret;
use tokio::sync::watch;

use super::{Failure, say, whisper};
use crate::backend::Backend;
use crate::flood::{self, FloodGuard};
use crate::invitation;
use crate::settings::{Arguments, DatabaseSettings, LogFormat, MetricsBind, Secrets, Settings};
use crate::signals::service_stops;
use crate::starting::{Late, Starting};
use crate::systemd::tell;
use crate::telemetry;
use crate::telemetry::metrics::{self, Collector, Gauges, Measuring};
use crate::watchdog::Watchdog;
use crate::{canaries, jobs, module, spool};

/// The most connections, even if the system has room for more, to bound the memory.
const MOST_CONNECTIONS: usize = 20_000;

/// The bound addresses of a service.
struct Listeners {
    api: TcpListener,
    metrics: Option<TcpListener>,
}

/// Binds the addresses in the settings. An inherited socket, as from systemd's socket units
/// (LISTEN_FDS, LISTEN_PID), takes the place of the API's address.
///
/// # Errors
/// One sentence, if an address is taken or not one of this machine, or the inherited file is not a
/// TCP socket.
fn listen(settings: &Settings) -> Result<Listeners, Failure> {
    let given = ListenFd::from_env()
        .take_tcp_listener(0)
        .map_err(|error| format!("LISTEN_FDS: cannot listen on what is given: {error}"))?;
    let api = match given {
        Some(listener) => listener,
        None => {
            let address = settings.listen;
            TcpListener::bind(address)
                .map_err(|error| format!("HOST and PORT: cannot listen on {address}: {error}"))?
        }
    };
    Ok(Listeners { api, metrics: metrics::listen(settings.telemetry.metrics)? })
}

/// Serves the API until the process is asked to stop.
///
/// # Errors
/// One sentence, if two modules claim the same jobs, the service cannot listen, or the database cannot
/// be opened or migrated.
pub(super) fn serve(settings: Settings, arguments: &Arguments) -> Result<(), Failure> {
    let telemetry = telemetry::start(&settings.telemetry)?;
    telemetry::log_panics();
    let mut registry = jobs::registry(&settings)?;
    // Bind the address before the secrets are made: a new key is shown only once, and a service that
    // cannot listen would not get to show it.
    let listeners = listen(&settings)?;
    let secrets = Secrets::check(&settings, arguments)?;
    telemetry::tell(&settings.notes);
    let tls = settings.tls.clone().map(Tls::load).transpose()?;
    let Listeners { api, metrics } = listeners;
    if metrics.is_none() && settings.telemetry.metrics == MetricsBind::Usual {
        tracing::warn!(
            "no metrics are served: METRICS_BIND is not set, and {} is taken",
            metrics::USUAL
        );
    }
    let gauges = Gauges {
        dropped: telemetry.dropped(),
        data_dir: settings.data_dir.clone(),
        tls: tls.clone(),
    };
    let collector = Collector::of(&settings.telemetry)?;
    let measuring = Measuring::start(gauges, metrics, collector);
    if let Some(canary) = &settings.canary {
        canaries::add(&mut registry, canary, &secrets)?;
    }
    warn_if_lost(&settings, &secrets);
    actix_web::rt::System::new().block_on(run(settings, secrets, tls, api, measuring, registry))
}

async fn run(
    settings: Settings,
    secrets: Secrets,
    tls: Option<Tls>,
    listener: TcpListener,
    measuring: Option<Measuring>,
    mut registry: Registry,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    let settings = Arc::new(settings);
    let workers = settings.workers;
    let api_settings = ApiSettings {
        resources: settings.resources,
        api_key: secrets.api_key.clone(),
        secret: secrets.secret_key.clone(),
        site: settings.site.clone(),
        cors: settings.cors.clone(),
        sunset: Sunset(settings.sunset),
        observer: Observer {
            new_id: exit3_connections::request_id,
            traced: telemetry::traced,
            follow: telemetry::follow,
            client_ip: settings.telemetry.client_ip,
        },
    };
    let admin = &settings.admin;
    let admin = admin.enabled.then(|| {
        let offer = module::offer(&settings.modules);
        AdminSettings::new(admin.networks.clone(), settings.resources.scopes(), offer)
    });
    let flood = FloodGuard::new(settings.flood);
    let slots = Slots::new(room().min(settings.max_connections.unwrap_or(MOST_CONNECTIONS)));
    let watchdog = Watchdog::start()?;
    let intake = spool::intake(settings.spool.as_ref()).await?;
    let mut starting = Starting::begin(&settings, intake.clone())?;
    let guard = flood.clone();
    let make = move |app: App| {
        let pages = admin.clone().map(|settings| Admin::new(app.clone(), settings));
        let api = Api::new(app, &api_settings).service(|config| {
            if let Some(pages) = pages {
                pages.register(config);
            }
        });
        let api = api.wrap(guard.middleware()).wrap(from_fn(flood::explain)).wrap(from_fn(observe));
        IntoServiceFactory::<_, Request>::into_factory(api)
    };
    let late = Late::new(make, starting.early(), workers, watchdog.clone());
    let (stop, stopping) = watch::channel(());
    let asked = async move {
        is_asked_to_stop().await;
        drop(stop);
    };
    let server =
        exit3_connections::serve(listener, workers, slots, tls, asked, move || late.clone())?;
    let _sending = measuring.map(Measuring::show).transpose()?;
    if let Some(intake) = &intake {
        actix_web::rt::spawn(spool::tell(Arc::clone(intake)));
    }
    actix_web::rt::spawn(watchdog.beat("the main thread"));
    actix_web::rt::spawn(forget_idle(flood));
    let mut server = std::pin::pin!(server);
    let progress = starting.progress();
    let tending = progress.clone();
    let tending = actix_web::rt::spawn(async move {
        if let Some(backend) = tending.backend().await {
            tend(&backend.app(usize::MAX)).await;
        }
    });
    let started = async {
        if progress.settled().await {
            greet(&settings, &secrets, address);
        }
        starting.outcome().await
    };
    let leave = async || {
        if let (Some(intake), Some(spool)) = (&intake, &settings.spool) {
            spool::leave(intake, spool).await;
        }
    };
    let backend = tokio::select! {
        stopped = &mut server => {
            leave().await;
            return Ok(stopped?);
        }
        started = started => started?,
    };
    tell(&[NotifyState::Ready]);
    warn_if_frozen(&backend);
    // The server notices a stop only while it is awaited, so nothing else is awaited from here on.
    let asked = backend.clone();
    actix_web::rt::spawn(async move { warn_if_careless(&asked).await });
    let app = backend.app(usize::MAX);
    if settings.database.is_embedded() && settings.admin.enabled {
        let (settings, app) = (Arc::clone(&settings), app.clone());
        actix_web::rt::spawn(async move { invite_first_owner(&settings, &app, address).await });
    }
    jobs::forget_idle(&mut registry, backend.clone());
    let (asking, known) = (app.clone(), jobs::known_consumers(&registry, &settings.modules));
    actix_web::rt::spawn(async move { jobs::warn_of_left_behind(&asking, known).await });
    let runner = Runner::new(app.clone(), registry, jobs::SETTINGS);
    let running = actix_web::rt::spawn(runner.run(is_stopped(stopping)));
    let folded = backend.clone();
    actix_web::rt::spawn(async move { folded.fold_accents().await });
    let indexed = backend.clone();
    actix_web::rt::spawn(async move { indexed.index_leads().await });
    actix_web::rt::spawn(async move { backend.watch_replica().await });
    server.await?;
    // Since the process was asked to stop, jobs had as much time as requests.
    let _ = running.await;
    jobs::note_uses(&app).await;
    tending.abort();
    let _ = tending.await;
    leave().await;
    Ok(())
}

/// A new database beside the secrets of an earlier start may be a mistake.
fn warn_if_lost(settings: &Settings, secrets: &Secrets) {
    if let DatabaseSettings::Sqlite(path) = &settings.database
        && secrets.started_before
        && !path.exists()
    {
        tracing::warn!(
            "the database is a new one, though the service was started in DATA_DIR before: was \
             {} moved or removed?",
            path.display()
        );
    }
}

/// For a database that is unavailable now, there is `exit3 check --deploy`.
async fn warn_if_careless(backend: &Backend) {
    for setting in backend.careless_settings().await.unwrap_or_default() {
        tracing::warn!(
            "{setting} is off on the database's server: a power cut could ruin the database"
        );
    }
}

/// An operator may have forgotten that another database has taken over.
fn warn_if_frozen(backend: &Backend) {
    if backend.is_frozen() {
        tracing::warn!(
            "the database is read-only since `exit3 promote`: set DATABASE_URL to the one \
             that took over, or run `exit3 promote --abort`"
        );
    }
}

async fn forget_idle(flood: FloodGuard) {
    let mut often = actix_web::rt::time::interval(Duration::from_secs(1));
    loop {
        often.tick().await;
        flood.forget_idle();
    }
}

/// Ends when the process was asked to stop.
async fn is_stopped(mut stopping: watch::Receiver<()>) {
    // There is never a new value, so this is an error as soon as the sender is dropped.
    let _ = stopping.changed().await;
}

fn greet(settings: &Settings, secrets: &Secrets, address: SocketAddr) {
    let reachable = reachable(address);
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let logs = settings.telemetry.format;
    let tell = |line: std::fmt::Arguments<'_>| match logs {
        LogFormat::Pretty => say(line),
        LogFormat::Json => tracing::info!("{line}"),
    };
    tell(format_args!("Listening on {scheme}://{address}"));
    tell(format_args!("Database: {}", settings.database.describe()));
    if settings.admin.enabled {
        tell(format_args!("Back office: {scheme}://{reachable}{}", exit3_admin::BASE));
    }
    tell(format_args!("Docs: {scheme}://{reachable}/backend/api/docs/"));
    if secrets.api_key_is_new {
        let key = secrets.api_key.expose_secret();
        let kept = settings.data_dir.join("api_key");
        let (is_kept, tell) = tell_secret(logs);
        if is_kept {
            tell(format_args!("API key: in {}", kept.display()));
            return;
        }
        tell(format_args!("API key, shown this once and kept in {}: {key}", kept.display()));
        tell(format_args!(
            "Try: curl -H 'Authorization: Basic {key}' {scheme}://{reachable}/backend/api/v1/leads/"
        ));
    }
}

/// Prints the address on which the first account can be made, while there is none.
async fn invite_first_owner(settings: &Settings, app: &App, address: SocketAddr) {
    let (is_kept, tell) = tell_secret(settings.telemetry.format);
    if is_kept {
        // The address is a secret, so a journal gets none.
        if matches!(staff::has_none(app).await, Ok(true)) {
            tell(format_args!(
                "There is no account yet: run `exit3 staff create --role owner --username NAME`"
            ));
        }
        return;
    }
    match staff::invite_first_owner(app).await {
        Ok(Some(token)) => {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            let link = invitation::link(&format!("{scheme}://{}", reachable(address)), &token);
            tell(format_args!("Make the first account here, once within an hour: {link}"));
        }
        // Another node was faster.
        Ok(None) | Err(StaffError::OwnerExists) => {}
        Err(error) => tracing::warn!(%error, "nobody could be invited to make the first account"),
    }
}

/// How to print a secret, which does not belong in a log, and whether it would be kept all the same.
fn tell_secret(logs: LogFormat) -> (bool, fn(std::fmt::Arguments<'_>)) {
    match logs {
        LogFormat::Pretty => (is_journal(std::io::stdout()), say),
        LogFormat::Json => (is_journal(std::io::stderr()), whisper),
    }
}

/// Whether a stream goes to systemd's journal, which is kept and read by others. The variable alone
/// is not enough, because child processes inherit it.
fn is_journal(stream: impl AsFd) -> bool {
    let journal = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    rustix::fs::fstat(stream)
        .is_ok_and(|file| journal == format!("{}:{}", file.st_dev, file.st_ino))
}

/// The address under which a client on this machine reaches the service.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// Ends when the process gets a signal to stop.
async fn is_asked_to_stop() {
    if let Err(error) = service_stops().await {
        tracing::error!(%error, "signals cannot be heard");
        std::future::pending::<()>().await;
    }
    tell(&[NotifyState::Stopping]);
}
