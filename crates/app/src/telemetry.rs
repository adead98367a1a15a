//! Metrics of the use cases.

use std::sync::LazyLock;

use exit3_domain::subscribers::already_subscribed;
use metrics::{Counter, counter, gauge};

use crate::SaveError;
use crate::once::Made;

/// Counters of creations, by outcome. They are cached, because looking one up costs more than
/// counting.
struct Outcomes {
    created: Counter,
    invalid: Counter,
    failed: Counter,
}

impl Outcomes {
    fn of<T>(&self, outcome: &Result<T, SaveError>) -> &Counter {
        match outcome {
            Ok(_) => &self.created,
            Err(SaveError::Invalid(_) | SaveError::KeyReused) => &self.invalid,
            Err(SaveError::Store(_)) => &self.failed,
        }
    }
}

static LEADS: LazyLock<Outcomes> = LazyLock::new(|| Outcomes {
    created: counter!("exit3_leads_total", "outcome" => "created"),
    invalid: counter!("exit3_leads_total", "outcome" => "invalid"),
    failed: counter!("exit3_leads_total", "outcome" => "failed"),
});

static SUBSCRIBERS: LazyLock<Outcomes> = LazyLock::new(|| Outcomes {
    created: counter!("exit3_subscribers_total", "outcome" => "created"),
    invalid: counter!("exit3_subscribers_total", "outcome" => "invalid"),
    failed: counter!("exit3_subscribers_total", "outcome" => "failed"),
});

/// Counts an attempt with `count`, unless an earlier one of the same request was counted. What waits in
/// the spool is counted when it is stored.
pub(crate) fn count_made<T>(
    outcome: &Result<Made<T>, SaveError>,
    count: impl Fn(&Result<Made<T>, SaveError>),
) {
    if !matches!(outcome, Ok(made) if made.is_repeated || made.is_spooled) {
        count(outcome);
    }
}

/// Counts an attempt to create a lead, by outcome.
pub(crate) fn count_lead<T>(outcome: &Result<T, SaveError>) {
    LEADS.of(outcome).increment(1);
}

/// Counts an attempt to create a subscription, by outcome.
pub(crate) fn count_subscriber<T>(outcome: &Result<T, SaveError>) {
    match outcome {
        Err(SaveError::Invalid(invalid)) if *invalid == already_subscribed() => {
            counter!("exit3_subscribers_total", "outcome" => "exists").increment(1);
        }
        outcome => SUBSCRIBERS.of(outcome).increment(1),
    }
}

/// Tells how many leads were to be expected since the last one, and whether so many make an alarm.
pub(crate) fn tell_silence(expected: f64, is_alarm: bool) {
    gauge!("exit3_silence_expected_leads").set(expected);
    gauge!("exit3_silence_alarm").set(f64::from(u8::from(is_alarm)));
}
