//! Checks that the files, folders and link targets named in documents exist.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Extensions by which a word in backticks counts as a file of this repository.
const EXTENSIONS: &[&str] = &[
    "cjs", "json", "lock", "lua", "md", "mjs", "py", "rs", "sh", "socket", "sql", "toml", "ts",
    "yaml", "yml",
];

/// Files that documents name but that are elsewhere: on an operator's machine, or in an archive.
const ELSEWHERE: &[&str] = &["recorded.json"];

/// Folders that documents do not refer to.
const NOT_OURS: &[&str] = &["target", "node_modules", "data", ".git"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Collects every file and folder below `folder`, relative to `root`.
fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, found);
        }
    }
}

/// The text outside of fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The words in backticks.
fn code(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// Whether a word in backticks names a file or folder of the repository.
fn names_a_file(word: &str, top: &BTreeSet<&str>) -> bool {
    let plain =
        word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    let extension = word.rsplit_once('.').map(|(_, extension)| extension);
    let begins_here = word.split_once('/').is_some_and(|(first, _)| top.contains(first));
    plain
        && !word.starts_with(['/', '.'])
        && (begins_here || extension.is_some_and(|known| EXTENSIONS.contains(&known)))
}

/// Whether a file or folder of the repository has that name, or a path that ends with it.
fn exists(word: &str, files: &BTreeSet<String>) -> bool {
    let word = word.trim_end_matches('/');
    let end = format!("/{word}");
    files.iter().any(|file| file == word || file.ends_with(&end))
}

/// The targets of links: `[text](target)`.
fn links(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of a document's headings, as GitHub builds them.
fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || "_- ".contains(*letter))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

/// Resolves `..` without the file system.
fn joined(folder: &Path, target: &str) -> String {
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    let path = folder.join(target);
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name),
            _ => {}
        }
    }
    parts.iter().collect::<PathBuf>().to_str().unwrap().to_owned()
}

fn faults(document: &str, text: &str, root: &Path, files: &BTreeSet<String>) -> Vec<String> {
    let top = files.iter().filter(|file| !file.contains('/')).map(String::as_str).collect();
    let prose = prose(text);
    let mut faults = Vec::new();
    for word in code(&prose) {
        if names_a_file(word, &top) && !exists(word, files) && !ELSEWHERE.contains(&word) {
            faults.push(format!("{document} names `{word}`, which does not exist"));
        }
    }
    for link in links(&prose).filter(|link| !link.contains("://")) {
        let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = match target {
            "" => document.to_owned(),
            _ => joined(Path::new(document).parent().unwrap(), target),
        };
        if !files.contains(&file) {
            faults.push(format!("{document} links to {link}, which does not exist"));
        } else if !anchor.is_empty()
            && !anchors(&fs::read_to_string(root.join(&file)).unwrap()).contains(anchor)
        {
            faults.push(format!("{document} links to {link}, which has no such heading"));
        }
    }
    faults
}

#[test]
fn files_and_links_in_documents_exist() {
    let root = root();
    let mut files = BTreeSet::new();
    collect(&root, &root, &mut files);
    let documents: Vec<&String> = files.iter().filter(|file| file.ends_with(".md")).collect();
    assert!(documents.len() > 20, "{documents:?}");
    let mut found = Vec::new();
    for document in documents {
        let text = fs::read_to_string(root.join(document)).unwrap();
        found.extend(faults(document, &text, &root, &files));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn missing_files_and_links_are_found() {
    let root = root();
    let files = ["README.md", "crates", "crates/server", "crates/server/tests/docs.rs"];
    let files: BTreeSet<String> = files.map(str::to_owned).into();
    for text in [
        "`tests/doc.rs`",
        "`crates/servers/`",
        "`oops.yaml`",
        "[a](docs.rs)",
        "[a](../README.md#nowhere)",
    ] {
        assert_eq!(faults("crates/a.md", text, &root, &files).len(), 1, "{text}");
    }
    for text in [
        "`docs.rs` `tests/docs.rs` `crates/server/` `e.g. a.b` `/etc/x.toml` `.md`",
        "[a](server/tests/docs.rs) [b](https://example.com/x.md) [c](../README.md#licence)",
        "```\n`not/there.rs`\n```",
    ] {
        assert_eq!(faults("crates/a.md", text, &root, &files), Vec::<String>::new(), "{text}");
    }
}
