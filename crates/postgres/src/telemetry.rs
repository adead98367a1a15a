//! Metrics of connections and spans of queries, with the names of OpenTelemetry's semantic
//! conventions.

use std::sync::Arc;
use std::time::Duration;

use exit3_ports::TRACE;
use metrics::{Gauge, Histogram, gauge, histogram};
use tracing::{Span, field};

/// The metrics of a pool.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Metrics>);

struct Metrics {
    used: Gauge,
    idle: Gauge,
    wait: Histogram,
}

/// Counts a connection while it is open.
pub(crate) struct Open(Gauge);

/// Counts a connection while it is in use.
pub(crate) struct InUse(Connections);

impl Connections {
    pub(crate) fn of(pool: String) -> Self {
        const COUNT: &str = "db_client_connection_count";
        Self(Arc::new(Metrics {
            used: gauge!(COUNT, "pool" => pool.clone(), "state" => "used"),
            idle: gauge!(COUNT, "pool" => pool.clone(), "state" => "idle"),
            wait: histogram!("db_client_connection_wait_time_seconds", "pool" => pool),
        }))
    }

    /// Counts an opened connection.
    pub(crate) fn open(&self) -> Open {
        self.0.idle.increment(1);
        Open(self.0.idle.clone())
    }

    /// Counts a connection as used, and records how long its caller waited.
    pub(crate) fn take(&self, wait: Duration) -> InUse {
        self.0.wait.record(wait);
        self.0.used.increment(1);
        self.0.idle.decrement(1);
        InUse(self.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let metrics = &self.0.0;
        metrics.used.decrement(1);
        metrics.idle.increment(1);
    }
}

/// The span of a query. Its text contains no values.
pub(crate) fn span(sql: &str) -> Span {
    let span = tracing::info_span!(
        target: TRACE,
        "query",
        otel.name = field::Empty,
        otel.kind = "client",
        db.system.name = "postgresql",
        db.operation.name = field::Empty,
        db.collection.name = field::Empty,
        db.query.text = sql,
    );
    if !span.is_disabled() {
        let sql = write(sql);
        let (operation, table) = (operation(sql), table(sql));
        span.record("db.operation.name", operation);
        span.record("db.collection.name", table);
        span.record("otel.name", format!("{operation} {table}").trim_end());
    }
    span
}

/// The part of a statement that writes rows, if it has others before that.
fn write(sql: &str) -> &str {
    if !sql.starts_with("WITH ") {
        return sql;
    }
    let begins = ["INSERT INTO ", "UPDATE ", "DELETE FROM "];
    let first = begins.iter().filter_map(|begin| sql.find(begin)).min();
    first.and_then(|at| sql.get(at..)).unwrap_or(sql)
}

fn operation(sql: &str) -> &str {
    sql.split_whitespace().next().unwrap_or_default()
}

/// The first table that a statement names.
fn table(sql: &str) -> &str {
    let mut words = sql.split_whitespace();
    let names = words.any(|word| matches!(word, "FROM" | "INTO" | "UPDATE"));
    let table = words.next().filter(|_| names).unwrap_or_default();
    table.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_named_after_operation_and_table() {
        for (sql, of) in [
            ("INSERT INTO \"leads\" (\"id\") VALUES ($1)", ("INSERT", "leads")),
            ("SELECT * FROM leads WHERE id = $1", ("SELECT", "leads")),
            ("UPDATE subscribers SET email = $1", ("UPDATE", "subscribers")),
            ("DELETE  FROM \"leads\" WHERE x", ("DELETE", "leads")),
            ("SELECT 1", ("SELECT", "")),
            ("WITH written AS (INSERT INTO \"leads\" (\"id\") VALUES ($1)", ("INSERT", "leads")),
            ("WITH due AS (SELECT id FROM jobs) UPDATE jobs SET", ("UPDATE", "jobs")),
            ("WITH clock AS (SELECT now()) SELECT * FROM clock", ("WITH", "clock")),
        ] {
            let sql = write(sql);
            assert_eq!((operation(sql), table(sql)), of);
        }
    }
}
