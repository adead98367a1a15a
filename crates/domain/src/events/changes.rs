use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The values of a row by field, in JSON.
pub type Record = Map<String, Value>;

/// All values of `row`.
pub fn record(row: &impl Serialize) -> Record {
    match serde_json::to_value(row) {
        Ok(Value::Object(record)) => record,
        // Rows are structs of texts, numbers and times, which always serialize.
        _ => Record::new(),
    }
}

/// The row with these values; `None` if they are not those of such a row.
pub fn from_record<T: DeserializeOwned>(record: Record) -> Option<T> {
    serde_json::from_value(Value::Object(record)).ok()
}

/// The values of a row before and after an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Changes {
    /// None are recorded, as for a creation.
    #[default]
    None,
    /// The fields that changed: name, value before, value after.
    Fields(Vec<(String, Value, Value)>),
    /// Values alone: those of a row that was deleted, or the numbers of an import.
    Row(Record),
}

/// The fields that an undo leaves alone, because somebody has changed them since.
pub type Conflicts = Vec<String>;

impl Changes {
    /// The differences between two states of the fields of a row; [`Self::None`] if there are none.
    pub fn between<T: Serialize>(before: &T, after: &T) -> Self {
        let (mut before, after) = (record(before), record(after));
        let mut fields = Vec::new();
        for (name, new) in after {
            let old = before.remove(&name).unwrap_or_default();
            if old != new {
                fields.push((name, old, new));
            }
        }
        if fields.is_empty() { Self::None } else { Self::Fields(fields) }
    }

    /// The change of one field.
    pub fn one<T: Serialize>(field: &str, before: T, after: T) -> Self {
        let value = |value| serde_json::to_value(value).unwrap_or_default();
        Self::Fields(vec![(field.to_owned(), value(before), value(after))])
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The same fields without their values, after a person was erased.
    pub fn erased(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Fields(fields) => {
                let empty =
                    |(name, ..): &(String, Value, Value)| (name.clone(), Value::Null, Value::Null);
                Self::Fields(fields.iter().map(empty).collect())
            }
            Self::Row(record) => {
                let keeps = |name: &str| name == "id";
                let empty = |(name, value): (&String, &Value)| {
                    let value = if keeps(name) { value.clone() } else { Value::Null };
                    (name.clone(), value)
                };
                Self::Row(record.iter().map(empty).collect())
            }
        }
    }

    /// The same without the values of those fields that have a value for which `is` returns true.
    pub fn erased_where(&self, is: impl Fn(&Value) -> bool) -> Self {
        match self {
            Self::None => Self::None,
            Self::Fields(fields) => {
                let field = |(name, before, after): &(String, Value, Value)| {
                    let is_one = is(before) || is(after);
                    let kept = |value: &Value| if is_one { Value::Null } else { value.clone() };
                    (name.clone(), kept(before), kept(after))
                };
                Self::Fields(fields.iter().map(field).collect())
            }
            Self::Row(record) => {
                let field = |(name, value): (&String, &Value)| {
                    (name.clone(), if is(value) { Value::Null } else { value.clone() })
                };
                Self::Row(record.iter().map(field).collect())
            }
        }
    }

    /// The values of a field.
    pub fn values_of(&self, field: &str) -> Vec<&Value> {
        match self {
            Self::None => Vec::new(),
            Self::Fields(fields) => {
                let of = fields.iter().filter(|(name, ..)| name == field);
                of.flat_map(|(_, before, after)| [before, after]).collect()
            }
            Self::Row(record) => record.get(field).into_iter().collect(),
        }
    }

    /// All values.
    pub fn values(&self) -> Vec<&Value> {
        match self {
            Self::None => Vec::new(),
            Self::Fields(fields) => {
                fields.iter().flat_map(|(_, before, after)| [before, after]).collect()
            }
            Self::Row(record) => record.values().collect(),
        }
    }

    /// The values as one JSON text: `{"field": [before, after]}` for changes, `{"field": value}`
    /// for a deleted row; `None` if there are none.
    pub fn to_text(&self) -> Option<String> {
        let object = match self {
            Self::None => return None,
            Self::Fields(fields) => {
                let pair = |(name, before, after): &(String, Value, Value)| {
                    (name.clone(), Value::from(vec![before.clone(), after.clone()]))
                };
                fields.iter().map(pair).collect()
            }
            Self::Row(record) => record.clone(),
        };
        Some(Value::Object(object).to_string())
    }

    /// Reads the text of an event. `has_values` is that of its verb. An unreadable text counts as
    /// none.
    pub fn from_text(text: Option<&str>, has_values: bool) -> Self {
        let Some(Ok(Value::Object(object))) = text.map(serde_json::from_str) else {
            return Self::None;
        };
        if has_values {
            return Self::Row(object);
        }
        let pair = |(name, pair): (String, Value)| match pair {
            Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                Ok([before, after]) => Some((name, before, after)),
                Err(_) => None,
            },
            _ => None,
        };
        Self::Fields(object.into_iter().filter_map(pair).collect())
    }

    /// Whether each field of `row` has the value before the event again.
    pub fn is_undone_in<T: Serialize>(&self, row: &T) -> bool {
        let Self::Fields(fields) = self else { return false };
        let record = record(row);
        fields.iter().all(|(name, before, _)| record.get(name) == Some(before))
    }

    /// Takes the changes back in `row`: each field whose value is still the one after the event
    /// gets the value before it. The others are conflicts. `None` for the row means that no field
    /// can be taken back.
    pub fn undone_in<T: Serialize + DeserializeOwned>(&self, row: &T) -> (Option<T>, Conflicts) {
        let Self::Fields(fields) = self else { return (None, Vec::new()) };
        let mut record = record(row);
        let (mut conflicts, mut is_changed) = (Vec::new(), false);
        for (name, before, after) in fields {
            match record.get_mut(name) {
                Some(now) if now == after => {
                    *now = before.clone();
                    is_changed = true;
                }
                _ => conflicts.push(name.clone()),
            }
        }
        (if is_changed { from_record(record) } else { None }, conflicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        name: String,
        notes: Option<String>,
    }

    fn row(name: &str, notes: Option<&str>) -> Row {
        Row { name: name.to_owned(), notes: notes.map(str::to_owned) }
    }

    #[test]
    fn only_fields_that_differ_are_changes() {
        let changes = Changes::between(&row("Ana", None), &row("Ana", Some("a")));
        assert_eq!(changes.to_text().unwrap(), r#"{"notes":[null,"a"]}"#);
        assert!(Changes::between(&row("Ana", None), &row("Ana", None)).is_none());
    }

    #[test]
    fn changes_survive_their_text() {
        let fields = Changes::between(&row("Ana", None), &row("Eva", Some("a")));
        let whole = Changes::Row(record(&row("Ana", None)));
        for (changes, is_row) in [(fields, false), (whole, true), (Changes::None, false)] {
            let text = changes.to_text();
            assert_eq!(Changes::from_text(text.as_deref(), is_row), changes);
        }
        assert!(Changes::from_text(Some("{"), false).is_none());
    }

    #[test]
    fn an_undo_leaves_fields_alone_that_have_changed_since() {
        let (before, after) = (row("Ana", None), row("Eva", Some("a")));
        let changes = Changes::between(&before, &after);
        let (undone, conflicts) = changes.undone_in(&after);
        assert_eq!((undone.unwrap(), conflicts), (row("Ana", None), vec![]));
        let (undone, conflicts) = changes.undone_in(&row("Iva", Some("a")));
        assert_eq!((undone.unwrap(), conflicts), (row("Iva", None), vec!["name".to_owned()]));
        let (undone, conflicts) = changes.undone_in(&row("Iva", Some("b")));
        assert_eq!((undone, conflicts.len()), (None, 2));
    }

    #[test]
    fn an_undo_is_done_once() {
        let (before, after) = (row("Ana", None), row("Eva", Some("a")));
        let changes = Changes::between(&before, &after);
        assert!(changes.is_undone_in(&before));
        assert!(!changes.is_undone_in(&after) && !changes.is_undone_in(&row("Ana", Some("a"))));
        assert!(!Changes::None.is_undone_in(&before));
    }

    #[test]
    fn a_deleted_row_is_read_back() {
        let deleted = row("Ana", Some("a"));
        assert_eq!(from_record::<Row>(record(&deleted)), Some(deleted));
        let other = json!({"notes": "a"}).as_object().cloned().unwrap();
        assert_eq!(from_record::<Row>(other), None);
    }
}
