//! What the service runs in the background.

use std::sync::Arc;
use std::time::Duration;

use chrono::SecondsFormat;
use exit3_app::backups::{self, CheckBackups};
use exit3_app::contracts::{self, Sweep};
use exit3_app::events::{self, RemoveOld};
use exit3_app::jobs::{self, Handling, Registry, RemoveEnded, RunnerSettings, is_of};
use exit3_app::leads::notes::{self, RemoveOrphans};
use exit3_app::leads::weeks;
use exit3_app::sign_ins::{self, RemoveEndedSignIns};
use exit3_app::{App, api_keys, mail, silence};
use exit3_domain::jobs::Schedule;
use exit3_ports::events::Consumer;
use exit3_ports::with_causes;

use crate::backend::Backend;
use crate::module::{self, Configured, Failure};
use crate::secrets::random_bytes;
use crate::settings::{MailSettings, Settings};
use crate::telemetry::metrics;

/// The times of the runner.
pub(crate) const SETTINGS: RunnerSettings = RunnerSettings {
    poll: Duration::from_secs(1),
    lease: Duration::from_secs(60),
    grace: Duration::from_secs(10),
    random,
};

/// How often each node notes what only it knows.
const NOTE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The kinds of jobs, their schedules, and what each node does for itself, with those of modules. Events
/// are kept for `events_keep` days.
///
/// # Errors
/// One sentence, if two modules, or a module and the service, claim the same kind; or a payload cannot
/// be written as JSON, or a thread cannot be started.
pub(crate) fn registry(settings: &Settings) -> Result<Registry, Failure> {
    let mut registry = own(settings.events_keep, &settings.mail)?;
    module::add_jobs(&settings.modules, &mut registry)?;
    module::check_jobs(&registry)?;
    Ok(registry)
}

fn own(events_keep: u32, mails: &MailSettings) -> Result<Registry, serde_json::Error> {
    let mut registry = Registry::default();
    // One node runs each occurrence.
    let six_hours = Schedule::every("backups.check", HOUR * 6);
    registry.schedule(six_hours, &CheckBackups {}, Handling::default(), backups::check)?;
    let daily = Schedule::every("events.remove_old", HOUR * 24);
    let old = RemoveOld { days: events_keep };
    // The first time after EVENTS_KEEP was reduced may take long.
    let handling = Handling { time_limit: HOUR, ..Handling::default() };
    registry.schedule(daily, &old, handling, events::remove_old)?;
    let daily = Schedule::every("leads.remove_orphaned_notes", HOUR * 24);
    let handling = Handling { time_limit: HOUR, ..Handling::default() };
    registry.schedule(daily, &RemoveOrphans {}, handling, notes::remove_orphans)?;
    let daily = Schedule::every("jobs.remove_ended", HOUR * 24);
    registry.schedule(daily, &RemoveEnded {}, Handling::default(), jobs::remove_ended)?;

    let six_hours = Schedule::every("contracts.sweep", HOUR * 6);
    let handling = Handling { time_limit: HOUR, ..Handling::default() };
    registry.schedule(six_hours, &Sweep {}, handling, contracts::sweep)?;

    let daily = Schedule::every("sign_ins.remove_ended", HOUR * 24);
    let ended = RemoveEndedSignIns {};
    registry.schedule(daily, &ended, Handling::default(), sign_ins::remove_ended)?;

    let handling = Handling { time_limit: HOUR, ..Handling::default() };
    registry.handle(handling, weeks::count_week);
    weeks::add(&mut registry, NOTE);
    silence::add(&mut registry, MINUTE, mails.alarmed.clone());
    // Without a mail server, mails wait for a node that has one.
    if let Some(mailer) = &mails.mailer {
        mail::add(&mut registry, Arc::clone(mailer));
    }

    // Each node does this for itself: another one does not know its memory.
    registry.on_each_node(NOTE, |app| async move { note_uses(&app).await });
    registry.on_each_node(NOTE, tell_metrics);
    Ok(registry)
}

/// Adds what needs the database of this process.
pub(crate) fn forget_idle(registry: &mut Registry, backend: Backend) {
    registry.on_each_node(NOTE, move |_| {
        let backend = backend.clone();
        async move {
            // Forgetting a million entries takes a while.
            let _ = tokio::task::spawn_blocking(move || backend.forget_idle()).await;
        }
    });
}

/// Whether a consumer of events is one of this program. A module that is broken has said only some of
/// its own.
pub(crate) fn known_consumers(
    registry: &Registry,
    modules: &[Configured],
) -> impl Fn(&str) -> bool + Clone + use<> {
    let own: Vec<_> = registry.consumers().collect();
    let broken = modules.iter().filter(|it| it.switch.is_broken());
    let broken: Vec<_> = broken.map(|it| it.module.name()).collect();
    move |name| own.contains(&name) || broken.iter().any(|module| is_of(name, module))
}

/// Names the positions of consumers that none of this program has: an operator may have switched a
/// module off for good.
pub(crate) async fn warn_of_left_behind(app: &App, is_known: impl Fn(&str) -> bool) {
    let left = match events::left_behind(app, is_known).await {
        Ok(left) => left,
        Err(error) => {
            let error = with_causes(&error);
            tracing::warn!(error, "the positions of consumers of events could not be read");
            return;
        }
    };
    for Consumer { name, unread_since } in left {
        let kept = match unread_since {
            Some(since) => {
                let days = (app.clock.now() - since).num_days();
                let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("all events since {since} ({days} days)")
            }
            None => "all events to come".to_owned(),
        };
        tracing::warn!(
            "the database keeps {kept} for the consumer {name}, which this program does not have: \
             start the program that has it, or run `exit3 jobs forget {name}`"
        );
    }
}

/// Records the uses of keys that this process has seen.
pub(crate) async fn note_uses(app: &App) {
    if let Err(error) = api_keys::note_uses(app).await {
        tracing::debug!(%error, "the last uses of keys could not be recorded");
    }
}

/// Sets the metrics that come from the database.
async fn tell_metrics(app: App) {
    if let Ok(status) = backups::status(&app).await {
        metrics::tell_backups(&status);
    }
    if let Ok(depths) = jobs::depths(&app).await {
        metrics::tell_jobs(&depths);
    }
}

/// A random number from 0 to 1.
fn random() -> f64 {
    f64::from(u32::from_le_bytes(random_bytes())) / f64::from(u32::MAX)
}
