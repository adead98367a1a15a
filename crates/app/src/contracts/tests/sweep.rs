//! Removal of files that no client has.

use exit3_domain::contracts::KEPT_DAYS;
use exit3_ports::MockContractStore;

use super::*;

#[tokio::test(start_paused = true)]
async fn files_that_a_crash_left_are_removed_after_a_day_and_others_stay() {
    let (mut mocks, directory) = mocks(None, None);
    let old =
        ["uploads/left", "uploads/known", "2024/imported.pdf", "uploads/unused", "uploads/back"];
    for name in old.iter().chain(&["uploads/young"]) {
        put(directory.path(), name, PDF);
    }
    let real = std::time::SystemTime::from(now());
    for name in old {
        let file = fs::File::open(directory.path().join(name)).unwrap();
        file.set_modified(real - Duration::from_secs(25 * 3600)).unwrap();
    }
    let young = fs::File::open(directory.path().join("uploads/young")).unwrap();
    young.set_modified(real - Duration::from_secs(23 * 3600)).unwrap();
    let files = &mut mocks.repositories.contract_files;
    files.expect_sweep().times(1).returning(|at, end| {
        assert_eq!((at, at - end), (now(), chrono::TimeDelta::days(KEPT_DAYS)));
        Ok(["uploads/unused", "../outside", "uploads/back"].map(str::to_owned).into())
    });
    files.expect_needless().times(2).returning(|asked| {
        let mut asked = asked.to_vec();
        asked.sort();
        if asked == ["../outside", "uploads/back", "uploads/unused"] {
            return Ok(asked.into_iter().filter(|file| file != "uploads/back").collect());
        }
        assert_eq!(asked, ["uploads/back", "uploads/known", "uploads/left"]);
        Ok(vec!["uploads/left".to_owned()])
    });
    let gone = ["../outside", "uploads/left", "uploads/unused"];
    files.expect_discard().times(3).returning(move |file| Ok(gone.contains(&file)));
    let app = mocks.into_app();
    let began = tokio::time::Instant::now();
    sweep(app.clone(), Sweep {}).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(5), "an undo that has begun keeps its file");
    let mut left = names(&app);
    left.sort();
    assert_eq!(left, ["2024/imported.pdf", "uploads/back", "uploads/known", "uploads/young"]);
}

#[tokio::test(start_paused = true)]
async fn an_erasure_removes_all_files_that_no_client_has() {
    let (mut mocks, directory) = mocks(None, None);
    put(directory.path(), "uploads/unused", PDF);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    mocks.repositories.contract_files.expect_sweep().times(2).returning(move |at, end| {
        seen.lock().unwrap().push(end > at);
        Ok(if end > at { vec!["uploads/unused".to_owned()] } else { Vec::new() })
    });
    let files = &mut mocks.repositories.contract_files;
    files.expect_needless().returning(|names| Ok(names.to_vec()));
    files.expect_discard().times(1).returning(|_| Ok(true));
    let app = mocks.into_app();
    purge(&app).await.unwrap();
    assert_eq!(*calls.lock().unwrap(), [false, true]);
    assert_eq!(names(&app), [""; 0]);
}

/// An upload was cut off before it had a row.
#[tokio::test(start_paused = true)]
async fn an_erasure_removes_files_without_rows() {
    let (mut mocks, directory) = mocks(None, None);
    let real = std::time::SystemTime::from(now());
    for (name, minutes) in [("uploads/left", 61), ("uploads/arriving", 59)] {
        put(directory.path(), name, PDF);
        let file = fs::File::open(directory.path().join(name)).unwrap();
        file.set_modified(real - Duration::from_secs(minutes * 60)).unwrap();
    }
    let files = &mut mocks.repositories.contract_files;
    files.expect_sweep().returning(|_, _| Ok(Vec::new()));
    files.expect_needless().returning(|names| Ok(names.to_vec()));
    files.expect_discard().returning(|_| Ok(false));
    let app = mocks.into_app();
    purge(&app).await.unwrap();
    assert_eq!(names(&app), ["uploads/arriving"]);
}

/// The mocks refuse every write.
#[tokio::test]
async fn nothing_is_erased_while_the_directory_is_away() {
    let (mut mocks, directory) = mocks(None, None);
    mocks.contracts = Arc::new(ContractDirectory::required(directory.path().join("away")));
    let outcome = purge(&mocks.into_app()).await;
    assert!(matches!(outcome, Err(ContractError::Files)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_removed_keeps_none_of_the_others() {
    let (mut mocks, _directory) = mocks(None, None);
    let mut store = MockContractStore::new();
    store.expect_check().returning(|| Ok(()));
    let first = |name: &str| name == "uploads/first";
    store.expect_remove().times(1).withf(first).returning(|_| Err(io::Error::other("no")));
    store.expect_remove().times(1).withf(move |name| !first(name)).returning(|_| Ok(()));
    mocks.contracts = Arc::new(store);
    let gone = || vec!["uploads/first".to_owned(), "uploads/second".to_owned()];
    let files = &mut mocks.repositories.contract_files;
    files.expect_sweep().returning(move |_, _| Ok(gone()));
    files.expect_needless().returning(|names| Ok(names.to_vec()));
    // The row of the first one stays, so that it is found again.
    files.expect_discard().times(1).withf(move |name| !first(name)).returning(|_| Ok(true));
    assert!(matches!(purge(&mocks.into_app()).await, Err(ContractError::Files)));
}
