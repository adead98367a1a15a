//! Checks that no two modules of a crate import each other, directly or through others. It looks at
//! the top-level modules of each crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{Token, named, paths, tokens};

/// What each module imports, and where.
type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// All files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(sources(&entry)),
            false if entry.extension().is_some_and(|ending| ending == "rs") => found.push(entry),
            false => {}
        }
    }
    found.sort();
    found
}

/// Names that the crate's top re-exports from its modules, such as `pub use error::ApiError`.
fn re_exports(root: &[Token]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for at in (0..root.len()).filter(|at| root[*at].word() == Some("use")) {
        for path in paths(root, at + 1).0 {
            let path: Vec<String> =
                path.into_iter().skip_while(|word| word == "crate" || word == "self").collect();
            if let [module, .., name] = path.as_slice() {
                found.insert(name.clone(), module.clone());
            }
        }
    }
    found
}

/// The modules of one crate by their paths, and what they import.
fn graph(files: &[(Vec<String>, String)]) -> Graph {
    let root = files.iter().find(|(module, _)| module.is_empty());
    let exports = root.map(|(_, source)| re_exports(&tokens(source))).unwrap_or_default();
    let modules: BTreeSet<&String> = files.iter().filter_map(|(path, _)| path.first()).collect();
    let mut tests = BTreeSet::new();
    let mut all = Vec::new();
    for (module, source) in files {
        let mut own = BTreeSet::new();
        let named = named(&tokens(source), module, &mut own);
        tests.extend(own.into_iter().map(|name| [module.as_slice(), &[name]].concat()));
        all.push((module, named));
    }
    let mut graph = Graph::new();
    for (module, named) in all {
        let is_test = (1..=module.len()).any(|length| tests.contains(&module[..length]));
        let Some(from) = module.first().filter(|_| !is_test) else { continue };
        for path in named {
            let Some(first) = path.first() else { continue };
            let to = if modules.contains(first) { Some(first) } else { exports.get(first) };
            if let Some(to) = to.filter(|to| *to != from && modules.contains(to)) {
                let place = format!("{} names {}", module.join("::"), path.join("::"));
                graph.entry(from.clone()).or_default().entry(to.clone()).or_insert(place);
            }
        }
    }
    graph
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flat_map(BTreeMap::keys) {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

/// Sets of modules that all reach each other.
fn circles(graph: &Graph) -> BTreeSet<BTreeSet<String>> {
    graph
        .keys()
        .filter(|module| reaches(graph, module, module))
        .map(|module| {
            let together = |other: &&String| {
                *other == module || reaches(graph, module, other) && reaches(graph, other, module)
            };
            graph.keys().filter(together).cloned().collect()
        })
        .collect()
}

/// The imports that form a circle.
fn told(graph: &Graph, circle: &BTreeSet<String>) -> String {
    let places =
        graph.iter().filter(|(from, _)| circle.contains(*from)).flat_map(|(_, imports)| {
            imports.iter().filter(|(to, _)| circle.contains(*to)).map(|(_, place)| place.as_str())
        });
    places.collect::<Vec<_>>().join("\n    ")
}

fn crates() -> BTreeMap<String, Graph> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("src").is_dir())
        .map(|folder| {
            let src = folder.join("src");
            let files: Vec<(Vec<String>, String)> = sources(&src)
                .into_iter()
                .filter(|file| file.file_name().unwrap() != "main.rs")
                .map(|file| {
                    let path = file.strip_prefix(&src).unwrap().with_extension("");
                    let words = path.iter().map(|word| word.to_str().unwrap().to_owned());
                    let module = words.filter(|word| word != "lib" && word != "mod").collect();
                    (module, fs::read_to_string(file).unwrap())
                })
                .collect();
            (folder.file_name().unwrap().to_str().unwrap().to_owned(), graph(&files))
        })
        .collect()
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let crates = crates();
    assert!(crates.len() > 10 && crates["http"].len() > 3, "{:?}", crates.keys());
    let mut faults = String::new();
    for (name, graph) in &crates {
        for circle in circles(graph) {
            let places = told(graph, &circle);
            faults.push_str(&format!("a circle in {name}, {circle:?}:\n    {places}\n"));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The circles among files given by their module names.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let path = |name: &str| match name {
        "" => Vec::new(),
        name => name.split("::").map(str::to_owned).collect(),
    };
    let files: Vec<_> = files.iter().map(|(name, text)| (path(name), (*text).to_owned())).collect();
    circles(&graph(&files)).into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn circles_are_found_in_every_spelling() {
    let back = ("b", "use crate::a::X;");
    for text in [
        "use crate::b::Y;",
        "use crate::b;",
        "pub(crate) use crate::{c::{D, E as F}, b::Y};",
        "fn f() { let x = crate::b::y(); }",
        "use super::b::Y;",
        "use super::{c, b};",
        "mod inner { use super::super::b::Y; }",
        "#[path(crate::b::y)] fn f<'a>(x: &'a str) {}",
        "const Q: char = '\"'; const R: &str = r#\"\"\"#; use crate::b;",
        "use crate::Y;",
        "struct A { field: crate::b::Y }",
        "#[cfg(test)] mod tests {} use crate::b;",
        "#[cfg(not(test))] use crate::b;",
        "const E: &str = \"\"; const B: &[u8] = b\"\\\"\"; use crate::b;",
    ] {
        let files = [("", "mod a; mod b; mod c; pub use b::Y;"), ("a", text), back, ("c", "")];
        assert_eq!(circles_of(&files), [["a", "b"]], "{text}");
    }
    let far = [("", ""), ("a::x", "use super::super::b;"), ("b", "use crate::c;"), ("a", "")];
    assert!(circles_of(&far).is_empty());
    let round = [far.as_slice(), &[("c::y::z", "fn f() { crate::a::x::f() }")]].concat();
    assert_eq!(circles_of(&round), [["a", "b", "c"]]);
}

#[test]
fn text_that_is_not_an_import_forms_no_circle() {
    for text in [
        "// use crate::b;",
        "/* use crate::b; */",
        "const T: &str = \"use crate::b;\";",
        "const T: &str = r##\"\"# use crate::b;\"##;",
        "#[cfg(test)] mod tests { use crate::b; }",
        "#[cfg(test)] #[path = \"x.rs\"] mod tests { use crate::b; }",
        "#[cfg(test)] use crate::b;",
        "#[cfg(test)] mod tests;",
        "mod inner { use super::b; }",
        "use other::b;",
        "use crate::a::b;",
    ] {
        let files = [("", "mod a; mod b;"), ("a", text), ("a::tests", "use crate::b;")];
        let tests = text.ends_with("mod tests;");
        let files = if tests { &files[..] } else { &files[..2] };
        assert!(circles_of(&[files, &[("b", "use crate::a;")]].concat()).is_empty(), "{text}");
    }
}
