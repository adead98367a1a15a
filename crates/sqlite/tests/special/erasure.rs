//! What an erasure removes is overwritten in the file.

use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::clients::ClientId;
use exit3_domain::contracts::{ContractName, NewContract, Received};
use exit3_domain::events::Actor;
use exit3_domain::jobs::NewJob;
use exit3_ports::{Shape, Transfer, Value, jobs, leads};
use exit3_testkit::builders::{at, lead, some_act};
use exit3_testkit::contract::jobs::job;

use crate::{kept, raw};

#[tokio::test(flavor = "multi_thread")]
async fn erased_values_are_not_left_in_free_space_of_the_file() {
    let kept = kept();
    let repositories = kept.database.repositories();
    // Short and long ones, which are stored in other ways.
    for notes in ["her notes", &"her notes ".repeat(1500)] {
        let hers = lead().full_name("Anamarija").email(Some("ana@acme.hr")).notes(Some(notes));
        repositories.leads.create(&hers.build(), &some_act()).await.unwrap();
    }
    let other = lead().full_name("Eva").email(Some("eva@acme.hr")).build();
    let seen = repositories.leads.create(&other, &some_act()).await.unwrap();
    let renamed = lead().full_name("Iva").email(Some("eva@acme.hr")).build();
    repositories.leads.update(&seen, &renamed, &seen.work, &some_act()).await.unwrap();
    let payload = r#"{"to":"Anamarija"}"#.to_owned();
    repositories.jobs.enqueue(&[NewJob { payload, ..job("mail") }]).await.unwrap();

    let mut load = kept.database.transfer().load().await.unwrap();
    load.remove(&leads::TABLE, vec![1, 2]).await.unwrap();
    load.remove(&jobs::TABLE, vec![1]).await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape: &Shape = shapes.iter().find(|shape| shape.table.name == "events").unwrap();
    let mut events = load.rows(shape, 0, 9).await.unwrap();
    let changes = shape.columns.iter().position(|column| column.name == "changes").unwrap();
    assert!(matches!(&events[3][changes], Value::Text(text) if text.contains("\"Iva\"")));
    events.iter_mut().for_each(|event| event[changes] = Value::Null);
    load.replace(shape, events).await.unwrap();
    load.commit().await.unwrap();
    drop(repositories);
    // The last process that closes the file moves everything into it.
    kept.database.close();

    let file = std::fs::read(&kept.path).unwrap();
    let has = |word: &str| file.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(has("eva@acme.hr"), "the file was written");
    for trace in ["Anamarija", "her notes", "ana@acme.hr", "\"Eva\""] {
        assert!(!has(trace), "{trace}");
    }
}

/// A file may have the name of a person.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_removed_contract_is_not_left_in_the_file() {
    let kept = kept();
    let files = kept.database.repositories().contract_files;
    for (file, name) in [("uploads/a", "Ugovor Anamarija.pdf"), ("uploads/b", "Ugovor Eva.pdf")] {
        let received =
            Received { size: 1, sha256: "a".repeat(64), at: at(1), by: Actor::command("test") };
        let name = ContractName::of(name);
        let new = NewContract { file: file.to_owned(), client: ClientId(7), name, received };
        files.receive(&new).await.unwrap();
    }
    assert!(files.discard("uploads/a").await.unwrap());
    drop(files);
    kept.database.close();
    let file = std::fs::read(&kept.path).unwrap();
    let has = |word: &str| file.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(has("Ugovor Eva.pdf") && !has("Anamarija"));
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Otherwise a sweep of many files holds the writer for seconds.
#[test]
fn the_sweep_finds_clients_by_their_contract() {
    let kept = kept();
    let unused = "EXPLAIN QUERY PLAN SELECT file FROM contract_files WHERE NOT EXISTS \
                  (SELECT 1 FROM clients WHERE contract_file = contract_files.file)";
    let plan: Vec<Plan> = diesel::sql_query(unused).load(&mut raw(&kept.path)).unwrap();
    let plan: Vec<String> = plan.into_iter().map(|step| step.detail).collect();
    assert!(plan.iter().any(|step| step.contains("clients_by_contract_file")), "{plan:?}");
}
