//! A database that was promoted refuses writes.

use diesel::connection::SimpleConnection;
use exit3_ports::StoreError;
use exit3_testkit::builders;

use crate::{count, kept, open, raw};

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_file_refuses_every_writer_until_it_is_thawed() {
    let kept = kept();
    let lead = builders::lead().build();
    let now = builders::at(1);
    let created =
        kept.database.repositories().leads.create(&lead, &builders::act(now)).await.unwrap();
    kept.database.freeze().unwrap();
    kept.database.freeze().unwrap();
    assert!(kept.database.is_frozen().unwrap());
    let leads = kept.database.repositories().leads;
    for refused in [
        leads.create(&lead, &builders::act(now)).await.map(drop),
        leads.create_many(&[(lead.clone(), now)], &builders::some_act()).await,
        leads.update(&created, &lead, &created.work, &builders::act(now)).await.map(drop),
        leads.delete(&created, &builders::some_act()).await,
    ] {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    // Writes of unrelated processes too.
    for table in exit3_ports::TABLES {
        let sql = format!("INSERT INTO {} (id) VALUES (1)", table.name);
        let refused = raw(&kept.path).batch_execute(&sql).unwrap_err();
        assert!(refused.to_string().contains("read-only"), "{refused}");
    }
    assert_eq!(count(&kept.database).await, 1);
    // A release that knows more tables may have frozen them.
    raw(&kept.path)
        .batch_execute(
            "CREATE TABLE newer (id INTEGER); CREATE TRIGGER frozen_newer_insert \
             BEFORE INSERT ON newer BEGIN SELECT RAISE(ABORT, 'read-only'); END",
        )
        .unwrap();
    kept.database.thaw().unwrap();
    assert!(!kept.database.is_frozen().unwrap());
    raw(&kept.path).batch_execute("INSERT INTO newer VALUES (1)").unwrap();
    leads.create(&lead, &builders::act(now)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_release_has_left_frozen_is_thawed() {
    let kept = kept();
    kept.database.freeze().unwrap();
    // The earlier release knows these tables only.
    let drops = ["leads", "subscribers", "api_keys", "clients", "staff"].map(|table| {
        let drop = |event| format!("DROP TRIGGER frozen_{table}_{event};");
        ["insert", "update", "delete"].map(drop).concat()
    });
    raw(&kept.path).batch_execute(&drops.concat()).unwrap();
    assert!(!kept.database.is_frozen().unwrap());
    let lead = builders::lead().build();
    let leads = kept.database.repositories().leads;
    leads.create(&lead, &builders::some_act()).await.unwrap_err();
    let again = open(&kept.path);
    again.repositories().leads.create(&lead, &builders::some_act()).await.unwrap();
    assert!(!again.is_frozen().unwrap());
    // A promotion that is in effect stays.
    again.freeze().unwrap();
    assert!(open(&kept.path).is_frozen().unwrap());
}
