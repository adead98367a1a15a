//! Enumerations whose values are words of the API.

/// One of a few words.
pub trait Choice: Copy + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// All values, in the order of declaration.
    const ALL: &'static [Self];

    /// The words of all values, in the same order.
    const WORDS: &'static [&'static str];

    /// The word for the value in requests, responses and databases.
    fn as_str(self) -> &'static str;

    /// The value of `word`, which is case-sensitive; `None` if the word is unknown.
    fn from_word(word: &str) -> Option<Self>;
}

/// The words of some values, without duplicates; `None` if nothing is chosen, or if these are all
/// words that exist.
pub fn chosen<C: Choice>(values: Option<&Vec<C>>) -> Option<Vec<&'static str>> {
    let mut words = Vec::new();
    for word in values?.iter().map(|value| value.as_str()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    (words.len() < C::ALL.len()).then_some(words)
}

/// Declares an enumeration and its words, in the order in which the API documents them.
///
/// ```
/// exit3_domain::choice! {
///     /// How a booking ended.
///     Outcome { Kept = "kept", Missed = "missed" }
/// }
///
/// assert_eq!(Outcome::WORDS, ["kept", "missed"]);
/// assert_eq!(Outcome::Kept.as_str(), "kept");
/// assert_eq!(Outcome::from_word("missed"), Some(Outcome::Missed));
/// assert_eq!(Outcome::from_word("Missed"), None);
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* #[doc = concat!("`", $word, "`")] $variant),+
        }

        impl $name {
            /// All values, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The words of all values, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for the value in requests, responses and databases.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value of `word`, which is case-sensitive; `None` if the word is unknown.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::reexport::serde::Serialize for $name {
            fn serialize<S: $crate::reexport::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::reexport::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::reexport::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                use $crate::reexport::serde::{Deserialize, de::Error};
                let word = <std::borrow::Cow<'de, str> as Deserialize<'de>>::deserialize(deserializer)?;
                Self::from_word(&word).ok_or_else(|| D::Error::custom("an unknown word"))
            }
        }

        impl $crate::choice::Choice for $name {
            const ALL: &'static [Self] = Self::ALL;
            const WORDS: &'static [&'static str] = Self::WORDS;

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::from_word(word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use choice;
