//! The schemas of request bodies, in full JSON Schema, which utoipa's types
//! cannot express.

use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use serde_json::{Map, Value, json};

/// Writes the schemas of requests into the document.
pub(super) fn describe(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return;
    };
    let lead = json!({
        "full_name": text("Ana Horvat", 2, 255, r"^[^<>\s][^<>\x00-\x1f\x7f-\x9f]*[^<>\s]$"),
        "position": text("CTO", 2, 255, r"^[^<>\s][^<>\x00-\x1f\x7f-\x9f]*[^<>\s]$"),
        "company_name": nullable(text("Acme d.o.o.", 0, 255, r"^([^<>\s][^<>\x00-\x1f\x7f-\x9f]*[^<>\s])?$")),
        "phone_number": nullable(text("+385911234567", 0, 20, r"^(\+?[0-9]{7,15})?$")),
        "email": nullable(email()),
        "source": choice(LeadSource::ALL.iter().map(|word| word.as_str())),
        "status": choice(LeadStatus::ALL.iter().map(|word| word.as_str())),
        "notes": nullable(text("Asks for an offer", 0, 5000, r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")),
        "category": choice(LeadCategory::ALL.iter().map(|word| word.as_str())),
    });
    let reachable = json!([
        {"required": ["email"], "properties": {"email": {"type": "string", "minLength": 1}}},
        {"required": ["phone_number"], "properties": {"phone_number": {"type": "string", "minLength": 1}}},
    ]);
    let subscriber = json!({"email": email(), "is_subscribed": {"type": "boolean"}});
    let written = [
        (
            "LeadCreate",
            json!({
                "type": "object", "properties": lead,
                "required": ["full_name", "position"], "anyOf": reachable,
                "description": "A lead. Either email or phone number is required."
            }),
        ),
        (
            "LeadUpdate",
            json!({"type": "object", "properties": lead, "description": "Fields of a lead."}),
        ),
        (
            "LeadForm",
            json!({
                "type": "object", "properties": form(&lead),
                "description": "A lead. Either email or phone number is required."
            }),
        ),
        (
            "SubscriberCreate",
            json!({
                "type": "object", "properties": subscriber, "required": ["email"],
                "description": "A newsletter subscription."
            }),
        ),
        (
            "SubscriberUpdate",
            json!({
                "type": "object", "properties": subscriber,
                "description": "Fields of a newsletter subscription."
            }),
        ),
        (
            "SubscriberForm",
            json!({
                "type": "object", "properties": form(&subscriber),
                "description": "A newsletter subscription."
            }),
        ),
    ];
    for (name, schema) in written {
        schemas.insert(name.to_owned(), schema);
    }
}

fn text(example: &str, min: u32, max: u32, pattern: &str) -> Value {
    let mut schema =
        json!({"type": "string", "maxLength": max, "pattern": pattern, "example": example});
    if min > 0
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("minLength".to_owned(), min.into());
    }
    schema
}

fn email() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254, "example": "ana@acme.hr"})
}

fn choice<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({"type": "string", "enum": words.collect::<Vec<_>>()})
}

fn nullable(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".to_owned(), json!(["string", "null"]));
    }
    schema
}

/// Forms have texts only; what is left empty is not sent as null.
fn form(properties: &Value) -> Value {
    let fields = properties.as_object().into_iter().flatten();
    let texts: Map<String, Value> = fields
        .map(|(name, schema)| {
            let mut text = json!({"type": "string"});
            if let (Some(text), Some(example)) = (text.as_object_mut(), schema.get("example")) {
                text.insert("example".to_owned(), example.clone());
            }
            (name.clone(), text)
        })
        .collect();
    Value::Object(texts)
}
