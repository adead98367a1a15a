//! What is told of the work with the database, in the words of OpenTelemetry's semantic
//! conventions.

use exit3_ports::TRACE;
use tracing::Span;

/// The span of what reads or writes, the wait for its turn included.
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
