//! For the `build.rs` of a crate with migrations.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Lists the migrations below `root`, a directory relative to that of the crate that is built, in
/// the file `migrations.rs` of `OUT_DIR`: one constant for each directory in it, such as `POSTGRES`.
/// The crate includes that file where `Migration` and `Dropped` of `exit3-ports` are in scope.
/// `migrations/README.md` describes the files.
///
/// # Errors
/// One sentence about what is wrong with the migrations.
#[allow(clippy::print_stdout, reason = "Cargo reads what a build script prints")]
pub fn migrations(root: &Path) -> Result<(), String> {
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(told)?);
    let root = own.join(root);
    // Covers everything below the directory.
    println!("cargo::rerun-if-changed={}", root.display());
    let out = PathBuf::from(env::var("OUT_DIR").map_err(told)?);
    fs::write(out.join("migrations.rs"), listed(&root)?).map_err(told)
}

/// The constants for all migrations below `root`, as code.
fn listed(root: &Path) -> Result<String, String> {
    let mut code = String::new();
    let mut first: Option<Vec<(String, Facts)>> = None;
    for dialect in directories(root)? {
        let mut migrations = Vec::new();
        let names = directories(&root.join(&dialect))?;
        check_versions(&names)?;
        for name in names {
            let facts = Facts::read(&root.join(&dialect).join(&name))?;
            migrations.push((name, facts));
        }
        write_list(&mut code, root, &dialect, &migrations).map_err(told)?;
        match &first {
            Some(first) => compare(first, &migrations, &dialect)?,
            None => first = Some(migrations),
        }
    }
    Ok(code)
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The names of the directories in a directory, in order.
fn directories(of: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("{}: {error}", of.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(of).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Each name is a version of 14 digits and words, such as `00000000000001_leads_and_subscribers`.
fn check_versions(names: &[String]) -> Result<(), String> {
    let mut before = None;
    for name in names {
        let parts = name.split_once('_').filter(|(version, words)| {
            let is_number = version.bytes().all(|byte| byte.is_ascii_digit());
            version.len() == 14 && is_number && is_name(words) && !words.contains('.')
        });
        let (version, _) = parts.ok_or_else(|| {
            format!("a migration is named like 00000000000001_tags, not like {name}")
        })?;
        if before.replace(version) == Some(version) {
            return Err(format!("two migrations have the version {version}"));
        }
    }
    Ok(())
}

/// What a migration says in the first lines of its files.
#[derive(PartialEq)]
struct Facts {
    changes_data: bool,
    /// Tables, and columns such as `leads.notes`.
    drops: Vec<String>,
}

impl Facts {
    fn read(migration: &Path) -> Result<Self, String> {
        let (up, down) = (migration.join("up.sql"), migration.join("down.sql"));
        let changes_data = match first_line(&up)?.as_str() {
            "-- keeps rows" => false,
            "-- changes rows" => true,
            _ => {
                let wanted = "must start with the line `-- keeps rows` or `-- changes rows`";
                return Err(format!("{} {wanted}", up.display()));
            }
        };
        let line = first_line(&down)?;
        let drops = line.strip_prefix("-- drops ").and_then(|drops| match drops {
            "nothing" => Some(Vec::new()),
            names => names
                .split(", ")
                .map(|name| (is_name(name) && name != "nothing").then(|| name.into()))
                .collect(),
        });
        let wanted = "must start with the line `-- drops nothing`, or with a line that lists the \
                      tables and columns whose values it drops: `-- drops tags, leads.notes`";
        let drops = drops.ok_or_else(|| format!("{} {wanted}", down.display()))?;
        Ok(Self { changes_data, drops })
    }
}

fn first_line(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Whether a text is the name of a table or of a column, such as `leads.notes`.
fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
    };
    text.split('.').count() <= 2 && text.split('.').all(is_word)
}

/// Writes the list of one dialect.
fn write_list(
    code: &mut String,
    root: &Path,
    dialect: &str,
    migrations: &[(String, Facts)],
) -> std::fmt::Result {
    writeln!(code, "/// The migrations in `migrations/{dialect}`, oldest first.")?;
    writeln!(code, "pub const {}: &[Migration] = &[", dialect.to_uppercase())?;
    for (name, Facts { changes_data, drops }) in migrations {
        let file = |name_of: &str| root.join(dialect).join(name).join(name_of);
        let drops: Vec<String> = drops
            .iter()
            .map(|drop| match drop.split_once('.') {
                Some((table, column)) => format!("Dropped::of({table:?}, Some({column:?}))"),
                None => format!("Dropped::of({drop:?}, None)"),
            })
            .collect();
        writeln!(
            code,
            "    Migration {{ name: {name:?}, up: include_str!({:?}), down: include_str!({:?}), \
             changes_data: {changes_data}, back_drops: &[{}] }},",
            file("up.sql"),
            file("down.sql"),
            drops.join(", ")
        )?;
    }
    writeln!(code, "];")
}

/// All dialects must have the same migrations, which say the same about themselves.
fn compare(
    first: &[(String, Facts)],
    other: &[(String, Facts)],
    dialect: &str,
) -> Result<(), String> {
    let lacking = |these: &[(String, Facts)], those: &[(String, Facts)]| {
        these.iter().find(|it| !those.contains(it)).map(|(name, _)| name.clone())
    };
    match lacking(first, other).or_else(|| lacking(other, first)) {
        Some(name) => Err(format!(
            "the migration {name} is not the same in migrations/{dialect} as in the other \
             directories: both need it, with the same first lines of up.sql and down.sql"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    /// What is listed for one migration of this name in both dialects, with these first lines.
    fn listed_with(name: &str, up: [&str; 2], down: &str) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        for (dialect, up) in ["postgres", "sqlite"].iter().zip(up) {
            let migration = root.path().join(dialect).join(name);
            fs::create_dir_all(&migration).unwrap();
            fs::write(migration.join("up.sql"), up).unwrap();
            fs::write(migration.join("down.sql"), down).unwrap();
        }
        listed(root.path())
    }

    #[test]
    fn lists_each_dialect_with_what_the_first_lines_say() {
        let keeps = ["-- keeps rows\nCREATE TABLE tags ();"; 2];
        let code = listed_with("00000000000001_tags", keeps, "-- drops tags, leads.tag").unwrap();
        for wanted in [
            "pub const POSTGRES: &[Migration] = &[",
            "pub const SQLITE: &[Migration] = &[",
            "sqlite/00000000000001_tags/down.sql\")",
            "changes_data: false",
            "&[Dropped::of(\"tags\", None), Dropped::of(\"leads\", Some(\"tag\"))]",
        ] {
            assert!(code.contains(wanted), "{wanted} in {code}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let refused = |name, up, down: &str| listed_with(name, up, down).unwrap_err();
        let (keeps, changes) = ("-- keeps rows", "-- changes rows");
        let name = refused("1_tags", [keeps; 2], "-- drops tags");
        assert!(name.contains("not like 1_tags"), "{name}");
        let up = refused("00000000000001_tags", ["CREATE"; 2], "-- drops tags");
        assert!(up.contains("up.sql must start with"), "{up}");
        let down = refused("00000000000001_tags", [keeps; 2], "DROP TABLE tags");
        assert!(down.contains("down.sql must start with"), "{down}");
        let differs = refused("00000000000001_tags", [keeps, changes], "-- drops tags");
        assert!(differs.contains("is not the same in migrations/sqlite"), "{differs}");
    }
}
