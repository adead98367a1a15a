//! Finding and running the server's programs.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions install the programs, besides PATH.
const PLACES: &[&str] = &["/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt"];

/// The directory of `initdb` and `postgres`: `TEST_POSTGRES_PROGRAMS`, or the newest installed
/// version.
pub(super) fn directory() -> PathBuf {
    if let Some(named) = std::env::var_os("TEST_POSTGRES_PROGRAMS").map(PathBuf::from) {
        assert!(has_programs(&named), "there is no PostgreSQL at {}", named.display());
        return named;
    }
    let mut found: Vec<PathBuf> = PLACES
        .iter()
        .flat_map(|place| {
            let versions = std::fs::read_dir(place).into_iter().flatten().flatten();
            versions.map(|version| version.path().join("bin")).chain([Path::new(place).join("bin")])
        })
        .filter(|directory| has_programs(directory))
        .collect();
    found.sort_by_key(|directory| version(directory));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|directory| has_programs(directory));
    found.pop().or(in_path).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not installed: there is no initdb in PATH or {PLACES:?} \
             (apt-get install postgresql)"
        )
    })
}

fn has_programs(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}

fn version(directory: &Path) -> u32 {
    let version = directory.parent().and_then(Path::file_name);
    let version = version.map(|name| name.to_string_lossy().replace("postgresql@", ""));
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// The user that runs the server, because it refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl User {
    /// `None` if this process is not root.
    pub(super) fn other_than_root() -> Option<Self> {
        let me = std::fs::metadata("/proc/self").map_or(1, |process| process.uid());
        if me != 0 {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let of = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            let uid = fields.next()?.parse().ok()?;
            Some(Self { uid, gid: fields.next()?.parse().ok()? })
        };
        Some(of("postgres").or_else(|| of("nobody")).expect("a user beside root"))
    }

    /// Makes `command` run as this user.
    pub(super) fn runs(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

/// Runs `command` and waits for it.
pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !output.status.success() {
        panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
