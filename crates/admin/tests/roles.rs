//! Who may do what on every route of the back office.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::{Method, StatusCode};
use exit3_domain::access::{Action, Record, Worker, may};
use exit3_domain::staff::{Role, StaffId};
use office::{ME, OFFER, Office, get, post};

/// What a person must be allowed to do for a route.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// Everybody who is signed in may open it.
    Nothing,
    /// This action on the lead of the path, or on no particular lead.
    OnLead(Action),
    /// This action on leads that nobody owns.
    OnLeads(Action),
    /// This action on the client of the path, which the owner of its lead looks after.
    OnClient(Action),
    /// This action on no particular client.
    OnClients(Action),
    /// This action on subscribers.
    OnSubscribers(Action),
    /// This action on this record.
    On(Action, Record),
}

const ROUTES: &[(&str, &str, Needs)] = &[
    ("GET", "", Needs::OnLeads(Action::Read)),
    ("GET", "search/", Needs::Nothing),
    ("GET", "account/", Needs::Nothing),
    ("POST", "account/preferences/", Needs::Nothing),
    ("POST", "account/password/", Needs::Nothing),
    ("POST", "account/sign-ins/end-others/", Needs::Nothing),
    ("POST", "account/sign-ins/{id}/end/", Needs::Nothing),
    ("POST", "sign-out/", Needs::Nothing),
    ("GET", "leads/", Needs::OnLeads(Action::Read)),
    ("GET", "leads/new/", Needs::OnLeads(Action::Create)),
    ("POST", "leads/new/", Needs::OnLeads(Action::Create)),
    ("GET", "leads/export/", Needs::OnLeads(Action::Export)),
    ("POST", "leads/export/", Needs::OnLeads(Action::Export)),
    ("GET", "leads/{id}/", Needs::OnLead(Action::Read)),
    ("GET", "leads/{id}/edit/", Needs::OnLead(Action::Edit)),
    ("POST", "leads/{id}/edit/", Needs::OnLead(Action::Edit)),
    ("POST", "leads/{id}/row/", Needs::OnLead(Action::Edit)),
    ("POST", "leads/{id}/delete/", Needs::OnLead(Action::Delete)),
    ("POST", "leads/{id}/notes/", Needs::OnLead(Action::Note)),
    ("POST", "leads/{id}/notes/{note}/remove/", Needs::OnLead(Action::Note)),
    ("GET", "clients/", Needs::OnClients(Action::Read)),
    ("GET", "clients/new/", Needs::OnClients(Action::Create)),
    ("POST", "clients/new/", Needs::OnClients(Action::Create)),
    ("GET", "clients/export/", Needs::OnClients(Action::Export)),
    ("POST", "clients/export/", Needs::OnClients(Action::Export)),
    ("GET", "clients/{id}/", Needs::OnClient(Action::Read)),
    ("GET", "clients/{id}/edit/", Needs::OnClient(Action::Edit)),
    ("POST", "clients/{id}/edit/", Needs::OnClient(Action::Edit)),
    ("POST", "clients/{id}/delete/", Needs::OnClient(Action::Delete)),
    ("GET", "subscribers/", Needs::OnSubscribers(Action::Read)),
    ("GET", "subscribers/export/", Needs::OnSubscribers(Action::Export)),
    ("POST", "subscribers/export/", Needs::OnSubscribers(Action::Export)),
    ("GET", "subscribers/{id}/", Needs::OnSubscribers(Action::Read)),
    ("GET", "subscribers/{id}/edit/", Needs::OnSubscribers(Action::Edit)),
    ("POST", "subscribers/{id}/edit/", Needs::OnSubscribers(Action::Edit)),
    ("POST", "subscribers/{id}/row/", Needs::OnSubscribers(Action::Edit)),
    ("POST", "subscribers/{id}/delete/", Needs::OnSubscribers(Action::Delete)),
    ("GET", "staff/", Needs::On(Action::Read, Record::Staff)),
    ("GET", "staff/new/", Needs::On(Action::Create, Record::Staff)),
    ("POST", "staff/new/", Needs::On(Action::Create, Record::Staff)),
    ("GET", "staff/{id}/", Needs::On(Action::Read, Record::Staff)),
    ("POST", "staff/{id}/invite/", Needs::On(Action::Edit, Record::Staff)),
    ("POST", "staff/{id}/role/", Needs::On(Action::Edit, Record::Staff)),
    ("POST", "staff/{id}/disable/", Needs::On(Action::Edit, Record::Staff)),
    ("POST", "staff/{id}/enable/", Needs::On(Action::Edit, Record::Staff)),
    ("POST", "staff/{id}/sign-out/", Needs::On(Action::Edit, Record::Staff)),
    ("GET", "keys/", Needs::On(Action::Read, Record::ApiKey)),
    ("GET", "keys/new/", Needs::On(Action::Create, Record::ApiKey)),
    ("POST", "keys/new/", Needs::On(Action::Create, Record::ApiKey)),
    ("GET", "keys/{id}/", Needs::On(Action::Read, Record::ApiKey)),
    ("GET", "keys/{id}/revoke/", Needs::On(Action::Edit, Record::ApiKey)),
    ("POST", "keys/{id}/revoke/", Needs::On(Action::Edit, Record::ApiKey)),
    ("GET", "events/", Needs::On(Action::Read, Record::Event)),
    ("POST", "events/undo/", Needs::On(Action::Read, Record::Event)),
    ("GET", "clients/{id}/contract/", Needs::OnClient(Action::Contract)),
    ("POST", "clients/{id}/contract/", Needs::OnClient(Action::Contract)),
    ("GET", "clients/{id}/contract/file/", Needs::OnClient(Action::Contract)),
    ("POST", "clients/{id}/contract/remove/", Needs::OnClient(Action::Contract)),
    ("POST", "undo/{event}/", Needs::OnLeads(Action::Restore)),
];

#[test]
fn every_route_has_an_entry() {
    let mut served: Vec<(String, String)> =
        OFFER.routes().into_iter().map(|(method, path)| (method.to_string(), path)).collect();
    let entry = |(method, path, _): &(&str, &str, Needs)| {
        ((*method).to_owned(), format!("{}{path}", exit3_admin::BASE))
    };
    let mut entries: Vec<_> = ROUTES.iter().map(entry).collect();
    served.sort();
    entries.sort();
    assert_eq!(served, entries);
}

#[actix_web::test]
async fn each_role_reaches_what_the_rules_allow_and_nothing_else() {
    for role in Role::ALL.iter().copied() {
        for owner in [None, Some(ME), Some(StaffId(2))] {
            for (method, path, needs) in ROUTES {
                let path = path.replace("{id}", "7").replace("{note}", "5").replace("{event}", "1");
                let path = format!("{}{path}", exit3_admin::BASE);
                // An empty form is refused after the rights are checked.
                let request = match Method::from_bytes(method.as_bytes()).unwrap() {
                    Method::GET => get(&path),
                    _ => post(&path, "full_name=&text=&status=no"),
                };
                let worker = Worker { id: ME, role };
                let allowed = match needs {
                    Needs::Nothing => true,
                    Needs::OnLead(action) => may(&worker, *action, Record::Lead(owner)),
                    Needs::OnLeads(action) => may(&worker, *action, Record::Lead(None)),
                    Needs::OnClient(action) => may(&worker, *action, Record::Client(owner)),
                    Needs::OnClients(action) => may(&worker, *action, Record::Client(None)),
                    Needs::OnSubscribers(action) => may(&worker, *action, Record::Subscriber),
                    Needs::On(action, record) => may(&worker, *action, *record),
                };
                if allowed && *method == "POST" && writes_without_a_check(&path) {
                    continue;
                }
                let answer = Office::of(role, owner, None).answer(request).await;
                let is_forbidden = answer.status == StatusCode::FORBIDDEN;
                assert_eq!(
                    is_forbidden, !allowed,
                    "{role} {owner:?} {method} {path}: {}",
                    answer.status
                );
                if is_forbidden {
                    assert!(answer.body.contains("An owner can change your role"), "{path}");
                }
            }
        }
    }
}

/// Routes whose mocks would have to accept a write. Others tests use them.
fn writes_without_a_check(path: &str) -> bool {
    ["account/", "sign-out/", "/delete/", "/remove/", "undo/", "able/", "/invite/", "/revoke/"]
        .iter()
        .any(|part| path.contains(part))
}
