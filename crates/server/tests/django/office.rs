//! The back office after an import, beside Django's admin.

use std::fs;

use reqwest::redirect::Policy;
use serde_json::Value as Json;

use super::replaced::{DjangoService, PASSWORD};
use super::service::Service;

/// The fields that the import changes, as its report says.
const CHANGED: &[(&str, &str, &str)] = &[
    ("leads", "6", "source"),
    ("leads", "6", "status"),
    ("leads", "6", "category"),
    ("leads", "12", "full_name"),
    ("leads", "12", "phone_number"),
    ("clients", "7", "category"),
];

/// Visits the page of every row of Django's admin, and the page of the same row here. Each value that
/// Django shows is shown here too, and each contract that Django has is downloaded.
pub(crate) async fn shows_what_djangos_admin_showed(django: &DjangoService, service: &Service) {
    let office = Office::enter(service).await;
    let shown = django.shown();
    for (kind, path, fields) in [
        (
            "leads",
            "edit/",
            "full_name position company_name phone_number email source status category",
        ),
        ("clients", "edit/", "team_id monthly_charge one_time_charge short_description category"),
        ("subscribers", "edit/", "email"),
    ] {
        for (id, row) in shown[kind].as_object().unwrap() {
            let page = office.page(&format!("{kind}/{id}/{path}")).await;
            let Some(page) = page else {
                // Two addresses that differ in capitals are one subscription here.
                assert_eq!(kind, "subscribers", "{id}");
                let email = row["email"].as_str().unwrap().to_lowercase();
                assert!(office.page(&format!("subscribers/?q={email}")).await.is_some());
                continue;
            };
            for field in fields.split(' ') {
                if !CHANGED.contains(&(kind, id, field)) {
                    let mut theirs = normal(row[field].as_str().unwrap());
                    if kind == "subscribers" {
                        theirs = theirs.to_lowercase();
                    }
                    assert_eq!(typed(&page, field), theirs, "{kind} {id} {field}");
                }
            }
        }
    }
    // Notes are part of the timeline of a lead, and the name of its client is a link.
    for (id, row) in shown["leads"].as_object().unwrap() {
        let page = normal(&text(&office.page(&format!("leads/{id}/")).await.unwrap()));
        assert!(page.contains(normal(row["notes"].as_str().unwrap()).trim()), "{id}");
    }
    let mut links = 0;
    for (id, row) in shown["clients"].as_object().unwrap() {
        let lead = row["client_info"].as_str().unwrap();
        if !lead.is_empty() {
            let lead = office.page(&format!("leads/{lead}/")).await.unwrap();
            assert!(lead.contains(&format!("/backend/admin/clients/{id}/")), "{id}");
            links += 1;
        }
    }
    assert_eq!(links, 2);
    for row in shown["staff"].as_object().unwrap().values() {
        let page = text(&office.page("staff/").await.unwrap());
        assert!(page.contains(row["username"].as_str().unwrap()), "{row}");
    }
    downloads_the_contracts(&office, django, &shown).await;
}

async fn downloads_the_contracts(office: &Office<'_>, django: &DjangoService, shown: &Json) {
    let mut downloaded = 0;
    for (id, row) in shown["clients"].as_object().unwrap() {
        let path = row["contract_file"].as_str().unwrap();
        let theirs = django.media().join(path);
        let is_theirs = path.starts_with("contracts/") && theirs.is_file() && !theirs.is_symlink();
        let ours = office.get(&format!("clients/{id}/contract/file/")).await;
        if !is_theirs {
            assert_eq!(ours.status(), 404, "{id}: {path}");
            continue;
        }
        assert_eq!(ours.status(), 200, "{id}: {path}");
        assert_eq!(ours.bytes().await.unwrap(), fs::read(theirs).unwrap(), "{id}: {path}");
        let page = text(&office.page(&format!("clients/{id}/")).await.unwrap());
        assert!(page.contains(path.trim_start_matches("contracts/")), "{id}: {path}");
        downloaded += 1;
    }
    assert_eq!(downloaded, 2);
}

/// The back office, as the superuser of Django sees it. The import kept that password.
struct Office<'a> {
    service: &'a Service,
    client: reqwest::Client,
    cookie: String,
}

impl<'a> Office<'a> {
    async fn enter(service: &'a Service) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let form = [("_username", "ana"), ("_password", PASSWORD)];
        let request = client.post(service.url("/backend/admin/sign-in/")).form(&form);
        let answer = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { service, client, cookie }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let url = self.service.url(&format!("/backend/admin/{path}"));
        self.client.get(url).header("cookie", &self.cookie).send().await.unwrap()
    }

    /// A page; `None` if there is none.
    async fn page(&self, path: &str) -> Option<String> {
        let answer = self.get(path).await;
        assert!([200, 404].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        (answer.status() == 200).then_some(answer.text().await.unwrap())
    }
}

/// The value of a field in a form.
fn typed(page: &str, name: &str) -> String {
    let place = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}"));
    let (before, after) = page.split_at(place);
    let between = |text: &str, begin: &str, end: &str| {
        let (_, rest) = text.split_once(begin).unwrap();
        text_of(rest.split_once(end).unwrap().0)
    };
    let value = match &before[before.rfind('<').unwrap()..] {
        tag if tag.starts_with("<select") => {
            let (options, _) = after.split_once("</select>").unwrap();
            let chosen = options.split("<option ").find(|option| option.contains(" selected"));
            chosen.map(|option| between(option, "value=\"", "\"")).unwrap_or_default()
        }
        tag if tag.starts_with("<textarea") => between(after, ">\n", "</textarea>"),
        _ => between(after, "value=\"", "\""),
    };
    normal(&value)
}

/// The texts of a page, without its tags.
fn text(page: &str) -> String {
    page.split('<').map(|piece| text_of(piece.split_once('>').map_or(piece, |(_, t)| t))).collect()
}

/// Replaces the references to characters that templates write.
fn text_of(escaped: &str) -> String {
    let mut pieces = escaped.split("&#");
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once(';').unwrap();
        text.extend(number.parse().ok().and_then(char::from_u32));
        text.push_str(rest);
    }
    text
}

/// A text as both sides show it: a page has no control characters, and charges have no needless zeros.
fn normal(text: &str) -> String {
    let text: String = text.chars().filter(|one| !one.is_control()).collect();
    match text.parse::<f64>() {
        Ok(number) if text.contains('.') => number.to_string(),
        _ => text,
    }
}
