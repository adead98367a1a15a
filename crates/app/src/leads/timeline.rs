//! The timeline of a lead: notes and events in one list, newest first.

use exit3_domain::events::{Event, Verb};
use exit3_domain::lead_notes::LeadNote;
use exit3_domain::leads::{Lead, RESOURCE};
use exit3_ports::{StoreError, TRACE};

use crate::App;
use crate::timeline::{Before, Entry, Found, Timeline, What, named};

/// A step of the timeline of `lead`: at most `size` entries, from `before` on or from the newest.
/// The text in the lead's field `notes` is the last entry.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.timeline", skip_all)]
pub async fn timeline(
    app: &App,
    lead: &Lead,
    before: Option<Before>,
    size: u32,
) -> Result<Timeline, StoreError> {
    let mut reading = Reading { app, lead, before: before.unwrap_or_default(), found: Vec::new() };
    let is_at_end = reading.read(size).await?;
    let Reading { before, found, .. } = reading;
    let mut entries = named(app, found).await?;
    let notes = lead.details.notes.as_deref().unwrap_or_default();
    let has_room = entries.len() < size as usize;
    let shows_notes = is_at_end && !notes.trim().is_empty();
    if shows_notes && has_room {
        let what = What::Notes(notes.to_owned());
        entries.push(Entry { at: lead.created_at, actor: None, name: None, what });
    }
    let goes_on = !is_at_end || (shows_notes && !has_room);
    Ok(Timeline { entries, next: goes_on.then_some(before) })
}

struct Reading<'a> {
    app: &'a App,
    lead: &'a Lead,
    before: Before,
    found: Vec<Found>,
}

impl Reading<'_> {
    /// Reads until `size` entries are found. Returns whether there are no others.
    async fn read(&mut self, size: u32) -> Result<bool, StoreError> {
        let all = self.app.repositories()?;
        loop {
            // One more than needed tells whether others follow.
            let most = size.saturating_add(1);
            let id = self.lead.id;
            let events = crate::events::history(self.app, RESOURCE, id.0, self.before.event, most);
            let (events, notes) = (events.await?, all.lead_notes.list(id, self.before.note, most));
            let notes = notes.await?;
            let is_all = events.len() < most as usize && notes.len() < most as usize;
            if !self.merge(events, notes, size as usize) {
                return Ok(false);
            }
            if is_all {
                return Ok(true);
            }
        }
    }

    /// Merges events and notes, which continue behind those that were found before, until one of
    /// the two lists ends. Returns false if there was no room for all of them.
    fn merge(&mut self, events: Vec<Event>, notes: Vec<LeadNote>, size: usize) -> bool {
        let most = size.saturating_add(1);
        let (more_events, more_notes) = (events.len() >= most, notes.len() >= most);
        let (mut events, mut notes) = (events.into_iter().peekable(), notes.into_iter().peekable());
        loop {
            let is_note = match (events.peek(), notes.peek()) {
                (None, None) => return true,
                // The next event may come before the next note.
                (None, Some(_)) if more_events => return true,
                (Some(_), None) if more_notes => return true,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some(event), Some(note)) => note.at >= event.act.at,
            };
            if is_note {
                let Some(note) = notes.peek() else { return true };
                if self.found.len() >= size {
                    return false;
                }
                self.before.note = Some(note.position());
                self.found.extend(notes.next().map(Found::Note));
            } else {
                let Some(event) = events.peek() else { return true };
                // The note itself is an entry, for as long as it exists.
                let is_shown = !matches!(event.verb.action(), Verb::NOTED | Verb::NOTE_RESTORED);
                if is_shown && self.found.len() >= size {
                    return false;
                }
                self.before.event = Some(event.position());
                self.found.extend(events.next().filter(|_| is_shown).map(Found::Event));
            }
        }
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
