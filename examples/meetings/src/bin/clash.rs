//! A service with a module whose schedule is one of the service's own, for the test that it does not
//! start.

use std::process::ExitCode;
use std::time::Duration;

use exit3_app::jobs::{Handling, Payload};
use exit3_domain::jobs::Schedule;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Look {}

impl Payload for Look {
    const KIND: &'static str = "agenda.look";
}

fn main() -> ExitCode {
    let agenda = exit3::Module::<()>::new("agenda").jobs(|registry, ()| {
        let often = Schedule::every("backups.check", Duration::from_secs(60));
        registry.schedule(often, &Look {}, Handling::default(), |_, _| async { Ok(()) })
    });
    exit3::Service::new().module(agenda).run()
}
