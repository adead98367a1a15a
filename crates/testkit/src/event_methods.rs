//! No method that writes is left out of the rules of events.

use super::*;

/// The methods of a port whose name is that of its file: each name, and whether an act is
/// given to it.
fn methods(port: &str) -> Vec<(String, bool)> {
    let path = format!("{}/../ports/src/{port}.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).unwrap();
    let (_, port) = source.split_once("pub trait ").unwrap();
    let methods = port.split("async fn ").skip(1).map(|rest| {
        let (name, rest) = rest.split_once('(').unwrap();
        let (signature, _) = rest.split_once(';').unwrap();
        (name.to_owned(), signature.contains("act: &Act"))
    });
    methods.collect()
}

#[test]
fn every_method_that_writes_is_called() {
    // Methods that read, or that note something that is no change.
    let quiet = [
        "counts",
        "discard",
        "left_at",
        "find",
        "find_all",
        "find_by_email",
        "find_by_lead",
        "find_by_prefix",
        "find_by_username",
        "last_older_than",
        "of_creations",
        "of_request",
        "list",
        "totals",
        "receive",
        "remove_orphans",
        "sweep",
        "needless",
        "walk",
        "glance",
        "page",
        "with_contact",
        "unread",
        "consumers",
        "forget_consumer",
        "note_seen",
        "note_read",
        "note_uses",
        "remove_before",
        "remove_ended",
        "reserve_ids",
    ];
    let mut count = 0;
    for port in [
        "leads",
        "lead_notes",
        "subscribers",
        "clients",
        "contract_files",
        "staff",
        "sign_ins",
        "invitations",
        "api_keys",
        "events",
    ] {
        for (method, has_act) in methods(port) {
            let is_known = WRITES.contains(&(port, method.as_str()));
            assert_eq!(is_known, has_act, "{port}.{method} writes and is in no test of events");
            assert!(has_act || quiet.contains(&method.as_str()), "{port}.{method}: no act");
            count += 1;
        }
    }
    assert!(count > 45, "{count}");
}
