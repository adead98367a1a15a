//! Prints tables for people.

use super::say;

/// Prints rows in columns that are as wide as their longest cell.
pub(super) fn print<const N: usize>(rows: &[[String; N]]) {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line: Vec<String> = cells.collect();
        say(format_args!("{}", line.join("  ").trim_end()));
    }
}
