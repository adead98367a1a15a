//! Raw values: what a client sent, before validation.

/// The value of one field in a request, independent of the format (JSON, a form, a line of CSV).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RawValue {
    /// The field is not in the request.
    #[default]
    Missing,
    /// An explicit null.
    Null,
    /// An empty form input: an empty text or no choice.
    Unfilled,
    /// A text, untrimmed.
    Text(String),
    /// A number, as decimal text.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// Anything else (a list, an object), as text for error messages.
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
