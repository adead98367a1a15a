//! What a person should know of what was brought.

use std::fmt;

/// Something about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The table of the Django service.
    pub table: &'static str,
    /// The row.
    pub id: i64,
    /// The column, or empty where it is about the row as a whole.
    pub column: &'static str,
    /// What it is.
    pub what: What,
}

/// What a person should know of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Today's rules would refuse it; it is kept as it is.
    Refused(String),
    /// It could not be kept as it was.
    Altered {
        /// What it was; `None` for NULL.
        from: Option<String>,
        /// What it became; `None` for NULL.
        to: Option<String>,
    },
    /// The row became part of the one of this id, whose address differs in case only.
    Merged {
        /// The row that is kept.
        into: i64,
        /// The address as it was.
        email: String,
    },
    /// The contract is not brought, and why.
    NoContract {
        /// The path that the row names.
        path: String,
        /// Why.
        why: &'static str,
    },
    /// Nobody can sign in with this password.
    UnusablePassword,
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.table, self.id)?;
        if !self.column.is_empty() {
            write!(formatter, " {}", self.column)?;
        }
        write!(formatter, ": {}", self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| match text {
            Some(text) => format!("\"{}\"", text.escape_debug()),
            None => "nothing".to_owned(),
        };
        match self {
            Self::Refused(rule) => write!(formatter, "kept, but refused today: {rule}"),
            Self::Altered { from, to } => {
                write!(formatter, "{} could not be kept, and became {}", text(from), text(to))
            }
            Self::Merged { into, email } => {
                let email = email.escape_debug();
                write!(formatter, "\"{email}\" became one with the subscription {into}")
            }
            Self::NoContract { path, why } => {
                write!(formatter, "\"{}\" was not copied: {why}", path.escape_debug())
            }
            Self::UnusablePassword => {
                formatter.write_str("nobody can sign in with it: set a new one")
            }
        }
    }
}

/// All remarks, in the order of tables and rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The remarks.
    pub remarks: Vec<Remark>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remarks.iter().try_for_each(|remark| writeln!(formatter, "{remark}"))
    }
}
