use std::error::Error;

/// A rule that the database enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// One subscription per e-mail address, regardless of case.
    SubscriberEmail,
    /// One client per lead.
    ClientLead,
    /// The lead does not exist.
    UnknownLead,
    /// One account per name.
    StaffUsername,
    /// The row has changed since the caller read it.
    Stale,
}

/// The kind of rule that a database enforces on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Values are unique.
    Unique,
    /// The referenced row exists.
    Reference,
}

/// A rule that every database enforces, and how callers see a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The kind of rule.
    pub guard: Guard,
    /// The constraint that callers see; `None` if only a bug can violate the rule.
    pub told: Option<Constraint>,
}

/// All rules. A test of each adapter compares this list with its schema, in both directions.
pub const RULES: &[Rule] = &[
    rule("subscribers", "email", Guard::Unique, Some(Constraint::SubscriberEmail)),
    rule("api_keys", "prefix", Guard::Unique, None),
    rule("clients", "lead_id", Guard::Unique, Some(Constraint::ClientLead)),
    rule("clients", "lead_id", Guard::Reference, Some(Constraint::UnknownLead)),
    rule("staff", "username", Guard::Unique, Some(Constraint::StaffUsername)),
];

const fn rule(
    table: &'static str,
    column: &'static str,
    guard: Guard,
    told: Option<Constraint>,
) -> Rule {
    Rule { table, column, guard, told }
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
