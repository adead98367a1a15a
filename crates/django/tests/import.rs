//! Imports rows from one map to another, repeatedly and after changes on either side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

#[path = "../../archive/tests/memory/mod.rs"]
mod memory;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use exit3_django::{
    Conflict, Contracts, DJANGO_TABLES, ImportError, Imported, ImportedTable, Options, Why, import,
};
use exit3_domain::email::DisposableDomains;
use exit3_domain::events::{Actor, Author};
use exit3_files::ContractDirectory;
use exit3_ports::{
    ForeignRow, ForeignSource, ForeignTable, PAGE_BYTES, Row, StoreError, TABLES, Value,
};
use memory::Memory;

/// The database of a Django service.
#[derive(Clone, Default)]
struct Django {
    rows: BTreeMap<&'static str, BTreeMap<i64, ForeignRow>>,
    lacks: Vec<(&'static str, &'static str)>,
}

#[async_trait]
impl ForeignSource for Django {
    async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError> {
        let all = DJANGO_TABLES.iter().flat_map(|table| {
            table.columns.iter().map(|column| (table.name.to_owned(), (*column).to_owned()))
        });
        Ok(all
            .filter(|(table, column)| !self.lacks.contains(&(table.as_str(), column.as_str())))
            .collect())
    }

    async fn rows(
        &mut self,
        table: &'static ForeignTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, StoreError> {
        let rows = self.rows.entry(table.name).or_default().iter();
        let beyond = rows.filter(|(id, _)| **id > after).take(limit as usize);
        Ok(beyond.map(|(_, row)| row.clone()).collect())
    }
}

impl Django {
    /// Inserts a row; columns that are not given get ordinary values.
    fn put(&mut self, table: &'static str, id: i64, given: &[(&str, &str)]) {
        let of = DJANGO_TABLES.iter().find(|known| known.name == table).unwrap();
        let value = |column: &&str| -> Option<String> {
            let given = given.iter().find(|(name, _)| name == column);
            let usual = match *column {
                "id" => return Some(id.to_string()),
                "created_at" | "updated_at" | "date_joined" => "2026-01-02 03:04:05",
                "full_name" | "position" => "Ana Horvat",
                "email" => "ana@acme.hr",
                "source" => "other",
                "status" => "new",
                "category" => "web_dev",
                "is_subscribed" | "is_staff" | "is_active" | "is_superuser" => "1",
                "password" => "pbkdf2_sha256$1$a$b",
                _ => return given.map(|(_, value)| (*value).to_owned()),
            };
            Some(given.map_or(usual, |(_, value)| value).to_owned())
        };
        let row = of.columns.iter().map(value).collect();
        self.rows.entry(table).or_default().insert(id, row);
    }

    fn remove(&mut self, table: &str, id: i64) {
        self.rows.get_mut(table).unwrap().remove(&id).unwrap();
    }

    /// About three rows in every table.
    fn filled() -> Self {
        let mut django = Self::default();
        for id in [1, 2, 3] {
            django.put("common_lead", id, &[("full_name", &format!("Lead {id}"))]);
            django.put("common_newsletter", id, &[("email", &format!("a{id}@acme.hr"))]);
            let lead = id.to_string();
            django.put("common_client", id, &[("client_info_id", &lead), ("team_id", "T")]);
        }
        django.put("auth_user", 1, &[("username", "ana")]);
        django
    }
}

async fn bring(django: &Django, here: &Memory, overwrite: bool) -> Result<Imported, ImportError> {
    let contracts = Contracts::new(None, Arc::new(ContractDirectory::new("none"))).unwrap();
    let options = Options { disposable: DisposableDomains::default(), contracts, overwrite };
    let act = Author::from(Actor::command("import-django")).at(DateTime::UNIX_EPOCH);
    import(&mut django.clone(), Box::new(here.clone()), &options, &act).await
}

/// Imports, and returns the stored rows and how many were added, changed and removed.
async fn must(django: &Django, here: &Memory) -> (Memory, [usize; 3]) {
    let brought = bring(django, here, false).await.unwrap();
    for table in &brought.tables {
        assert_eq!(table.there, table.here);
    }
    let sum = |of: fn(&ImportedTable) -> usize| brought.tables.iter().map(of).sum();
    let counts = [sum(|table| table.added), sum(|table| table.changed), sum(|table| table.removed)];
    (here.committed(), counts)
}

async fn conflicts(django: &Django, here: &Memory) -> Vec<Conflict> {
    match bring(django, here, false).await {
        Err(ImportError::Conflicts(conflicts)) => {
            assert!(!here.was_committed());
            conflicts
        }
        other => panic!("{other:?}"),
    }
}

/// A separate database with the same rows.
fn fork(here: &Memory) -> Memory {
    let mut fork = Memory::default();
    for table in TABLES {
        fork.put(table.name, here.rows_of(table.name));
    }
    fork
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[tokio::test]
async fn imports_everything_and_then_only_changes() {
    let mut django = Django::filled();
    let (here, counts) = must(&django, &Memory::default()).await;
    assert_eq!(counts, [10, 0, 0]);
    assert_eq!(here.rows_of("leads")[1][1], text("Lead 2"));
    assert_eq!(here.last_ids["leads"], 3);

    let (here, counts) = must(&django, &fork(&here)).await;
    assert_eq!(counts, [0, 0, 0]);

    // Rows exchange addresses and a lead; one row is deleted, one is added, and one changes without
    // a new `updated_at`.
    django.put("common_newsletter", 1, &[("email", "a2@acme.hr")]);
    django.put("common_newsletter", 2, &[("email", "a1@acme.hr")]);
    django.remove("common_newsletter", 3);
    django.put("common_newsletter", 4, &[("email", "a3@acme.hr")]);
    django.put("common_client", 1, &[("client_info_id", "2")]);
    django.put("common_client", 2, &[("client_info_id", "1")]);
    django.remove("common_client", 3);
    django.remove("common_lead", 3);
    django.put("common_lead", 1, &[("notes", "called")]);
    django.put("common_lead", 4, &[]);
    let (again, counts) = must(&django, &fork(&here)).await;
    assert_eq!(counts, [2, 5, 3]);
    let (fresh, _) = must(&django, &Memory::default()).await;
    for table in TABLES.iter().filter(|table| table.name != "events") {
        assert_eq!(again.rows_of(table.name), fresh.rows_of(table.name), "{}", table.name);
    }
    // One event for each import.
    assert_eq!((again.rows_of("events").len(), fresh.rows_of("events").len()), (3, 1));
}

#[tokio::test]
async fn a_second_import_of_long_rows_changes_nothing() {
    let mut django = Django::filled();
    django.put("common_lead", 1, &[("notes", &"a".repeat(PAGE_BYTES))]);
    let (here, _) = must(&django, &Memory::default()).await;
    assert_eq!(must(&django, &fork(&here)).await.1, [0, 0, 0]);
}

#[tokio::test]
async fn original_values_are_remembered_if_they_cannot_be_kept() {
    let mut django = Django::filled();
    django.put("common_lead", 2, &[("source", "fair")]);
    let (here, _) = must(&django, &Memory::default()).await;
    assert_eq!(here.rows_of("django_leads")[1][2], text("{\"source\":\"fair\"}"));
    // The stored row stays the same, but its original value changes.
    django.put("common_lead", 2, &[("source", "expo")]);
    let (here, _) = must(&django, &fork(&here)).await;
    assert_eq!(here.rows_of("django_leads")[1][2], text("{\"source\":\"expo\"}"));
}

#[tokio::test]
async fn subscriptions_that_differ_only_in_case_are_merged() {
    let mut django = Django::default();
    django.put("common_newsletter", 1, &[("email", "Ana@acme.hr")]);
    django.put("common_newsletter", 2, &[("email", "ANA@acme.hr"), ("is_subscribed", "0")]);
    django.put("common_newsletter", 3, &[("email", "šime@acme.hr")]);
    django.put("common_newsletter", 4, &[("email", "ŠIME@acme.hr")]);
    let here = Memory::default();
    let brought = bring(&django, &here, false).await.unwrap();
    let ana = vec![Value::Integer(1), text("ana@acme.hr"), Value::Boolean(false)];
    let sime = vec![Value::Integer(3), text("šime@acme.hr"), Value::Boolean(true)];
    assert_eq!(here.committed().rows_of("subscribers"), [ana, sime]);
    assert_eq!(brought.tables[1].merged, 2);
    let report = brought.report.to_string();
    assert!(report.contains("common_newsletter 2: \"ANA@acme.hr\" became one with"), "{report}");
    let (_, counts) = must(&django, &fork(&here.committed())).await;
    assert_eq!(counts, [0, 0, 0]);
}

#[tokio::test]
async fn a_client_of_a_missing_lead_loses_the_reference_and_is_listed() {
    let mut django = Django::filled();
    django.put("common_client", 9, &[("client_info_id", "404")]);
    let here = Memory::default();
    let report = bring(&django, &here, false).await.unwrap().report.to_string();
    assert!(report.contains("common_client 9 client_info_id: \"404\" could not be kept"));
    assert_eq!(here.committed().rows_of("clients")[3][1], Value::Null);
    let remembered = text("{\"client_info_id\":\"404\"}");
    assert_eq!(here.committed().rows_of("django_clients")[3][2], remembered);
}

#[tokio::test]
async fn changes_made_here_are_never_overwritten_by_accident() {
    let mut django = Django::filled();
    let (mut own, _) = must(&django, &Memory::default()).await;
    let mut leads: Vec<Row> = own.rows_of("leads");
    leads[0][1] = text("Changed here");
    leads.remove(1);
    let mut made = leads[0].clone();
    made[0] = Value::Integer(4);
    leads.push(made);
    own.put("leads", leads);
    let mut subscribers = own.rows_of("subscribers");
    subscribers.push(vec![Value::Integer(8), text("a9@acme.hr"), Value::Boolean(true)]);
    own.put("subscribers", subscribers);
    let of = |table, id, why| Conflict { table, id, why };
    // A row that was created here with an id of its own does not concern the import.
    assert_eq!(
        conflicts(&django, &fork(&own)).await,
        [of("leads", 1, Why::Changed), of("leads", 2, Why::Removed)]
    );
    django.put("common_lead", 4, &[]);
    django.put("common_newsletter", 9, &[("email", "A9@acme.hr")]);
    let found = conflicts(&django, &fork(&own)).await;
    assert_eq!(
        found,
        [
            of("leads", 1, Why::Changed),
            of("leads", 2, Why::Removed),
            of("leads", 4, Why::Created),
            of("subscribers", 9, Why::Taken(8)),
        ]
    );
    // The source wins if it may, except for an address that is taken.
    let refused = bring(&django, &fork(&own), true).await;
    assert!(matches!(refused, Err(ImportError::Conflicts(left)) if left == found[3..]));
    django.remove("common_newsletter", 9);
    let won = fork(&own);
    bring(&django, &won, true).await.unwrap();
    let (fresh, _) = must(&django, &Memory::default()).await;
    assert_eq!(won.committed().rows_of("leads"), fresh.rows_of("leads"));
    assert_eq!(won.committed().rows_of("subscribers").len(), 4);
}

/// Columns of ours are not in the rows that are written, so only a row that stays keeps them.
#[tokio::test]
async fn a_row_that_changes_stays_and_keys_change_hands() {
    let mut django = Django::filled();
    django.put("auth_user", 2, &[("username", "ivo")]);
    let (own, _) = must(&django, &Memory::default()).await;
    django.put("common_lead", 1, &[("full_name", "Eva")]);
    for (id, other) in [(1, "2"), (2, "1")] {
        django.put("common_newsletter", id, &[("email", &format!("a{other}@acme.hr"))]);
        django.put("common_client", id, &[("client_info_id", other), ("team_id", "T")]);
        django.put("auth_user", id, &[("username", if id == 1 { "ivo" } else { "ana" })]);
    }
    for overwrite in [false, true] {
        let here = fork(&own);
        bring(&django, &here, overwrite).await.unwrap();
        let here = here.committed();
        for table in ["leads", "subscribers", "clients", "staff"] {
            let removed = here.removed.get(table).cloned().unwrap_or_default();
            assert_eq!(removed, [0; 0], "{table}");
        }
        assert_eq!(here.rows_of("subscribers")[0][1], text("a2@acme.hr"));
        assert_eq!(here.rows_of("clients")[0][1], Value::Integer(2));
        assert_eq!(here.rows_of("staff")[1][1], text("ana"));
    }
}

#[tokio::test]
async fn a_database_of_another_application_is_refused() {
    let django = Django { lacks: vec![("common_lead", "notes")], ..Django::filled() };
    let here = Memory::default();
    let refused = bring(&django, &here, false).await.unwrap_err();
    assert!(refused.to_string().ends_with("it lacks common_lead.notes"), "{refused}");
    assert!(!here.was_committed());
}

#[tokio::test]
async fn a_lost_row_is_noticed() {
    let mut here = Memory::default();
    here.forgets_a_row = true;
    let refused = bring(&Django::filled(), &here, false).await;
    assert!(matches!(refused, Err(ImportError::Differs("leads"))), "{refused:?}");
    assert!(!here.was_committed());
}
