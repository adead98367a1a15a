//! Metrics of jobs.

use std::time::Duration;

use metrics::{counter, histogram};

const FAILURES: &str = "exit3_job_failures_total";

/// Makes the counters of a kind visible before the first failure, so that the first one is an
/// increase.
pub(super) fn begin(kind: &'static str) {
    for outcome in ["repeated", "given_up"] {
        counter!(FAILURES, "kind" => kind, "outcome" => outcome).increment(0);
    }
}

/// Records how long an attempt took.
pub(super) fn took(kind: &'static str, duration: Duration) {
    histogram!("exit3_job_duration_seconds", "kind" => kind).record(duration.as_secs_f64());
}

/// Counts a failed attempt.
pub(super) fn failed(kind: &str, is_given_up: bool) {
    let outcome = if is_given_up { "given_up" } else { "repeated" };
    counter!(FAILURES, "kind" => kind.to_owned(), "outcome" => outcome).increment(1);
}
