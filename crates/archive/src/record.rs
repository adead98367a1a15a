//! What an archive consists of: one JSON value a line. An object is one of these records,
//! an array a row of the table that was begun last.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A line that is not a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first.
    Head(Head),
    /// Begins a table, whose rows follow by id.
    Table(TableHead),
    TableEnd(TableSum),
    /// Begins a contract file, whose bytes follow.
    File {
        path: String,
    },
    /// Bytes of a file, in base64.
    Chunk(String),
    FileEnd(FileSum),
    /// The last.
    End {
        tables: usize,
        files: usize,
    },
}

/// Where an archive comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the program that made it.
    pub program: String,
    /// The version of the newest migration of the database.
    pub schema: String,
    /// When it was begun.
    pub made_at: DateTime<Utc>,
    /// The names of the settings that were given, without their values.
    pub settings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableHead {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// How many rows follow.
    pub(crate) rows: u64,
    /// The highest id that was ever given.
    pub(crate) last_id: i64,
}

/// The rows of a table, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// The table.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of its rows, in hexadecimal digits.
    pub sha256: String,
}

/// A contract file, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its path below the directory of contract files.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
}
