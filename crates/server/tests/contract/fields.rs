//! Every field that clients may set is stored, changed and shown, alone and together with others.

use exit3_domain::fields::{Field, FieldKind};
use exit3_domain::{clients, leads, subscribers};
use serde_json::{Map, Value, json};

use crate::recording::{KEY, Recording};
use crate::socket::send;

const RESOURCES: [(&str, &[Field]); 3] =
    [("leads", leads::FIELDS), ("newsletter", subscribers::FIELDS), ("clients", clients::FIELDS)];

/// A valid value. Values of different numbers differ. A reference is to the lead of that number.
fn value(field: &Field, number: usize, leads: &[i64]) -> Value {
    match field.kind {
        FieldKind::Text { .. } => match field.name {
            "email" => json!(format!("ana{number}@acme.hr")),
            "phone_number" => json!(format!("+38591123456{number}")),
            name => json!(format!("the {name} {number}")),
        },
        FieldKind::Choice(words) => json!(words[(words.len() - number) % words.len()]),
        FieldKind::Boolean => json!(number.is_multiple_of(2)),
        FieldKind::Money => json!(format!("{number}200.05")),
        FieldKind::Time => json!(format!("2026-02-0{number}T10:00:00Z")),
        FieldKind::Reference => json!(leads[number - 1]),
    }
}

fn whole(fields: &[Field], number: usize, leads: &[i64]) -> Map<String, Value> {
    fields.iter().map(|field| (field.name.to_owned(), value(field, number, leads))).collect()
}

/// A resource of a service.
struct Resource<'a> {
    service: &'a str,
    path: String,
    fields: &'static [Field],
}

impl Resource<'_> {
    /// The fields and the id in the answer to a request.
    fn send(
        &self,
        method: &str,
        id: Option<i64>,
        body: Option<&Value>,
    ) -> (Map<String, Value>, i64) {
        let path = id.map_or_else(|| self.path.clone(), |id| format!("{}{id}/", self.path));
        let request = Recording {
            name: format!("{method} {path} {body:?}"),
            method: method.to_owned(),
            path: path.clone(),
            headers: vec![
                ("Authorization".to_owned(), format!("Basic {KEY}")),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: body.map(|body| body.to_string().into_bytes()),
            status: 200,
            json: None,
            is_ordered: true,
        };
        let answer = send(self.service, &path, &request);
        let json = answer.json.unwrap_or_default();
        let is_done = matches!(answer.status, 200 | 201);
        assert!(is_done, "{}: {} {json}", request.name, answer.status);
        let shown = |field: &Field| {
            let value = json.get(field.name).cloned();
            (field.name.to_owned(), value.unwrap_or_else(|| panic!("no {} in {json}", field.name)))
        };
        (self.fields.iter().map(shown).collect(), json["id"].as_i64().unwrap())
    }

    fn shows(&self, id: i64, expected: &Map<String, Value>) {
        assert_eq!(self.send("GET", Some(id), None).0, *expected);
    }
}

/// Writes every field of every resource at `service`, `host:port`.
pub(crate) fn write_all(service: &str) {
    // On PostgreSQL, ids may have gaps.
    let stored: Vec<i64> = (4..=6)
        .map(|number| {
            let path = "/backend/api/v1/leads/".to_owned();
            let lead = json!(whole(leads::FIELDS, number, &[]));
            Resource { service, path, fields: leads::FIELDS }.send("POST", None, Some(&lead)).1
        })
        .collect();
    for (name, fields) in RESOURCES {
        let resource = Resource { service, path: format!("/backend/api/v1/{name}/"), fields };
        let mut expected = whole(fields, 1, &stored);
        let (created, id) = resource.send("POST", None, Some(&json!(expected)));
        assert_eq!(created, expected);
        resource.shows(id, &expected);
        for field in fields {
            let mut values = vec![value(field, 2, &stored)];
            if field.is_nullable {
                values.extend([Value::Null, value(field, 2, &stored)]);
            }
            for value in values {
                expected.insert(field.name.to_owned(), value.clone());
                let (changed, _) =
                    resource.send("PATCH", Some(id), Some(&json!({field.name: value})));
                assert_eq!(changed, expected, "{} was changed", field.name);
                resource.shows(id, &expected);
            }
        }
        let expected = whole(fields, 3, &stored);
        assert_eq!(resource.send("PUT", Some(id), Some(&json!(expected))).0, expected);
        resource.shows(id, &expected);
    }
}
