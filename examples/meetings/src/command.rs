//! The command `meetings`.

use exit3::Failure;
use exit3_app::App;
use exit3_domain::leads::LeadId;

use crate::domain::{MeetingFilter, MeetingOrder, step};

/// The most meetings that the command lists.
const MOST: u32 = 100;

/// What the command does.
#[derive(clap::Subcommand)]
pub enum MeetingsCommand {
    /// Lists meetings, the latest first
    List {
        /// Only those with this lead
        #[arg(long)]
        lead: Option<i64>,
    },
}

/// Runs the command.
///
/// # Errors
/// One sentence.
#[allow(clippy::print_stdout, reason = "the command prints what it found")]
pub async fn run(app: App, command: MeetingsCommand) -> Result<(), Failure> {
    let MeetingsCommand::List { lead } = command;
    let filter = MeetingFilter { lead: lead.map(LeadId), from: None };
    let found = crate::app::walk(&app, &filter, MeetingOrder::NEWEST, &step(MOST)).await?;
    for meeting in found.rows {
        let details = meeting.details;
        let outcome = details.outcome.map_or("", |outcome| outcome.as_str());
        let reminded = meeting.reminded_at.map_or("", |_| "reminded");
        let (id, at) = (meeting.id.0, details.starts_at.format("%Y-%m-%d %H:%M"));
        println!("{id}\t{at}\tlead {}\t{}\t{outcome}\t{reminded}", details.lead.0, details.place);
    }
    Ok(())
}
