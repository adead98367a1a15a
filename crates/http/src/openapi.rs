//! The OpenAPI document, generated from the code: routes and responses come from the annotations of
//! the handlers, words and limits in requests from the domain. What all routes have in common is
//! added here.

mod common;
mod deprecated;
mod headers;
pub(crate) mod served;

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::security::SecurityScheme;
use utoipa::{Modify, OpenApi};

use crate::resource::Resources;
use crate::{parameters, requests};

/// The whole document.
pub(crate) fn document(resources: Resources) -> Value {
    let mut whole = General::openapi();
    for resource in resources.iter() {
        whole.merge((resource.document)());
    }
    whole.merge(Service::openapi());
    // utoipa's own types always serialize; an empty document would fail every test.
    let mut document = serde_json::to_value(whole).unwrap_or_default();
    for resource in resources.iter() {
        requests::describe(&mut document, resource.fields, (resource.bodies)());
    }
    common::describe(&mut document, resources);
    deprecated::describe(&mut document, resources);
    headers::describe(&mut document);
    parameters::describe(&mut document);
    document
}

/// The operations of a document as `/path/{id}/ method`.
pub(crate) fn described(document: &Value) -> BTreeSet<String> {
    let items = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = items.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flat_map(|item| item.keys());
        methods.map(move |method| format!("{path} {method}"))
    });
    operations.collect()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Exit Three API",
        description = "Leads from the website's contact forms, newsletter sign-ups, and clients.\n\n\
            Paths work with and without the final slash. A request with another method than \
            those listed gets 405, and `Allow` lists the methods. Clients that accept \
            `application/problem+json` get errors in that format (RFC 9457).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&Keys)
)]
struct General;

/// The routes that belong to no resource.
#[derive(OpenApi)]
#[openapi(
    paths(
        served::schema,
        crate::docs::swagger,
        crate::docs::redoc,
        crate::health::health,
        crate::health::live,
        crate::health::ready,
    ),
    tags((name = "service", description = "The service itself."))
)]
struct Service;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme};
        let components = document.components.get_or_insert_default();
        let bearer =
            Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("The key.")).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let basic = ApiKeyValue::with_description(
            "Authorization",
            "`Basic `, followed by the key as it is, without Base64.",
        );
        components.add_security_scheme("basic", SecurityScheme::ApiKey(ApiKey::Header(basic)));
    }
}

#[cfg(test)]
mod tests {
    use exit3_domain::fields::{Field, FieldKind};

    use super::*;
    use crate::OWN;
    use crate::requests::Body;
    use crate::resource::Resource;
    use crate::versions::NEW;

    fn document() -> Value {
        super::document(OWN)
    }

    /// The schemas of one row in the answers of a resource.
    fn answers(document: &Value, resource: &Resource) -> BTreeSet<String> {
        let name = |schema: &Value| {
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            (name.to_owned(), &document["components"]["schemas"][name]["properties"])
        };
        let path = format!("{NEW}{}/", resource.name);
        let items = document["paths"].as_object().unwrap().iter();
        let own = items.filter(|(own, _)| own.starts_with(&path));
        let operations = own.flat_map(|(_, item)| item.as_object().unwrap().values());
        let answers = operations.flat_map(|own| own["responses"].as_object().unwrap());
        let done = answers.filter(|(status, _)| status.starts_with('2'));
        let shown = done.filter_map(|(_, answer)| answer["content"].get("application/json"));
        let rows = shown.map(|content| {
            let (answer, properties) = name(&content["schema"]);
            match properties.get("results") {
                Some(rows) => name(&rows["items"]).0,
                None => answer,
            }
        });
        rows.collect()
    }

    /// Describes an error in the schema of a field; `None` if it is correct.
    fn wrong(field: &Field, schema: &Value, longest: Option<u64>) -> Option<String> {
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        let kind = match field.kind {
            FieldKind::Boolean => "boolean",
            FieldKind::Reference => "integer",
            FieldKind::Text { .. } | FieldKind::Choice(_) | FieldKind::Money | FieldKind::Time => {
                "string"
            }
        };
        let mut expected = vec![Value::from(kind)];
        expected.extend(field.is_nullable.then(|| Value::from("null")));
        let words = match field.kind {
            FieldKind::Choice(words) => Value::from(words),
            _ => Value::Null,
        };
        let is_right = kinds == expected
            && schema["enum"] == words
            && schema["maxLength"] == longest.map_or(Value::Null, Value::from);
        (!is_right).then(|| format!("{} is described as {schema}", field.name))
    }

    #[test]
    fn requests_have_the_fields_that_clients_may_set_and_their_limits() {
        let document = document();
        for resource in OWN.iter() {
            let fields = resource.fields;
            for Body { name, is_whole, .. } in (resource.bodies)() {
                let schema = &document["components"]["schemas"][name];
                let properties = schema["properties"].as_object().unwrap();
                for field in fields {
                    let longest = match field.kind {
                        // Phone numbers may be longer because of separators, which are removed.
                        _ if field.name == "phone_number" => None,
                        FieldKind::Text { accepted, .. } => Some(accepted),
                        _ => None,
                    };
                    let wrong = wrong(field, &properties[field.name], longest);
                    assert_eq!(wrong, None, "in {name}");
                }
                let required = fields.iter().filter(|field| is_whole && field.is_required);
                let required: Vec<Value> = required.map(|field| field.name.into()).collect();
                let given = schema["required"].as_array().cloned().unwrap_or_default();
                assert_eq!(given, required, "{name}");
            }
        }
    }

    #[test]
    fn answers_have_every_field_that_clients_may_set() {
        let document = document();
        let mut read = BTreeSet::new();
        for resource in OWN.iter() {
            for name in answers(&document, resource) {
                let schema = &document["components"]["schemas"][&name];
                let (properties, required) = (&schema["properties"], &schema["required"]);
                for field in resource.fields {
                    let is_required = required.as_array().unwrap().contains(&field.name.into());
                    assert!(is_required, "every {name} has {}", field.name);
                    let longest = match field.kind {
                        FieldKind::Text { stored, .. } => stored,
                        _ => None,
                    };
                    let wrong = wrong(field, &properties[field.name], longest);
                    assert_eq!(wrong, None, "in {name}");
                }
                read.insert(name);
            }
        }
        for name in ["Lead", "Subscriber", "CreatedSubscriber", "Client"] {
            assert!(read.contains(name), "{name} was not looked at: {read:?}");
        }
    }

    #[test]
    fn every_operation_behind_a_key_has_a_scope() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if let Some(schemes) = operation["security"].as_array() {
                    let scope = &schemes[0]["bearer"][0];
                    assert!(scope.is_string(), "{method} {path}: {scope}");
                }
            }
        }
    }

    /// For other schemas, client generators produce `Any`, or code that does not compile.
    #[test]
    fn requests_are_described_by_plain_types() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let bodies = OWN.iter().flat_map(|resource| (resource.bodies)());
        let names: Vec<&str> = bodies.map(|body| body.name).collect();
        let bodies = schemas.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let fields = bodies.flat_map(|(name, schema)| {
            assert_eq!(schema["type"], "object", "{name}");
            let keys: Vec<&String> = schema.as_object().unwrap().keys().collect();
            for key in keys {
                assert!(["type", "description", "properties", "required"].contains(&key.as_str()));
            }
            schema["properties"].as_object().unwrap()
        });
        let operations = document["paths"].as_object().unwrap().values();
        let operations = operations.flat_map(|item| item.as_object().unwrap().values());
        let mut checked = 0;
        let parameters = operations.clone().flat_map(|operation| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.map(|parameter| (&parameter["name"], &parameter["schema"]))
        });
        for (name, schema) in fields
            .map(|(name, schema)| (name.as_str(), schema))
            .chain(parameters.map(|(name, schema)| (name.as_str().unwrap(), schema)))
        {
            let kind = match &schema["type"] {
                Value::Array(kinds) => {
                    assert_eq!((kinds.len(), kinds[1].as_str()), (2, Some("null")), "{name}");
                    kinds[0].as_str()
                }
                kind => kind.as_str(),
            };
            assert!(matches!(kind, Some("string" | "boolean" | "integer" | "array")), "{name}");
            for word in ["anyOf", "oneOf", "allOf", "not"] {
                assert!(schema.get(word).is_none(), "{name}: {word}");
            }
            checked += 1;
        }
        assert!(checked > 50, "{checked}");
        for operation in operations {
            if let Some(body) = operation.get("requestBody") {
                let kinds: Vec<&String> = body["content"].as_object().unwrap().keys().collect();
                let is_file = operation["operationId"] == "put_contract";
                assert_eq!(
                    kinds,
                    [if is_file { "multipart/form-data" } else { "application/json" }]
                );
            }
        }
    }

    #[test]
    fn every_answer_names_its_headers() {
        let document = document();
        let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            item.as_object().unwrap().values().map(move |operation| (path, operation))
        });
        for (path, operation) in operations {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let headers = &answer["headers"];
                let has = |name: &str| headers[name]["schema"].is_object();
                assert!(has("Vary"), "{path} {status}");
                let is_old = operation["deprecated"] == true;
                assert_eq!(has("Deprecation") && has("Link"), is_old, "{path} {status}");
                let is_keyed = operation["security"].is_array();
                let done = is_keyed && status.starts_with('2');
                assert_eq!(has("Consistency-Token"), done, "{path} {status}");
                let shows_row = path.ends_with("{id}/") && matches!(status.as_str(), "200" | "304");
                assert_eq!(has("ETag"), shows_row, "{path} {status}");
                let creates = operation["operationId"].as_str().unwrap().starts_with("create_");
                let is_created = creates && matches!(status.as_str(), "201" | "202");
                assert_eq!(has("Idempotency-Replayed"), is_created, "{path} {status}");
                let may_wait = is_created && !path.contains("clients");
                assert_eq!(has("Exit3-Intake"), may_wait, "{path} {status}");
                let again = matches!(status.as_str(), "429" | "503");
                assert_eq!(has("Retry-After"), is_keyed && again, "{path} {status}");
                assert_eq!(
                    has("RateLimit") && has("RateLimit-Policy"),
                    is_keyed,
                    "{path} {status}"
                );
            }
        }
    }

    #[test]
    fn every_operation_on_a_row_names_its_conditions() {
        let document = document();
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let names: Vec<&str> =
                    parameters.filter_map(|parameter| parameter["name"].as_str()).collect();
                let (is_row, is_get) = (path.ends_with("{id}/"), method == "get");
                let has = |status: &str| operation["responses"][status].is_object();
                let is_conditional = is_row || (path.ends_with(common::FILE) && !is_get);
                for header in ["If-Match", "If-None-Match"] {
                    assert_eq!(
                        names.contains(&header),
                        is_conditional,
                        "{method} {path}: {header}"
                    );
                }
                let expected = (is_row && is_get, is_conditional);
                assert_eq!((has("304"), has("412")), expected, "{method} {path}");
                assert!(has("404") || !path.contains("{id}"), "{method} {path}");
                count += usize::from(is_row);
            }
        }
        assert!(count >= 16, "{count}");
    }

    #[test]
    fn every_operation_on_data_names_its_scope() {
        let document = document();
        let scope = |path: &str, method: &str| {
            let security = &document["paths"][path][method]["security"];
            assert_eq!(security[0]["bearer"], security[1]["basic"]);
            security[0]["bearer"][0].as_str().map(str::to_owned)
        };
        assert_eq!(scope("/backend/api/v1/leads/", "get").as_deref(), Some("leads:read"));
        assert_eq!(
            scope("/backend/api/v1/newsletter/", "post").as_deref(),
            Some("newsletter:create")
        );
        assert_eq!(scope("/backend/api/v1/clients/", "post").as_deref(), Some("clients:write"));
        assert_eq!(scope("/backend/api/leads/{id}/", "delete").as_deref(), Some("leads:write"));
    }

    #[test]
    fn is_of_version_3_1() {
        assert!(document()["openapi"].as_str().unwrap().starts_with("3.1"));
    }
}
