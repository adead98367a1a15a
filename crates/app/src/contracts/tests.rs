mod sweep;
mod undo;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use exit3_domain::access::{Worker, may};
use exit3_domain::clients::NewClient;
use exit3_domain::contracts::ContractKind;
use exit3_domain::events::{Act, Author, Conflicts, EventId, Subject, Verb};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_domain::staff::{Role, StaffId};
use exit3_files::ContractDirectory;
use exit3_ports::{Constraint, MockContractScanner};
use tempfile::TempDir;

use super::*;
use crate::testing::{Mocks, author, away, doer, now, stored};

const ME: StaffId = StaffId(1);
const PDF: &[u8] = b"%PDF-1.7\nUgovor";

/// The client 7, of the lead 3, with this contract.
fn client(file: Option<&str>) -> Client {
    let details = NewClient {
        lead: Some(LeadId(3)),
        team_id: "T1".to_owned(),
        monthly_charge: None,
        one_time_charge: None,
        contract_file: file.map(str::to_owned),
        short_description: String::new(),
        category: LeadCategory::WebDev,
    };
    Client { id: ClientId(7), details }
}

/// Mocks of a client with this contract, whose lead has this owner, and a directory.
fn mocks(file: Option<&str>, owner: Option<StaffId>) -> (Mocks, TempDir) {
    let mut mocks = Mocks::new();
    let client = client(file);
    mocks.repositories.clients.expect_find().returning(move |_| Ok(Some(client.clone())));
    mocks.repositories.leads.expect_find().returning(move |id| {
        let mut lead = stored(id.0);
        lead.work.owner = owner;
        Ok(Some(lead))
    });
    let directory = tempfile::tempdir().unwrap();
    mocks.contracts = Arc::new(ContractDirectory::new(directory.path()));
    (mocks, directory)
}

fn put(directory: &Path, name: &str, content: &[u8]) {
    let place = directory.join(name);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, content).unwrap();
}

fn names(app: &App) -> Vec<String> {
    let found = app.contracts.store.list().map(Result::unwrap);
    found
        .map(|found| match found {
            exit3_ports::ContractFound::File { name, .. } => name,
            exit3_ports::ContractFound::Other(other) => panic!("{other}"),
        })
        .collect()
}

async fn upload(app: &App, name: &str, content: &[u8]) -> Result<Client, ContractError> {
    let mut receiving = receive(app, ClientId(7), name, &doer()).await?;
    for piece in content.chunks(100_000) {
        receiving.add(piece).await?;
    }
    receiving.finish(app, &Expected::default(), &doer()).await
}

#[tokio::test]
async fn a_file_is_stored_before_its_row_and_before_the_client_has_it() {
    let (mut mocks, directory) = mocks(None, None);
    let content = [PDF, &vec![b' '; 200_000]].concat();
    let (path, size) = (directory.path().to_owned(), content.len() as u64);
    mocks.repositories.contract_files.expect_receive().times(1).returning(move |new| {
        assert_eq!(fs::metadata(path.join(&new.file)).unwrap().len(), size);
        assert_eq!((new.client, new.name.as_str()), (ClientId(7), "Ugovor čšž.pdf"));
        assert_eq!((new.received.size, new.received.at), (size, now()));
        assert_eq!(new.received.by, author().actor);
        Ok(())
    });
    mocks.repositories.clients.expect_update().times(1).returning(|seen, details, _| {
        assert_eq!(seen.details.contract_file, None);
        Ok(Client { id: seen.id, details: details.clone() })
    });
    let app = mocks.into_app();
    let given = upload(&app, "C:\\Ana\\Ugovor čšž.pdf", &content).await.unwrap();
    let file = given.details.contract_file.unwrap();
    assert_eq!(file, format!("uploads/{}", "07".repeat(16)));
    assert_eq!(names(&app), std::slice::from_ref(&file));
    assert_eq!(fs::read(directory.path().join(file)).unwrap(), content);
}

#[tokio::test]
async fn refused_files_leave_nothing() {
    let large = vec![b' '; 21 << 20];
    let cases: [(&str, &[u8], ContractRefused); 5] = [
        ("a.exe", PDF, ContractRefused::Kind),
        ("a.pdf", b"<html>", ContractRefused::Content(ContractKind::Pdf)),
        ("a.docx", PDF, ContractRefused::Content(ContractKind::Docx)),
        ("a.pdf", b"", ContractRefused::Empty),
        ("a.pdf", &[PDF, &large].concat(), ContractRefused::TooLarge),
    ];
    for (name, content, expected) in cases {
        let (mocks, directory) = mocks(None, None);
        let app = mocks.into_app();
        match upload(&app, name, content).await {
            Err(ContractError::Refused(refused)) => assert_eq!(refused, expected),
            other => panic!("{name}: {other:?}"),
        }
        let uploads = directory.path().join("uploads");
        assert!(!uploads.exists() || fs::read_dir(uploads).unwrap().count() == 0, "{name}");
    }
}

#[tokio::test]
async fn a_scanner_decides_and_without_its_answer_nothing_is_stored() {
    let scanners: [fn() -> io::Result<Option<String>>; 2] = [
        || Ok(Some("Eicar-Test-Signature".to_owned())),
        || Err(io::ErrorKind::ConnectionRefused.into()),
    ];
    for (place, answer) in scanners.into_iter().enumerate() {
        let (mut mocks, _directory) = mocks(None, None);
        let mut scanner = MockContractScanner::new();
        scanner.expect_scan().times(1).returning(move |content| {
            let mut seen = Vec::new();
            content.read_to_end(&mut seen).unwrap();
            assert_eq!(seen, PDF);
            answer()
        });
        mocks.scanner = Some(scanner);
        let app = mocks.into_app();
        let error = upload(&app, "a.pdf", PDF).await.unwrap_err();
        let is_expected = match error {
            ContractError::Refused(ContractRefused::Infected) => place == 0,
            ContractError::NotScanned => place == 1,
            _ => false,
        };
        assert!(is_expected, "{error:?}");
        assert_eq!(names(&app), [""; 0]);
    }
}

#[tokio::test]
async fn a_file_that_the_client_does_not_get_is_removed() {
    for stale in [true, false] {
        let (mut mocks, _directory) = mocks(None, None);
        mocks.repositories.contract_files.expect_receive().returning(|_| Ok(()));
        mocks.repositories.contract_files.expect_discard().times(1).returning(|_| Ok(true));
        mocks.repositories.clients.expect_update().returning(move |_, _, _| {
            let stale_row = StoreError::Conflict(Constraint::Stale);
            Err(if stale { stale_row } else { StoreError::NotFound })
        });
        let app = mocks.into_app();
        let error = upload(&app, "a.pdf", PDF).await.unwrap_err();
        let is_expected = match error {
            ContractError::Contended => stale,
            ContractError::NotFound => !stale,
            _ => false,
        };
        assert!(is_expected, "{error:?}");
        assert_eq!(names(&app), [""; 0]);
    }
}

/// The update may still be under way, and give the file to the client.
#[tokio::test]
async fn a_file_stays_while_the_client_may_get_it() {
    let (mut mocks, _directory) = mocks(None, None);
    mocks.repositories.contract_files.expect_receive().returning(|_| Ok(()));
    mocks.repositories.contract_files.expect_discard().never();
    mocks.repositories.clients.expect_update().returning(|_, _, _| Err(away()));
    let app = mocks.into_app();
    let error = upload(&app, "a.pdf", PDF).await.unwrap_err();
    assert!(matches!(error, ContractError::Store(StoreError::Unavailable(_))), "{error:?}");
    assert_eq!(names(&app).len(), 1);
}

/// The lead of the client gets another owner while the file arrives.
#[tokio::test]
async fn a_client_that_came_to_somebody_else_gets_no_file() {
    let mut mocks = Mocks::new();
    mocks.repositories.clients.expect_find().returning(|_| Ok(Some(client(None))));
    let mut owners = [ME, StaffId(2)].into_iter();
    mocks.repositories.leads.expect_find().returning(move |id| {
        let mut lead = stored(id.0);
        lead.work.owner = owners.next();
        Ok(Some(lead))
    });
    let directory = tempfile::tempdir().unwrap();
    mocks.contracts = Arc::new(ContractDirectory::new(directory.path()));
    let app = mocks.into_app();
    let doer = Doer::worker(author(), Worker { id: ME, role: Role::Sales });
    let mut receiving = receive(&app, ClientId(7), "a.pdf", &doer).await.unwrap();
    receiving.add(PDF).await.unwrap();
    let error = receiving.finish(&app, &Expected::default(), &doer).await.unwrap_err();
    assert!(matches!(error, ContractError::Forbidden(_)), "{error:?}");
    assert_eq!(names(&app), [""; 0]);
}

#[tokio::test]
async fn another_version_of_the_client_keeps_its_contract() {
    let (mut mocks, directory) = mocks(Some("2026/a.pdf"), None);
    put(directory.path(), "2026/a.pdf", PDF);
    mocks.repositories.contract_files.expect_receive().returning(|_| Ok(()));
    mocks.repositories.contract_files.expect_discard().returning(|_| Ok(true));
    let app = mocks.into_app();
    let seen =
        exit3_domain::versions::Versions::These(vec![exit3_domain::versions::Version::named(
            "another",
        )]);
    let expected = Expected { only: Some(seen), except: None };
    let mut receiving = receive(&app, ClientId(7), "b.pdf", &doer()).await.unwrap();
    receiving.add(PDF).await.unwrap();
    let error = receiving.finish(&app, &expected, &doer()).await.unwrap_err();
    assert!(matches!(error, ContractError::Unexpected), "{error:?}");
    let error = remove(&app, ClientId(7), &expected, &doer()).await.unwrap_err();
    assert!(matches!(error, ContractError::Unexpected), "{error:?}");
    assert_eq!(names(&app), ["2026/a.pdf"]);
}

#[tokio::test]
async fn each_role_reaches_the_contracts_that_the_rules_allow() {
    for role in Role::ALL.iter().copied() {
        for owner in [None, Some(ME), Some(StaffId(2))] {
            let worker = Worker { id: ME, role };
            let allowed = may(&worker, Action::Contract, Record::Client(owner));
            assert_eq!(allowed, role <= Role::Manager || role == Role::Sales && owner == Some(ME));
            let (mut mocks, directory) = mocks(Some("2026/a.pdf"), owner);
            put(directory.path(), "2026/a.pdf", PDF);
            let files = &mut mocks.repositories.contract_files;
            files.expect_find().returning(|_| Ok(None));
            files.expect_note_download().returning(|_, _, _| Ok(()));
            mocks.repositories.clients.expect_update().returning(|seen, _, _| Ok(seen.clone()));
            let app = mocks.into_app();
            let doer = Doer::worker(author(), worker);
            let outcomes = [
                send(&app, ClientId(7), true, &doer).await.map(drop),
                receive(&app, ClientId(7), "a.pdf", &doer).await.map(drop),
                remove(&app, ClientId(7), &Expected::default(), &doer).await.map(drop),
            ];
            for outcome in outcomes {
                let is_forbidden = matches!(outcome, Err(ContractError::Forbidden(_)));
                assert_eq!(is_forbidden, !allowed, "{role} {owner:?}: {outcome:?}");
                assert!(is_forbidden || outcome.is_ok(), "{outcome:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_contract_is_sent_after_its_event_is_stored() {
    let content: Vec<u8> = (0..200_001_u32).map(|at| (at % 251) as u8).collect();
    let (mut mocks, directory) = mocks(Some("contracts/2024/Ugovor.docx"), None);
    put(directory.path(), "contracts/2024/Ugovor.docx", &content);
    let files = &mut mocks.repositories.contract_files;
    // The import brought the file, so the service knows only its path.
    files.expect_find().returning(|_| Ok(None));
    files.expect_note_download().times(1).returning(|client, contract, act: &Act| {
        assert_eq!((client, contract.name.as_str()), (ClientId(7), "Ugovor.docx"));
        assert_eq!(act.author, Author::from(author().actor));
        Ok(())
    });
    let app = mocks.into_app();
    for is_sent in [true, false] {
        let mut sending = send(&app, ClientId(7), is_sent, &doer()).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let piece = sending.next().await.unwrap();
            if piece.is_empty() {
                break;
            }
            seen.extend(piece);
        }
        assert!(seen == content && sending.size == 200_001);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_sent() {
    for file in [None, Some(""), Some("../secret"), Some("/etc/passwd"), Some("2026/missing.pdf")] {
        let (mut mocks, directory) = mocks(file, None);
        put(directory.path(), "secret", PDF);
        mocks.repositories.contract_files.expect_find().returning(|_| Ok(None));
        let app = mocks.into_app();
        let outcome = send(&app, ClientId(7), true, &doer()).await.map(drop);
        assert!(matches!(outcome, Err(ContractError::NotFound)), "{file:?}: {outcome:?}");
    }
    let (mut mocks, directory) = mocks(Some("2026/a.pdf"), None);
    put(directory.path(), "2026/a.pdf", PDF);
    let files = &mut mocks.repositories.contract_files;
    files.expect_find().returning(|_| Ok(None));
    files.expect_note_download().returning(|_, _, _| Err(StoreError::Unavailable("x".into())));
    let outcome = send(&mocks.into_app(), ClientId(7), true, &doer()).await.map(drop);
    assert!(matches!(outcome, Err(ContractError::Store(_))), "no file without its event");
}
