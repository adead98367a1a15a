//! The rules for meetings, independent of databases and protocols.

use chrono::{DateTime, Utc};
use exit3_domain::fields::Field;
use exit3_domain::leads::LeadId;
use exit3_domain::order::{Order, Sort, SortColumn};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::text::{Reader, characters, time_of};
use exit3_domain::validation::{Invalid, Violation};
use exit3_domain::{choice, fields};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The word for meetings in events.
pub const RESOURCE: &str = "meeting";

/// What happens to a meeting when its reminder is noted.
pub const REMINDED: &str = "reminded";

/// Identifies a meeting. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingId(pub i64);

choice! {
    /// How a meeting ended.
    Outcome { Held = "held", Missed = "missed", Moved = "moved" }
}

/// A valid meeting that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMeeting {
    /// The lead that is met.
    pub lead: LeadId,
    /// When it begins, in whole minutes.
    pub starts_at: DateTime<Utc>,
    /// Where, at most 255 characters.
    pub place: String,
    /// At most 5,000 characters; empty if there are none.
    pub notes: String,
    /// `None` before the meeting.
    pub outcome: Option<Outcome>,
}

/// A stored meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// The id.
    pub id: MeetingId,
    /// Everything that people enter.
    pub details: NewMeeting,
    /// When its reminder was given.
    pub reminded_at: Option<DateTime<Utc>>,
}

fields! {
    /// A meeting as a caller sent it.
    MeetingInput {
        lead: Field::reference().required(),
        starts_at: Field::time().required(),
        place: Field::text(255).required(),
        notes: Field::text(5_000),
        outcome: Field::choice(Outcome::WORDS).nullable(),
    }
}

impl MeetingInput {
    /// Parses a new meeting.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_new(self) -> Result<NewMeeting, Invalid> {
        let MeetingChange { lead, starts_at, place, notes, outcome } = self.read(true)?;
        // `read` refuses an input without the required fields.
        Ok(NewMeeting {
            lead: lead.unwrap_or(LeadId(0)),
            starts_at: starts_at.unwrap_or_default(),
            place: place.unwrap_or_default(),
            notes: notes.unwrap_or_default(),
            outcome: outcome.flatten(),
        })
    }

    /// Parses a replacement: required fields must be there, others keep their values if they are
    /// missing.
    ///
    /// # Errors
    /// All broken rules of all fields.
    pub fn into_replacement(self) -> Result<MeetingChange, Invalid> {
        self.read(true)
    }

    /// Parses a change of the given fields.
    ///
    /// # Errors
    /// All broken rules of the given fields.
    pub fn into_change(self) -> Result<MeetingChange, Invalid> {
        self.read(false)
    }

    fn read(self, complete: bool) -> Result<MeetingChange, Invalid> {
        let Self { lead, starts_at, place, notes, outcome } = self;
        let mut reader = Reader::new(complete);
        let change = MeetingChange {
            lead: reader.required("lead", lead, lead_of),
            starts_at: reader.required("starts_at", starts_at, time_of),
            place: reader.required_text("place", place),
            notes: reader.blank_text("notes", notes),
            outcome: reader.optional("outcome", outcome, outcome_of),
        };
        if let Err(errors) = change.validate() {
            reader.add(&errors);
        }
        reader.into_invalid().in_order_of(FIELDS).or(change)
    }
}

fn lead_of(text: &str) -> Result<LeadId, Violation> {
    let id = text.parse().ok().filter(|id| *id > 0);
    id.map(LeadId).ok_or_else(|| Violation::new("invalid", "A valid integer is required."))
}

fn outcome_of(word: &str) -> Result<Outcome, Violation> {
    let unknown = || format!("\"{word}\" is not a valid choice.");
    Outcome::from_word(word).ok_or_else(|| Violation::new("invalid_choice", unknown()))
}

/// The error for a lead that does not exist.
pub fn unknown_lead() -> Invalid {
    Invalid::field("lead", Violation::new("does_not_exist", "There is no such lead."))
}

/// The error for a change of the lead.
pub fn another_lead() -> Invalid {
    Invalid::field("lead", Violation::new("fixed", "A meeting stays with its lead."))
}

/// New values for some fields of a meeting; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Validate)]
#[allow(missing_docs, reason = "the fields are those of `NewMeeting`")]
pub struct MeetingChange {
    pub lead: Option<LeadId>,
    pub starts_at: Option<DateTime<Utc>>,
    #[validate(
        length(max = 255, code = "max_length", message = "Ensure this field has no more than 255 characters."),
        custom(function = characters)
    )]
    pub place: Option<String>,
    #[validate(
        length(max = 5_000, code = "max_length", message = "Ensure this field has no more than 5000 characters."),
        custom(function = characters)
    )]
    pub notes: Option<String>,
    pub outcome: Option<Option<Outcome>>,
}

impl MeetingChange {
    /// The details of `seen` with these changes.
    pub fn apply(&self, seen: &Meeting) -> NewMeeting {
        let Self { lead, starts_at, place, notes, outcome } = self.clone();
        let was = &seen.details;
        NewMeeting {
            lead: lead.unwrap_or(was.lead),
            starts_at: starts_at.unwrap_or(was.starts_at),
            place: place.unwrap_or_else(|| was.place.clone()),
            notes: notes.unwrap_or_else(|| was.notes.clone()),
            outcome: outcome.unwrap_or(was.outcome),
        }
    }
}

/// Selects meetings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingFilter {
    /// Only those with this lead.
    pub lead: Option<LeadId>,
    /// Only those that begin at this time or later.
    pub from: Option<DateTime<Utc>>,
}

choice! {
    /// The sort key of a list of meetings.
    MeetingSort { Id = "id", StartsAt = "starts_at" }
}

/// The order of a list of meetings.
pub type MeetingOrder = Order<MeetingSort>;

impl Sort for MeetingSort {
    type Row = Meeting;

    const LIST: &'static str = "meetings";
    const NEWEST: MeetingOrder = Order { by: Self::StartsAt, descending: true };

    fn columns(self) -> &'static [SortColumn<Meeting>] {
        match self {
            Self::Id => &[],
            Self::StartsAt => &[SortColumn::Time(|meeting| meeting.details.starts_at)],
        }
    }

    fn id(meeting: &Meeting) -> i64 {
        meeting.id.0
    }
}

/// The first step of a walk, of at most `size` meetings.
pub const fn step(size: u32) -> Step {
    Step { from: None, direction: Direction::Forward, size }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use exit3_domain::raw::RawValue;

    use super::*;

    fn input() -> MeetingInput {
        MeetingInput {
            lead: RawValue::Number("7".into()),
            starts_at: RawValue::text("2026-12-01T09:30:00Z"),
            place: RawValue::text("Zagreb"),
            ..MeetingInput::default()
        }
    }

    fn codes(input: MeetingInput) -> Vec<(&'static str, &'static str)> {
        let invalid = input.into_new().unwrap_err();
        let fields =
            invalid.fields().flat_map(|(field, all)| all.iter().map(move |v| (field, v.code)));
        fields.collect()
    }

    #[test]
    fn a_meeting_needs_a_lead_a_time_and_a_place() {
        let new = input().into_new().unwrap();
        assert_eq!((new.lead, new.notes.as_str(), new.outcome), (LeadId(7), "", None));
        let missing = codes(MeetingInput::default());
        assert_eq!(
            missing,
            [("lead", "required"), ("starts_at", "required"), ("place", "required")]
        );
    }

    #[test]
    fn wrong_values_are_named() {
        for (field, value, code) in [
            ("lead", RawValue::text("Ana"), "invalid"),
            ("lead", RawValue::Number("-1".into()), "invalid"),
            ("starts_at", RawValue::text("tomorrow"), "invalid_time"),
            ("place", RawValue::text("x".repeat(256)), "max_length"),
            ("notes", RawValue::text("x".repeat(5_001)), "max_length"),
            ("outcome", RawValue::text("won"), "invalid_choice"),
        ] {
            let mut input = input();
            input.set(field, value);
            assert_eq!(codes(input), [(field, code)]);
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let seen =
            Meeting { id: MeetingId(1), details: input().into_new().unwrap(), reminded_at: None };
        let mut change = MeetingInput::default();
        change.set("outcome", RawValue::text("held"));
        let after = change.into_change().unwrap().apply(&seen);
        assert_eq!(after, NewMeeting { outcome: Some(Outcome::Held), ..seen.details.clone() });
        assert!(MeetingInput::default().into_replacement().is_err());
    }
}
