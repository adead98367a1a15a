use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use exit3_app::intake::{self, Replayed};
use exit3_domain::events::record;
use exit3_ports::Spool;
use exit3_ports::spool::{Accepted, Waiting};
use serde_json::{Value, json};

use super::{Failure, prepare, runtime, say, table, unless_stopped};
use crate::backend::Backend;
use crate::settings::{Settings, SpoolSettings};
use crate::spool;

/// How many entries are read at once.
const PAGE: u32 = 500;

/// What waits on this node for the database. The service may run meanwhile
#[derive(Subcommand)]
pub(super) enum SpoolCommand {
    /// Lists what waits, oldest first, without personal data
    List,
    /// Stores what waits in the database, also what it has refused before
    Replay,
    /// Writes what waits to a file, one JSON object per line, and leaves it in the spool
    Export(Export),
}

/// Where to.
#[derive(Args)]
pub(super) struct Export {
    /// A new file, which only the owner can read: it contains personal data
    file: PathBuf,
}

pub(super) fn spool(settings: &Settings, command: &SpoolCommand) -> Result<(), Failure> {
    let Some(own) = &settings.spool else {
        return Err("there is no spool: the database is embedded, or SPOOL_MAX_MB is 0".into());
    };
    if !own.file().exists() {
        return Err(format!("there is no spool in {}", own.directory.display()).into());
    }
    let kept = spool::open(own)?;
    runtime()?.block_on(unless_stopped(async {
        match command {
            SpoolCommand::List => list(&kept, own).await,
            SpoolCommand::Replay => replay(settings, &kept).await,
            SpoolCommand::Export(to) => export(&kept, to).await,
        }
    }))
}

async fn list(spool: &dyn Spool, settings: &SpoolSettings) -> Result<(), Failure> {
    let head = ["number", "what", "accepted", "by", "problem"].map(str::to_owned);
    let (mut rows, mut after) = (vec![head], 0);
    loop {
        let page = spool.waiting(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        rows.extend(page.iter().map(row));
    }
    if rows.len() == 1 {
        say(format_args!("Nothing waits in {}.", settings.directory.display()));
    } else {
        table::print(&rows);
    }
    let status = spool.status().await?;
    say(format_args!("{} reserved ids are left.", status.ids));
    Ok(())
}

fn row(waiting: &Waiting) -> [String; 5] {
    let Waiting { number, what, act, problem } = waiting;
    let what = match what {
        Accepted::Lead(id, _) => format!("lead {}", id.0),
        Accepted::SignUp(_) => "sign-up".to_owned(),
        Accepted::Unknown(_) => "unknown".to_owned(),
    };
    [
        number.to_string(),
        what,
        act.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        act.author.actor.to_string(),
        problem.clone().unwrap_or_default(),
    ]
}

async fn replay(settings: &Settings, spool: &dyn Spool) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    prepare::schema(settings, &backend).await?;
    let Replayed { stored, renumbered, refused } =
        intake::replay(&backend.patient_app(), spool, true).await?;
    say(format_args!("{stored} leads and sign-ups are stored."));
    if renumbered > 0 {
        say(format_args!("{renumbered} of the leads have another id: the log names them."));
    }
    if refused > 0 {
        return Err(format!(
            "the database refuses {refused}, which stay in the spool: see `exit3 spool list`"
        )
        .into());
    }
    Ok(())
}

async fn export(spool: &dyn Spool, to: &Export) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to.file);
    let wrong = |error: std::io::Error| format!("{}: {error}", to.file.display());
    let mut file = std::io::BufWriter::new(file.map_err(wrong)?);
    let (mut count, mut after) = (0, 0);
    loop {
        let page = spool.waiting(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for waiting in &page {
            writeln!(file, "{}", exported(waiting)).map_err(wrong)?;
            count += 1;
        }
    }
    let file = file.into_inner().map_err(|error| wrong(error.into_error()))?;
    file.sync_all().map_err(wrong)?;
    say(format_args!("{count} leads and sign-ups are in {}.", to.file.display()));
    Ok(())
}

fn exported(waiting: &Waiting) -> Value {
    let Waiting { number: _, what, act, problem } = waiting;
    let (kind, id, fields) = match what {
        Accepted::Lead(id, lead) => ("lead", Some(id.0), Value::Object(record(lead))),
        Accepted::SignUp(subscriber) => ("sign-up", None, Value::Object(record(subscriber))),
        Accepted::Unknown(words) => ("unknown", None, json!(words)),
    };
    json!({
        "kind": kind,
        "id": id,
        "fields": fields,
        "accepted": act.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "by": act.author.actor.to_string(),
        "request": act.author.request.as_deref(),
        "problem": problem,
    })
}
