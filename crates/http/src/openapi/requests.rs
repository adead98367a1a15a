//! The schemas of request bodies, in full JSON Schema, which utoipa's types
//! cannot express. They say what is accepted, no more and no less, as far as a
//! schema can: numbers are taken for texts, blanks around a text are trimmed.

use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use serde_json::{Map, Value, json};

use super::patterns;

/// Writes the schemas of requests into the document.
pub(super) fn describe(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return;
    };
    let lead = lead();
    let subscriber = json!({"email": email(), "is_subscribed": boolean()});
    let lead_form = form(&lead);
    let subscriber_form = form(&subscriber);
    let either = "Either email or phone number is required.";
    let name = ["full_name", "position"].as_slice();
    let whole = |description: String, properties: &Value, required: &[&str]| {
        let mut schema = object(&description, properties);
        set(&mut schema, "required", json!(required));
        schema
    };
    let whole_lead = |properties: &Value| {
        let mut schema = whole(format!("A lead. {either}"), properties, name);
        set(&mut schema, "anyOf", reachable());
        schema
    };
    let change = "Fields of a lead. It must still have an email or a phone number afterwards.";
    let subscription = "A newsletter subscription.";
    for (name, schema) in [
        ("LeadCreate", whole_lead(&lead)),
        ("LeadForm", whole_lead(&lead_form)),
        ("LeadUpdate", object(change, &lead)),
        ("LeadUpdateForm", object(change, &lead_form)),
        ("SubscriberCreate", whole(subscription.to_owned(), &subscriber, &["email"])),
        ("SubscriberForm", whole(subscription.to_owned(), &subscriber_form, &["email"])),
        ("SubscriberUpdate", object("Fields of a newsletter subscription.", &subscriber)),
        ("SubscriberUpdateForm", object("Fields of a newsletter subscription.", &subscriber_form)),
    ] {
        schemas.insert(name.to_owned(), schema);
    }
}

fn lead() -> Value {
    // A number of one digit is too short, and one of digits alone is no name.
    let fraction = json!({"type": "number", "not": {"type": "integer"}});
    let below_zero = json!({"type": "number", "exclusiveMaximum": 0});
    let of_two_digits = json!({"type": "number", "minimum": 10});
    let long_number = [fraction.clone(), below_zero.clone(), of_two_digits];
    let words = |example: &str, pattern: String, max: u32| json!({"type": "string", "maxLength": max, "pattern": pattern, "example": example});
    let full_name = words("Ana Horvat", patterns::person_name(), 255);
    let position = words("CTO", patterns::label(), 255);
    let company_name = words("Acme d.o.o.", patterns::optional_label(), 255);
    let phone = json!({
        "type": "string", "pattern": patterns::phone(), "example": "+385911234567"
    });
    let phone_digits =
        json!({"type": "integer", "minimum": 1_000_000, "maximum": 999_999_999_999_999_u64});
    let notes = words("Asks for an offer", patterns::text(), 5000);
    json!({
        "full_name": any(&[&[full_name], [fraction, below_zero].as_slice()].concat()),
        "position": any(&[&[position], long_number.as_slice()].concat()),
        "company_name": any(&[&[company_name], long_number.as_slice(), &[nothing()]].concat()),
        "phone_number": any(&[phone, blank(), phone_digits, nothing()]),
        "email": any(&[email(), blank(), nothing()]),
        "source": choice(LeadSource::ALL.iter().map(|word| word.as_str())),
        "status": choice(LeadStatus::ALL.iter().map(|word| word.as_str())),
        "notes": any(&[notes, json!({"type": "number"}), nothing()]),
        "category": choice(LeadCategory::ALL.iter().map(|word| word.as_str())),
    })
}

/// An email or a phone number that is not blank.
fn reachable() -> Value {
    let some =
        |field: &str, schema: Value| json!({"required": [field], "properties": {field: schema}});
    let not_blank = json!({"not": {"anyOf": [nothing(), blank()]}});
    json!([some("email", not_blank.clone()), some("phone_number", not_blank)])
}

fn object(description: &str, properties: &Value) -> Value {
    json!({"type": "object", "description": description, "properties": properties})
}

fn any(schemas: &[Value]) -> Value {
    json!({ "anyOf": schemas })
}

fn email() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254, "example": "ana@acme.hr"})
}

fn blank() -> Value {
    json!({"type": "string", "pattern": patterns::blank()})
}

fn nothing() -> Value {
    json!({"type": "null"})
}

fn boolean() -> Value {
    any(&[
        json!({"type": "boolean", "example": true}),
        json!({"type": "string", "pattern": patterns::boolean()}),
        json!({"type": "integer", "enum": [0, 1]}),
    ])
}

fn choice<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({"type": "string", "enum": words.collect::<Vec<_>>()})
}

fn set(schema: &mut Value, name: &str, value: Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(name.to_owned(), value);
    }
}

/// The same properties as texts, for forms know nothing else. A choice or a
/// boolean that is left empty counts as not given.
fn form(properties: &Value) -> Value {
    let fields = properties.as_object().into_iter().flatten();
    let texts: Map<String, Value> = fields
        .map(|(name, schema)| {
            let alone = [schema.clone()];
            let schemas = schema.get("anyOf").and_then(Value::as_array).map_or(&alone[..], |s| s);
            let mut texts: Vec<Value> = schemas
                .iter()
                .filter(|schema| schema.get("type") == Some(&json!("string")))
                .cloned()
                .collect();
            if name == "is_subscribed" {
                texts.push(json!({"type": "string", "maxLength": 0}));
            }
            for text in &mut texts {
                if let Some(words) = text.get_mut("enum").and_then(Value::as_array_mut) {
                    words.push(json!(""));
                }
            }
            let text = if texts.len() == 1 { texts.swap_remove(0) } else { any(&texts) };
            (name.clone(), text)
        })
        .collect();
    Value::Object(texts)
}
