use std::time::Duration;

use clap::Args;
use reqwest::StatusCode;
use serde_json::Value;

use super::serve::reachable;
use super::{Failure, asking, runtime, say};
use crate::settings::{Arguments, address};

/// Slightly longer than the service waits for its database.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to check.
#[derive(Args)]
pub(super) struct Healthcheck {
    /// Checks only whether the process is alive, not whether its database is available
    #[arg(long)]
    live: bool,
}

/// Checks the service at the configured address.
pub(super) fn healthcheck(arguments: &Arguments, what: &Healthcheck) -> Result<(), Failure> {
    let address = reachable(address(arguments)?);
    let scheme = if arguments.tls_cert.is_some() { "https" } else { "http" };
    let path = if what.live { "live" } else { "ready" };
    let url = format!("{scheme}://{address}/backend/health/{path}/");
    // The check uses the address, which no certificate names.
    let client = asking::client(PATIENCE).tls_danger_accept_invalid_certs(true).no_proxy();
    let request = client.build()?.get(url);
    let answer = runtime()?
        .block_on(asking::ask(request, StatusCode::OK))
        .map_err(|error| format!("the service at {address} is unhealthy: {error}"))?;
    let status = answer.get("status").and_then(Value::as_str).unwrap_or_default();
    if !["ok", "intake only"].contains(&status) {
        return Err(format!("the program that answers at {address} is not the service").into());
    }
    say(format_args!("{status}"));
    Ok(())
}
