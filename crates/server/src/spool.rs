//! The spool of this node: opening it, and telling what waits in it.

use std::sync::Arc;
use std::time::Duration;

use exit3_app::intake::Intake;
use exit3_ports::Spool;
use exit3_sqlite::SqliteSpool;

use crate::module::Failure;
use crate::secrets::ensure_directory;
use crate::settings::SpoolSettings;
use crate::telemetry::metrics;

/// How often the metrics are set.
const TELL: Duration = Duration::from_secs(5);

/// Opens the spool, and creates it if it is missing. Blocks.
///
/// # Errors
/// One sentence that names the setting.
pub(crate) fn open(settings: &SpoolSettings) -> Result<SqliteSpool, Failure> {
    let directory = &settings.directory;
    let wrong = |error: &dyn std::fmt::Display| {
        format!("SPOOL_DIR: {} cannot be used: {error}", directory.display())
    };
    ensure_directory(directory).map_err(|error| wrong(&error))?;
    let opened = SqliteSpool::open(&settings.file(), settings.most_bytes);
    Ok(opened.map_err(|error| wrong(&error))?)
}

/// The intake over the spool. A spool that nobody has asked for is left out if it cannot be used, and one
/// that was turned off if nothing waits in it.
///
/// # Errors
/// Those of [`open`].
pub(crate) async fn intake(
    settings: Option<&SpoolSettings>,
) -> Result<Option<Arc<Intake>>, Failure> {
    let Some(settings) = settings else { return Ok(None) };
    let opened = async {
        let spool = Arc::new(open(settings)?);
        let is_off = settings.most_bytes == 0 && spool.status().await?.waiting == 0;
        let intake = if is_off { None } else { Some(Arc::new(Intake::open(spool).await?)) };
        Ok::<_, Failure>(intake)
    };
    match opened.await {
        Ok(intake) => Ok(intake),
        Err(error) if settings.is_required => Err(error),
        Err(error) => {
            tracing::warn!("{error}. While the database is away, leads are refused");
            Ok(None)
        }
    }
}

/// Sets the metrics of the spool. Never returns.
pub(crate) async fn tell(intake: Arc<Intake>) {
    let mut often = actix_web::rt::time::interval(TELL);
    loop {
        often.tick().await;
        match intake.status().await {
            Ok(status) => metrics::tell_spool(&status),
            Err(error) => tracing::warn!(%error, "the spool cannot be read"),
        }
    }
}

/// Gives reserved ids back, and says what is left in the spool when the service stops.
pub(crate) async fn leave(intake: &Intake, settings: &SpoolSettings) {
    intake.close().await;
    if let Ok(status) = intake.status().await
        && status.waiting > 0
    {
        tracing::warn!(
            "{} leads and sign-ups wait in {}: the next start stores them, and so does \
             `exit3 spool replay`",
            status.waiting,
            settings.directory.display()
        );
    }
}
