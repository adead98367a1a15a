//! Backing up and restoring contract files.

use super::*;

pub(super) fn directory_of(place: &Path, name: &str) -> std::path::PathBuf {
    place.parent().unwrap().join(name)
}

#[tokio::test]
async fn no_file_is_written_outside_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir(&place).unwrap();
    std::os::unix::fs::symlink(directory.path(), place.join("link")).unwrap();
    for name in ["../a", "/tmp/exit3-a", "a/../../b", "link/a", "link", "", "."] {
        let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
        writer.file(name, &b"x"[..]).unwrap();
        let bytes = writer.finish().unwrap();
        let mut reader = open(&bytes, &Keys::default()).unwrap();
        let staging = ContractDirectory::new(&place).stage(true);
        let to = Memory::default();
        let load = Box::new(to.clone());
        let outcome = restore(&mut reader, load, Some(staging), false, &Quiet).await;
        assert!(
            matches!(outcome, Err(ArchiveError::Contract(ContractError::Outside(_)))),
            "{name}: {outcome:?}"
        );
        assert!(!to.was_committed());
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_link_is_left_out_and_reported() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(directory.path());
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link")).unwrap();
    let (_, made) = archive(&mut Memory::default(), &files, &Lock::Open).await;
    assert_eq!((made.files, made.left_out), (3, vec!["link".to_owned()]));
}

#[tokio::test]
async fn an_existing_file_is_replaced_only_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let files = contracts(&directory.path().join("from"));
    let (bytes, _) = archive(&mut Memory::default(), &files, &Lock::Open).await;
    let place = directory.path().join("to");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("long.bin"), "mine").unwrap();
    for (replace, expected) in [(false, 4), (true, 100_000)] {
        let mut reader = open(&bytes, &Keys::default()).unwrap();
        let staging = ContractDirectory::new(&place).stage(replace);
        let load = Box::new(Memory::default());
        let outcome = restore(&mut reader, load, Some(staging), false, &Quiet).await;
        assert_eq!(outcome.is_ok(), replace);
        assert_eq!(fs::metadata(place.join("long.bin")).unwrap().len(), expected);
    }
}

/// The names of all entries below a directory.
fn below(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        names.extend(below(&entry.path()));
    }
    names
}

pub(super) fn with_files(names: &[&str]) -> Vec<u8> {
    let mut writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
    writer.table(&shape("leads"), 0, 0).unwrap().finish().unwrap();
    for name in names {
        writer.file(name, &b"x"[..]).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn a_file_waits_in_its_final_directory_which_may_be_another_disk() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir_all(place.join("mounted")).unwrap();
    let files = ContractDirectory::new(&place);
    let mut staging = files.stage(false);
    for name in ["mounted/a", "new/deep/b"] {
        staging.begin(name.to_owned()).unwrap();
        staging.add(b"x").unwrap();
        staging.end("").unwrap();
    }
    let waiting = below(&place.join("mounted"));
    let is_one = |name: &str| name.starts_with(".restore-") && name.ends_with(".partial");
    assert!(matches!(&waiting[..], [name] if is_one(name)), "{waiting:?}");
    // A backup taken meanwhile skips the temporary file.
    assert_eq!(archive(&mut Memory::default(), &files, &Lock::Open).await.1.files, 0);
    drop(staging);
    assert_eq!(below(&place), ["mounted"], "dropping the staging leaves nothing");
}

/// Sets a file's age in hours.
fn age(path: &Path, hours: u64) {
    let file = fs::File::open(path).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - std::time::Duration::from_secs(hours * 60 * 60)).unwrap();
}

#[tokio::test]
async fn a_contract_is_not_taken_for_a_temporary_file() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    let names = [
        ".restore-a1B2c3.partial/deep.pdf",
        ".restore-a1B2c3.partial.pdf",
        ".restore-plan.pdf",
        ".restore-plan-b.partial",
        ".restore-plan_b.partial",
        "my.restore-a1B2c3.partial",
    ];
    fs::create_dir_all(place.join(names[0]).parent().unwrap()).unwrap();
    for name in names {
        fs::write(place.join(name), name).unwrap();
    }
    let files = ContractDirectory::new(&place);
    let (bytes, made) = archive(&mut Memory::default(), &files, &Lock::Open).await;
    assert_eq!(made.files, names.len() as u64);
    fs::remove_dir_all(&place).unwrap();
    let mut reader = open(&bytes, &Keys::default()).unwrap();
    let load = Box::new(Memory::default());
    restore(&mut reader, load, Some(files.stage(false)), false, &Quiet).await.unwrap();
    for name in names {
        age(&place.join(name), 25);
    }
    drop(files.stage(false));
    for name in names {
        assert_eq!(fs::read_to_string(place.join(name)).unwrap(), name);
    }
    // A contract of such a name is reported, instead of being lost after a day.
    let refused = files.stage(false).begin("a/.restore-a1B2c3.partial".to_owned());
    assert!(matches!(refused, Err(ContractError::Staged(_))), "{refused:?}");
    assert_eq!(below(&place).len(), names.len() + 1);
}

#[tokio::test]
async fn unusable_paths_are_found_before_rows_are_committed() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("file"), "mine").unwrap();
    for (names, wrong) in [(&["a", "file/b"][..], "file/b"), (&["a", "a/b"], "a")] {
        let mut reader = open(&with_files(names), &Keys::default()).unwrap();
        let (to, staging) = (Memory::default(), ContractDirectory::new(&place).stage(true));
        let load = Box::new(to.clone());
        let error = restore(&mut reader, load, Some(staging), false, &Quiet).await.unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
        assert!(!to.was_committed());
        assert_eq!(below(&place), ["file"]);
    }
}

#[tokio::test]
async fn missing_contract_files_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("contracts");
    let back_up = async |files: ContractDirectory| {
        let mut memory = Memory::default();
        let columns = shape("clients").columns;
        let client = |id, file: Value| -> Vec<Value> {
            let values = columns.iter().map(|column| match column.name {
                "id" => Value::Integer(id),
                "contract_file" => file.clone(),
                _ => Value::Null,
            });
            values.collect()
        };
        let texts = ["a.pdf", "gone.pdf", "../a", "", "sub", ".restore-a1B2c3.partial"];
        let mut rows: Vec<_> =
            (1..).zip(texts).map(|(id, name)| client(id, Value::Text(name.to_owned()))).collect();
        rows.push(client(7, Value::Null));
        memory.put("clients", rows);
        let writer = ArchiveWriter::begin(Vec::new(), &Lock::Open, head()).unwrap();
        exit3_archive::back_up(&mut memory, &files, writer, &Quiet).await.map(|made| made.1)
    };
    let error = back_up(ContractDirectory::required(&place)).await.unwrap_err().to_string();
    assert!(error.contains("CONTRACT_DIR"), "{error}");
    assert_eq!(back_up(ContractDirectory::new(&place)).await.unwrap().without_file, 5);
    fs::create_dir_all(place.join("sub")).unwrap();
    fs::write(place.join("a.pdf"), "a").unwrap();
    fs::write(place.join(".restore-a1B2c3.partial"), "a").unwrap();
    fs::write(directory.path().join("a"), "a").unwrap();
    let made = back_up(ContractDirectory::required(&place)).await.unwrap();
    assert_eq!((made.files, made.without_file, made.first_without_file), (1, 4, vec![2, 3, 5, 6]));
    let error = back_up(ContractDirectory::new(place.join("a.pdf"))).await.unwrap_err().to_string();
    assert!(error.contains("a.pdf"), "{error}");
}
