//! What pages show, and who gets them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use exit3_domain::leads::LeadPage;
use exit3_domain::order::SortValue;
use exit3_domain::paging::{Count, Glance, Slice};
use exit3_domain::staff::{Language, Role, StaffId};
use exit3_ports::{MockRepositories, StoreError};
use office::{HOST, Office, get, post, signed_in};

const LEADS: &str = "/backend/admin/leads/";

/// All pages that a person who is signed in can open.
const PAGES: &[&str] = &[
    "",
    "leads/",
    "leads/new/",
    "leads/7/",
    "leads/7/edit/",
    "leads/export/?q=%3Cscript%3Ealert('q')",
    "clients/",
    "clients/new/",
    "clients/new/?lead=7",
    "clients/7/",
    "clients/7/edit/",
    "clients/export/?q=%3Cscript%3Ealert('q')",
    "subscribers/",
    "subscribers/7/",
    "subscribers/7/edit/",
    "subscribers/export/?q=%3Cscript%3Ealert('q')",
    "staff/",
    "staff/new/",
    "staff/7/",
    "keys/",
    "keys/new/",
    "keys/7/",
    "keys/7/revoke/",
    "events/",
    "events/?who=%3Cscript%3Ealert('w')%3C/script%3E&what=%3Cscript%3Ealert('v')%3C/script%3E",
    "events/?request=%3Cscript%3Ealert('r')%3C/script%3E&batch=%3Cscript%3Ealert('b')%3C/script%3E",
    "account/",
    "search/?q=%3Cscript%3Ealert('q')%3C/script%3E",
    "nothing/",
];

#[actix_web::test]
async fn stored_markup_is_shown_as_text_in_both_languages() {
    for language in [Language::English, Language::Croatian] {
        for path in PAGES {
            let path = format!("/backend/admin/{path}");
            let answer = Office::of(Role::Owner, None, Some(language)).answer(get(&path)).await;
            assert!(matches!(answer.status.as_u16(), 200 | 404), "{path}: {}", answer.status);
            assert!(answer.body.starts_with("<!doctype html>"), "{path}");
            assert!(
                answer.body.contains(&format!("<html lang=\"{}\"", language.as_str())),
                "{path}"
            );
            for markup in ["<script>alert", "<i>ana", "Ana <b>"] {
                assert!(!answer.body.contains(markup), "{path} contains {markup}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
            assert!(
                !answer.body.contains(" style=") && !answer.body.contains(" onclick"),
                "{path}"
            );
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[actix_web::test]
async fn a_list_says_what_it_has_not_looked_at_and_counts_on_request() {
    let answer = Office::of(Role::Owner, None, None).answer(get(&format!("{LEADS}?q=an"))).await;
    assert!(answer.body.contains("<span class=\"number\">1,000+</span>"), "{}", answer.body);
    assert!(answer.body.contains("Only a part of the list was searched"));
    assert!(answer.body.contains("Search all leads"), "{}", answer.body);
    let link = "/backend/admin/leads/?q=an&#38;count=exact";
    assert!(answer.body.contains(link), "{}", answer.body);
    let exact = get(&format!("{LEADS}?q=an&count=exact"));
    let answer = Office::of(Role::Owner, None, None).answer(exact).await;
    assert!(answer.body.contains("<span class=\"number\">4,321</span>"), "{}", answer.body);
    for mark in ["count exactly", "Search all leads", "Only a part of the list"] {
        assert!(!answer.body.contains(mark), "{}", answer.body);
    }
}

#[actix_web::test]
async fn a_page_begins_where_a_lead_was_even_if_it_is_gone() {
    let path = format!("{LEADS}?sort=full_name&after=8&at=Zvonko");
    let mut office = Office::of(Role::Owner, None, None);
    let mut leads = exit3_ports::leads::MockLeadRepository::new();
    leads.expect_page().returning(|_, _, step| {
        let from = step.from.as_ref().map(|from| (from.id, from.values.clone()));
        assert_eq!(from, Some((8, vec![SortValue::Text("Zvonko".to_owned())])));
        let glance = Glance {
            slice: Slice { rows: Vec::new(), has_next: false, has_previous: true },
            is_cut_short: false,
        };
        Ok(LeadPage { glance, count: Count::Exact(7), by_status: Vec::new() })
    });
    office.repositories.leads = leads;
    let answer = office.answer(get(&path)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("Nothing further in this list"), "{}", answer.body);
}

#[actix_web::test]
async fn what_was_typed_is_shown_if_the_form_is_refused() {
    // A lead of somebody else, which this person may not edit.
    let office = Office::of(Role::Sales, Some(StaffId(9)), None);
    let form = "text=Zove+sutra&new_password=geheim";
    let answer = office.answer(post("/backend/admin/leads/7/notes/", form)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("readonly>Zove sutra</textarea>"), "{}", answer.body);
    assert!(!answer.body.contains("geheim"), "a password is sent back");
}

#[actix_web::test]
async fn the_address_of_the_service_leads_to_the_back_office() {
    for path in ["/", "/backend/"] {
        let request = TestRequest::get().uri(path).insert_header(("Host", HOST));
        let answer = Office::of(Role::Owner, None, None).answer(request).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.header("location"), exit3_admin::BASE);
    }
}

#[actix_web::test]
async fn strangers_are_led_to_the_sign_in_and_back() {
    let request =
        TestRequest::get().uri("/backend/admin/leads/?q=a%26b").insert_header(("Host", HOST));
    let answer = Office::of(Role::Owner, None, None).answer(request).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let place = "/backend/admin/sign-in/?next=%2Fbackend%2Fadmin%2Fleads%2F%3Fq%3Da%2526b";
    assert_eq!(answer.header("location"), place);
    let cookie = TestRequest::get().uri(LEADS).insert_header(("Host", HOST));
    let cookie = cookie.insert_header(("Cookie", "exit3=forged"));
    let answer = Office::of(Role::Owner, None, None).answer(cookie).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[actix_web::test]
async fn a_sign_in_leads_back_to_own_pages_only() {
    for (next, place) in [
        ("%2Fbackend%2Fadmin%2Faccount%2F", "/backend/admin/account/"),
        ("https%3A%2F%2Fevil.hr%2F", "/backend/admin/"),
        ("%2F%2Fevil.hr", "/backend/admin/"),
        ("%2Fbackend%2Fadmin%2F%01", "/backend/admin/"),
        ("%2Fbackend%2Fadmin%2F%7F", "/backend/admin/"),
        ("%2Fbackend%2Fadmin%2F%C4%8D", "/backend/admin/"),
    ] {
        let form = format!("_username=ana&_password={}&next={next}", office::PASSWORD);
        let request = post("/backend/admin/sign-in/", &form).insert_header(("Cookie", "a=b"));
        let answer = Office::that_signs_in().answer(request).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, place));
        assert!(answer.header("set-cookie").starts_with("exit3="), "{next}");
    }
}

#[actix_web::test]
async fn a_form_comes_back_filled_after_signing_in_again() {
    let form = |who: i64| {
        format!("_username=ana&_password={}&_who={who}&_form=1&full_name=Eva", office::PASSWORD)
    };
    let request = |who| {
        post("/backend/admin/leads/7/edit/", &form(who)).insert_header(("Cookie", "exit3=gone"))
    };
    let answer = Office::that_signs_in().answer(request(1)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("set-cookie").starts_with("exit3="));
    assert!(answer.body.contains("value=\"Eva\""), "{}", answer.body);
    assert!(answer.body.contains("it is not saved yet"));
    // The form of somebody else is neither shown nor carried out.
    let answer = Office::that_signs_in().answer(request(2)).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/backend/admin/")
    );
}

/// Sends a form whose batch has made a lead already. Returns the answer and the batch.
async fn sent_again(path: &str, form: &str) -> (office::Answer, String) {
    let mut office = Office::of(Role::Owner, None, None);
    let mut events = exit3_ports::events::MockEventRepository::new();
    let batch = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&batch);
    events.expect_list().returning(move |filter, _, _| {
        *seen.lock().unwrap() = filter.batch.as_ref().unwrap().0.to_string();
        Ok(vec![office::created(9)])
    });
    office.repositories.events = events;
    // The mocks refuse every write.
    let answer = office.answer(post(path, form)).await;
    let batch = batch.lock().unwrap().clone();
    (answer, batch)
}

#[actix_web::test]
async fn a_form_that_is_sent_twice_makes_one_lead() {
    let form = "_token=0123456789abcdef0123456789abcdef&full_name=Ana&position=CTO&email=a@acme.hr";
    let path = "/backend/admin/leads/new/";
    let (answer, batch) = sent_again(path, form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/backend/admin/leads/9/?done=lead-created");
    let token = batch.strip_prefix("form-").unwrap_or_else(|| panic!("{batch}"));
    assert_eq!(token.len(), 32, "{batch}");
    // The same form has the same batch, however often it was shown.
    assert_eq!(sent_again(path, &format!("{form}&_who=1")).await.1, batch);
}

#[actix_web::test]
async fn a_form_that_another_node_carries_out_at_the_same_moment_is_sent_again() {
    let mut office = Office::of(Role::Owner, None, None);
    let mut leads = exit3_ports::leads::MockLeadRepository::new();
    let sent = StoreError::Conflict(exit3_ports::events::FORM_SENT);
    leads.expect_create_with_work().return_once(|_, _, _| Err(sent));
    office.repositories.leads = leads;
    let path = "/backend/admin/leads/new/";
    let answer = office.answer(post(path, "full_name=Ana&position=CTO&email=a@acme.hr")).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{}", answer.body);
    assert_eq!(answer.header("location"), path);
}

#[actix_web::test]
async fn what_somebody_typed_is_not_taken_for_a_repetition() {
    let token = "_token=0123456789abcdef0123456789abcdef";
    let mut batches = HashSet::new();
    for (path, text) in [
        ("leads/7/notes/", "text=Zvala"),
        ("leads/7/notes/", "text=Zvala+opet"),
        ("leads/7/notes/", "text=&text=Zvala"),
        ("leads/new/", "text=Zvala"),
    ] {
        let path = format!("/backend/admin/{path}");
        let batch = sent_again(&path, &format!("{token}&{text}")).await.1;
        assert!(batches.insert(batch), "{path} {text}");
    }
}

#[actix_web::test]
async fn what_was_typed_about_a_deleted_lead_is_shown() {
    let mut office = Office::of(Role::Owner, None, None);
    let mut events = exit3_ports::events::MockEventRepository::new();
    events.expect_list().returning(|_, _, _| Ok(vec![office::created(8)]));
    office.repositories.events = events;
    let form = "_base_position=CTO&position=CTO&_base_notes=&notes=Zove+%3Cb%3Esutra";
    let answer = office.answer(post("/backend/admin/leads/8/edit/", form)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("readonly>Zove &#60;b&#62;sutra</textarea>"), "{}", answer.body);
    assert!(!answer.body.contains(">CTO<"), "{}", answer.body);
}

#[actix_web::test]
async fn files_are_served_while_the_database_is_away() {
    let page = Office::of(Role::Owner, None, None).answer(get(LEADS)).await;
    let (_, rest) = page.body.split_once("/backend/admin/assets/").unwrap();
    let path = format!("/backend/admin/assets/{}", rest.split('"').next().unwrap());
    let mut office = Office::of(Role::Owner, None, None);
    let mut sign_ins = exit3_ports::sign_ins::MockSignIns::new();
    sign_ins.expect_find().returning(|_| Err(StoreError::Unavailable("away".into())));
    office.repositories.sign_ins = sign_ins;
    assert_eq!(office.answer(get(&path)).await.status, StatusCode::OK, "{path}");
}

#[actix_web::test]
async fn only_allowed_networks_reach_the_back_office() {
    for (network, status) in
        [("192.0.2.0/24", StatusCode::OK), ("198.51.100.0/24", StatusCode::FORBIDDEN)]
    {
        for path in [LEADS, "/backend/admin/sign-in/"] {
            let mut office = Office::of(Role::Owner, None, None);
            office.networks = vec![network.parse().unwrap()];
            let request = get(path).peer_addr("192.0.2.7:1".parse().unwrap());
            let answer = office.answer(request).await;
            let is_reached = answer.status != StatusCode::FORBIDDEN;
            assert_eq!(is_reached, status == StatusCode::OK, "{network}: {path}");
        }
    }
}

#[actix_web::test]
async fn a_form_of_another_origin_is_refused() {
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.hr"),
    ] {
        let request = TestRequest::post()
            .uri("/backend/admin/leads/7/delete/")
            .insert_header(("Host", HOST))
            .insert_header(("Cookie", format!("exit3={}", office::token().expose())))
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .insert_header((name, value));
        let answer = Office::of(Role::Owner, None, None).answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
}

#[actix_web::test]
async fn an_expired_sign_in_keeps_the_form() {
    let form = "_who=1&_form=1&full_name=%22%3E%3Cb%3E&notes=a%0Ab&password_old=geheim";
    let request =
        post("/backend/admin/leads/7/edit/", form).insert_header(("Cookie", "exit3=gone"));
    let answer = Office::of(Role::Owner, None, None).answer(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.body.contains("name=\"full_name\" value=\"&#34;&#62;&#60;b&#62;\""),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("action=\"/backend/admin/leads/7/edit/\""));
    assert!(!answer.body.contains("geheim"), "a password is sent back");
}

#[actix_web::test]
async fn a_form_that_the_database_refuses_is_kept_and_sent_again() {
    let mut office = Office::of(Role::Owner, None, None);
    office.repositories.events.checkpoint();
    office.repositories = away(office.repositories);
    let answer = office.answer(post("/backend/admin/leads/7/notes/", "text=Zvala%20je")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "2");
    assert!(answer.body.contains("name=\"text\" value=\"Zvala je\""), "{}", answer.body);
    assert!(answer.body.contains("data-again"), "{}", answer.body);
}

#[actix_web::test]
async fn a_password_is_asked_for_again_after_the_database_was_away() {
    let mut office = Office::that_signs_in();
    let mut staff = exit3_ports::staff::MockStaffRepository::new();
    staff.expect_find_by_username().returning(|_| Err(StoreError::Unavailable("away".into())));
    office.repositories.staff = staff;
    let form = "_username=ana&_password=geheim-geheim&next=%2Fbackend%2Fadmin%2Fleads%2F7%2F";
    let answer = office.answer(post("/backend/admin/sign-in/", form)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(answer.body.contains("name=\"_username\" value=\"ana\""), "{}", answer.body);
    assert!(answer.body.contains("name=\"_password\" type=\"password\""), "{}", answer.body);
    assert!(answer.body.contains("name=\"next\" value=\"/backend/admin/leads/7/\""));
    assert!(!answer.body.contains("geheim"), "a password is sent back");
    assert!(!answer.body.contains("data-again"), "a form without its password is sent");
}

/// Mocks of a database that loses leads after the sign-in was read.
fn away(mut all: MockRepositories) -> MockRepositories {
    let mut leads = exit3_ports::leads::MockLeadRepository::new();
    leads.expect_find().returning(|_| Err(StoreError::Unavailable("away".into())));
    all.leads = leads;
    all
}

#[actix_web::test]
async fn a_lead_that_was_deleted_leads_to_its_restoration() {
    let mut office = Office::of(Role::Owner, None, None);
    let mut events = exit3_ports::events::MockEventRepository::new();
    events.expect_list().returning(|filter, _, _| {
        assert_eq!(filter.verb.as_ref().unwrap().as_str(), "lead.deleted");
        Ok(vec![])
    });
    office.repositories.events = events;
    let answer = office.answer(get("/backend/admin/leads/8/")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(!answer.body.contains("/undo/"));
}

#[actix_web::test]
async fn what_a_page_says_once_is_one_of_its_own_texts() {
    let path = "/backend/admin/leads/?done=%3Cb%3Eyou+won&event=5";
    let answer = Office::of(Role::Owner, None, None).answer(get(path)).await;
    assert!(!answer.body.contains("you won"), "a link can put words into the page");
    let path = "/backend/admin/leads/?done=lead-deleted&event=5";
    let answer = Office::of(Role::Owner, None, None).answer(get(path)).await;
    assert!(answer.body.contains("/backend/admin/undo/5/"));
}

#[actix_web::test]
async fn bodies_that_are_no_forms_are_refused() {
    let request = signed_in(TestRequest::post().uri("/backend/admin/leads/7/edit/"))
        .insert_header(("Content-Type", "application/json"))
        .set_payload("{}");
    let answer = Office::of(Role::Owner, None, None).answer(request).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.body.contains("<html"));
}
