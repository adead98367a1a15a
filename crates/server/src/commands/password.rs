//! Asks for a new password.

use std::io::{self, BufRead, IsTerminal, Read, Stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::{Failure, whisper};

/// The most bytes of a line that are read.
const LONGEST: u64 = 64 * 1024;

/// A new password: typed twice at a terminal, which does not show it, or else one line of standard
/// input. It is never an argument, because other users of the machine see those.
///
/// # Errors
/// One sentence, if there is none, or the two differ.
pub(super) fn ask() -> Result<String, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(&mut stdin.lock());
    }
    let _silence = Silence::of(&stdin)?;
    whisper(format_args!("Password: "));
    let first = line(&mut stdin.lock())?;
    whisper(format_args!("The same password again: "));
    let second = line(&mut stdin.lock())?;
    if first == second { Ok(first) } else { Err("the two passwords differ".into()) }
}

/// One line without its end.
fn line(input: &mut impl BufRead) -> Result<String, Failure> {
    let mut line = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut line)?;
    let line = String::from_utf8(line).map_err(|_| "the password is not UTF-8")?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("there is no password: type one, or write it to standard input".into());
    }
    Ok(line.to_owned())
}

/// Keeps a terminal from showing what is typed, until it is dropped.
struct Silence<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn of(terminal: &'a Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // Only the ends of lines are shown.
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // If the terminal is gone, nobody reads it.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_with_its_blanks() {
        let read = |mut text: &[u8]| line(&mut text).map_err(|error| error.to_string());
        for (given, expected) in [
            (" plavi konj \n", " plavi konj "),
            ("plavi konj\r\nmore", "plavi konj"),
            ("plavi konj", "plavi konj"),
        ] {
            assert_eq!(read(given.as_bytes()).as_deref(), Ok(expected));
        }
        for wrong in [&b""[..], b"\n", b"\r\n", b"\xff\xfe\n"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
