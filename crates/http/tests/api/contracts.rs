//! Contracts of clients: what is stored, what is refused, and how they are sent.

use std::fs;
use std::sync::Mutex;

use exit3_domain::clients::{Client, NewClient};
use exit3_files::ContractDirectory;
use tempfile::TempDir;

use crate::*;

const PATH: &str = "/backend/api/v1/clients/7/contract/";
const PDF: &[u8] = b"%PDF-1.7\nUgovor";

/// The client 7 with this contract, over a directory.
fn service(file: Option<&str>) -> (Service, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let contracts: Option<Arc<dyn exit3_ports::ContractStore>> =
        Some(Arc::new(ContractDirectory::new(directory.path())));
    let mut service = Service { contracts, ..Service::default() };
    let details = NewClient { contract_file: file.map(str::to_owned), ..client(7).details };
    let stored = Arc::new(Mutex::new(Client { details, ..client(7) }));
    let (found, updated) = (Arc::clone(&stored), stored);
    let all = &mut service.repositories;
    all.clients.expect_find().returning(move |id| {
        let client = found.lock().unwrap().clone();
        Ok((client.id == id).then_some(client))
    });
    all.clients.expect_update().returning(move |_, details, _| {
        let mut client = updated.lock().unwrap();
        client.details = details.clone();
        Ok(client.clone())
    });
    all.contract_files.expect_receive().returning(|_| Ok(()));
    all.contract_files.expect_find().returning(|_| Ok(None));
    all.contract_files.expect_note_download().returning(|_, _, _| Ok(()));
    (service, directory)
}

fn form(name: &[u8], content: &[u8]) -> Vec<u8> {
    [
        b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".as_slice(),
        name,
        b"\"\r\n\r\n",
        content,
        b"\r\n--x--\r\n",
    ]
    .concat()
}

fn put(body: Vec<u8>) -> TestRequest {
    with_key(TestRequest::put().uri(PATH))
        .insert_header(("Content-Type", "multipart/form-data; boundary=x"))
        .set_payload(body)
}

fn files(directory: &TempDir) -> usize {
    fs::read_dir(directory.path().join("uploads")).map_or(0, Iterator::count)
}

#[actix_web::test]
async fn a_contract_is_stored_sent_and_removed() {
    let (service, directory) = service(None);
    let requests = vec![
        get(PATH),
        put(form("Ugovor čšž.pdf".as_bytes(), PDF)),
        get(PATH),
        with_key(TestRequest::default().method(actix_web::http::Method::HEAD).uri(PATH)),
        with_key(TestRequest::delete().uri(PATH)),
        get(PATH),
        with_key(TestRequest::delete().uri(PATH)),
    ];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [404, 200, 200, 200, 204, 404, 404]);
    assert!(answers[1].json()["contract_file"].as_str().unwrap().starts_with("uploads/"));
    assert!(answers[1].header("etag").is_some());
    assert_eq!(answers[2].body, PDF);
    assert_eq!(files(&directory), 1, "it can come back");
}

#[actix_web::test]
async fn a_file_is_sent_so_that_no_browser_shows_it() {
    let (service, directory) = service(Some("contracts/a.html"));
    fs::create_dir(directory.path().join("contracts")).unwrap();
    fs::write(directory.path().join("contracts/a.html"), "<script>alert(1)</script>").unwrap();
    let answer = service.answer(get(PATH)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let expected = [
        ("content-type", "application/octet-stream"),
        ("content-disposition", "attachment; filename=\"a.html\"; filename*=UTF-8''a.html"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[actix_web::test]
async fn hostile_names_are_stored_harmlessly() {
    let long = format!("{}.pdf", "đ".repeat(200));
    let cases: [(&[u8], &str); 8] = [
        (b"../../etc/cron.d/a.pdf", "a.pdf"),
        (b"..\\..\\a.pdf", "a.pdf"),
        (b"a\0.exe.pdf", "a.exe.pdf"),
        ("a\u{202e}fdp.exe.pdf".as_bytes(), "afdp.exe.pdf"),
        (b"a; filename=b.html.pdf", "a; filename=b.html.pdf"),
        (b"\xff\xfe.pdf", "\u{fffd}\u{fffd}.pdf"),
        (b"<img src=x onerror=alert(1)>.pdf", "<img src=x onerror=alert(1)>.pdf"),
        (long.as_bytes(), ""),
    ];
    for (given, expected) in cases {
        let (mut service, directory) = service(None);
        service.repositories.contract_files.checkpoint();
        service.repositories.contract_files.expect_receive().times(1).returning(move |new| {
            let name = new.name.as_str();
            assert!(expected.is_empty() || name == expected, "{name}");
            assert!(name.len() <= 255);
            Ok(())
        });
        let answer = service.answer(put(form(given, PDF))).await;
        assert_eq!(answer.status, StatusCode::OK, "{expected}");
        assert_eq!(files(&directory), 1);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

#[actix_web::test]
async fn what_is_no_contract_is_refused_with_a_sentence() {
    let large = [PDF, &vec![b' '; 20 << 20]].concat();
    let zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x05\0\0\0a.bin";
    let cases: [(&str, &[u8], &str); 8] = [
        ("a.exe", b"MZ", "Contracts are pdf, docx, odt, jpg or png files."),
        ("a.pdf.svg", PDF, "Contracts are pdf"),
        ("a.pdf", b"MZ\x90\0", "is not pdf"),
        ("a.pdf", b"<html>%PDF-1.7", "is not pdf"),
        ("a.docx", zip, "is not docx"),
        ("a.png", PDF, "is not png"),
        ("a.pdf", b"", "is empty"),
        ("a.pdf", &large, "larger than 20 MiB"),
    ];
    for (name, content, sentence) in cases {
        let (service, directory) = service(None);
        let answer = service.answer(put(form(name.as_bytes(), content))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {sentence}");
        let told = answer.json()["file"][0].as_str().unwrap().to_owned();
        assert!(told.contains(sentence), "{told}");
        assert_eq!(files(&directory), 0, "{name} {sentence}");
    }
}

/// A file of a zip archive that says to be 4 GiB when it is unpacked.
fn bomb(name: &str) -> Vec<u8> {
    let mut entry =
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\xff\xff\xff\xff".to_vec();
    entry.extend([name.len() as u8, 0, 0, 0]);
    entry.extend(name.as_bytes());
    entry.extend([0; 16]);
    entry
}

#[actix_web::test]
async fn what_is_two_things_at_once_stays_a_file() {
    let bomb = [bomb("[Content_Types].xml"), bomb("word/document.xml")].concat();
    let page = b"%PDF-1.7\n<!doctype html><script>alert(1)</script>".to_vec();
    let program = [PDF, b"\n", &bomb].concat();
    for (name, content) in [("a.docx", bomb), ("a.pdf", page), ("a.pdf", program)] {
        let (service, directory) = service(None);
        let requests = vec![put(form(name.as_bytes(), &content)), get(PATH)];
        let answers = service.answers(requests).await;
        assert_eq!(answers[0].status, StatusCode::OK, "{name}: {:?}", answers[0].body);
        let stored =
            fs::read_dir(directory.path().join("uploads")).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read(stored.path()).unwrap(), content, "it is not unpacked");
        assert_eq!(answers[1].body, content);
        assert!(answers[1].header("content-disposition").unwrap().starts_with("attachment;"));
        assert_eq!(answers[1].header("x-content-type-options"), Some("nosniff"));
        let security = answers[1].header("content-security-policy");
        assert_eq!(security, Some("sandbox; default-src 'none'"));
    }
}

#[actix_web::test]
async fn bodies_that_are_no_upload_are_refused() {
    let (service, directory) = service(None);
    let json =
        with_key(TestRequest::put().uri(PATH)).insert_header(("Content-Type", "application/json"));
    let cut = form(b"a.pdf", PDF);
    let cut = cut[..cut.len() - 5].to_vec();
    let text = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--x--\r\n";
    let huge = put(Vec::new()).insert_header(("Content-Length", "30000000"));
    let requests = vec![json.set_payload("{}"), put(cut), put(text.to_vec()), huge];
    let answers = service.answers(requests).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [415, 400, 400, 413]);
    assert_eq!(answers[2].json(), json!({"file": ["No file was submitted."]}));
    assert_eq!(files(&directory), 0);
}

#[actix_web::test]
async fn other_clients_and_guessed_addresses_give_nothing() {
    let (service, directory) = service(Some("2026/a.pdf"));
    fs::create_dir(directory.path().join("2026")).unwrap();
    fs::write(directory.path().join("2026/a.pdf"), PDF).unwrap();
    let paths = [
        "/backend/api/v1/clients/8/contract/",
        "/backend/api/v1/clients/0/contract/",
        "/backend/api/v1/clients/a/contract/",
        "/backend/api/v1/clients/7/contract/2026/a.pdf",
        "/backend/api/v1/clients/7/contract/..%2f..%2fa.pdf",
        "/backend/api/v1/contracts/2026/a.pdf",
        "/media/2026/a.pdf",
        "/contracts/2026/a.pdf",
    ];
    let answers = service.answers(paths.map(get).into()).await;
    for (answer, path) in answers.iter().zip(paths) {
        let is_nothing = matches!(answer.status.as_u16(), 403 | 404);
        assert!(is_nothing, "{path}: {}", answer.status);
        assert!(!answer.body.starts_with(PDF), "{path}");
    }
}
