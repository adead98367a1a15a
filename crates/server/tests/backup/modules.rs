//! Databases with tables of a module that the program does not have.

use exit3_ports::{Column, Kind as Type, Rows, Target, Transfer, Value};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::modules::GUESTS;

use super::*;

/// A database in which a program with the module has stored two guests.
async fn with_guests() -> Site {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "2", "--subscribers", "0"]);
    let database =
        SqliteDatabase::open(&site.path("data/exit3.sqlite3"), &SqliteSettings::default()).unwrap();
    database.migrate_module(GUESTS, Target::Newest, Rows::Keep).unwrap();
    let mut load = database.transfer().load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == "guests").unwrap();
    let value = |id: i64, column: &Column| match (column.name, column.kind) {
        (_, Type::Integer) => Value::Integer(id),
        (_, Type::Boolean) => Value::Boolean(false),
        ("name", _) => Value::Text("Iva".to_owned()),
        ("email", _) => Value::Text(format!("{id}@guests.hr")),
        _ => Value::Null,
    };
    let row = |id| shape.columns.iter().map(|column| value(id, column)).collect();
    load.write(shape, vec![row(1), row(2)]).await.unwrap();
    load.commit().await.unwrap();
    database.close();
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_keeps_the_tables_of_modules_and_a_restore_says_what_it_left_out() {
    let site = with_guests().await;
    let archive = site.back_up();
    let archive = archive.to_str().unwrap();
    let sums = sums(Path::new(archive));
    assert!(sums.iter().any(|sum| (sum.name.as_str(), sum.rows) == ("guests", 2)), "{sums:?}");
    let verified = site.must(&["verify-backup", archive]);
    let sentence = "Checked by its hash alone: the table guests of the module guests, with 2 rows";
    assert!(verified.contains(sentence), "{verified}");
    // A database with the tables gets the rows back.
    let restored = site.must(&["restore", archive, "--replace"]);
    assert!(!restored.contains("Left out"), "{restored}");
    let again = super::sums(&site.back_up());
    assert_eq!(again, sums);
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let other = Site::new(kind).await;
        let restored = other.must(&["restore", archive]);
        let sentence = "Left out: 2 rows of the table guests of the module guests, which this \
                        database does not have";
        assert!(restored.contains(sentence), "{restored}");
        let kept = super::sums(&other.back_up());
        assert!(kept.iter().all(|sum| sum.name != "guests"), "{kept:?}");
        assert!(kept.iter().all(|sum| sums.contains(sum)), "the rest is complete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_module_is_promoted_by_a_program_that_has_it() {
    let site = with_guests().await;
    let target = Site::new(Kind::Postgres).await;
    let service = site.service();
    let sentence = refused(&site.run(&["promote", "--to", &target.url]));
    let told = "the database has the module guests (00000000000002): promote it with a program \
                that has this version of it";
    assert!(sentence.contains(told), "{sentence}");
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "on@example.com"});
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_a_module_that_the_program_does_not_have() {
    let site = with_guests().await;
    let said = site.must(&["erase", "--email", "1@guests.hr"]);
    assert!(said.contains("guests"), "{said}");
    let sums = sums(&site.back_up());
    assert!(sums.iter().any(|sum| (sum.name.as_str(), sum.rows) == ("guests", 1)), "{sums:?}");
}
