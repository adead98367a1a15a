use std::error::Error;

/// Why the database refused a row, or a change of it. `Taken` and `Missing` name the column whose
/// rule would be broken; each resource has constants for its rules, such as
/// [`crate::subscribers::EMAIL_TAKEN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are a table and a column")]
pub enum Constraint {
    /// Another row has this value.
    Taken { table: &'static str, column: &'static str },
    /// The row to which this column refers does not exist.
    Missing { table: &'static str, column: &'static str },
    /// The row has changed since the caller read it.
    Stale,
    /// The last active owner would be lost.
    LastOwner,
    /// There is an active owner already.
    OwnerExists,
}

/// Why a repository failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row does not exist.
    #[error("no such row")]
    NotFound,
    /// A rule of the database would be violated; nothing was changed.
    #[error("conflict with {0:?}")]
    Conflict(Constraint),
    /// The database is down, or too busy to answer in time. A write may or may not have happened.
    /// Retrying later makes sense.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Any other error: a bug.
    #[error("the database refused")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// The cause of [`StoreError::Unavailable`] if the database refuses just this row, and works on: a
/// trigger or a rule of somebody else forbids it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RowRefused(pub Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Whether the database refuses just this row. See [`RowRefused`].
    pub fn refuses_row(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.is::<RowRefused>())
    }
}

/// An error and its causes in one line, for logs and operators.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors include their cause in their own message.
        let told = cause.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect: {0}")]
    struct Outer(#[source] Box<dyn Error + Send + Sync>);

    #[test]
    fn each_cause_is_named_once() {
        let error = StoreError::Unavailable(Box::new(Outer("refused".into())));
        assert_eq!(with_causes(&error), "the database is not available: cannot connect: refused");
        assert_eq!(with_causes(&StoreError::Other("full".into())), "the database refused: full");
    }
}
