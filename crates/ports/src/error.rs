use std::error::Error;

/// A rule that the database itself guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// One subscription an e-mail address, whatever its case.
    SubscriberEmail,
    /// One client a lead.
    ClientLead,
    /// There is no such lead.
    UnknownLead,
    /// One account a name.
    StaffUsername,
    /// The row is no longer as the caller saw it.
    Stale,
}

/// What kind of rule about a column a database guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// No two rows have the same value.
    Unique,
    /// The row that the value names is there.
    Reference,
}

/// A rule that every database guards, and what callers are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What is guarded.
    pub guard: Guard,
    /// What callers are told; nothing where only a defect breaks the rule.
    pub told: Option<Constraint>,
}

/// All of them. Each adapter has a test that compares this list with its schema: a rule that
/// is in one of the two alone fails it.
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

/// Why a repository could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("no such row")]
    NotFound,
    /// A rule that the database guards would be broken; nothing was changed.
    #[error("conflict with {0:?}")]
    Conflict(Constraint),
    /// The database is away, or too busy to answer in time. A write may or may
    /// not have happened; trying again later makes sense.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: a defect.
    #[error("the database refused")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// An error and what caused it, in one line, for a log or an operator.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors tell their cause themselves.
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
    fn each_cause_is_told_once() {
        let error = StoreError::Unavailable(Box::new(Outer("refused".into())));
        assert_eq!(with_causes(&error), "the database is not available: cannot connect: refused");
        assert_eq!(with_causes(&StoreError::Other("full".into())), "the database refused: full");
    }
}
