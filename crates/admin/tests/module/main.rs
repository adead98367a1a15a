//! A module that the back office does not know: its pages, its parts of other pages, who may see them,
//! and what its faults harm.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

#[path = "../office/mod.rs"]
mod office;
mod visits;

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use exit3_admin::{OWN, Offer, Pages};
use exit3_app::modules::Switch;
use exit3_domain::access::{Action, Worker, may};
use exit3_domain::events::{Changes, Event, Subject, Verb};
use exit3_domain::leads::{Lead, NewLead};
use exit3_domain::paging::{Glance, Slice};
use exit3_domain::staff::{Language, Role};
use exit3_ports::events::MockEventRepository;
use exit3_ports::leads::MockLeadRepository;
use exit3_testkit::log::Log;
use office::{ME, OFFER, Office, created, get, lead, post};
use tracing::instrument::WithSubscriber;
use visits::{PAGES, VISITS};

const LIST: &str = "/backend/admin/visits/";
const NEW: &str = "/backend/admin/visits/new/";

static WITH_VISITS: LazyLock<Offer> =
    LazyLock::new(|| Offer::new(OWN.iter().copied().chain([&PAGES])));

/// The back office with visits.
fn office(role: Role, language: Option<Language>) -> Office {
    Office { offer: *WITH_VISITS, ..Office::of(role, None, language) }
}

/// The page of a lead of this name.
async fn page_of_lead(mut office: Office, name: &str) -> String {
    let mut leads = MockLeadRepository::new();
    let details = NewLead { full_name: name.to_owned(), ..lead(None).details };
    leads
        .expect_find()
        .returning(move |_| Ok(Some(Lead { details: details.clone(), ..lead(None) })));
    leads.expect_glance().returning(|_, _, step| {
        Ok(Glance { slice: Slice::of(step, Vec::new()), is_cut_short: false })
    });
    leads.expect_with_contact().returning(|_, _, _| Ok(Vec::new()));
    office.repositories.leads = leads;
    let answer = office.answer(get("/backend/admin/leads/7/")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

/// The routes of the module, and what a person must be allowed to do with visits.
const ROUTES: &[(&str, &str, Action)] = &[
    ("GET", LIST, Action::Read),
    ("GET", NEW, Action::Create),
    ("POST", NEW, Action::Create),
    ("GET", "/backend/admin/visits/{id}/", Action::Read),
    ("POST", "/backend/admin/visits/{id}/delete/", Action::Delete),
];

#[test]
fn the_routes_of_a_module_are_those_beyond_our_own() {
    let own = OFFER.routes();
    let others = WITH_VISITS.routes().into_iter().filter(|route| !own.contains(route));
    let others: Vec<_> = others.map(|(method, path)| (method.to_string(), path)).collect();
    let named = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(others, named.collect::<Vec<_>>());
}

#[actix_web::test]
async fn each_role_reaches_what_the_rights_of_the_module_allow() {
    for role in Role::ALL.iter().copied() {
        for (method, path, action) in ROUTES {
            let path = path.replace("{id}", "4");
            let request = if *method == "GET" { get(&path) } else { post(&path, "starts_at=") };
            let allowed = may(&Worker { id: ME, role }, *action, VISITS);
            let answer = office(role, None).answer(request).await;
            let is_forbidden = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(is_forbidden, !allowed, "{role} {method} {path}: {}", answer.status);
        }
        let sees = may(&Worker { id: ME, role }, Action::Read, VISITS);
        let body = office(role, None).answer(get("/backend/admin/account/")).await.body;
        assert_eq!(body.contains("data-key=\"g v\""), sees, "{role}: {body}");
    }
}

#[actix_web::test]
async fn a_page_of_a_module_has_our_frame_and_the_language_of_the_person() {
    for (language, title) in [(Language::English, "Visits"), (Language::Croatian, "Posjeti")] {
        let body = office(Role::Sales, Some(language)).answer(get(LIST)).await.body;
        for text in [
            &format!("<title>{title} – Exit Three</title>"),
            &format!("<h1>{title}</h1>"),
            &format!("<html lang=\"{}\"", language.as_str()),
            "href=\"/backend/admin/visits/\" aria-current=\"page\"",
            "href=\"/backend/admin/leads/\"",
            "&#60;b&#62;Rijeka",
        ] {
            assert!(body.contains(text), "{language:?} {text}: {body}");
        }
    }
}

#[actix_web::test]
async fn a_form_of_a_module_sends_times_and_says_what_is_wrong() {
    let blank = office(Role::Sales, None).answer(get(NEW)).await.body;
    for text in ["type=\"datetime-local\"", "Starts at (UTC)", "name=\"_token\""] {
        assert!(blank.contains(text), "{text}: {blank}");
    }
    let croatian = Some(Language::Croatian);
    let form = post(NEW, "starts_at=tomorrow&greeting=Zdravo");
    let refused = office(Role::Sales, croatian).answer(form).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    for text in ["Upišite dan i vrijeme.", "value=\"Zdravo\""] {
        assert!(refused.body.contains(text), "{text}: {}", refused.body);
    }
    let stored = office(Role::Sales, None).answer(post(NEW, "starts_at=2026-11-29T19:13")).await;
    assert_eq!(stored.header("location"), "/backend/admin/visits/?done=visit-created");
    let list = office(Role::Sales, None).answer(get(stored.header("location"))).await.body;
    assert!(list.contains("The visit is stored."), "{list}");
}

#[actix_web::test]
async fn a_module_adds_a_part_to_the_page_of_a_lead_and_rows_to_the_search() {
    let page = page_of_lead(office(Role::Sales, None), "Ana").await;
    let part = page.find("<h2>The next visit</h2><p>Ana</p>").unwrap();
    assert!(part < page.find("id=\"story\"").unwrap(), "{page}");
    // A text that the Croatian catalogue of the module lacks is English.
    let page = page_of_lead(office(Role::Sales, Some(Language::Croatian)), "Ana").await;
    assert!(page.contains("<h2>The next visit</h2>"), "{page}");
    let page = page_of_lead(office(Role::Viewer, None), "Ana").await;
    assert!(!page.contains("The next visit"), "viewers may not see visits: {page}");
    let search = get("/backend/admin/search/?q=rijeka");
    let body = office(Role::Sales, None).answer(search).await.body;
    assert!(body.contains("<h2>Visits</h2>") && body.contains("<b>Rijeka</b>"), "{body}");
    let body = office(Role::Viewer, None).answer(get("/backend/admin/search/?q=rijeka")).await.body;
    assert!(!body.contains("Rijeka</b>"), "viewers may not see visits: {body}");
}

/// The back office as somebody of this role sees it, with these events of one visit.
fn with_events(role: Role, of: &[(&str, Changes)]) -> Office {
    let event = |(action, changes): &(&str, Changes)| Event {
        subject: Subject { resource: "visit".into(), id: 4 },
        verb: Verb::of("visit", action),
        changes: changes.clone(),
        ..created(4)
    };
    let all: Vec<Event> = of.iter().map(event).collect();
    let mut events = MockEventRepository::new();
    events.expect_list().returning(move |filter, before, _| {
        let found = all.iter().filter(|event| before.is_none() && filter.admits(event));
        Ok(found.cloned().collect())
    });
    let mut office = office(role, None);
    office.repositories.events = events;
    office
}

#[actix_web::test]
async fn the_page_of_a_row_tells_its_story_without_undo() {
    let moved = Changes::Fields(vec![(
        "starts_at".into(),
        "2026-11-29T19:13:07.5Z".into(),
        "2026-11-30T19:13:00Z".into(),
    )]);
    let all = [("updated", moved), ("created", Changes::None)];
    let body = with_events(Role::Owner, &all).answer(get("/backend/admin/visits/4/")).await.body;
    let times = "Starts at (UTC): <del>2026-11-29 19:13</del> → <ins>2026-11-30 19:13</ins>";
    for text in [times, "arranged this"] {
        assert!(body.contains(text), "{text}: {body}");
    }
    assert!(!body.contains("/backend/admin/undo/"), "{body}");
}

#[actix_web::test]
async fn a_deletion_leads_back_without_undo() {
    let office = || with_events(Role::Manager, &[("deleted", Changes::None)]);
    let answer = office().answer(post("/backend/admin/visits/4/delete/", "")).await;
    let back = "/backend/admin/visits/?done=visit-deleted&event=1";
    assert_eq!(answer.header("location"), back, "{}", answer.body);
    let list = office().answer(get(back)).await.body;
    assert!(list.contains("The visit is deleted."), "{list}");
    assert!(!list.contains("/backend/admin/undo/"), "{list}");
    let gone = office().answer(get("/backend/admin/visits/5/")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn events_of_a_module_are_sentences_with_links_and_without_undo() {
    let all = [("deleted", Changes::None), ("created", Changes::None)];
    let office = with_events(Role::Owner, &all);
    let body = office.answer(get("/backend/admin/events/")).await.body;
    for text in
        ["arranged the visit", "href=\"/backend/admin/visits/4/\"", "value=\"visit.created\""]
    {
        assert!(body.contains(text), "{text}: {body}");
    }
    assert!(!body.contains("action=\"/backend/admin/undo/"), "{body}");
}

#[actix_web::test]
async fn a_fault_of_a_module_takes_no_page_of_ours_with_it_and_is_named() {
    for (how, cause) in
        [("panic", "a panic"), ("fail", "404 Not Found"), ("hang", "no result within 1s")]
    {
        let log = Log::default();
        let page = page_of_lead(office(Role::Owner, None), how);
        let page = page.with_subscriber(log.subscriber()).await;
        let card = "<h2>Visits</h2>\n<p class=\"quiet\">Not available at the moment.</p>";
        assert!(page.contains(card) && page.contains("id=\"story\""), "{how}: {page}");
        let said = log.text();
        assert!(said.contains("module=\"visits\"") && said.contains(cause), "{how}: {said}");

        let log = Log::default();
        let search = get(&format!("/backend/admin/search/?q={how}"));
        let found = office(Role::Owner, None).answer(search);
        let body = found.with_subscriber(log.subscriber()).await.body;
        assert!(body.contains("Not available at the moment."), "{how}: {body}");
        assert!(body.contains("<h2>Leads</h2>"), "{how}: {body}");
        assert!(log.text().contains("module=\"visits\""), "{how}: {}", log.text());
    }
}

#[actix_web::test]
async fn a_module_that_is_off_is_not_available_and_all_else_is() {
    static OFF: Switch = Switch::of("visits");
    static SHUT: Pages = Pages { switch: Some(&OFF), ..PAGES };
    OFF.turn_off("its migration failed");
    let offer = Offer::new(OWN.iter().copied().chain([&SHUT]));
    let office = || Office { offer, ..Office::of(Role::Owner, None, None) };
    for request in [get(LIST), post(NEW, "starts_at=2026-11-29T19:13")] {
        let answer = office().answer(request).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "30");
        assert!(answer.body.contains("This part does not work at the moment"), "{}", answer.body);
        assert!(!answer.body.contains("migration"), "{}", answer.body);
    }
    assert!(page_of_lead(office(), "Ana").await.contains("Not available at the moment."));
}
