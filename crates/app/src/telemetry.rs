//! What is counted of the use cases.

use exit3_domain::subscribers::already_subscribed;
use metrics::counter;

use crate::SaveError;

/// Counts a lead that was to be created, by what became of it.
pub(crate) fn count_lead<T>(outcome: &Result<T, SaveError>) {
    // Labels that are constants are not put together anew for each lead.
    let leads = match outcome {
        Ok(_) => counter!("exit3_leads_total", "outcome" => "created"),
        Err(SaveError::Invalid(_)) => counter!("exit3_leads_total", "outcome" => "invalid"),
        Err(SaveError::Store(_)) => counter!("exit3_leads_total", "outcome" => "failed"),
    };
    leads.increment(1);
}

/// Counts a subscription that was to be created, by what became of it.
pub(crate) fn count_subscriber<T>(outcome: &Result<T, SaveError>) {
    let subscribers = match outcome {
        Ok(_) => counter!("exit3_subscribers_total", "outcome" => "created"),
        Err(SaveError::Invalid(invalid)) if *invalid == already_subscribed() => {
            counter!("exit3_subscribers_total", "outcome" => "exists")
        }
        Err(SaveError::Invalid(_)) => counter!("exit3_subscribers_total", "outcome" => "invalid"),
        Err(SaveError::Store(_)) => counter!("exit3_subscribers_total", "outcome" => "failed"),
    };
    subscribers.increment(1);
}
