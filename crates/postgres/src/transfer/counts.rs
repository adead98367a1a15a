//! Counts that are stored beside the rows.

/// Tables with stored counts, and the queries that compare them with the rows.
pub(super) const COUNTS: &[(&str, &str, &str)] = &[
    (
        "lead_counts",
        "SELECT status, source, category, sum(n)::bigint FROM lead_counts \
         GROUP BY status, source, category HAVING sum(n) <> 0",
        "SELECT status, source, category, count(*) FROM leads GROUP BY status, source, category",
    ),
    (
        "subscriber_counts",
        "SELECT is_subscribed, sum(n)::bigint FROM subscriber_counts \
         GROUP BY is_subscribed HAVING sum(n) <> 0",
        "SELECT is_subscribed, count(*) FROM subscribers GROUP BY is_subscribed",
    ),
];
