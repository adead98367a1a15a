//! What the module does in the background.

use std::time::Duration;

use exit3_app::App;
use exit3_app::jobs::{Handling, JobFailure, Payload, Registry};
use exit3_domain::events::{Actor, Author};
use exit3_domain::jobs::Schedule;
use exit3_ports::with_causes;
use serde::{Deserialize, Serialize};

use crate::MeetingSettings;

/// How many reminders one run notes at most.
const MOST: u32 = 500;

/// The job that notes reminders.
#[derive(Debug, Serialize, Deserialize)]
struct Remind {}

impl Payload for Remind {
    const KIND: &'static str = "meetings.remind";
}

/// Adds the schedule of reminders.
///
/// # Errors
/// A payload cannot be written as JSON.
pub fn add(registry: &mut Registry, _: &MeetingSettings) -> Result<(), serde_json::Error> {
    let often = Schedule::every(Remind::KIND, Duration::from_secs(30));
    registry.schedule(often, &Remind {}, Handling::default(), remind)
}

async fn remind(app: App, _: Remind) -> Result<(), JobFailure> {
    let author = Author::from(Actor::Module("meetings".into()));
    let reminded = crate::app::remind(&app, MOST, &author).await;
    // The database may be back soon.
    reminded.map(drop).map_err(|error| JobFailure::Again(with_causes(&error)))
}
