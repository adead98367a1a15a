//! Sends recorded requests and compares the responses.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::compare::{differences, ids_for_rows};
use crate::recording::{Recording, resource};
use crate::socket::send;

/// Sends the requests one after another to the service at `service`, `host:port`.
///
/// # Panics
/// With every response that differs from the recorded one.
pub(crate) fn replay(service: &str, recordings: &[Recording]) {
    let mut ids = Ids::default();
    let mut failures = Vec::new();
    for recording in recordings {
        let answer = send(service, &ids.in_path(&recording.path), recording);
        if recording.status == 201 && answer.status == 201 {
            ids.learn(recording, answer.json.as_ref());
        }
        let what = format!("{}: {} {}", recording.name, recording.method, recording.path);
        if answer.status != recording.status {
            failures.push(format!(
                "{what}\n  status: {} expected, {} got {}",
                recording.status,
                answer.status,
                answer.json.unwrap_or_default()
            ));
        } else if let Some(expected) = &recording.json {
            let (expected, actual) = match expected.get("ids") {
                Some(_) => {
                    (ids.in_list(&recording.path, expected), answer.json.as_ref().map(ids_for_rows))
                }
                None => (expected.clone(), answer.json),
            };
            let difference = differences(&expected, actual.as_ref(), recording.is_ordered);
            failures.extend(difference.map(|difference| format!("{what}\n{difference}")));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} answers are not as recorded. A field that is newer than the recordings belongs in \
         tests/contract/since.json (see the README beside it).\n{}",
        failures.len(),
        recordings.len(),
        failures.join("\n")
    );
}

/// Maps the ids of the recordings to those of this service.
#[derive(Default)]
struct Ids {
    known: HashMap<(String, String), i64>,
}

impl Ids {
    fn learn(&mut self, recording: &Recording, actual: Option<&Value>) {
        let recorded = recording.json.as_ref().and_then(|json| json["id"].as_i64());
        let given = actual.and_then(|json| json["id"].as_i64());
        if let (Some(resource), Some(recorded), Some(given)) =
            (resource(&recording.path), recorded, given)
        {
            self.known.insert((resource.to_owned(), recorded.to_string()), given);
        }
    }

    fn of(&self, resource: &str, recorded: &str) -> Option<i64> {
        self.known.get(&(resource.to_owned(), recorded.to_owned())).copied()
    }

    fn in_path(&self, path: &str) -> String {
        let translated = || {
            let resource = resource(path)?;
            let start = path.find(resource)? + resource.len() + 1;
            let length = path.get(start..)?.find('/')?;
            let given = self.of(resource, &path[start..start + length])?;
            Some(format!("{}{given}{}", &path[..start], &path[start + length..]))
        };
        translated().unwrap_or_else(|| path.to_owned())
    }

    fn in_list(&self, path: &str, expected: &Value) -> Value {
        let resource = resource(path).unwrap_or_default();
        let recorded = expected["ids"].as_array().into_iter().flatten();
        let mut expected = expected.clone();
        expected["ids"] =
            recorded.map(|id| json!(self.of(resource, &id.to_string()))).collect::<Value>();
        expected
    }
}
