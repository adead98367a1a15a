//! Decides what to do with each row, so that no change made here is lost.

use std::fmt;

/// A row that cannot be imported without losing a change made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The table in this database.
    pub table: &'static str,
    /// The row's id.
    pub id: i64,
    /// The change that was made here.
    pub why: Why,
}

/// A change made here since the last import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A row with this id was created here.
    Created,
    /// The row was changed here.
    Changed,
    /// The row was deleted here.
    Removed,
    /// Another row, created here, has the value that must be unique: the address, the name or the
    /// lead.
    Taken(i64),
    /// A different contract file exists at that path.
    Contract(String),
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: ", self.table, self.id)?;
        match &self.why {
            Why::Created => {
                formatter.write_str("created here, with an id that the source also uses")
            }
            Why::Changed => formatter.write_str("changed here"),
            Why::Removed => formatter.write_str("removed here"),
            Why::Taken(by) => write!(formatter, "row {by}, created here, has the same key"),
            Why::Contract(path) => write!(formatter, "a different contract {path:?} exists here"),
        }
    }
}

/// Tells whether two rows are equal.
pub(crate) type Hash = [u8; 32];

/// What to do with a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Keep,
    Add,
    Change,
    Remove,
    Remember,
    Forget,
}

/// Decides by the hashes of the row in the source (`there`), of the stored row (`here`), and of the
/// row that the last import wrote (`brought`).
pub(crate) fn decide(
    there: Option<Hash>,
    here: Option<Hash>,
    brought: Option<Hash>,
) -> Result<Action, Why> {
    Ok(match (there, here, brought) {
        // Rows that were created here do not concern the import.
        (None, _, None) => Action::Keep,
        (None, None, Some(_)) => Action::Forget,
        (Some(_), None, None) => Action::Add,
        (Some(_), None, Some(_)) => return Err(Why::Removed),
        (Some(there), Some(here), brought) if there == here => match brought {
            Some(brought) if brought == here => Action::Keep,
            Some(_) => Action::Change,
            None => Action::Remember,
        },
        (Some(_), Some(_), None) => return Err(Why::Created),
        (there, Some(here), Some(brought)) if here == brought => match there {
            Some(_) => Action::Change,
            None => Action::Remove,
        },
        (_, Some(_), Some(_)) => return Err(Why::Changed),
    })
}

/// Resolves a conflict in favour of the source.
pub(crate) fn overwrite(why: &Why, there: bool) -> Action {
    match (why, there) {
        (Why::Removed, _) => Action::Add,
        (_, true) => Action::Change,
        (_, false) => Action::Remove,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn hashes(there: u8, here: u8, brought: u8) -> [Option<Hash>; 3] {
        [there, here, brought].map(|n| (n > 0).then_some([n; 32]))
    }

    #[rstest]
    #[case::new_there(1, 0, 0, Ok(Action::Add))]
    #[case::as_brought(1, 1, 1, Ok(Action::Keep))]
    #[case::changed_there(2, 1, 1, Ok(Action::Change))]
    #[case::removed_there(0, 1, 1, Ok(Action::Remove))]
    #[case::removed_on_both_sides(0, 0, 1, Ok(Action::Forget))]
    #[case::made_here(0, 1, 0, Ok(Action::Keep))]
    #[case::made_on_both_sides_alike(1, 1, 0, Ok(Action::Remember))]
    #[case::made_on_both_sides(1, 2, 0, Err(Why::Created))]
    #[case::changed_here(1, 2, 1, Err(Why::Changed))]
    #[case::changed_on_both_sides(3, 2, 1, Err(Why::Changed))]
    #[case::changed_on_both_sides_alike(2, 2, 1, Ok(Action::Change))]
    #[case::changed_here_removed_there(0, 2, 1, Err(Why::Changed))]
    #[case::removed_here(1, 0, 1, Err(Why::Removed))]
    fn changes_made_here_are_not_overwritten(
        #[case] there: u8,
        #[case] here: u8,
        #[case] brought: u8,
        #[case] expected: Result<Action, Why>,
    ) {
        let [there, here, brought] = hashes(there, here, brought);
        assert_eq!(decide(there, here, brought), expected);
    }

    #[test]
    fn overwriting_resolves_conflicts_for_the_source() {
        assert_eq!(overwrite(&Why::Created, true), Action::Change);
        assert_eq!(overwrite(&Why::Changed, true), Action::Change);
        assert_eq!(overwrite(&Why::Changed, false), Action::Remove);
        assert_eq!(overwrite(&Why::Removed, true), Action::Add);
    }
}
