//! Reads variables one by one, and notes those that are not followed.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::ENDPOINT;
use crate::variables::Variables;

/// Reads variables, and remembers which ones the service knows.
pub(super) struct Reader<'a> {
    variables: &'a Variables,
    known: BTreeSet<&'static str>,
    notes: Vec<String>,
    /// Whether something is sent, or sending is turned off explicitly.
    pub(super) decided: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a Variables) -> Self {
        // The common endpoint is also an option of the command line.
        let known = BTreeSet::from([ENDPOINT]);
        Self { variables, known, notes: Vec::new(), decided: false }
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.insert(name);
        self.variables.get(name)
    }

    pub(super) fn note(&mut self, name: &str, why: &str) {
        let note = format!("{name} is not followed: {why}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// All notes, including one for each unknown variable.
    pub(super) fn notes(mut self) -> Vec<String> {
        let given = self.variables.beginning("OTEL_");
        let unknown = given.keys().copied().filter(|name| !self.known.contains(name));
        for name in unknown.collect::<Vec<_>>() {
            self.note(name, "the service does not know it");
        }
        if !self.decided
            && self.notes.is_empty()
            && let Some(name) = given.keys().next()
        {
            self.note(name, "nothing is sent without OTEL_EXPORTER_OTLP_ENDPOINT");
        }
        self.notes
    }

    /// As specified, only "true" is true.
    pub(super) fn is_true(&mut self, name: &'static str) -> bool {
        match self.get(name) {
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            None => false,
            Some(_) => {
                self.note(name, "it is neither true nor false");
                false
            }
        }
    }

    pub(super) fn number<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let number = self.get(name)?.parse().ok();
        if number.is_none() {
            self.note(name, "it is not a valid number");
        }
        number
    }

    pub(super) fn positive<T: FromStr + Default + PartialEq>(
        &mut self,
        name: &'static str,
    ) -> Option<T> {
        let number = self.number(name)?;
        if number == T::default() {
            self.note(name, "it is 0");
            return None;
        }
        Some(number)
    }

    /// Notes a variable whose value is not among `followed`.
    pub(super) fn only(&mut self, name: &'static str, followed: &[&str], why: &str) {
        let value = self.get(name).map(str::to_ascii_lowercase);
        if value.is_some_and(|value| !followed.contains(&value.as_str())) {
            self.note(name, why);
        }
    }

    /// The words of a list that are `known`. If there are none, the list counts as absent.
    pub(super) fn words(&mut self, name: &'static str, known: &[&str]) -> Option<Vec<String>> {
        let list = self.get(name)?.split(',').map(|word| word.trim().to_ascii_lowercase());
        let (words, others): (Vec<_>, Vec<_>) =
            list.filter(|word| !word.is_empty()).partition(|word| known.contains(&word.as_str()));
        if !others.is_empty() {
            self.note(name, &format!("only {} are known", known.join(", ")));
        }
        (!words.is_empty()).then_some(words)
    }
}
