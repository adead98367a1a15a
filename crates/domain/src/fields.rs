//! The fields of a resource, as one list. The input type is generated from it, and tests compare
//! the rules, the API schemas, the tables and the backup format with it.

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text without NUL.
    Text {
        /// The maximum length that is accepted, in characters.
        accepted: u64,
        /// The maximum length that a database stores, in characters; `None` means unlimited.
        stored: Option<u64>,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A boolean.
    Boolean,
    /// An amount of money that is not negative, in hundredths.
    Money,
    /// The id of another row. The column of the table has the suffix `_id`.
    Reference,
    /// A time, in RFC 3339.
    Time,
}

/// A field that clients may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in requests, responses and tables.
    pub name: &'static str,
    /// The type.
    pub kind: FieldKind,
    /// Whether the field is required when something is created.
    pub is_required: bool,
    /// Whether the field may be null.
    pub is_nullable: bool,
}

impl Field {
    /// A text of at most `longest` characters.
    pub const fn text(longest: u64) -> Self {
        Self::of(FieldKind::Text { accepted: longest, stored: Some(longest) })
    }

    /// One of these words.
    pub const fn choice(words: &'static [&'static str]) -> Self {
        Self::of(FieldKind::Choice(words))
    }

    /// A boolean.
    pub const fn boolean() -> Self {
        Self::of(FieldKind::Boolean)
    }

    /// An amount of money.
    pub const fn money() -> Self {
        Self::of(FieldKind::Money)
    }

    /// The id of another row.
    pub const fn reference() -> Self {
        Self::of(FieldKind::Reference)
    }

    /// A time. [`time_of`](crate::text::time_of) reads it.
    pub const fn time() -> Self {
        Self::of(FieldKind::Time)
    }

    const fn of(kind: FieldKind) -> Self {
        Self { name: "", kind, is_required: false, is_nullable: false }
    }

    /// Makes the field required.
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Makes the field nullable.
    pub const fn nullable(self) -> Self {
        Self { is_nullable: true, ..self }
    }

    /// Removes the length limit of stored values, because old rows may exceed the limit for new
    /// ones.
    pub(crate) const fn stored_at_any_length(self) -> Self {
        match self.kind {
            FieldKind::Text { accepted, .. } => {
                Self { kind: FieldKind::Text { accepted, stored: None }, ..self }
            }
            _ => self,
        }
    }

    /// Gives the field its name, which [`fields!`](crate::fields!) does.
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// Declares the fields of a resource: the list `FIELDS`, the input type of the given name, and its
/// functions that set fields by name.
///
/// ```
/// use exit3_domain::fields::{Field, FieldKind};
/// use exit3_domain::raw::RawValue;
///
/// exit3_domain::fields! {
///     /// A booking as a caller sent it.
///     BookingInput {
///         starts_at: Field::time().required(),
///         place: Field::text(255),
///     }
/// }
///
/// assert!(FIELDS.iter().map(|field| field.name).eq(["starts_at", "place"]));
/// assert_eq!(FIELDS[0].kind, FieldKind::Time);
/// let input = BookingInput::of(vec![("place".to_owned(), RawValue::text("Zagreb"))]);
/// assert_eq!(input.place, RawValue::text("Zagreb"));
/// assert!(input.starts_at.is_missing());
/// ```
#[macro_export]
macro_rules! fields {
    (
        $(#[$meta:meta])*
        $input:ident { $($name:ident: $field:expr),+ $(,)? }
    ) => {
        /// The fields that clients may set, in the order of the API.
        pub const FIELDS: &[$crate::fields::Field] = &[$($field.named(stringify!($name))),+];

        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[allow(missing_docs, reason = "`FIELDS` describes them")]
        pub struct $input {
            $(pub $name: $crate::raw::RawValue),+
        }

        impl $input {
            /// The input with these fields. Names that clients may not set are ignored.
            pub fn of(fields: Vec<(String, $crate::raw::RawValue)>) -> Self {
                let mut input = Self::default();
                for (name, value) in fields {
                    input.set(&name, value);
                }
                input
            }

            /// Sets the field of that name. Names that clients may not set are ignored.
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

/// Asserts that every field of `fields` is validated according to its type. `refused` sets one
/// field of a valid input to another value and returns the codes of the rules that the field then
/// breaks. `missing` returns the fields that are reported as missing when something is created.
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
                let lengths = ["max_length", "notes_too_long"];
                refuses(too_long, &lengths);
                let found = refused(name, RawValue::text("x".repeat(longest)));
                let is_too_long = found.iter().any(|code| lengths.contains(code));
                assert!(!is_too_long, "{name} refuses {longest} characters: {found:?}");
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
            FieldKind::Money => {
                refuses(RawValue::text("-0.01"), &["min_value"]);
                refuses(RawValue::text("0.005"), &["max_decimal_places"]);
                refuses(RawValue::text("100000000"), &["max_whole_digits"]);
                refuses(RawValue::text("much"), &["invalid"]);
                refuses(RawValue::Other("[]".to_owned()), &["invalid"]);
                assert_eq!(refused(name, RawValue::text("99999999.99")), [""; 0], "{name}");
            }
            FieldKind::Time => {
                refuses(RawValue::text("tomorrow"), &["invalid_time"]);
                refuses(RawValue::text("2026-02-03T10:00"), &["invalid_time"]);
                refuses(RawValue::Other("[]".to_owned()), &["invalid_time"]);
                let time = RawValue::text("2026-02-03T10:00:00Z");
                assert_eq!(refused(name, time), [""; 0], "{name}");
            }
            FieldKind::Reference => {
                refuses(RawValue::text("0"), &["does_not_exist"]);
                refuses(RawValue::text("a"), &["incorrect_type"]);
                refuses(RawValue::Other("[]".to_owned()), &["incorrect_type"]);
                assert_eq!(refused(name, RawValue::Number("7".to_owned())), [""; 0], "{name}");
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

#[cfg(test)]
#[allow(unreachable_pub, reason = "`fields!` declares public items")]
mod tests {
    use super::*;
    use crate::raw::RawValue;
    use crate::text::{Reader, time_of};
    use crate::validation::Invalid;

    fields! {
        /// Times, which no resource of the service takes from clients.
        Times { starts_at: Field::time().required(), ends_at: Field::time().nullable() }
    }

    fn read(input: Times) -> Invalid {
        let mut reader = Reader::new(true);
        reader.required("starts_at", input.starts_at, time_of);
        reader.optional("ends_at", input.ends_at, time_of);
        reader.into_invalid()
    }

    fn codes(invalid: &Invalid, field: &str) -> Vec<&'static str> {
        let of_field = invalid.fields().filter(|(name, _)| *name == field);
        of_field.flat_map(|(_, broken)| broken.iter().map(|one| one.code)).collect()
    }

    #[test]
    fn times_have_rules() {
        let refused = |field: &str, value: RawValue| {
            let starts_at = RawValue::text("2026-02-03T10:00:00Z");
            let mut input = Times::of(vec![("starts_at".to_owned(), starts_at)]);
            input.set(field, value);
            codes(&read(input), field)
        };
        let missing = read(Times::default());
        let missing: Vec<&str> = missing.fields().map(|(name, _)| name).collect();
        assert_rules(FIELDS, refused, &missing);
        assert_eq!(refused("starts_at", RawValue::Missing), ["required"]);
        assert_eq!(refused("starts_at", RawValue::Null), ["null"]);
        for blank in [RawValue::Unfilled, RawValue::text(" ")] {
            assert_eq!(refused("starts_at", blank.clone()), ["blank"]);
            assert_eq!(refused("ends_at", blank), [""; 0]);
        }
    }
}
