use serde_json::json;

use super::*;

fn list(rows: &[Json]) -> List {
    List { count: rows.len() as i64, rows: rows.to_vec(), complete: true }
}

fn subscription(id: i64, email: &str, is_subscribed: bool) -> Json {
    json!({ "id": id, "email": email, "is_subscribed": is_subscribed })
}

fn compare(resource: Resource, old: &[Json], new: &[Json]) -> Vec<(Option<&'static str>, String)> {
    let mut comparison = Comparison::default();
    comparison.compare_lists(resource, "", &list(old), &list(new));
    comparison.differences.into_iter().map(|found| (found.known, found.what)).collect()
}

#[test]
fn equal_lists_do_not_differ() {
    let rows = [subscription(2, "b@acme.hr", true), subscription(1, "a@acme.hr", false)];
    assert_eq!(compare(Resource::Newsletter, &rows, &rows), []);
}

#[test]
fn a_field_of_ours_that_the_old_service_lacks_is_no_difference() {
    let old = [json!({ "id": 1, "full_name": "Ana" })];
    let new = |field: &str| [json!({ "id": 1, "full_name": "Ana", field: null })];
    assert_eq!(compare(Resource::Leads, &old, &new("notes")), []);
    assert_eq!(compare(Resource::Leads, &old, &new("no_field_of_ours"))[0].0, None);
    // What the old service has must be here.
    assert_eq!(compare(Resource::Leads, &new("notes"), &old)[0].0, None);
}

#[test]
fn merged_subscriptions_are_an_intended_difference() {
    let old = [
        subscription(3, "c@acme.hr", true),
        subscription(2, "ANA@acme.hr", false),
        subscription(1, "Ana@acme.hr", true),
    ];
    let new = [subscription(3, "c@acme.hr", true), subscription(1, "ana@acme.hr", false)];
    let mut found = compare(Resource::Newsletter, &old, &new);
    found.sort();
    let known: Vec<_> = found.iter().map(|(known, _)| *known).collect();
    assert_eq!(known, [Some("lower case"), Some("merged"), Some("merged")]);
    // Without a merge, the same differences are unexpected.
    let new = [subscription(3, "c@acme.hr", false), subscription(1, "ana@acme.hr", true)];
    let found = compare(Resource::Newsletter, &old, &new);
    assert!(found.iter().any(|(known, what)| known.is_none() && what.contains("row 3")));
}

#[test]
fn lost_changed_and_invented_rows_are_unexpected() {
    let row = |id: i64, source: &str, name: &str| json!({ "id": id, "source": source, "full_name": name });
    let old = [row(2, "fair", "Ana"), row(1, "other", "Marko")];
    let found = compare(Resource::Leads, &old, &[row(2, "other", "Ana"), row(1, "other", "Marko")]);
    assert_eq!(found.iter().map(|(known, _)| *known).collect::<Vec<_>>(), [Some("choice")]);
    for new in [
        vec![row(2, "fair", "Ana")],
        vec![row(2, "fair", "Eva"), row(1, "other", "Marko")],
        vec![row(3, "other", "?"), row(2, "fair", "Ana"), row(1, "other", "Marko")],
        vec![json!({ "id": 2, "source": "fair" }), row(1, "other", "Marko")],
    ] {
        let found = compare(Resource::Leads, &old, &new);
        assert!(found.iter().any(|(known, _)| known.is_none()), "{new:?}");
    }
    let mut turned = old.clone();
    turned.reverse();
    assert_eq!(compare(Resource::Leads, &old, &turned)[0].0, Some("order"));
}

#[test]
fn counts_are_compared_unless_rows_explain_them() {
    let rows = [subscription(1, "a@acme.hr", true)];
    let mut comparison = Comparison::default();
    let more = List { count: 2, ..list(&rows) };
    comparison.compare_lists(Resource::Newsletter, "", &more, &list(&rows));
    assert_eq!(comparison.unexpected(), 1, "{comparison:?}");
}

#[test]
fn errors_are_compared_word_by_word() {
    let answer = |status, body| Answer { status, body };
    let refused = answer(403, json!({ "detail": "Invalid or missing API Key" }));
    let read = &odd_reads(Resource::Leads)[0];
    for (other, expected) in [
        (refused.clone(), 0),
        (answer(401, refused.body.clone()), 1),
        (answer(403, json!({ "detail": "no" })), 1),
    ] {
        let mut comparison = Comparison::default();
        comparison.compare(read, &refused, &other);
        assert_eq!(comparison.unexpected(), expected, "{other:?}");
    }
    let mut comparison = Comparison::default();
    let bare = odd_reads(Resource::Leads).pop().unwrap();
    comparison.compare(&bare, &answer(301, Json::Null), &answer(200, json!({})));
    assert_eq!((comparison.unexpected(), comparison.differences[0].known), (0, Some("slash")));
}
