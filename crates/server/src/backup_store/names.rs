//! The names of archives.

use chrono::{DateTime, NaiveDateTime, Utc};

/// The name of an archive contains the time at which it was begun.
const NAME: &str = "exit3-%Y%m%dT%H%M%S%.3fZ.backup";

/// The name of an archive begun at `time`.
pub(crate) fn name_of(time: DateTime<Utc>) -> String {
    time.format(NAME).to_string()
}

/// When the archive of that name was begun; `None` for any other name.
pub(crate) fn time_of(name: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(name, NAME).ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_contains_its_time() {
        let time = "2026-11-25T04:02:30.007Z".parse().unwrap();
        assert_eq!(name_of(time), "exit3-20261125T040230.007Z.backup");
        assert_eq!(time_of(&name_of(time)), Some(time));
        for other in ["exit3-20261125T040230Z.backup.partial", "exit3.backup", "notes.txt", ""] {
            assert_eq!(time_of(other), None, "{other}");
        }
    }
}
