//! Checks which crate may import which: server → http → web → app → ports → domain, with the
//! adapters beside http; never the other way or sideways. See `docs/ARCHITECTURE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each of our crates may import, outside of tests.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("exit3-build", &[]),
    ("exit3-domain", &[]),
    ("exit3-ports", &["exit3-domain"]),
    ("exit3-app", &["exit3-domain", "exit3-ports"]),
    ("exit3-postgres", &["exit3-domain", "exit3-ports"]),
    ("exit3-sqlite", &["exit3-domain", "exit3-ports"]),
    ("exit3-quotas", &["exit3-domain", "exit3-ports"]),
    ("exit3-archive", &["exit3-domain", "exit3-ports"]),
    ("exit3-files", &["exit3-domain", "exit3-ports"]),
    ("exit3-mail", &["exit3-domain", "exit3-ports"]),
    ("exit3-django", &["exit3-domain", "exit3-ports", "exit3-archive"]),
    ("exit3-web", &["exit3-domain", "exit3-ports", "exit3-app"]),
    ("exit3-http", &["exit3-domain", "exit3-ports", "exit3-app", "exit3-web"]),
    ("exit3-admin", &["exit3-domain", "exit3-ports", "exit3-app", "exit3-web"]),
    ("exit3-connections", &["exit3-web"]),
    ("exit3-testkit", &["exit3-domain", "exit3-ports", "exit3-app"]),
    (
        "exit3",
        &[
            "exit3-domain",
            "exit3-ports",
            "exit3-app",
            "exit3-postgres",
            "exit3-sqlite",
            "exit3-quotas",
            "exit3-archive",
            "exit3-files",
            "exit3-mail",
            "exit3-django",
            "exit3-connections",
            "exit3-web",
            "exit3-http",
            "exit3-admin",
        ],
    ),
];

/// Prefixes of crate names that a crate must not depend on, not even indirectly.
const KEEPS_OUT: &[(&str, &[&str])] = &[
    ("exit3-domain", &["actix", "diesel", "tokio", "futures", "hyper", "libsqlite3"]),
    ("exit3-ports", &["actix", "diesel", "tokio", "hyper", "libsqlite3"]),
    // It runs jobs, which wait for time and for each other, and knows no network.
    ("exit3-app", &["actix", "diesel", "tokio-postgres", "tokio-rustls", "hyper", "libsqlite3"]),
    (
        "exit3-web",
        &["actix-governor", "diesel", "tokio-postgres", "libsqlite3", "rusqlite", "utoipa"],
    ),
    ("exit3-connections", &["diesel", "tokio-postgres", "libsqlite3", "utoipa", "actix-governor"]),
    ("exit3-admin", &["actix-governor", "diesel", "tokio-postgres", "libsqlite3", "utoipa"]),
    // GPL code may only be in the binary.
    (
        "exit3-http",
        &["actix-governor", "diesel", "tokio-postgres", "libsqlite3", "rusqlite", "sqlx"],
    ),
    ("exit3-quotas", &["actix", "diesel"]),
    ("exit3-archive", &["actix", "diesel", "tokio", "libsqlite3", "tempfile"]),
    ("exit3-files", &["actix", "diesel", "libsqlite3"]),
    ("exit3-mail", &["actix", "diesel", "libsqlite3"]),
    ("exit3-django", &["actix", "diesel", "libsqlite3"]),
    ("exit3-postgres", &["actix", "utoipa"]),
    ("exit3-sqlite", &["actix", "utoipa", "tokio-postgres"]),
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// What Cargo knows of our crates and of those that they depend on.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features", "--offline", "--locked"])
        // Without dependencies for other platforms.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The names of crates, and the dependencies of each outside of tests.
fn dependencies() -> Graph {
    let metadata = metadata();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut graph = Graph::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let of_node = graph.entry(names[&text(&node["id"])].clone()).or_default();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                of_node.insert(names[&text(&dependency["pkg"])].clone());
            }
        }
    }
    graph
}

/// Everything that `name` depends on, directly or indirectly.
fn reachable<'a>(graph: &'a Graph, name: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        for next in graph.get(name).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let graph = dependencies();
    for (name, imports) in graph.iter().filter(|(name, _)| name.starts_with("exit3")) {
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} is new: say here what it may import"));
        for import in imports.iter().filter(|import| import.starts_with("exit3")) {
            assert!(allowed.contains(&import.as_str()), "{name} must not import {import}");
        }
    }
}

#[test]
fn libraries_of_one_layer_stay_in_it() {
    let graph = dependencies();
    for (name, kept_out) in KEEPS_OUT {
        assert!(graph.contains_key(*name), "{name} is gone");
        for seen in reachable(&graph, name) {
            let intruder = kept_out.iter().find(|start| seen.starts_with(**start));
            assert!(intruder.is_none(), "{name} must not see {seen}");
        }
    }
}

/// Names of resources, which `exit3-web` must not know: those of their paths, of their modules in
/// the use cases, and of their types.
fn resources() -> std::collections::BTreeSet<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let modules = std::fs::read_dir(crates.join("app/src")).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let has = |layer: &str| crates.join(layer).join(&name).is_file();
        let is_resource = name != "lib.rs" && has("domain/src") && has("http/src");
        is_resource.then(|| name.trim_end_matches(".rs").to_owned())
    });
    let paths = exit3_http::OWN.scopes().map(|scope| scope.resource().to_owned());
    let types = |name: &str| {
        let words = name.trim_end_matches('s').split('_');
        let capital = |word: &str| word.split_at_checked(1).map(|(a, b)| a.to_uppercase() + b);
        words.filter_map(capital).collect::<String>()
    };
    modules.chain(paths).flat_map(|name| [types(&name), name]).collect()
}

#[test]
fn web_knows_no_resource() {
    let names = resources();
    for name in ["Lead", "leads", "Subscriber", "subscribers", "Newsletter"] {
        assert!(names.contains(name), "{name} is none of {names:?}");
    }
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src");
    let (mut folders, mut read) = (vec![src], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let source = std::fs::read_to_string(&entry).unwrap();
            // Comments are ignored: "leads" may be a verb there.
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '-');
                let known = words.find(|word| names.contains(*word));
                assert!(known.is_none(), "{}: {line}", entry.display());
            }
            read += 1;
        }
    }
    assert!(read > 15, "{read}");
}

/// Modules depend on our crates, and never the other way.
#[test]
fn no_crate_knows_a_module() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let path = |package: &Value| package["manifest_path"].as_str().unwrap().to_owned();
    let modules: Vec<&str> = packages
        .iter()
        .filter(|package| path(package).contains("/examples/") && package["source"].is_null())
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert!(modules.contains(&"meetings"), "{modules:?}");
    for package in packages.iter().filter(|package| path(package).contains("/crates/")) {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = dependency["name"].as_str().unwrap();
            assert!(!modules.contains(&dependency), "{name} knows the module {dependency}");
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut directories = vec![crates.to_owned()];
    let mut read = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                directories.push(entry);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                let source = std::fs::read_to_string(&entry).unwrap();
                for name in modules
                    .iter()
                    .flat_map(|name| [format!("examples/{name}"), format!("{name}::")])
                {
                    assert!(!source.contains(&name), "{} names {name}", entry.display());
                }
                read += 1;
            }
        }
    }
    assert!(read > 500, "{read}");
}
