//! The sources of settings other than the command line: the environment and `.env`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;
use std::{env, fmt, fs, io};

use strsim::damerau_levenshtein;

use crate::dotenv::{self, Problem};

/// Names the file that is read instead of `.env`, and must then exist.
const FILE: &str = "EXIT3_ENV_FILE";

/// The variables of the environment and of `.env`. Blanks and line ends around a value are removed,
/// and an empty value counts as absent.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// Warnings about the file.
    pub(crate) notes: Vec<String>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some variables are secrets.
        formatter.debug_struct("Variables").finish_non_exhaustive()
    }
}

impl Variables {
    /// Reads the environment, and the file that it names, or `.env`.
    ///
    /// # Errors
    /// One sentence about a file that cannot be read, or about a malformed line that sets one of
    /// `settings`.
    pub(crate) fn read(settings: &[(String, String)]) -> Result<Self, String> {
        let environment = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut variables = Self { environment: tidy(environment), ..Self::default() };
        let named = variables.get(FILE).map(str::to_owned);
        let path = named.as_deref().unwrap_or(".env");
        if let Some(text) = text_of(Path::new(path), named.is_some())? {
            variables.take(path, &text, settings)?;
        }
        variables.look_for_slips(settings);
        Ok(variables)
    }

    /// The variables of this environment and of a `.env` file with this text.
    #[cfg(test)]
    pub(crate) fn of(environment: &[(&str, &str)], text: &str) -> Self {
        let pairs = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut variables = Self { environment: tidy(pairs), ..Self::default() };
        variables.take(".env", text, &[]).unwrap();
        variables
    }

    fn take(
        &mut self,
        path: &str,
        text: &str,
        settings: &[(String, String)],
    ) -> Result<(), String> {
        let is_setting = |name: &str| settings.iter().any(|(_, setting)| setting == name.trim());
        let found = dotenv::parse(text);
        for oddity in found.oddities {
            let sets = oddity.name.as_deref().filter(|name| is_setting(name));
            let then = match (oddity.problem, sets) {
                (Problem::OpenQuote, _) => "the quote is part of the value",
                (_, None) => "it is skipped",
                (_, Some(name)) => return Err(format!("{path}: {oddity}: {name}")),
            };
            self.notes.push(format!("{path}: {oddity}: {then}"));
        }
        // A quote that is closed too late takes whole lines into its value.
        for value in found.variables.values() {
            let mut names = value.lines().skip(1).filter_map(|line| line.split_once('='));
            if let Some((name, _)) = names.find(|(name, _)| is_setting(name)) {
                return Err(format!("{path}: {name} is within a quoted value of several lines"));
            }
        }
        self.file = tidy(found.variables);
        Ok(())
    }

    /// Notes names that are misspelt `settings`, and quotes that are part of a value in the
    /// environment.
    fn look_for_slips(&mut self, settings: &[(String, String)]) {
        let names: Vec<&str> = settings.iter().map(|(_, name)| name.as_str()).collect();
        for name in self.file.keys().chain(self.environment.keys()) {
            if let Some(meant) = similar(name, &names) {
                self.notes.push(format!("{name} is not a setting: is {meant} meant?"));
            }
        }
        for name in names {
            let value = self.environment.get(name).map(String::as_str).unwrap_or_default();
            let quoted = |mark| value.len() > 1 && value.starts_with(mark) && value.ends_with(mark);
            if quoted('"') || quoted('\'') {
                self.notes.push(format!(
                    "{name} begins and ends with a quote, which is part of its value in the \
                     environment"
                ));
            }
        }
    }

    /// The value of a variable; the environment takes precedence.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.environment.get(name).or_else(|| self.file.get(name)).map(String::as_str)
    }

    /// All variables whose names begin with `prefix`.
    pub(crate) fn beginning(&self, prefix: &str) -> BTreeMap<&str, &str> {
        let file = self.file.iter().chain(&self.environment);
        let named = file.filter(|(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// The setting that a name misspells. Short names resemble too many others.
fn similar<'a>(name: &str, settings: &[&'a str]) -> Option<&'a str> {
    if settings.contains(&name) || name.len() < 7 {
        return None;
    }
    let most = if name.len() < 12 { 1 } else { 2 };
    let name = name.to_ascii_uppercase().replace('-', "_");
    let mut settings = settings.iter().filter(|setting| setting.len() >= 7);
    settings.find(|setting| damerau_levenshtein(&name, setting) <= most).copied()
}

/// The variables of the process, for code without access to the settings.
pub(crate) fn of_process() -> &'static Variables {
    static NONE: Variables =
        Variables { environment: BTreeMap::new(), file: BTreeMap::new(), notes: Vec::new() };
    PROCESS.get().unwrap_or(&NONE)
}

static PROCESS: OnceLock<Variables> = OnceLock::new();

/// Publishes the variables of the process.
pub(crate) fn publish(variables: &Variables) {
    // Only the first call counts.
    let _ = PROCESS.set(variables.clone());
}

fn tidy(pairs: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter().map(|(name, value)| (name, trim(&value).to_owned()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// The text of a file; `None` if it is missing and not `needed`.
fn text_of(path: &Path, needed: bool) -> Result<Option<String>, String> {
    let name = path.display();
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
                let line = before.unwrap_or_default().split(|byte| *byte == b'\n').count();
                Err(format!("{name}: line {line} is not UTF-8 text"))
            }
        },
        // A link to a missing file is a mistake.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                && !needed
                && path.symlink_metadata().is_err() =>
        {
            Ok(None)
        }
        Err(error) if needed => Err(format!("{FILE}: {name} cannot be read: {error}")),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
    }
}

/// Removes blanks, line ends and invisible characters around a value, which editors, shells and
/// secret files leave there.
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| {
        let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
        c.is_whitespace() || c.is_control() || invisible
    })
}

/// Refuses control characters in `value`. Lists may have several lines.
pub(crate) fn check(name: &str, value: &str) -> Result<(), String> {
    const LISTS: [&str; 4] =
        ["ALLOWED_HOSTS", "BACKUP_RECIPIENTS", "CORS_ALLOWED_ORIGINS", "TRUSTED_PROXIES"];
    let is_list = LISTS.contains(&name);
    let wrong = |c: char| c.is_control() && !(is_list && matches!(c, '\n' | '\r' | '\t'));
    match value.chars().any(wrong) {
        true => Err(format!(
            "{name} has a line break or another control character in the middle of its value"
        )),
        false => Ok(()),
    }
}

/// The arguments of a command line with the values of `settings` treated like those of
/// [`Variables`]: trimmed, and left out if empty. Each setting is the name of an option and of its
/// variable.
///
/// # Errors
/// One sentence about a value that no setting can have.
pub(crate) fn trim_options(
    arguments: impl IntoIterator<Item = OsString>,
    settings: &[(String, String)],
) -> Result<Vec<OsString>, String> {
    let known = |option: &str| {
        let option = option.strip_prefix("--")?;
        settings.iter().find(|(long, _)| long == option).map(|(_, name)| name.as_str())
    };
    let mut kept = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let option = argument.to_str().map(|text| match text.split_once('=') {
            Some((option, value)) => (option.to_owned(), Some(OsString::from(value))),
            None => (text.to_owned(), None),
        });
        let named = option.as_ref().and_then(|(option, _)| known(option));
        let (Some((option, value)), Some(name)) = (option, named) else {
            kept.push(argument);
            continue;
        };
        let Some(value) = value.or_else(|| arguments.next()) else {
            kept.push(argument);
            continue;
        };
        let Some(text) = value.to_str().map(trim) else {
            kept.extend([option.into(), value]);
            continue;
        };
        check(name, text)?;
        if !text.is_empty() {
            kept.push(format!("{option}={text}").into());
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Vec<(String, String)> {
        let names = [("port", "PORT"), ("allowed-hosts", "ALLOWED_HOSTS"), ("db-host", "DB_HOST")];
        names.map(|(option, name)| (option.to_owned(), name.to_owned())).to_vec()
    }

    fn read(environment: &[(&str, &str)], text: &str) -> Result<Variables, String> {
        let mut variables = Variables::of(environment, "");
        variables.take(".env", text, &settings())?;
        variables.look_for_slips(&settings());
        Ok(variables)
    }

    #[test]
    fn blanks_around_a_value_are_removed() {
        for around in ["key\n", "key\r\n", " key ", "\tkey", "\u{feff}key", "\u{a0}key\u{200b}"] {
            let variables = Variables::of(&[("KEY", around)], "");
            assert_eq!(variables.get("KEY"), Some("key"), "{around:?}");
            let variables = Variables::of(&[], &format!("KEY='{around}'"));
            assert_eq!(variables.get("KEY"), Some("key"), "{around:?}");
        }
    }

    #[test]
    fn the_environment_comes_before_the_file_unless_it_is_empty() {
        assert_eq!(Variables::of(&[("A", "1")], "A=2").get("A"), Some("1"));
        for empty in ["", " ", "\r\n", "\u{feff}"] {
            assert_eq!(Variables::of(&[("A", empty)], "A=2").get("A"), Some("2"));
            assert_eq!(Variables::of(&[("A", empty)], "A=' '").get("A"), None);
        }
        let variables = Variables::of(&[("AWS_A", "1"), ("B", "2")], "AWS_A=3\nAWS_C=4");
        assert_eq!(variables.beginning("AWS_"), BTreeMap::from([("AWS_A", "1"), ("AWS_C", "4")]));
    }

    #[test]
    fn a_malformed_line_that_sets_a_setting_is_never_skipped() {
        for text in ["DB_HOST='db'x", "A=\"1\nDB_HOST=db\nB=2\"", "A='\n DB_HOST = db\n'"] {
            let problem = read(&[], text).unwrap_err();
            assert!(problem.contains(".env: ") && problem.contains("DB_HOST"), "{problem}");
        }
        let variables = read(&[], "[section]\nMY-VAR=1\nbare\nA='1'x\nPORT='80\n").unwrap();
        assert_eq!(variables.get("PORT"), Some("'80"));
        let notes = [
            ".env: line 1 is not NAME=value: it is skipped",
            ".env: line 2 is not NAME=value: it is skipped",
            ".env: line 3 is not NAME=value: it is skipped",
            ".env: line 4 goes on after the closing quote: it is skipped",
            ".env: line 5 has an opening quote that no line closes: the quote is part of the value",
        ];
        assert_eq!(variables.notes, notes);
    }

    #[test]
    fn misspelt_names_are_reported() {
        for slip in ["ALLOWED_HOST", "ALOWED_HOSTS", "ALLOWED_HSOTS", "allowed_hosts", "DB_HOSTS"] {
            let expected = if slip == "DB_HOSTS" { "DB_HOST" } else { "ALLOWED_HOSTS" };
            let notes = [format!("{slip} is not a setting: is {expected} meant?")];
            assert_eq!(read(&[], &format!("{slip}=a")).unwrap().notes, notes);
            assert_eq!(read(&[(slip, "a")], "").unwrap().notes, notes);
        }
        for name in ["DB_PORT", "EMAIL_HOST", "PORTS", "HOSTNAME", "ALLOWED_ORIGINS", "db_h0"] {
            assert_eq!(read(&[], &format!("{name}=a")).unwrap().notes, Vec::<String>::new());
        }
        let quoted = read(&[("DB_HOST", "'db'")], "PORT=\"80\"").unwrap();
        assert!(quoted.notes[0].starts_with("DB_HOST begins and ends with a quote"));
        assert_eq!(quoted.notes.len(), 1);
    }

    #[test]
    fn options_are_trimmed_like_variables() {
        let trimmed = |arguments: &[&str]| {
            let arguments = arguments.iter().map(OsString::from);
            let trimmed = trim_options(arguments, &settings())?;
            Ok::<_, String>(
                trimmed.iter().map(|it| it.to_str().unwrap().to_owned()).collect::<Vec<_>>(),
            )
        };
        let kept = ["exit3", "--port=80", "serve", "--db-host=db", "--other", " x "];
        let given = ["exit3", "--port", " 80\n", "serve", "--db-host=\tdb ", "--other", " x "];
        assert_eq!(trimmed(&given).unwrap(), kept);
        assert_eq!(trimmed(&["exit3", "--db-host", "", "--port= "]).unwrap(), ["exit3"]);
        assert_eq!(trimmed(&["exit3", "--port"]).unwrap(), ["exit3", "--port"]);
        assert!(trimmed(&["exit3", "--db-host", "a\nb"]).unwrap_err().starts_with("DB_HOST has"));
        assert!(trimmed(&["exit3", "--allowed-hosts", "a\nb"]).is_ok());
    }
}
