//! Events: what happened to a row, when, and who did it.

mod actor;
mod changes;
mod explained;
#[cfg(test)]
mod stored;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use actor::Actor;
pub use changes::{Changes, Conflicts, Record, from_record, record};
pub use explained::is_explained;

/// Identifies an event. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

/// Ties the events of one bulk action together: at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BatchId(pub Arc<str>);

impl BatchId {
    /// The batch of a form, or of something else, that shall be carried out once: no second event with its
    /// verb is stored.
    pub fn of_form(token: &str) -> Self {
        // The schema looks for this prefix.
        Self(format!("form-{token}").into())
    }

    /// The batch of a request that shall be carried out once. `key` stands for the client and the
    /// key that it has chosen, and the first 96 bits of `request` for the path and the body: a second
    /// request with the same key makes nothing.
    pub fn of_request(key: u128, request: u128) -> Self {
        // The schema looks for this prefix, and for the key behind it.
        Self(format!("once-{key:032x}-{:024x}", request >> 32).into())
    }

    /// What two requests with the same key have in common; `None` for other batches.
    pub fn request_key(&self) -> Option<&str> {
        self.0.get(..37).filter(|key| key.starts_with("once-"))
    }
}

/// Who writes, and on which occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who writes.
    pub actor: Actor,
    /// The id of the HTTP request, if there is one.
    pub request: Option<Arc<str>>,
    /// The bulk action that the write is part of, if there is one.
    pub batch: Option<BatchId>,
}

impl Author {
    /// The author of a write at this time.
    pub fn at(&self, at: DateTime<Utc>) -> Act {
        Act { author: self.clone(), at }
    }
}

impl From<Actor> for Author {
    /// Outside of a request and of a bulk action.
    fn from(actor: Actor) -> Self {
        Self { actor, request: None, batch: None }
    }
}

/// The author and the time of a write. Every port method that writes takes one, and stores it in
/// the event of its write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who writes, and on which occasion.
    pub author: Author,
    /// When, in whole microseconds.
    pub at: DateTime<Utc>,
}

/// What happened, as a word: the kind of resource, a dot and the action, such as `lead.created`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Verb(Arc<str>);

/// The verb of the events that are never removed. They name nobody, and a restore learns from them
/// which erasures the rows of an archive know.
pub const NEVER_REMOVED: &str = "person.erased";

impl Verb {
    /// Something was stored.
    pub const CREATED: &'static str = "created";
    /// Fields got new values.
    pub const UPDATED: &'static str = "updated";
    /// Something was deleted.
    pub const DELETED: &'static str = "deleted";
    /// Something that was deleted is there again.
    pub const RESTORED: &'static str = "restored";
    /// Rows were imported from another service.
    pub const IMPORTED: &'static str = "imported";
    /// An export of a list began. The id of the row is 0.
    pub const EXPORTED: &'static str = "exported";
    /// An export of a list contains all of its rows.
    pub const EXPORT_ENDED: &'static str = "export_ended";
    /// A person was erased.
    pub const ERASED: &'static str = "erased";
    /// A key was revoked.
    pub const REVOKED: &'static str = "revoked";
    /// A note was added to a lead.
    pub const NOTED: &'static str = "noted";
    /// A note was removed from a lead.
    pub const NOTE_REMOVED: &'static str = "note_removed";
    /// A note that was removed is there again.
    pub const NOTE_RESTORED: &'static str = "note_restored";
    /// The contract of a client was sent to somebody.
    pub const CONTRACT_DOWNLOADED: &'static str = "contract_downloaded";
    /// A password was replaced.
    pub const PASSWORD_SET: &'static str = "password_set";
    /// The preferences of an account were replaced.
    pub const PREFERENCES_SET: &'static str = "preferences_set";
    /// A person signed in.
    pub const SIGNED_IN: &'static str = "signed_in";
    /// Sign-ins of an account were ended.
    pub const SIGNED_OUT: &'static str = "signed_out";
    /// No lead has come for so long that it is hardly chance.
    pub const SILENT: &'static str = "silent";
    /// A person was invited to choose a password.
    pub const INVITED: &'static str = "invited";

    /// The verb for an action on a kind of resource.
    pub fn of(resource: &str, action: &str) -> Self {
        Self(format!("{resource}.{action}").into())
    }

    /// Takes a word as it was stored.
    pub fn from_word(word: &str) -> Self {
        Self(word.into())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the changes of the event are values alone, without others before them.
    pub fn has_values(&self) -> bool {
        matches!(
            self.action(),
            Self::DELETED
                | Self::CONTRACT_DOWNLOADED
                | Self::IMPORTED
                | Self::EXPORTED
                | Self::EXPORT_ENDED
                | Self::ERASED
                | Self::SILENT
        )
    }

    /// The kind of resource: what is before the last dot.
    pub fn resource(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(resource, _)| resource)
    }

    /// The action: what is behind the last dot.
    pub fn action(&self) -> &str {
        self.0.rsplit_once('.').map_or(&self.0, |(_, action)| action)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The row that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The kind of resource, such as `lead`.
    pub resource: Arc<str>,
    /// The id of the row; 0 for the whole database, and for a list.
    pub id: i64,
}

impl Subject {
    /// The word for the whole database in events.
    pub const DATABASE: &'static str = "database";
    /// The word for a person who was erased. The id is 0.
    pub const PERSON: &'static str = "person";
}

/// An event that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub verb: Verb,
    /// To what.
    pub subject: Subject,
    /// The values before and after.
    pub changes: Changes,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id.
    pub id: EventId,
    /// Who did it, when, and on which occasion.
    pub act: Act,
    /// What happened.
    pub verb: Verb,
    /// To what.
    pub subject: Subject,
    /// The values before and after.
    pub changes: Changes,
}

impl Event {
    /// The position in lists, which are ordered by time, and by id where times are equal. Clocks
    /// of nodes differ, so an event may have a lower id and a later time than another one.
    pub fn position(&self) -> (DateTime<Utc>, EventId) {
        (self.act.at, self.id)
    }
}

/// Selects events. An empty filter selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of this actor.
    pub actor: Option<Actor>,
    /// Only those with this verb.
    pub verb: Option<Verb>,
    /// Only those about this kind of resource.
    pub resource: Option<Arc<str>>,
    /// With `resource`: only those about this row.
    pub id: Option<i64>,
    /// Only those of this bulk action.
    pub batch: Option<BatchId>,
    /// Only those at or after this time.
    pub after: Option<DateTime<Utc>>,
    /// Only those before this time.
    pub before: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// The kind of resource of all matching events, if there is only one.
    pub fn only_resource(&self) -> Option<&str> {
        self.resource.as_deref().or_else(|| self.verb.as_ref().map(Verb::resource))
    }

    /// Whether it selects this event.
    pub fn admits(&self, event: &Event) -> bool {
        let Self { actor, verb, resource, id, batch, after, before } = self;
        let Event { act, subject, .. } = event;
        actor.as_ref().is_none_or(|actor| act.author.actor == *actor)
            && verb.as_ref().is_none_or(|verb| event.verb == *verb)
            && resource.as_ref().is_none_or(|resource| subject.resource == *resource)
            && id.is_none_or(|id| subject.id == id)
            && batch.as_ref().is_none_or(|batch| act.author.batch.as_ref() == Some(batch))
            && after.is_none_or(|after| act.at >= after)
            && before.is_none_or(|before| act.at < before)
    }

    /// The position before which all matching events are in a list that ends before `before`.
    pub fn end(
        &self,
        before: Option<(DateTime<Utc>, EventId)>,
    ) -> Option<(DateTime<Utc>, EventId)> {
        // No id is lower than this one.
        let until = self.before.map(|until| (until, EventId(i64::MIN)));
        before.into_iter().chain(until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_with_the_same_key_have_the_beginning_of_their_batch_in_common() {
        let batch = BatchId::of_request(u128::MAX, u128::MAX);
        assert!(batch.0.len() <= 64, "{batch:?}");
        let other = BatchId::of_request(u128::MAX, 0);
        assert_ne!(batch, other);
        assert_eq!(batch.request_key(), other.request_key());
        assert_ne!(batch.request_key(), BatchId::of_request(1, u128::MAX).request_key());
        assert!(batch.request_key().is_some_and(|key| key.len() == 37));
        assert_eq!(BatchId::of_form(&"a".repeat(40)).request_key(), None);
        assert_eq!(BatchId("once-".into()).request_key(), None);
    }

    #[test]
    fn a_filter_selects_events_that_meet_all_its_conditions() {
        let second = |second| DateTime::from_timestamp(second, 0).unwrap();
        let actor = Actor::Service;
        let batch = Some(BatchId("b".into()));
        let author = Author { actor: actor.clone(), request: None, batch: batch.clone() };
        let event = Event {
            id: EventId(1),
            act: author.at(second(5)),
            verb: Verb::of("lead", Verb::CREATED),
            subject: Subject { resource: "lead".into(), id: 7 },
            changes: Changes::None,
        };
        let all = EventFilter {
            actor: Some(actor),
            verb: Some(event.verb.clone()),
            resource: Some("lead".into()),
            id: Some(7),
            batch,
            after: Some(second(5)),
            before: Some(second(6)),
        };
        assert!(all.admits(&event) && EventFilter::default().admits(&event));
        for other in [
            EventFilter { actor: Some(Actor::BasicKey), ..all.clone() },
            EventFilter { verb: Some(Verb::of("lead", Verb::UPDATED)), ..all.clone() },
            EventFilter { resource: Some("client".into()), ..all.clone() },
            EventFilter { id: Some(8), ..all.clone() },
            EventFilter { batch: Some(BatchId("c".into())), ..all.clone() },
            EventFilter { after: Some(second(6)), ..all.clone() },
            EventFilter { before: Some(second(5)), ..all.clone() },
        ] {
            assert!(!other.admits(&event), "{other:?}");
        }
    }
}
