//! A word means one thing: own types do not take names that the glossary in
//! `docs/ARCHITECTURE.md` gives to something else, or to nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

#[path = "circles/source.rs"]
#[allow(dead_code, reason = "only the words and marks are looked at here")]
mod source;

use std::fs;
use std::path::Path;

use source::{Token, tokens};

/// A word, the file where a type may have that name, and what to use elsewhere.
const RETIRED: &[(&str, Option<&str>, &str)] = &[
    (
        "Client",
        Some("domain/src/clients.rs"),
        "a client is a customer; Peer sent a request, Caller holds its key",
    ),
    ("Copy", None, "ReplicaPool, Snapshot, or a name that says what is copied to where"),
    ("Caller", Some("app/src/api_keys.rs"), "a caller holds the key of a request; Peer sent it"),
    ("Peer", Some("web/src/peer.rs"), "a peer sent an HTTP request"),
    ("Place", None, "BackupStore, ServerPosition, or a name that says what is there"),
    ("Position", None, "LogPosition, or ListPosition"),
    ("Session", None, "Consistency, ServerSession, BulkTransaction or SignIn"),
];

/// What adapters and tests put before a word, and errors behind it.
const PREFIXES: &[&str] = &["Pg", "Sqlite", "Test", ""];
const SUFFIX: &str = "Error";

/// The names that a source gives to types, by declaring or renaming them.
fn declared(tokens: &[Token]) -> Vec<String> {
    let names = tokens.windows(3).filter_map(|three| match three {
        [Token::Word(kind), Token::Word(name), after] => {
            let declares = ["struct", "enum", "union", "trait", "type"].contains(&kind.as_str());
            // A cast ends in a number's type, and `<T as Trait>` in a mark of its own.
            let renames = kind == "as" && !matches!(after, Token::Mark('>'));
            (declares || renames).then(|| name.clone())
        }
        _ => None,
    });
    names.collect()
}

/// The retired word that the name of a type is made of.
fn retired(name: &str, file: &str) -> Option<&'static str> {
    let bare = name.strip_suffix(SUFFIX).unwrap_or(name);
    RETIRED.iter().find_map(|(word, home, instead)| {
        let is_word = PREFIXES.iter().any(|prefix| bare.strip_prefix(prefix) == Some(*word));
        (is_word && *home != Some(file)).then_some(*instead)
    })
}

/// What is wrong with the names in a file.
fn faults(file: &str, source: &str) -> Vec<String> {
    let fault =
        |name: String| retired(&name, file).map(|instead| format!("{file}: {name}: {instead}"));
    let tokens = tokens(source);
    let mut faults: Vec<String> = declared(&tokens).into_iter().filter_map(fault).collect();
    // An address, or the number made of it, belongs to a peer.
    faults.extend(tokens.windows(3).filter_map(|three| match three {
        [Token::Word(name), Token::Mark(':'), Token::Word(kind)]
            if name == "client" && ["IpAddr", "SocketAddr", "u64"].contains(&kind.as_str()) =>
        {
            Some(format!("{file}: client: {kind}: call it peer, or caller"))
        }
        _ => None,
    }));
    faults
}

fn all_faults(folder: &Path, crates: &Path, read: &mut usize) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(all_faults(&entry, crates, read));
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let file = entry.strip_prefix(crates).unwrap().to_str().unwrap();
            found.extend(faults(file, &fs::read_to_string(&entry).unwrap()));
            *read += 1;
        }
    }
    found
}

#[test]
fn no_type_has_a_retired_name() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut read = 0;
    let faults = all_faults(crates, crates, &mut read);
    assert!(read > 300, "{read}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_retired_name_is_found_however_it_is_declared() {
    for source in [
        "struct Session;",
        "pub(crate) struct PgSession { }",
        "enum Place { A }",
        "pub enum PlaceError { A }",
        "trait Copy { }",
        "type Client = u64;",
        "pub struct Position(pub u64);",
        "use a::Login as Session;",
        "fn f(client: IpAddr) {}",
        "struct A { client: u64 }",
    ] {
        assert_eq!(faults("a/src/b.rs", source).len(), 1, "{source}");
    }
    for source in [
        "// struct Session;",
        "const A: &str = \"struct Session;\";",
        "#[derive(Clone, Copy)] struct ServerSession;",
        "struct ListPosition; enum BackupStore { A } struct ClientRow;",
        "fn f<T: Copy>(x: T) { <T as Copy>::clone(&x); }",
        "use tokio_postgres::Client; fn f(client: &Client) {}",
    ] {
        assert!(faults("a/src/b.rs", source).is_empty(), "{source}");
    }
    assert!(faults("domain/src/clients.rs", "pub struct Client { }").is_empty());
}
