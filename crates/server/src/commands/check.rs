use clap::Args;

use super::{Failure, say};
use crate::settings::{Arguments, Secrets, Settings, findings};

/// What to look at.
#[derive(Args)]
pub(super) struct Check {
    /// Look for what is unsafe in production as well
    #[arg(long)]
    deploy: bool,
}

/// Checks the settings. That each can be used has been found out already; here it is found
/// out whether a service would start with them, without making anything.
pub(super) fn check(
    settings: &Settings,
    arguments: &Arguments,
    check: &Check,
) -> Result<(), Failure> {
    Secrets::look(settings, arguments)?;
    if let Some(files) = &settings.tls {
        files.check()?;
    }
    let found = if check.deploy { findings(arguments, settings) } else { Vec::new() };
    for finding in &found {
        let weight = if finding.dangerous { "danger" } else { "warning" };
        say(format_args!("{weight}: {finding}"));
    }
    match found.len() {
        0 => {
            say(format_args!("The settings are sound."));
            Ok(())
        }
        1 => Err("1 setting is unsafe for production".into()),
        count => Err(format!("{count} settings are unsafe for production").into()),
    }
}
