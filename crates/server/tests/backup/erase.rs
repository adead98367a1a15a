//! A person is erased, stays erased after a restore, and nobody else loses anything.

use exit3_ports::Value as Cell;

use super::*;

const SUBSCRIBERS: &str = "/backend/api/v1/newsletter/";

/// The rows of an archive as text, by table.
fn rows(path: &Path) -> Vec<(String, String)> {
    let mut archive = ArchiveReader::open(File::open(path).unwrap(), &Keys::default()).unwrap();
    let (mut table, mut rows) = (String::new(), Vec::new());
    loop {
        match archive.next_event().unwrap() {
            Event::Table { shape, .. } => table = shape.table.name.to_owned(),
            Event::Row(row) => {
                let texts = row.iter().filter_map(|cell| match cell {
                    Cell::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                rows.push((table.clone(), texts.collect::<Vec<_>>().join("|")));
            }
            Event::End => return rows,
            _ => {}
        }
    }
}

fn assert_names_nobody(rows: &[(String, String)]) {
    for (table, text) in rows {
        let text = text.to_lowercase();
        for trace in ["ana@", "ana horvat", "1234567", "wants a shop"] {
            assert!(!text.contains(trace), "{table}: {text}");
        }
    }
}

/// Gives a contract to a new client and takes it away again. Its file stays for a while.
async fn lose_a_contract(service: &Service) {
    let client = r#"{"team_id": "T", "category": "web_dev"}"#;
    let made = service.post("/backend/api/v1/clients/", KEY, client).await;
    let id = made.json::<Value>().await.unwrap()["id"].clone();
    let url = service.url(&format!("/backend/api/v1/clients/{id}/contract/"));
    let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ana@acme.hr.pdf\"\
                \r\n\r\n%PDF-1.7\n\r\n--x--\r\n";
    let upload = reqwest::Client::new().put(&url).body(body);
    let upload = upload.header("Content-Type", "multipart/form-data; boundary=x");
    for (request, status) in [(upload, 200), (reqwest::Client::new().delete(&url), 204)] {
        let sent = request.header("Authorization", format!("Basic {KEY}")).send();
        assert_eq!(sent.await.unwrap().status(), status);
    }
}

async fn assert_a_person_is_erased(kind: Kind) {
    let site = Site::new(kind).await;
    let to = [("BACKUP_TO", "backups")];
    let must = |arguments: &[&str]| {
        let output = site.run_with(&to, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    };
    let service = Arc::new(site.service());
    let create = async |body: Value| -> u64 {
        let answer = service.post(LEADS, KEY, &body.to_string()).await;
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_u64().unwrap()
    };
    let lead = |name: &str, email: &str| {
        json!({"full_name": name, "position": "CTO", "email": email,
               "phone_number": "+38591 123 4567", "notes": "wants a shop"})
    };
    let change = async |id: u64, body: Value| {
        let url = format!("{LEADS}{id}/");
        let client = reqwest::Client::new().patch(service.url(&url));
        let sent = client.header("Authorization", format!("Basic {KEY}")).json(&body).send();
        assert_eq!(sent.await.unwrap().status(), 200);
    };
    let hers = create(lead("Ana Horvat", "Ana@acme.hr")).await;
    change(hers, json!({"position": "CEO"})).await;
    let deleted = create(lead("Ana Horvat", "ana@acme.hr")).await;
    change(deleted, json!({"full_name": "Ana Horvat-Novak"})).await;
    let client = reqwest::Client::new().delete(service.url(&format!("{LEADS}{deleted}/")));
    let sent = client.header("Authorization", format!("Basic {KEY}")).send().await.unwrap();
    assert_eq!(sent.status(), 204);
    // Somebody else has this lead today.
    let given = create(lead("Ana Horvat", "ana@acme.hr")).await;
    let bob = json!({"full_name": "Bob", "email": "bob@acme.hr", "phone_number": null,
                     "notes": null});
    change(given, bob).await;
    let other = json!({"full_name": "Eva", "position": "CTO", "email": "eva@acme.hr"});
    let other = create(other).await;
    for email in ["ana@acme.hr", "eva@acme.hr"] {
        let body = json!({ "email": email }).to_string();
        assert_eq!(service.post(SUBSCRIBERS, KEY, &body).await.status(), 201);
    }
    lose_a_contract(&service).await;
    let files = || std::fs::read_dir(site.path("data/contracts/uploads")).unwrap().count();
    assert_eq!(files(), 1);
    let archive = site.back_up();
    let before = sums(&archive);

    let said = must(&["erase", "--email", "ANA@acme.hr", "--dry-run"]);
    assert_eq!(said, "Would erase: 1 leads, 1 subscribers, values in 4 events\n");
    assert_eq!(sums(&site.back_up()), before);
    for wrong in [&["erase"][..], &["erase", "--email", "ana"], &["erase", "--phone", "12"]] {
        refused(&site.run(wrong));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_until(Arc::clone(&service), Arc::clone(&stop)));
    let said = tokio::task::block_in_place(|| must(&["erase", "--email", "ANA@acme.hr"]));
    stop.store(true, Ordering::Relaxed);
    let answers = writer.await.unwrap();
    assert!(answers.iter().all(|(_, status)| *status == 201), "{answers:?}");
    assert!(said.starts_with("Erased: 1 leads, 1 subscribers, values in 4 events\n"), "{said}");
    for (id, status) in [(hers, 404), (given, 200), (other, 200)] {
        assert_eq!(service.get(&format!("{LEADS}{id}/"), KEY).await.status(), status, "{id}");
    }
    assert_eq!(files(), 0);
    let rows_after = rows(&site.back_up());
    let kept: Vec<_> = rows_after
        .iter()
        .filter(|(_, text)| !text.to_lowercase().contains("under-load"))
        .cloned()
        .collect();
    // The leads that are written meanwhile have her name.
    assert_names_nobody(&kept);
    let event = kept.iter().find(|(_, text)| text.contains("person.erased")).unwrap();
    assert!(event.1.contains("command:erase"), "{event:?}");
    assert_eq!(count(&service, "search=eva@acme.hr").await, 1);
    assert_eq!(count(&service, "search=under-load").await, answers.len() as u64);

    // The number finds what the address does not.
    create(json!({"full_name": "Iva", "position": "CTO", "phone_number": "0038598 765 4321"}))
        .await;
    let said = must(&["erase", "--phone", "+385 (98) 765-4321"]);
    assert!(said.starts_with("Erased: 1 leads\n"), "{said}");
    drop(Arc::into_inner(service));

    // An archive from before brings nobody back.
    let archive = archive.to_str().unwrap();
    let said = must(&["restore", archive, "--replace"]);
    let again = "Erased again, as listed: 1 leads, 1 subscribers, values in 4 events\n";
    assert!(said.ends_with(again), "{said}");
    assert_eq!(files(), 0, "the archive contains the file that was removed");
    let restored = rows(&site.back_up());
    assert_names_nobody(&restored);
    assert_eq!(restored.iter().filter(|(table, _)| table == "leads").count(), 2);
    // What she writes after the erasure is hers to keep, also in a restore.
    let service = site.service();
    let again_here = lead("Ana Horvat", "ana@acme.hr").to_string();
    assert_eq!(service.post(LEADS, KEY, &again_here).await.status(), 201);
    let newer = site.back_up();
    drop(service);
    let said = must(&["restore", newer.to_str().unwrap(), "--replace"]);
    assert!(!said.contains("Erased again"), "{said}");
    assert_eq!(sums(&site.back_up()), sums(&newer));
    // Elsewhere, the list beside the archive counts as well.
    let copy = Site::new(Kind::Sqlite).await;
    assert!(copy.must(&["restore", archive]).ends_with(again));
    assert_names_nobody(&rows(&copy.back_up()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_sqlite() {
    assert_a_person_is_erased(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_postgres() {
    assert_a_person_is_erased(Kind::Postgres).await;
}

/// The person has a file, but no row that names the person.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_also_removes_the_files_of_a_person_without_rows() {
    let site = Site::new(Kind::Sqlite).await;
    let service = site.service();
    lose_a_contract(&service).await;
    drop(service);
    let archive = site.back_up();
    let files = || std::fs::read_dir(site.path("data/contracts/uploads")).unwrap().count();
    let to = [("BACKUP_TO", "backups")];
    assert!(site.run_with(&to, &["erase", "--email", "ana@acme.hr"]).status.success());
    assert_eq!(files(), 0);
    site.must(&["restore", archive.to_str().unwrap(), "--replace"]);
    assert_eq!(files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_a_clock_from_the_future_has_dated_brings_nobody_back() {
    let site = Site::new(Kind::Sqlite).await;
    let service = site.service();
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr"}).to_string();
    assert_eq!(service.post(LEADS, KEY, &lead).await.status(), 201);
    drop(service);
    let archive = site.back_up();
    let erase = ["erase", "--email", "ana@acme.hr"];
    assert!(site.run_with(&[("BACKUP_TO", "backups")], &erase).status.success());
    // As if the clock had been right by then, and years ahead before.
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let names = std::fs::read_dir(site.path("backups")).unwrap().map(|entry| name(entry.unwrap()));
    let listed = names.into_iter().find(|name| name.starts_with("erased-")).unwrap();
    let (_, rest) = listed.split_once('T').unwrap();
    let earlier = format!("backups/erased-20200101T{rest}");
    std::fs::rename(site.path("backups").join(&listed), site.path(&earlier)).unwrap();
    let said = site.must(&["restore", archive.to_str().unwrap(), "--replace"]);
    assert!(said.ends_with("Erased again, as listed: 1 leads\n"), "{said}");
}
