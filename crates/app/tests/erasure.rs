//! Erases people from a database in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

#[path = "../../archive/tests/memory/mod.rs"]
mod memory;

use chrono::DateTime;
use exit3_app::erasure::{Found, entries, erase, look, look_in_spool};
use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::events::{Actor, Author};
use exit3_domain::leads::{LeadCategory, LeadId, LeadSource, LeadStatus, NewLead};
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::spool::{Accepted, MockSpool, Waiting};
use exit3_ports::{Column, Kind, ModuleRecord, ModuleSchema, Row, Table, Value, table};
use memory::Memory;

/// A row with these values; the others are NULL.
fn row(table: &Table, values: &[(&str, Value)]) -> Row {
    let value = |name: &str| values.iter().find(|(column, _)| *column == name);
    let columns = table.columns.iter();
    columns
        .map(|column| value(column.name).map_or(Value::Null, |(_, value)| value.clone()))
        .collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn put(memory: &mut Memory, name: &'static str, rows: &[&[(&str, Value)]]) {
    let table = table(name).unwrap();
    memory.put(name, rows.iter().map(|values| row(table, values)).collect());
}

fn leads(memory: &mut Memory, emails: &[(i64, &str)]) {
    let table = table("leads").unwrap();
    let lead = |(id, email): &(i64, &str)| {
        row(table, &[("id", Value::Integer(*id)), ("email", text(email))])
    };
    memory.put("leads", emails.iter().map(lead).collect());
}

fn is_ana(contact: &Contact) -> bool {
    Some(contact) == Contact::read(ContactKind::Email, "ana@acme.hr").as_ref()
}

fn ids(memory: &Memory, table: &str) -> Vec<i64> {
    let id = |row: &Row| match row[0] {
        Value::Integer(id) => id,
        _ => panic!("a row without an id"),
    };
    memory.rows_of(table).iter().map(id).collect()
}

fn event(id: i64, verb: &str, lead: i64, changes: &str) -> [(&'static str, Value); 5] {
    [
        ("id", Value::Integer(id)),
        ("verb", text(verb)),
        ("resource", text("lead")),
        ("resource_id", Value::Integer(lead)),
        ("changes", text(changes)),
    ]
}

/// The changes of all events.
fn changes(memory: &Memory) -> Vec<Value> {
    let at = table("events").unwrap().columns.iter().position(|column| column.name == "changes");
    memory.rows_of("events").into_iter().map(|row| row[at.unwrap()].clone()).collect()
}

#[tokio::test]
async fn the_import_forgets_the_values_and_keeps_the_digest() {
    let mut memory = Memory::default();
    leads(&mut memory, &[(1, "ana@acme.hr"), (2, "eva@acme.hr")]);
    let remembered = |id: i64| {
        [
            ("id", Value::Integer(id)),
            ("digest", Value::Bytes(vec![7])),
            ("original", text("a name of before")),
        ]
    };
    put(&mut memory, "django_leads", &[&remembered(1), &remembered(2)]);
    erase(&mut memory, &is_ana, &Found::default()).await.unwrap();
    assert_eq!(ids(&memory, "leads"), [2]);
    assert_eq!(memory.locked, ["jobs"], "others could add one");
    let kept = memory.rows_of("django_leads");
    assert_eq!(kept[0][1..], [Value::Bytes(vec![7]), Value::Null]);
    assert_eq!(kept[1][1..], [Value::Bytes(vec![7]), text("a name of before")]);
}

#[tokio::test]
async fn what_changes_after_the_search_is_looked_at_again() {
    let mut memory = Memory::default();
    leads(&mut memory, &[(1, "ana@acme.hr"), (2, "ana@acme.hr")]);
    let found = look(&mut memory, &is_ana).await.unwrap();
    assert_eq!(found.counts(), [("leads", 2)]);
    // One lead was given to somebody else, one was deleted, and one was added.
    leads(&mut memory, &[(1, "bob@acme.hr"), (3, "ANA@acme.hr")]);
    let erased = erase(&mut memory, &is_ana, &found).await.unwrap();
    assert_eq!(erased.counts(), [("leads", 1)]);
    assert_eq!(ids(&memory, "leads"), [1]);
}

#[tokio::test]
async fn all_events_of_a_row_lose_their_values_however_late_it_is_found() {
    let mut memory = Memory::default();
    leads(&mut memory, &[]);
    let renamed = event(1, "lead.updated", 7, r#"{"full_name":["Ana","Eva"]}"#);
    let others = event(2, "lead.updated", 8, r#"{"full_name":["Ivo","Iva"]}"#);
    put(&mut memory, "events", &[&renamed, &others]);
    let found = look(&mut memory, &is_ana).await.unwrap();
    assert_eq!(found.counts(), []);
    let deleted = event(3, "lead.deleted", 7, r#"{"id":7,"email":"ana@acme.hr"}"#);
    put(&mut memory, "events", &[&renamed, &others, &deleted]);
    let erased = erase(&mut memory, &is_ana, &found).await.unwrap();
    assert_eq!(erased.counts(), [("events", 2)]);
    assert_eq!(
        changes(&memory),
        [
            text(r#"{"full_name":[null,null]}"#),
            text(r#"{"full_name":["Ivo","Iva"]}"#),
            text(r#"{"id":7,"email":null}"#),
        ]
    );
}

#[tokio::test]
async fn others_keep_what_does_not_mention_the_person() {
    let mut memory = Memory::default();
    leads(&mut memory, &[]);
    let noted = r#"{"notes":[null,"knows Ana <ana@acme.hr>"],"position":["CTO","CEO"]}"#;
    let renamed = r#"{"full_name":["Eva","Iva"]}"#;
    let deleted = r#"{"email":"eva@acme.hr","id":8,"notes":"knows ana@acme.hr."}"#;
    let similar = r#"{"email":["xana@acme.hr","ana@acme.hr.example"]}"#;
    put(
        &mut memory,
        "events",
        &[
            &event(1, "lead.updated", 8, noted),
            &event(2, "lead.updated", 8, renamed),
            &event(3, "lead.deleted", 8, deleted),
            &event(4, "lead.updated", 9, similar),
        ],
    );
    let erased = erase(&mut memory, &is_ana, &Found::default()).await.unwrap();
    assert_eq!(erased.counts(), [("events", 2)]);
    let expected = [
        r#"{"notes":[null,null],"position":["CTO","CEO"]}"#,
        renamed,
        r#"{"email":"eva@acme.hr","id":8,"notes":null}"#,
        similar,
    ];
    assert_eq!(changes(&memory), expected.map(text));
}

#[tokio::test]
async fn events_know_the_places_of_erasures_in_lists() {
    let mut memory = Memory::default();
    let event = |id, verb: &str, changes: &str| {
        [("id", Value::Integer(id)), ("verb", text(verb)), ("changes", text(changes))]
    };
    put(
        &mut memory,
        "events",
        &[
            &event(1, "person.erased", r#"{"entry":"erased-1","person":"x"}"#),
            &event(2, "person.erased", r#"{"entry":null,"person":"x"}"#),
            &event(3, "lead.deleted", r#"{"entry":"erased-2","id":7}"#),
        ],
    );
    assert_eq!(entries(&mut memory).await.unwrap(), ["erased-1".to_owned()].into());
}

/// A table of a module: its rows are parts of leads, and have events of their own.
const GUESTS: Table = Table {
    name: "guests",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("lead_id", Kind::Integer),
        Column::new("name", Kind::Text),
    ],
    resource: "guest",
    part_of: Some(("lead_id", "leads")),
    ..Table::EMPTY
};

#[tokio::test]
async fn parts_of_the_erased_go_with_their_events_also_those_that_were_deleted() {
    let mut memory = Memory::default();
    let schema = ModuleSchema { module: "guests", tables: &[GUESTS], postgres: &[], sqlite: &[] };
    let record = (schema.module.to_owned(), "1".to_owned(), String::new(), schema.definition());
    memory.modules = ModuleRecord::newest([record]).unwrap();
    leads(&mut memory, &[(1, "ana@acme.hr"), (2, "eva@acme.hr")]);
    let guest = |id, lead, name: &str| {
        row(
            &GUESTS,
            &[("id", Value::Integer(id)), ("lead_id", Value::Integer(lead)), ("name", text(name))],
        )
    };
    memory.put("guests", vec![guest(11, 1, "Iva"), guest(12, 2, "Jan")]);
    let renamed = r#"{"name": ["Ante", "Iva"]}"#;
    let of_guest = |id, verb, guest, changes| {
        let mut event = event(id, verb, guest, changes);
        event[2].1 = text("guest");
        event
    };
    let events = [
        of_guest(21, "guest.updated", 11, renamed),
        of_guest(22, "guest.updated", 12, renamed),
        of_guest(23, "guest.updated", 13, renamed),
        of_guest(24, "guest.deleted", 13, r#"{"lead": 1, "name": "Iva"}"#),
        of_guest(25, "guest.deleted", 14, r#"{"lead": 2, "name": "Jan"}"#),
    ];
    put(&mut memory, "events", &events.each_ref().map(|event| event.as_slice()));
    let kept = changes(&memory);
    erase(&mut memory, &is_ana, &Found::default()).await.unwrap();
    assert_eq!((ids(&memory, "leads"), ids(&memory, "guests")), (vec![2], vec![12]));
    let told: Vec<bool> =
        changes(&memory).iter().zip(&kept).map(|(now, then)| now == then).collect();
    assert_eq!(told, [false, true, false, false, true]);
    assert!(changes(&memory).iter().zip(told).all(|(now, is_kept)| {
        is_kept
            || matches!(now, Value::Text(text) if !text.contains("Iva") && !text.contains("Ante"))
    }));
}

#[tokio::test]
async fn entries_of_a_spool_are_found_by_their_contacts() {
    let by = |email: &str, phone: Option<&str>| {
        let lead = NewLead {
            full_name: "Ana Horvat".to_owned(),
            position: "CTO".to_owned(),
            company_name: None,
            phone_number: phone.map(str::to_owned),
            email: Some(email.to_owned()),
            source: LeadSource::Other,
            status: LeadStatus::New,
            notes: None,
            category: LeadCategory::WebDev,
        };
        Accepted::Lead(LeadId(1), lead)
    };
    let signs_up = |email: &str| {
        Accepted::SignUp(NewSubscriber { email: email.to_owned(), is_subscribed: true })
    };
    let entries = [
        by("ANA@acme.hr", None),
        by("eva@acme.hr", Some("+385 91 123 4567")),
        by("eva@acme.hr", None),
        signs_up("ana@acme.hr"),
        signs_up("ana@acme.com"),
        Accepted::Unknown(r#"{"to": "ana@acme.hr"}"#.to_owned()),
        Accepted::Unknown("of a later version".to_owned()),
    ];
    let act = Author::from(Actor::BasicKey).at(DateTime::UNIX_EPOCH);
    let waiting: Vec<Waiting> = (1..)
        .zip(entries)
        .map(|(number, what)| Waiting { number, what, act: act.clone(), problem: None })
        .collect();
    let mut spool = MockSpool::new();
    // Two entries at once.
    spool.expect_waiting().returning(move |after, _| {
        Ok(waiting.iter().filter(|it| it.number > after).take(2).cloned().collect())
    });
    let phone = Contact::read(ContactKind::Phone, "00385911234567").unwrap();
    let is = |contact: &Contact| is_ana(contact) || *contact == phone;
    assert_eq!(look_in_spool(&spool, &is).await.unwrap(), [1, 2, 4, 6]);
}
