//! Who may do what in the back office. The rules are the one table in [`may`].

use crate::events::Verb;
use crate::staff::{Role, StaffId};

/// A person who works in the back office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worker {
    /// The account.
    pub id: StaffId,
    /// The role of the account.
    pub role: Role,
}

/// What a worker wants to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// To see it, in a list or alone, with its history.
    Read,
    /// To make a new one.
    Create,
    /// To change its fields, its status and its next step.
    Edit,
    /// To become the owner of one that has no owner.
    Claim,
    /// To give it to somebody else.
    Assign,
    /// To add a note to its history.
    Note,
    /// To make a client of it.
    Convert,
    /// To see and to change what the client pays.
    Charge,
    /// To send its contract to oneself, to replace it, and to remove it.
    Contract,
    /// To delete it.
    Delete,
    /// To bring a deleted one back.
    Restore,
    /// To make one of two.
    Merge,
    /// To load many from a file.
    Import,
    /// To write many to a file.
    Export,
}

impl Action {
    /// All actions.
    pub const ALL: &[Self] = &[
        Self::Read,
        Self::Create,
        Self::Edit,
        Self::Claim,
        Self::Assign,
        Self::Note,
        Self::Convert,
        Self::Charge,
        Self::Contract,
        Self::Delete,
        Self::Restore,
        Self::Merge,
        Self::Import,
        Self::Export,
    ];
}

/// What an action is about. The owner of a record is the person who looks after it; a new record,
/// and a whole list, have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A lead, or the list of all.
    Lead(Option<StaffId>),
    /// A client, or the list of all.
    Client(Option<StaffId>),
    /// A newsletter subscriber, or the list of all.
    Subscriber,
    /// The accounts of others.
    Staff,
    /// API keys.
    ApiKey,
    /// The events of everything, as opposed to the history of one record.
    Event,
    /// The worker's own account: password, preferences, sign-ins.
    OwnAccount,
    /// A row of a resource that brings its rights along, or the list of all.
    Of(&'static Rights, Option<StaffId>),
}

impl Record {
    /// Whether the back office can take back events of such a row.
    pub fn is_undoable(&self) -> bool {
        matches!(self, Self::Lead(_) | Self::Client(_) | Self::Subscriber)
    }
}

/// Who may do what with the rows of one resource, as a value: the resource need not be known here.
/// Owners may do everything. Others may do what one of the entries says, and nothing else.
///
/// ```
/// use exit3_domain::access::{Action, Record, Rights, Whose, Worker, may};
/// use exit3_domain::staff::{Role, StaffId};
///
/// static RIGHTS: Rights = Rights {
///     resource: "meeting",
///     roles: &[
///         (Role::Sales, &[Action::Read, Action::Create], Whose::All),
///         (Role::Sales, &[Action::Edit], Whose::OwnAndNobodys),
///     ],
/// };
///
/// let sales = Worker { id: StaffId(1), role: Role::Sales };
/// assert!(may(&sales, Action::Edit, Record::Of(&RIGHTS, Some(StaffId(1)))));
/// assert!(!may(&sales, Action::Edit, Record::Of(&RIGHTS, Some(StaffId(2)))));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Rights {
    /// The word for the rows in events, such as `meeting`.
    pub resource: &'static str,
    /// What a role may do, and with whose rows.
    pub roles: &'static [(Role, &'static [Action], Whose)],
}

/// Whose rows a right is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All rows, and the list of all.
    All,
    /// Rows that the worker looks after, and rows without an owner.
    OwnAndNobodys,
    /// Rows that the worker looks after.
    Own,
}

impl Rights {
    fn allow(&self, worker: &Worker, action: Action, owner: Option<StaffId>) -> bool {
        let is_own = owner == Some(worker.id);
        self.roles.iter().any(|(role, actions, whose)| {
            *role == worker.role
                && actions.contains(&action)
                && match whose {
                    Whose::All => true,
                    Whose::OwnAndNobodys => is_own || owner.is_none(),
                    Whose::Own => is_own,
                }
        })
    }
}

/// Whether a worker may do this.
pub fn may(worker: &Worker, action: Action, record: Record) -> bool {
    use Action::{Charge, Claim, Contract, Convert, Create, Edit, Note, Read};
    use Record::{ApiKey, Client, Event, Lead, Of, OwnAccount, Staff, Subscriber};

    let is_own = |owner: Option<StaffId>| owner == Some(worker.id);
    match (worker.role, action, record) {
        // Nobody makes or deletes an own account.
        (_, Read | Edit, OwnAccount) => true,
        (_, _, OwnAccount) => false,
        (Role::Owner, ..) => true,
        (_, _, Of(rights, owner)) => rights.allow(worker, action, owner),
        (Role::Manager, Read, Event) => true,
        (_, _, Staff | ApiKey | Event) => false,
        (Role::Manager, _, Lead(_) | Client(_) | Subscriber) => true,
        // Everybody sees everything, or two people work on the same person.
        (Role::Sales | Role::Viewer, Read, Lead(_) | Client(_) | Subscriber) => true,
        (Role::Sales, Create, Lead(_)) => true,
        (Role::Sales, Claim, Lead(owner)) => owner.is_none(),
        (Role::Sales, Edit | Note | Convert, Lead(owner)) => owner.is_none() || is_own(owner),
        (Role::Sales, Edit | Note | Charge | Contract, Client(owner)) => is_own(owner),
        (Role::Sales | Role::Viewer, ..) => false,
    }
}

/// What a worker must be allowed to do with a row in order to take back an event of it; `None` for
/// an event that nobody takes back in the back office.
pub fn to_undo(action: &str) -> Option<Action> {
    match action {
        Verb::DELETED => Some(Action::Restore),
        Verb::UPDATED => Some(Action::Edit),
        Verb::NOTE_REMOVED => Some(Action::Note),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: StaffId = StaffId(1);
    const NOBODY: Option<StaffId> = None;
    const MINE: Option<StaffId> = Some(ME);
    const OTHERS: Option<StaffId> = Some(StaffId(2));

    /// All records, by the names of the table below.
    const RECORDS: &[(&str, Record)] = &[
        ("lead of nobody", Record::Lead(NOBODY)),
        ("lead of mine", Record::Lead(MINE)),
        ("lead of others", Record::Lead(OTHERS)),
        ("client of nobody", Record::Client(NOBODY)),
        ("client of mine", Record::Client(MINE)),
        ("client of others", Record::Client(OTHERS)),
        ("subscriber", Record::Subscriber),
        ("staff", Record::Staff),
        ("api key", Record::ApiKey),
        ("event", Record::Event),
        ("own account", Record::OwnAccount),
        ("visit of nobody", Record::Of(&VISITS, NOBODY)),
        ("visit of mine", Record::Of(&VISITS, MINE)),
        ("visit of others", Record::Of(&VISITS, OTHERS)),
    ];

    /// Rights that somebody else has written. Nothing is said of viewers.
    static VISITS: Rights = Rights {
        resource: "visit",
        roles: &[
            (Role::Manager, Action::ALL, Whose::All),
            (Role::Sales, &[Action::Read, Action::Create], Whose::All),
            (Role::Sales, &[Action::Edit], Whose::OwnAndNobodys),
            (Role::Sales, &[Action::Delete], Whose::Own),
        ],
    };

    const ALL: &str = "read create edit claim assign note convert charge contract delete restore \
                       merge import export";

    /// What each role may do, written as a person would say it.
    const TABLE: &[(Role, &str, &str)] = &[
        (Role::Owner, "lead of nobody", ALL),
        (Role::Owner, "lead of mine", ALL),
        (Role::Owner, "lead of others", ALL),
        (Role::Owner, "client of nobody", ALL),
        (Role::Owner, "client of mine", ALL),
        (Role::Owner, "client of others", ALL),
        (Role::Owner, "subscriber", ALL),
        (Role::Owner, "staff", ALL),
        (Role::Owner, "api key", ALL),
        (Role::Owner, "event", ALL),
        (Role::Owner, "own account", "read edit"),
        (Role::Owner, "visit of nobody", ALL),
        (Role::Owner, "visit of mine", ALL),
        (Role::Owner, "visit of others", ALL),
        (Role::Manager, "lead of nobody", ALL),
        (Role::Manager, "lead of mine", ALL),
        (Role::Manager, "lead of others", ALL),
        (Role::Manager, "client of nobody", ALL),
        (Role::Manager, "client of mine", ALL),
        (Role::Manager, "client of others", ALL),
        (Role::Manager, "subscriber", ALL),
        (Role::Manager, "staff", ""),
        (Role::Manager, "api key", ""),
        (Role::Manager, "event", "read"),
        (Role::Manager, "own account", "read edit"),
        (Role::Manager, "visit of nobody", ALL),
        (Role::Manager, "visit of mine", ALL),
        (Role::Manager, "visit of others", ALL),
        (Role::Sales, "lead of nobody", "read create edit claim note convert"),
        (Role::Sales, "lead of mine", "read create edit note convert"),
        (Role::Sales, "lead of others", "read create"),
        (Role::Sales, "client of nobody", "read"),
        (Role::Sales, "client of mine", "read edit note charge contract"),
        (Role::Sales, "client of others", "read"),
        (Role::Sales, "subscriber", "read"),
        (Role::Sales, "staff", ""),
        (Role::Sales, "api key", ""),
        (Role::Sales, "event", ""),
        (Role::Sales, "own account", "read edit"),
        (Role::Sales, "visit of nobody", "read create edit"),
        (Role::Sales, "visit of mine", "read create edit delete"),
        (Role::Sales, "visit of others", "read create"),
        (Role::Viewer, "lead of nobody", "read"),
        (Role::Viewer, "lead of mine", "read"),
        (Role::Viewer, "lead of others", "read"),
        (Role::Viewer, "client of nobody", "read"),
        (Role::Viewer, "client of mine", "read"),
        (Role::Viewer, "client of others", "read"),
        (Role::Viewer, "subscriber", "read"),
        (Role::Viewer, "staff", ""),
        (Role::Viewer, "api key", ""),
        (Role::Viewer, "event", ""),
        (Role::Viewer, "own account", "read edit"),
        (Role::Viewer, "visit of nobody", ""),
        (Role::Viewer, "visit of mine", ""),
        (Role::Viewer, "visit of others", ""),
    ];

    #[test]
    fn each_role_may_do_what_the_table_says_and_nothing_else() {
        assert_eq!(TABLE.len(), Role::ALL.len() * RECORDS.len());
        for role in Role::ALL {
            let worker = Worker { id: ME, role: *role };
            for (name, record) in RECORDS {
                let allowed = Action::ALL.iter().filter(|action| may(&worker, **action, *record));
                let words: Vec<String> =
                    allowed.map(|action| format!("{action:?}").to_lowercase()).collect();
                let entry = TABLE.iter().find(|(of, on, _)| (of, on) == (role, name));
                let (.., expected) = entry.unwrap_or_else(|| panic!("{role} on {name}"));
                assert_eq!(words.join(" "), *expected, "{role} on {name}");
            }
        }
    }

    #[test]
    fn only_rows_of_the_service_itself_can_be_taken_back() {
        let undoable = RECORDS.iter().filter(|(_, record)| record.is_undoable());
        let names: Vec<&str> = undoable.map(|(name, _)| *name).collect();
        assert!(names.contains(&"lead of mine") && names.contains(&"subscriber"), "{names:?}");
        assert!(names.iter().all(|name| !name.starts_with("visit")), "{names:?}");
    }

    #[test]
    fn taking_back_needs_the_right_to_do_the_opposite() {
        assert_eq!(to_undo(Verb::DELETED), Some(Action::Restore));
        assert_eq!(to_undo(Verb::UPDATED), Some(Action::Edit));
        assert_eq!(to_undo(Verb::NOTE_REMOVED), Some(Action::Note));
        for other in [
            Verb::CREATED,
            Verb::RESTORED,
            Verb::NOTED,
            Verb::ERASED,
            Verb::IMPORTED,
            Verb::EXPORTED,
        ] {
            assert_eq!(to_undo(other), None, "{other}");
        }
    }
}
