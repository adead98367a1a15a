//! The schemas of request bodies, one for each body, in JSON as in forms. They are plain,
//! so that generators of clients make plain types of them: a text is a `string`, not a
//! choice of patterns. The service accepts a little more than they say (a number for a
//! text, blanks around a text), and the descriptions name the rules that they leave out.

use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Schemas that [`describe`] writes out in full, by reference.
macro_rules! written_out {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $($(#[$meta])* #[derive(ToSchema)] pub(crate) struct $name {})+

        #[cfg(test)]
        pub(crate) const WRITTEN_OUT: &[&str] = &[$(stringify!($name)),+];
    };
}

written_out! {
    /// A whole lead.
    LeadCreate,
    /// Some fields of a lead.
    LeadUpdate,
    /// A whole subscription.
    SubscriberCreate,
    /// Some fields of a subscription.
    SubscriberUpdate,
}

/// Writes the schemas of requests into the document.
pub(crate) fn describe(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return;
    };
    let lead = lead();
    let subscriber = json!({
        "email": {"type": "string", "format": "email", "maxLength": 254, "example": "ana@acme.hr"},
        "is_subscribed": {"type": "boolean", "example": true},
    });
    for (name, description, properties, required) in [
        (
            "LeadCreate",
            "A lead. Either email or phone number is required.",
            &lead,
            ["full_name", "position"].as_slice(),
        ),
        (
            "LeadUpdate",
            "Fields of a lead. It must still have an email or a phone number afterwards.",
            &lead,
            &[],
        ),
        ("SubscriberCreate", "A newsletter subscription.", &subscriber, &["email"]),
        ("SubscriberUpdate", "Fields of a newsletter subscription.", &subscriber, &[]),
    ] {
        let mut schema =
            json!({"type": "object", "description": description, "properties": properties});
        if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
            schema.insert("required".to_owned(), json!(required));
        }
        schemas.insert(name.to_owned(), schema);
    }
}

fn lead() -> Value {
    json!({
        "full_name": {
            "type": "string", "minLength": 2, "maxLength": 255, "example": "Ana Horvat",
            "description": "Without `<` and `>`, and not only digits."
        },
        "position": {
            "type": "string", "minLength": 2, "maxLength": 255, "example": "CTO",
            "description": "Without `<` and `>`."
        },
        "company_name": {
            "type": ["string", "null"], "maxLength": 255, "example": "Acme d.o.o.",
            "description": "Two characters or more, without `<` and `>`, or empty."
        },
        "phone_number": {
            "type": ["string", "null"], "example": "+385911234567",
            "description": "7 to 15 digits, with or without `+`, or empty. Blanks, dashes, dots, \
                slashes and brackets between them are left out."
        },
        "email": {
            "type": ["string", "null"], "maxLength": 254, "example": "ana@acme.hr",
            "description": "An address, or empty. Stored in lower case, with a readable domain."
        },
        "source": choice(LeadSource::ALL.iter().map(|word| word.as_str())),
        "status": choice(LeadStatus::ALL.iter().map(|word| word.as_str())),
        "notes": {"type": ["string", "null"], "maxLength": 5000, "example": "Asks for an offer"},
        "category": choice(LeadCategory::ALL.iter().map(|word| word.as_str())),
    })
}

fn choice<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({"type": "string", "enum": words.collect::<Vec<_>>()})
}
