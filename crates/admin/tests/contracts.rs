//! The contract of a client in the back office.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use std::fs;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use exit3_domain::clients::{Client, NewClient};
use exit3_domain::events::{Changes, Verb};
use exit3_domain::staff::{Language, Role};
use exit3_files::ContractDirectory;
use exit3_ports::SignIns;
use office::{Office, client, created, get, now, signed_in, token};
use tempfile::TempDir;

const PATH: &str = "/backend/admin/clients/7/contract/";
const FILE: &str = "2026/Ugovor <b>.pdf";
const PDF: &[u8] = b"%PDF-1.7\nUgovor";

fn office(language: Option<Language>) -> (Office, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::of(Role::Manager, None, language);
    office.repositories.clients.checkpoint();
    office.repositories.clients.expect_find().returning(|_| {
        let details = NewClient { contract_file: Some(FILE.to_owned()), ..client().details };
        Ok(Some(Client { details, ..client() }))
    });
    office.contracts = Some(Arc::new(ContractDirectory::new(directory.path())));
    (office, directory)
}

fn upload(parts: &[(&str, Option<&str>, &[u8])]) -> TestRequest {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    let request = signed_in(TestRequest::post().uri(PATH));
    request.insert_header(("Content-Type", "multipart/form-data; boundary=x")).set_payload(body)
}

#[actix_web::test]
async fn the_page_shows_the_contract_and_a_form() {
    for language in [Language::English, Language::Croatian] {
        let (office, _directory) = office(Some(language));
        let answer = office.answer(get(PATH)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains("Ugovor &#60;b&#62;.pdf"), "{}", answer.body);
        assert!(answer.body.contains("enctype=\"multipart/form-data\""));
        let is_croatian = answer.body.contains("Zamijeni ga");
        assert_eq!(is_croatian, language == Language::Croatian);
    }
}

#[actix_web::test]
async fn an_upload_leads_back_with_an_offer_to_undo() {
    let (mut office, directory) = office(None);
    let all = &mut office.repositories;
    all.contract_files.expect_receive().times(1).returning(|new| {
        assert_eq!(new.name.as_str(), "Ugovor čšž.pdf");
        assert_eq!(new.received.at, now());
        Ok(())
    });
    all.clients.expect_update().times(1).returning(|seen, _, _| Ok(seen.clone()));
    all.events.checkpoint();
    all.events.expect_list().returning(|_, _, _| {
        let mut event = created(7);
        event.verb = Verb::of("client", Verb::UPDATED);
        event.changes = Changes::None;
        Ok(vec![event])
    });
    let request = upload(&[("file", Some("Ugovor čšž.pdf"), PDF)]);
    let answer = office.answer(request).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), "/backend/admin/clients/7/?done=contract-stored&event=1");
    let stored = fs::read_dir(directory.path().join("uploads")).unwrap().next().unwrap();
    assert_eq!(fs::read(stored.unwrap().path()).unwrap(), PDF);
}

#[actix_web::test]
async fn a_refused_file_is_explained_on_the_page() {
    let nothing: &[(&str, Option<&str>, &[u8])] = &[("file", None, b"")];
    let cases = [
        (upload(&[("file", Some("a.exe"), b"MZ")]), "pdf, docx, odt, jpg or png files."),
        (upload(&[("file", Some("a.pdf"), b"MZ")]), "not of the kind that its name says"),
        (upload(&[("file", Some("a.pdf"), b"")]), "The file is empty."),
        (upload(nothing), "No file was chosen."),
    ];
    for (request, sentence) in cases {
        let (office, directory) = office(None);
        let answer = office.answer(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{sentence}");
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
        assert!(answer.body.contains("role=\"alert\""));
        let uploads = fs::read_dir(directory.path().join("uploads"));
        assert_eq!(uploads.map_or(0, Iterator::count), 0);
    }
}

#[actix_web::test]
async fn another_version_of_the_client_keeps_its_contract() {
    let (mut office, _directory) = office(None);
    office.repositories.contract_files.expect_receive().returning(|_| Ok(()));
    office.repositories.contract_files.expect_discard().returning(|_| Ok(true));
    let request = upload(&[("_version", None, b"old"), ("file", Some("a.pdf"), PDF)]);
    let answer = office.answer(request).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert!(answer.body.contains("Somebody else changed this client"), "{}", answer.body);
}

#[actix_web::test]
async fn a_sign_in_that_ends_during_an_upload_stores_nothing() {
    let (mut office, directory) = office(None);
    let found = office.repositories.sign_ins.find(&token().digest()).await.unwrap();
    office.repositories.sign_ins.checkpoint();
    office.repositories.sign_ins.expect_find().times(1).return_once(move |_| Ok(found));
    office.repositories.sign_ins.expect_find().returning(|_| Ok(None));
    let answer = office.answer(upload(&[("file", Some("a.pdf"), PDF)])).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let uploads = fs::read_dir(directory.path().join("uploads"));
    assert_eq!(uploads.map_or(0, Iterator::count), 0);
}

#[actix_web::test]
async fn a_stranger_who_sends_a_file_signs_in_first() {
    let (office, directory) = office(None);
    let request = upload(&[("file", Some("a.pdf"), PDF)]);
    let answer = office.answer(request.insert_header(("Cookie", "exit3=none"))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let next = "/backend/admin/sign-in/?next=%2Fbackend%2Fadmin%2Fclients%2F7%2Fcontract%2F";
    assert_eq!(answer.header("location"), next);
    assert!(!directory.path().join("uploads").exists());
}

#[actix_web::test]
async fn a_download_is_an_attachment() {
    let (mut office, directory) = office(None);
    fs::create_dir(directory.path().join("2026")).unwrap();
    fs::write(directory.path().join(FILE), PDF).unwrap();
    let files = &mut office.repositories.contract_files;
    files.expect_note_download().times(1).returning(|_, _, _| Ok(()));
    let answer = office.answer(get(&format!("{PATH}file/"))).await;
    assert_eq!(answer.body.as_bytes(), PDF);
    assert!(answer.header("content-disposition").starts_with("attachment; filename="));
    assert_eq!(answer.header("content-type"), "application/pdf");
    assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(answer.header("cache-control"), "no-store");
}
