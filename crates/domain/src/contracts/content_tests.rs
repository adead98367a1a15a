use super::*;
use proptest::prelude::*;
use rstest::rstest;

/// A zip archive with these files, none of them compressed, and without a directory at the end,
/// which the check does not read.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        bytes.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0");
        bytes.extend_from_slice(&[0; 8]);
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        bytes.extend_from_slice(&size);
        bytes.extend_from_slice(&size);
        bytes.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

fn docx(first: &str) -> Vec<u8> {
    let files = [first, "[Content_Types].xml", "word/document.xml"];
    zip(&files.map(|name| (name, b"<xml/>".as_slice())))
}

fn odt(media_type: &str) -> Vec<u8> {
    zip(&[("mimetype", media_type.as_bytes()), ("content.xml", b"<xml/>")])
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01";

/// Checks a content that arrives in pieces of this size.
fn check(kind: ContractKind, content: &[u8], piece: usize) -> Result<(), ContractRefused> {
    let mut check = ContentCheck::new(kind);
    content.chunks(piece).try_for_each(|piece| check.add(piece))?;
    check.finish()
}

fn samples() -> Vec<(ContractKind, Vec<u8>)> {
    vec![
        (ContractKind::Pdf, b"%PDF-1.7\n...".to_vec()),
        (ContractKind::Pdf, [b"%PDF-1.4\n", &[b'x'; 1000][..]].concat()),
        (ContractKind::Jpg, b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec()),
        (ContractKind::Png, PNG.to_vec()),
        (ContractKind::Docx, docx("[Content_Types].xml")),
        (ContractKind::Docx, docx("_rels/.rels")),
        (ContractKind::Docx, docx("word/numbering.xml")),
        (ContractKind::Odt, odt(ODT)),
    ]
}

#[test]
fn a_file_is_accepted_as_its_own_kind_only() {
    for (own, content) in samples() {
        for kind in ContractKind::ALL {
            for piece in [1, 7, 255, 4096] {
                let expected =
                    if *kind == own { Ok(()) } else { Err(ContractRefused::Content(*kind)) };
                assert_eq!(check(*kind, &content, piece), expected, "{own} as {kind}, {piece}");
            }
        }
    }
}

#[rstest]
#[case::page(ContractKind::Pdf, b"<!doctype html><script>alert(1)</script>%PDF-1.7".to_vec())]
#[case::program(ContractKind::Pdf, b"MZ\x90\0".to_vec())]
#[case::picture_with_markup(ContractKind::Png, b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec())]
#[case::signature_alone(ContractKind::Png, b"\x89PNG\r\n\x1a\n<html>".to_vec())]
#[case::cut(ContractKind::Docx, docx("word/a.xml").get(..30).unwrap().to_vec())]
#[case::any_archive(ContractKind::Docx, zip(&[("a.exe", b"MZ")]))]
#[case::archive_with_a_known_name(ContractKind::Docx, zip(&[("word/a.exe", b"MZ")]))]
#[case::table(ContractKind::Docx, zip(&[("[Content_Types].xml", b""), ("xl/workbook.xml", b"")]))]
#[case::template(ContractKind::Odt, odt("application/vnd.oasis.opendocument.text-template"))]
#[case::other_order(ContractKind::Odt, zip(&[("content.xml", b""), ("mimetype", ODT.as_bytes())]))]
fn what_is_something_else_is_refused(#[case] kind: ContractKind, #[case] content: Vec<u8>) {
    assert_eq!(check(kind, &content, 64), Err(ContractRefused::Content(kind)));
}

#[test]
fn macros_are_refused() {
    let macros = [docx("_rels/.rels"), zip(&[("word/vbaProject.bin", b"")])].concat();
    for piece in [1, 13, 64, 10_000] {
        let outcome = check(ContractKind::Docx, &macros, piece);
        assert_eq!(outcome, Err(ContractRefused::Content(ContractKind::Docx)), "{piece}");
    }
}

#[test]
fn a_zip_bomb_is_as_large_as_it_arrives() {
    // A file that says that it unpacks to 4 GiB.
    let mut bomb = docx("[Content_Types].xml");
    bomb.splice(22..26, [0xff; 4]);
    assert_eq!(check(ContractKind::Docx, &bomb, 64), Ok(()));
}

#[test]
fn empty_and_large_files_are_refused() {
    for kind in ContractKind::ALL {
        assert_eq!(check(*kind, b"", 1), Err(ContractRefused::Empty));
    }
    let mut check = ContentCheck::new(ContractKind::Pdf);
    let mut piece = b"%PDF-1.7\n".to_vec();
    piece.resize(1 << 20, b' ');
    for _ in 0..20 {
        assert_eq!(check.add(&piece), Ok(()));
    }
    assert_eq!(check.add(b" "), Err(ContractRefused::TooLarge));
}

#[test]
fn another_kind_shows_before_the_end() {
    let mut check = ContentCheck::new(ContractKind::Pdf);
    assert_eq!(check.add(&[b' '; 300]), Err(ContractRefused::Content(ContractKind::Pdf)));
}

proptest! {
    #[test]
    fn a_word_is_found_in_any_pieces(
        before in 0_usize..40, after in 0_usize..40, cuts in proptest::collection::vec(1_usize..20, 1..60)
    ) {
        let mut content = vec![b'v'; before];
        content.extend_from_slice(MACROS);
        content.resize(content.len() + after, b'v');
        let (mut search, mut rest) = (Search::of(MACROS), content.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, further) = rest.split_at(rest.len().min(*cut));
            search.add(piece);
            rest = further;
            if rest.is_empty() { break; }
        }
        prop_assert!(search.found);
    }

    #[test]
    fn any_content_is_decided(kind in 0_usize..5, content in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = check(ContractKind::ALL[kind], &content, 100);
    }
}
