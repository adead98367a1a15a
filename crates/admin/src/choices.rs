//! The values from which a person chooses one.

use crate::i18n::{Texts, say};

/// One of the values of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub word: String,
    /// What people read.
    pub text: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// The values of a choice. `prefix` is that of their texts.
pub fn choices(texts: Texts, prefix: &str, words: &[&str], chosen: &str) -> Vec<Choice> {
    let choice = |word: &&str| Choice {
        word: (*word).to_owned(),
        text: say(texts, prefix, word),
        is_chosen: *word == chosen,
    };
    words.iter().map(choice).collect()
}
