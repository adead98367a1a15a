//! What is counted of the use cases.

use exit3_domain::subscribers::already_subscribed;
use metrics::counter;

use crate::SaveError;

/// Counts a lead that was to be created, by what became of it.
pub(crate) fn count_lead<T>(outcome: &Result<T, SaveError>) {
    counter!("exit3_leads_total", "outcome" => word(outcome)).increment(1);
}

/// Counts a subscription that was to be created, by what became of it.
pub(crate) fn count_subscriber<T>(outcome: &Result<T, SaveError>) {
    let word = match outcome {
        Err(SaveError::Invalid(invalid)) if *invalid == already_subscribed() => "exists",
        other => word(other),
    };
    counter!("exit3_subscribers_total", "outcome" => word).increment(1);
}

fn word<T>(outcome: &Result<T, SaveError>) -> &'static str {
    match outcome {
        Ok(_) => "created",
        Err(SaveError::Invalid(_)) => "invalid",
        Err(SaveError::Store(_)) => "failed",
    }
}
