//! The fields of a resource: one list, from which its input is made, and which tests hold
//! the rules, the schemas of the API, the tables and the backup against.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text without NUL.
    Text {
        /// The most characters that are accepted.
        accepted: u64,
        /// The most characters that a database stores; `None` for any number.
        stored: Option<u64>,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// True or false.
    Boolean,
}

/// A field that a client may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, in requests, answers and tables alike.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether something new must have it.
    pub is_required: bool,
    /// Whether it may be null.
    pub is_nullable: bool,
}

impl Field {
    /// A text of at most that many characters.
    pub(crate) const fn text(longest: u64) -> Self {
        Self::of(FieldKind::Text { accepted: longest, stored: Some(longest) })
    }

    /// One of these words.
    pub(crate) const fn choice(words: &'static [&'static str]) -> Self {
        Self::of(FieldKind::Choice(words))
    }

    /// True or false.
    pub(crate) const fn boolean() -> Self {
        Self::of(FieldKind::Boolean)
    }

    const fn of(kind: FieldKind) -> Self {
        Self { name: "", kind, is_required: false, is_nullable: false }
    }

    /// Something new must have it.
    pub(crate) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// It may be null.
    pub(crate) const fn nullable(self) -> Self {
        Self { is_nullable: true, ..self }
    }

    /// Rows that are stored already may have more characters than are accepted now.
    pub(crate) const fn stored_at_any_length(self) -> Self {
        match self.kind {
            FieldKind::Text { accepted, .. } => {
                Self { kind: FieldKind::Text { accepted, stored: None }, ..self }
            }
            _ => self,
        }
    }

    pub(crate) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// Declares the fields of a resource: the list `FIELDS`, the input of the given name, and
/// its function that sets a field by name.
macro_rules! fields {
    (
        $(#[$meta:meta])*
        $input:ident { $($name:ident: $field:expr),+ $(,)? }
    ) => {
        /// The fields that a client may set, in the order of the API.
        pub const FIELDS: &[$crate::fields::Field] = &[$($field.named(stringify!($name))),+];

        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[allow(missing_docs, reason = "`FIELDS` describes them")]
        pub struct $input {
            $(pub $name: $crate::raw::RawValue),+
        }

        impl $input {
            /// Sets the field of that name; a name that no client may set is ignored.
            pub fn set(&mut self, field: &str, value: $crate::raw::RawValue) {
                match field {
                    $(stringify!($name) => self.$name = value,)+
                    _ => {}
                }
            }
        }
    };
}

pub(crate) use fields;

/// Asserts that every field of `fields` has the rules that its kind says. `refused` gives a
/// valid input another value of one field, and returns the codes of the rules of that field
/// which it breaks; `missing` returns the fields that something new lacks.
#[cfg(test)]
pub(crate) fn assert_rules(
    fields: &[Field],
    refused: impl Fn(&str, crate::raw::RawValue) -> Vec<&'static str>,
    missing: &[&str],
) {
    use crate::raw::RawValue;
    for field in fields {
        let name = field.name;
        let refuses = |value: RawValue, codes: &[&str]| {
            let found = refused(name, value.clone());
            let is_refused = found.iter().any(|code| codes.contains(code));
            assert!(is_refused, "{name} takes {value:?}: {found:?} is none of {codes:?}");
        };
        match field.kind {
            FieldKind::Text { accepted, .. } => {
                let longest = usize::try_from(accepted).unwrap();
                let too_long = RawValue::text("x".repeat(longest + 1));
                refuses(too_long, &["max_length", "notes_too_long"]);
                refuses(RawValue::text("a\0b"), &["null_characters_not_allowed"]);
                refuses(RawValue::text("a\u{7}b"), &["control_characters_not_allowed"]);
                refuses(RawValue::Other("[]".to_owned()), &["invalid", "invalid_email"]);
            }
            FieldKind::Choice(words) => {
                refuses(RawValue::text("no such word"), &["invalid_choice"]);
                for word in words {
                    assert_eq!(refused(name, RawValue::text(*word)), [""; 0], "{name}: {word}");
                }
            }
            FieldKind::Boolean => {
                refuses(RawValue::text("maybe"), &["invalid"]);
                assert_eq!(refused(name, RawValue::Bool(true)), [""; 0], "{name}");
            }
        }
        if field.is_nullable {
            assert_eq!(refused(name, RawValue::Null), [""; 0], "{name}: null");
        } else {
            refuses(RawValue::Null, &["null"]);
        }
        assert_eq!(missing.contains(&name), field.is_required, "{name} is required");
    }
}
