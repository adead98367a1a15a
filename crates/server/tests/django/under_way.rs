//! What happens during an import.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use exit3_ports::Value;
use exit3_testkit::postgres;

use super::here::{done, sums};
use super::{DjangoService, Here, Kind};

/// Waits until the import has written rows that are not committed yet.
async fn until_it_writes(here: &Here, kind: Kind) {
    let wal = here.path().join("here.sqlite3-wal");
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'leads'::regclass \
                  AND mode = 'RowExclusiveLock'";
    let client = match kind {
        Kind::Sqlite => None,
        Kind::Postgres => Some(postgres::client(here.url()).await),
    };
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written");
        let writes = match &client {
            None => wal.metadata().is_ok_and(|it| it.len() > 0),
            Some(client) => client.query_one(locked, &[]).await.unwrap().get::<_, i64>(0) > 0,
        };
        if writes {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn assert_a_killed_import_changes_nothing(to: Kind) {
    let django = DjangoService::new(Kind::Sqlite).await;
    // SQLite writes nothing to disk before the end if it has room in memory.
    django.script(&["many", "2000", "5000"]);
    let here = Here::new(to).await;
    assert!(here.run(&["migrate"]).status.success());
    let mut import = here.begin_import(&django);
    until_it_writes(&here, to).await;
    import.kill().unwrap();
    assert!(!import.wait().unwrap().success(), "it was killed in the middle");
    assert!(here.rows().values().all(Vec::is_empty));
    let contracts = here.path().join("data/contracts/contracts");
    assert!(!contracts.join("acme.pdf").exists());
    let said = here.must_import(&django);
    assert!(done(&said, "common_lead").contains("rows (2012 added, 0 changed"), "{said}");
    assert_eq!(std::fs::read(contracts.join("acme.pdf")).unwrap(), b"%PDF acme");
}

async fn assert_the_import_is_a_snapshot(from: Kind) {
    let django = DjangoService::new(from).await;
    django.script(&["many", "1000", "0"]);
    let here = Here::new(Kind::Sqlite).await;
    let mut pairs = django.begin_script(&["pairs"]);
    let mut told = BufReader::new(pairs.stdout.take().unwrap()).lines();
    // From here on it writes one pair after another.
    assert_eq!(told.next().unwrap().unwrap(), "1");
    let said = here.must_import(&django);
    drop(pairs.stdin.take());
    let made: usize = told.last().unwrap().unwrap().parse().unwrap();
    assert!(pairs.wait().unwrap().success());
    let rows = here.rows();
    let count = |table: &str, column: usize, start: &str| {
        let is = |value: &Value| matches!(value, Value::Text(text) if text.starts_with(start));
        rows[table].iter().filter(|row| is(&row[column])).count()
    };
    let (leads, subscribers) = (count("leads", 1, "Pair "), count("subscribers", 1, "pair."));
    assert_eq!(leads, subscribers, "pairs are complete or missing");
    assert!(leads > 0 && leads < made, "{leads} of {made} before it was read");
    let later = here.must_import(&django);
    assert!(done(&later, "common_lead").contains(&format!("({} added", made - leads)), "{later}");
    assert_ne!(sums(&later), sums(&said));
    assert_eq!(sums(&here.must_import(&django)), sums(&later));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn a_killed_import_changes_nothing_on_sqlite() {
    assert_a_killed_import_changes_nothing(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn a_killed_import_changes_nothing_on_postgres() {
    assert_a_killed_import_changes_nothing(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn concurrent_writes_are_imported_whole_or_later_from_sqlite() {
    assert_the_import_is_a_snapshot(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Django: scripts/e2e/django"]
async fn concurrent_writes_are_imported_whole_or_later_from_postgres() {
    assert_the_import_is_a_snapshot(Kind::Postgres).await;
}
