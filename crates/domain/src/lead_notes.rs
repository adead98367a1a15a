//! Notes about leads: what staff write down, one entry at a time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::events::{Actor, Changes, from_record};
use crate::leads::LeadId;
use crate::raw::RawValue;
use crate::text::{Reader, characters};
use crate::validation::{Invalid, Violation};

/// The longest text, in characters.
pub const TEXT_LENGTH: usize = 5000;

/// Identifies a note. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeadNoteId(pub i64);

/// A stored note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadNote {
    /// The id.
    pub id: LeadNoteId,
    /// The lead that the note is about. It may be deleted.
    pub lead: LeadId,
    /// When the note was written, in whole microseconds.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub author: Actor,
    /// 1 to 5000 characters, without blanks at the ends.
    pub text: String,
}

impl LeadNote {
    /// The position in lists, which are ordered by time, and by id where times are equal.
    pub fn position(&self) -> (DateTime<Utc>, LeadNoteId) {
        (self.at, self.id)
    }

    /// The changes in the event of its removal: the whole note, so that it can come back.
    pub fn removal(&self) -> Changes {
        Changes::one("note", Some(self), None)
    }

    /// The changes in the event that tells that it was added or restored. They do not repeat its
    /// text.
    pub fn addition(id: LeadNoteId) -> Changes {
        Changes::one("note", None, Some(id))
    }

    /// The note in the changes of a removal.
    pub fn removed(changes: &Changes) -> Option<Self> {
        let Changes::Fields(fields) = changes else { return None };
        let (_, before, _) = fields.iter().find(|(name, ..)| name == "note")?;
        from_record(before.as_object()?.clone())
    }

    /// The id in the changes of an addition.
    pub fn added(changes: &Changes) -> Option<LeadNoteId> {
        let Changes::Fields(fields) = changes else { return None };
        let (.., after) = fields.iter().find(|(name, ..)| name == "note")?;
        after.as_i64().map(LeadNoteId)
    }
}

/// Parses the text of a note.
///
/// # Errors
/// All broken rules, of the field `text`.
pub fn parse_text(raw: RawValue) -> Result<String, Invalid> {
    let mut reader = Reader::new(true);
    let text = reader.required_text("text", raw);
    let mut invalid = reader.into_invalid();
    let Some(text) = text else { return invalid.or(String::new()) };
    if text.chars().count() > TEXT_LENGTH {
        let message = "Ensure this field has no more than 5000 characters.";
        invalid.push("text", Violation::new("max_length", message));
    }
    if let Err(error) = characters(&text) {
        let code = match text.contains('\0') {
            true => "null_characters_not_allowed",
            false => "control_characters_not_allowed",
        };
        invalid.push("text", Violation::new(code, error.message.unwrap_or_default()));
    }
    invalid.or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(RawValue::Missing, "required")]
    #[case(RawValue::Null, "null")]
    #[case(RawValue::Unfilled, "blank")]
    #[case(RawValue::text(" \n\u{200b} "), "blank")]
    #[case(RawValue::Bool(true), "invalid")]
    #[case(RawValue::text("x".repeat(5001)), "max_length")]
    #[case(RawValue::text("a\0b"), "null_characters_not_allowed")]
    #[case(RawValue::text("a\u{1b}b"), "control_characters_not_allowed")]
    fn refuses(#[case] raw: RawValue, #[case] code: &str) {
        let invalid = parse_text(raw).unwrap_err();
        let codes: Vec<_> =
            invalid.fields().flat_map(|(_, errors)| errors.iter().map(|one| one.code)).collect();
        assert_eq!(codes, [code]);
    }

    #[test]
    fn a_text_is_trimmed_and_keeps_its_lines() {
        let text = parse_text(RawValue::text("  called\r\n\tback\n ")).unwrap();
        assert_eq!(text, "called\n\tback");
        let longest = "\u{1f980}".repeat(5000);
        assert_eq!(parse_text(RawValue::text(longest.clone())), Ok(longest));
    }

    #[test]
    fn a_removed_note_is_read_back_from_its_event() {
        let note = LeadNote {
            id: LeadNoteId(7),
            lead: LeadId(3),
            at: DateTime::from_timestamp_micros(1).unwrap(),
            author: Actor::Staff("ana".into()),
            text: "called".to_owned(),
        };
        let stored = note.removal().to_text();
        let changes = Changes::from_text(stored.as_deref(), false);
        assert_eq!(LeadNote::removed(&changes), Some(note.clone()));
        assert_eq!(LeadNote::removed(&changes.erased()), None);
        assert_eq!(LeadNote::added(&LeadNote::addition(note.id)), Some(note.id));
        assert_eq!(LeadNote::added(&changes), None);
    }
}
