//! Values as a client sent them, before any rule was applied.

/// What a request holds for one field, whatever the request was written in
/// (JSON, a form, a line of CSV).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RawValue {
    /// The field is not in the request.
    #[default]
    Missing,
    /// An explicit null.
    Null,
    /// A form's input that was left empty: an empty text, or no choice made.
    Unfilled,
    /// A text, untrimmed.
    Text(String),
    /// A number, as its decimal text.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// Anything else (a list, an object), as text for messages.
    Other(String),
}

impl RawValue {
    /// A text value.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// Whether the field is absent from the request.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}
