use chrono::{DateTime, SecondsFormat, Utc};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use exit3_app::{App, events, jobs};
use exit3_domain::jobs::{Job, JobId, JobState};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Change, JobFilter};
use serde_json::{Value, json};

use super::{Failure, prepare, runtime, say, table};
use crate::backend::Backend;
use crate::settings::Settings;

/// The most characters of an error in the table.
const SHORT: usize = 60;

/// Actions on background jobs.
#[derive(Subcommand)]
pub(super) enum JobsCommand {
    /// Lists jobs, newest first; jobs that have succeeded are deleted
    List(List),
    /// Makes jobs run now that wait, have failed or were cancelled
    Retry {
        /// The ids that `list` shows
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Cancels jobs that wait, run or have failed; what a running one has done by then is not undone
    Cancel {
        /// The ids that `list` shows
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Forgets how far consumers of events have read whose module is gone, so that old events are
    /// removed again
    Forget {
        /// The consumers that the log of `serve` names
        #[arg(required = true)]
        consumers: Vec<String>,
    },
}

/// Which jobs to list, and how.
#[derive(Args)]
pub(super) struct List {
    /// Only jobs of this kind, for example backups.check
    #[arg(long)]
    kind: Option<String>,
    /// Only jobs in this state
    #[arg(long, value_parser = PossibleValuesParser::new(JobState::WORDS))]
    state: Option<String>,
    /// The most jobs
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Prints a JSON array, with the payloads, which may contain personal data
    #[arg(long)]
    json: bool,
}

pub(super) fn jobs(settings: &Settings, command: JobsCommand) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(async {
        if !matches!(command, JobsCommand::List(_)) {
            prepare::writable(&backend)?;
        }
        prepare::schema(settings, &backend).await?;
        let app = backend.patient_app();
        match command {
            JobsCommand::List(what) => list(&app, what).await,
            JobsCommand::Retry { ids } => {
                let allowed = "waiting, failed and cancelled jobs can be tried again";
                change(ids, allowed, "runs within a second", async |id| jobs::retry(&app, id).await)
                    .await
            }
            JobsCommand::Cancel { ids } => {
                let allowed = "waiting, running and failed jobs can be cancelled";
                change(ids, allowed, "is cancelled", async |id| jobs::cancel(&app, id).await).await
            }
            JobsCommand::Forget { consumers } => {
                let registry = crate::jobs::registry(settings)?;
                let is_known = crate::jobs::known_consumers(&registry, &settings.modules);
                forget(&app, &consumers, is_known).await
            }
        }
    })
}

async fn list(app: &App, what: List) -> Result<(), Failure> {
    let state = what.state.as_deref().and_then(JobState::from_word);
    let filter = JobFilter { kind: what.kind, state, most: what.limit };
    let jobs = jobs::list(app, &filter).await?;
    if what.json {
        let jobs: Vec<Value> = jobs.iter().map(object).collect();
        say(format_args!("{}", Value::from(jobs)));
        return Ok(());
    }
    let head = ["ID", "KIND", "STATE", "ATTEMPTS", "DUE", "ENDED", "ERROR"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(jobs.iter().map(row));
    table::print(&rows);
    Ok(())
}

fn row(job: &Job) -> [String; 7] {
    let hyphen = || "-".to_owned();
    let has_ended = matches!(job.state, JobState::Failed | JobState::Cancelled);
    let error = job.last_error.as_deref().unwrap_or("-").escape_debug();
    [
        job.id.0.to_string(),
        job.kind.clone(),
        job.state.to_string(),
        job.attempts.to_string(),
        if has_ended { hyphen() } else { time(job.due_at) },
        job.ended_at.map_or_else(hyphen, time),
        error.take(SHORT).collect(),
    ]
}

fn object(job: &Job) -> Value {
    // A payload that is not JSON is a mistake, which must be visible.
    let payload = serde_json::from_str(&job.payload);
    json!({
        "id": job.id.0,
        "kind": job.kind,
        "state": job.state.as_str(),
        "attempts": job.attempts,
        "due_at": job.due_at,
        "enqueued_at": job.enqueued_at,
        "ended_at": job.ended_at,
        "last_error": job.last_error,
        "unique_key": job.unique_key,
        "payload": payload.unwrap_or_else(|_| Value::from(job.payload.as_str())),
    })
}

/// Changes each of the jobs, even if others cannot be changed.
async fn change(
    ids: Vec<i64>,
    allowed: &str,
    done: &str,
    change: impl AsyncFn(JobId) -> Result<Change, StoreError>,
) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for id in ids {
        match change(JobId(id)).await {
            Ok(Change::Done) => say(format_args!("The job {id} {done}.")),
            Ok(Change::Refused(state)) => {
                problems.push(format!("the job {id} is {state}: only {allowed}"));
            }
            Err(StoreError::NotFound) => problems.push(format!("there is no job {id}")),
            Err(StoreError::Conflict(_)) => {
                problems.push(format!("the job {id} has the unique key of an unfinished job"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}

/// Forgets each of the consumers, even if others cannot be forgotten.
async fn forget(
    app: &App,
    consumers: &[String],
    is_known: impl Fn(&str) -> bool + Clone,
) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    for name in consumers {
        match events::forget(app, name, &is_known).await {
            Ok(()) => say(format_args!("No events are kept for the consumer {name} any more.")),
            Err(StoreError::NotFound) => unknown.push(name.as_str()),
            Err(error) => return Err(error.into()),
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let left = events::left_behind(app, is_known).await?;
    let left: Vec<_> = left.iter().map(|it| it.name.as_str()).collect();
    let left = if left.is_empty() { "there is none".to_owned() } else { left.join(", ") };
    let unknown = unknown.join(", ");
    Err(format!("{unknown}: no consumer that this program lacks; those are: {left}").into())
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
