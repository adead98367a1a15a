//! Metrics: served to Prometheus at an address of their own, and sent to an OpenTelemetry
//! collector.

mod collector;
mod exposition;
mod otlp;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::ContentType;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use chrono::{DateTime, Utc};
use exit3_connections::Tls;
use exit3_ports::BackupStatus;
use exit3_ports::jobs::Depth;
use exit3_ports::spool::SpoolStatus;
use metrics::{counter, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) use self::collector::Collector;
use self::collector::Sending;
use super::Dropped;
use crate::settings::MetricsBind;

/// The default of `METRICS_BIND`.
pub(crate) const USUAL: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);
/// Bucket bounds in seconds: those of OpenTelemetry's conventions, and two smaller ones.
const SECONDS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// How often measured times are sorted into their buckets. Until then they are kept one by one, in
/// memory that is not in any cache.
const UPKEEP: Duration = Duration::from_secs(1);

/// Binds the address from the settings.
///
/// # Errors
/// One sentence, if the configured address cannot be bound.
pub(crate) fn listen(bind: MetricsBind) -> Result<Option<TcpListener>, String> {
    match bind {
        MetricsBind::Off => Ok(None),
        MetricsBind::At(address) => TcpListener::bind(address)
            .map(Some)
            .map_err(|error| format!("METRICS_BIND: cannot listen on {address}: {error}")),
        // The default address may be taken, so that two services can run on one machine without
        // settings.
        MetricsBind::Usual => Ok(TcpListener::bind(USUAL).ok()),
    }
}

/// Values that are read when metrics are requested.
#[derive(Clone)]
pub(crate) struct Gauges {
    /// The count of dropped log lines.
    pub(crate) dropped: Dropped,
    /// The directory whose disk is measured.
    pub(crate) data_dir: PathBuf,
    /// The certificate of this service, if it has one.
    pub(crate) tls: Option<Tls>,
}

impl Gauges {
    fn update(&self) {
        counter!("exit3_log_lines_dropped_total").absolute(self.dropped.count());
        // With PostgreSQL the directory may be missing.
        let mut directories = self.data_dir.ancestors().chain([Path::new(".")]);
        if let Some(disk) = directories.find_map(|path| rustix::fs::statvfs(path).ok()) {
            gauge!("exit3_disk_size_bytes").set((disk.f_blocks * disk.f_frsize) as f64);
            gauge!("exit3_disk_free_bytes").set((disk.f_bavail * disk.f_frsize) as f64);
        }
        if let Some(tls) = &self.tls {
            if let Some(expiry) = tls.expiry() {
                gauge!("exit3_tls_certificate_expiry_timestamp_seconds").set(expiry.as_secs_f64());
            }
            let is_newest = f64::from(u8::from(tls.is_newest()));
            gauge!("exit3_tls_certificate_is_newest").set(is_newest);
        }
    }
}

/// The metrics recorder and the gauges.
#[derive(Clone)]
struct Measured {
    handle: PrometheusHandle,
    gauges: Gauges,
}

impl Measured {
    /// All metrics, in Prometheus' text format.
    fn exposition(&self) -> String {
        self.gauges.update();
        self.handle.render()
    }
}

/// The metrics, and the listener and the collector that get them.
pub(crate) struct Measuring {
    measured: Measured,
    listener: Option<TcpListener>,
    collector: Option<Collector>,
}

impl Measuring {
    /// Installs the recorder, if there is a listener or a collector. Metrics that were created
    /// before this call are not recorded.
    pub(crate) fn start(
        gauges: Gauges,
        listener: Option<TcpListener>,
        collector: Option<Collector>,
    ) -> Option<Self> {
        if listener.is_none() && collector.is_none() {
            return None;
        }
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let recorder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS).ok()?;
        let recorder = recorder.build_recorder();
        let handle = recorder.handle();
        // A process can have only one recorder, so the first one wins.
        metrics::set_global_recorder(recorder).ok()?;
        gauge!("exit3_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Some(Self { measured: Measured { handle, gauges }, listener, collector })
    }

    /// Serves the metrics, and sends them to the collector until the returned value is dropped.
    ///
    /// # Errors
    /// The server cannot listen.
    pub(crate) fn show(self) -> std::io::Result<Option<Sending>> {
        let Self { measured, listener, collector } = self;
        if let Some(listener) = listener {
            tracing::info!("Metrics: http://{}/metrics", listener.local_addr()?);
            actix_web::rt::spawn(serve(measured.clone(), listener)?);
        }
        actix_web::rt::spawn(keep(measured.handle.clone()));
        collector.map(|it| it.send_on(move || measured.exposition())).transpose()
    }
}

async fn keep(handle: PrometheusHandle) {
    let mut often = actix_web::rt::time::interval(UPKEEP);
    loop {
        often.tick().await;
        handle.run_upkeep();
    }
}

/// Sets the metrics of backups. Unknown values are not reported.
pub(crate) fn tell_backups(status: &BackupStatus) {
    let seconds = |time: DateTime<Utc>| time.timestamp_micros() as f64 / 1e6;
    if let Some(time) = status.backed_up_at {
        gauge!("exit3_backup_last_success_timestamp_seconds").set(seconds(time));
    }
    if let Some(time) = status.verified_at {
        gauge!("exit3_backup_last_verified_timestamp_seconds").set(seconds(time));
    }
    if let Some(ok) = status.verification_ok {
        gauge!("exit3_backup_last_verification_ok").set(f64::from(u8::from(ok)));
    }
}

/// Sets the metrics of the spool of this node.
pub(crate) fn tell_spool(status: &SpoolStatus) {
    gauge!("exit3_spool_waiting").set(status.waiting as f64);
    gauge!("exit3_spool_problems").set(status.problems as f64);
    gauge!("exit3_spool_reserved_ids").set(status.ids as f64);
    gauge!("exit3_spool_has_room").set(f64::from(u8::from(status.has_room)));
    let oldest = status.oldest.map_or(0.0, |time| time.timestamp_micros() as f64 / 1e6);
    gauge!("exit3_spool_oldest_timestamp_seconds").set(oldest);
}

/// Sets the metrics of the queue of jobs. A combination that was reported before and has no jobs any
/// more is reported as 0.
pub(crate) fn tell_jobs(depths: &[Depth]) {
    const OLDEST: &str = "exit3_job_oldest_due_age_seconds";
    static TOLD: Mutex<BTreeSet<(String, &str)>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for Depth { kind, counts, overdue } in depths {
        told.extend(counts.keys().map(|state| (kind.clone(), state.as_str())));
        let age = overdue.unwrap_or_default().as_secs_f64();
        gauge!(OLDEST, "kind" => kind.clone()).set(age);
    }
    for (kind, state) in told.iter() {
        let depth = depths.iter().find(|it| it.kind == *kind);
        if depth.is_none() {
            gauge!(OLDEST, "kind" => kind.clone()).set(0.0);
        }
        let counts = depth.into_iter().flat_map(|it| &it.counts);
        let count: u64 = counts.filter(|(own, _)| own.as_str() == *state).map(|(_, n)| n).sum();
        gauge!("exit3_jobs", "kind" => kind.clone(), "state" => *state).set(count as f64);
    }
}

/// Serves the metrics at `listener` until the server is dropped.
fn serve(measured: Measured, listener: TcpListener) -> std::io::Result<Server> {
    let shared = Data::new(measured);
    let server = HttpServer::new(move || {
        App::new().app_data(shared.clone()).route("/metrics", web::get().to(render))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(0).listen(listener)?.run())
}

async fn render(measured: Data<Measured>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(measured.exposition())
}
