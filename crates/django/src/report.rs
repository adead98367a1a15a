//! The report of an import.

use std::fmt;

/// A remark about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The table of the Django service.
    pub table: &'static str,
    /// The row's id.
    pub id: i64,
    /// The column; empty if the remark is about the whole row.
    pub column: &'static str,
    /// The remark.
    pub what: What,
}

/// What a person should know about a value or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The current rules refuse the value; it is kept anyway.
    Refused(String),
    /// The value could not be kept.
    Altered {
        /// The original value; `None` for NULL.
        from: Option<String>,
        /// The stored value; `None` for NULL.
        to: Option<String>,
    },
    /// The row was merged into another one, whose address differs only in case.
    Merged {
        /// The id of the row that is kept.
        into: i64,
        /// The original address.
        email: String,
    },
    /// The contract file was not copied.
    NoContract {
        /// The path in the row.
        path: String,
        /// The reason.
        why: &'static str,
    },
    /// Nobody can sign in with this password hash.
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

/// All remarks, ordered by table and row.
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
