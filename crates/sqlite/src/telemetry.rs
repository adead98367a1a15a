//! Spans of database operations, with the names of OpenTelemetry's semantic conventions.

use exit3_ports::TRACE;
use tracing::Span;

/// A span of an operation, including the time that it waits for its turn.
pub(crate) fn span(operation: &'static str) -> Span {
    tracing::info_span!(
        target: TRACE,
        "query",
        otel.name = operation,
        otel.kind = "client",
        db.system.name = "sqlite",
        db.operation.name = operation,
    )
}
