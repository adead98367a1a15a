//! The lines of an archive, one JSON value each. An object is one of these records; an array is a
//! row of the current table.

use chrono::{DateTime, Utc};
use exit3_ports::ModuleRecord;
use serde::{Deserialize, Serialize};

/// A line that is not a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first record.
    Head(Head),
    /// Begins a table; its rows follow, ordered by id.
    Table(TableHead),
    TableEnd(TableSum),
    /// Begins a contract file; its content follows.
    File {
        path: String,
    },
    /// A piece of a file's content, in base64.
    Chunk(String),
    FileEnd(FileSum),
    /// The last record.
    End {
        tables: usize,
        files: usize,
    },
}

/// The origin of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the program that wrote it.
    pub program: String,
    /// The version of the database's newest migration.
    pub schema: String,
    /// When the backup began.
    pub made_at: DateTime<Utc>,
    /// The names of the settings that were set, without their values.
    pub settings: Vec<String>,
    /// The modules of the database, with the definitions of their tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableHead {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// The number of rows that follow.
    pub(crate) rows: u64,
    /// The highest id that the database ever gave out.
    pub(crate) last_id: i64,
}

/// The number of rows of a table, and their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// The table's name.
    pub name: String,
    /// The number of rows.
    pub rows: u64,
    /// The SHA-256 of its rows in canonical form, as hexadecimal digits.
    pub sha256: String,
}

/// The size of a contract file, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// The path, relative to the directory of contract files.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256 of its content, as hexadecimal digits.
    pub sha256: String,
}
