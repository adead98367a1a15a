//! Whether the content of a file is of the kind that its name says. Nothing is ever unpacked.

use super::{ContractKind, ContractRefused, MOST_BYTES, ODT};

/// The bytes at the beginning of a file that show its kind.
const HEAD: usize = 256;

/// The length of the fixed part of a local file header of a zip archive.
const LOCAL: usize = 30;

/// The beginnings of the names of the first files in a docx, as the common programs write it.
const FIRST_IN_DOCX: &[&[u8]] =
    &[b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"customXml/"];

/// The name of the macros of Word, which only docm files have.
const MACROS: &[u8] = b"vbaProject.bin";

/// Looks at the content of a file while it arrives.
#[derive(Debug)]
pub struct ContentCheck {
    kind: ContractKind,
    size: u64,
    /// The beginning of the content.
    head: Vec<u8>,
    /// What must be somewhere in the content.
    needed: Vec<Search>,
    /// What must not be in the content.
    refused: Vec<Search>,
}

impl ContentCheck {
    /// For a file whose name says that it is of this kind.
    pub fn new(kind: ContractKind) -> Self {
        let (needed, refused): (&[&[u8]], &[&[u8]]) = match kind {
            // Names of files are never compressed, so that a docx shows without unpacking. The main
            // part may have a number behind its name.
            ContractKind::Docx => (&[b"[Content_Types].xml", b"word/document"], &[MACROS]),
            _ => (&[], &[]),
        };
        let searches =
            |words: &[&'static [u8]]| words.iter().map(|word| Search::of(word)).collect();
        let head = Vec::with_capacity(HEAD);
        Self { kind, size: 0, head, needed: searches(needed), refused: searches(refused) }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// [`ContractRefused::TooLarge`], or [`ContractRefused::Content`] as soon as that shows.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ContractRefused> {
        self.size += bytes.len() as u64;
        if self.size > MOST_BYTES {
            return Err(ContractRefused::TooLarge);
        }
        if self.head.len() < HEAD {
            let missing = HEAD - self.head.len();
            self.head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
            if self.head.len() == HEAD {
                self.check_head()?;
            }
        }
        self.needed.iter_mut().chain(&mut self.refused).for_each(|search| search.add(bytes));
        if self.refused.iter().any(|search| search.found) {
            return Err(ContractRefused::Content(self.kind));
        }
        Ok(())
    }

    /// Decides after the last byte.
    ///
    /// # Errors
    /// [`ContractRefused::Empty`] or [`ContractRefused::Content`].
    pub fn finish(self) -> Result<(), ContractRefused> {
        if self.size == 0 {
            return Err(ContractRefused::Empty);
        }
        self.check_head()?;
        match self.needed.iter().all(|search| search.found) {
            true => Ok(()),
            false => Err(ContractRefused::Content(self.kind)),
        }
    }

    fn check_head(&self) -> Result<(), ContractRefused> {
        let head = self.head.as_slice();
        let fits = match self.kind {
            // At the very beginning, although readers find it in the first kilobyte: before it there
            // could be another format.
            ContractKind::Pdf => head.starts_with(b"%PDF-"),
            ContractKind::Jpg => head.starts_with(b"\xff\xd8\xff"),
            ContractKind::Png => head.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"),
            ContractKind::Docx => first_name(head)
                .is_some_and(|name| FIRST_IN_DOCX.iter().any(|first| name.starts_with(first))),
            ContractKind::Odt => is_odt(head),
        };
        if fits { Ok(()) } else { Err(ContractRefused::Content(self.kind)) }
    }
}

/// The name of the first file in a zip archive, as far as it is in the head.
fn first_name(head: &[u8]) -> Option<&[u8]> {
    let header = head.get(..LOCAL).filter(|header| header.starts_with(b"PK\x03\x04"))?;
    let length = usize::from(u16::from_le_bytes([*header.get(26)?, *header.get(27)?]));
    let rest = head.get(LOCAL..)?;
    Some(rest.get(..length).unwrap_or(rest))
}

/// Whether a zip archive begins with a file `mimetype` that is not compressed and says that the
/// archive is a text of OpenDocument.
fn is_odt(head: &[u8]) -> bool {
    let is_plain = head.get(8..10) == Some(&[0, 0]);
    let content = head.get(LOCAL + b"mimetype".len()..).unwrap_or_default();
    // Another header follows, or other kinds that begin with the same words would pass.
    let follows = content.strip_prefix(ODT.as_bytes()).is_some_and(|rest| rest.starts_with(b"PK"));
    first_name(head) == Some(b"mimetype") && is_plain && follows
}

/// Searches a text in bytes that arrive in pieces.
#[derive(Debug)]
struct Search {
    wanted: &'static [u8],
    /// The last bytes so far, in which the text may begin.
    tail: Vec<u8>,
    found: bool,
}

impl Search {
    fn of(wanted: &'static [u8]) -> Self {
        Self { wanted, tail: Vec::new(), found: false }
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.found {
            return;
        }
        let length = self.wanted.len();
        let is_in = |bytes: &[u8]| bytes.windows(length).any(|window| window == self.wanted);
        let mut seam = std::mem::take(&mut self.tail);
        seam.extend_from_slice(bytes.get(..length).unwrap_or(bytes));
        self.found = is_in(&seam) || is_in(bytes);
        if bytes.len() >= length {
            seam.clear();
            seam.extend_from_slice(bytes);
        }
        let begin = (seam.len() + 1).saturating_sub(length);
        self.tail = seam.split_off(begin.min(seam.len()));
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
