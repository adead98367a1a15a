//! The pages of clients.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::StatusCode;
use exit3_domain::clients::{Client, ClientId, ClientTotals, Money, NewClient};
use exit3_domain::events::{Changes, Event, EventId, Subject, Verb};
use exit3_domain::leads::LeadId;
use exit3_domain::order::SortValue;
use exit3_domain::paging::Slice;
use exit3_domain::staff::{Language, Role, StaffId};
use exit3_domain::versions::Version;
use exit3_ports::StoreError;
use exit3_ports::clients::{LEAD_TAKEN, MockClientRepository};
use exit3_ports::events::MockEventRepository;
use office::{ME, Office, get, post};

const LIST: &str = "/backend/admin/clients/";
const ONE: &str = "/backend/admin/clients/7/";

fn stored() -> Client {
    let details = NewClient {
        team_id: "T1".to_owned(),
        short_description: "Web shop".to_owned(),
        contract_file: Some("a.pdf".to_owned()),
        ..office::client().details
    };
    Client { details, ..office::client() }
}

fn version() -> String {
    Version::of(&stored()).as_str().to_owned()
}

/// Mocks in which the client is found.
fn found() -> MockClientRepository {
    let mut clients = MockClientRepository::new();
    clients.expect_find().returning(|_| Ok(Some(stored())));
    clients
}

/// Mocks in which the lead is this client.
fn of_lead() -> MockClientRepository {
    let mut clients = MockClientRepository::new();
    clients.expect_find_by_lead().returning(|_| Ok(Some(stored())));
    clients
}

/// An office with these clients. The lead has this owner.
fn with(role: Role, owner: Option<StaffId>, clients: MockClientRepository) -> Office {
    let mut office = Office::of(role, owner, None);
    office.repositories.clients = clients;
    office
}

#[actix_web::test]
async fn a_list_shows_charges_and_their_sums_in_the_way_of_the_language() {
    let english = ["€1,200.50", "€990.00", "€70,000.50", "€9.00", ">4,321<"];
    let croatian = ["1.200,50", "990,00", "70.000,50\u{a0}€", "9,00\u{a0}€", ">4.321<"];
    for (language, expected) in [(Language::English, english), (Language::Croatian, croatian)] {
        let answer = Office::of(Role::Manager, None, Some(language)).answer(get(LIST)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        for text in expected {
            assert!(answer.body.contains(text), "{text}: {}", answer.body);
        }
    }
}

#[actix_web::test]
async fn an_address_selects_and_orders_clients() {
    let mut clients = MockClientRepository::new();
    clients.expect_walk().returning(|filter, order, step| {
        assert_eq!(filter.categories.as_ref().map(Vec::len), Some(1));
        assert_eq!((filter.team_id.as_deref(), filter.has_contract), (Some("T1"), Some(false)));
        assert_eq!(filter.words, ["acme"]);
        let from = step.from.as_ref().map(|from| (from.id, from.values.clone()));
        assert_eq!(from, Some((3, vec![SortValue::Number(700)])));
        assert_eq!(order.to_string(), "-monthly_charge");
        Ok(Slice { rows: vec![stored()], has_next: true, has_previous: true })
    });
    clients.expect_totals().returning(|_| Ok(ClientTotals { count: 2, ..ClientTotals::default() }));
    let query = "q=Acme&category=web_dev&team=T1&contract=false&sort=-monthly_charge";
    let path = format!("{LIST}?{query}&after=3&at=700");
    let answer = with(Role::Owner, None, clients).answer(get(&path)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let next = format!("{LIST}?{query}&after=7&at=120050").replace('&', "&#38;");
    assert!(answer.body.contains(&next), "{next}: {}", answer.body);
    assert!(answer.body.contains("<details open>"), "{}", answer.body);
}

/// The event of a new monthly charge.
fn charged() -> Event {
    Event {
        verb: Verb::of("client", Verb::UPDATED),
        subject: Subject { resource: "client".into(), id: 7 },
        changes: Changes::one("monthly_charge", "77.00", "1200.50"),
        ..office::created(7)
    }
}

/// Charges are for those who may know them: those who look after the client, and managers.
#[actix_web::test]
async fn only_some_see_what_a_client_pays() {
    for (role, owner, on_page, in_list) in [
        (Role::Owner, None, true, true),
        (Role::Manager, Some(StaffId(2)), true, true),
        (Role::Sales, Some(ME), true, false),
        (Role::Sales, Some(StaffId(2)), false, false),
        (Role::Sales, None, false, false),
        (Role::Viewer, None, false, false),
    ] {
        let mut office = Office::of(role, owner, None);
        let mut events = MockEventRepository::new();
        events.expect_list().returning(|_, _, _| Ok(vec![charged()]));
        office.repositories.events = events;
        let page = office.answer(get(ONE)).await.body;
        for amount in ["€1,200.50", "€77.00"] {
            assert_eq!(page.contains(amount), on_page, "{role} {owner:?}: {page}");
        }
        let list = Office::of(role, owner, None).answer(get(LIST)).await.body;
        assert_eq!(list.contains("€1,200.50"), on_page, "{role} {owner:?}: {list}");
        for of_all in ["€70,000.50", "sort=-monthly_charge"] {
            assert_eq!(list.contains(of_all), in_list, "{role} {owner:?}: {list}");
        }
        // Nor does the order of a list tell.
        let mut clients = MockClientRepository::new();
        clients.expect_walk().returning(move |_, order, _| {
            let expected = if in_list { "-monthly_charge" } else { "-id" };
            assert_eq!(order.to_string(), expected, "{role}");
            Ok(Slice { rows: vec![], has_next: false, has_previous: false })
        });
        clients.expect_totals().returning(|_| Ok(ClientTotals::default()));
        let path = format!("{LIST}?sort=-monthly_charge&after=3&at=700");
        let answer = with(role, owner, clients).answer(get(&path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}

#[actix_web::test]
async fn a_lead_leads_to_its_client_and_back() {
    let lead = "/backend/admin/leads/7/";
    for (role, may_convert) in [(Role::Sales, true), (Role::Viewer, false)] {
        let answer = Office::of(role, None, None).answer(get(lead)).await;
        let link = "/backend/admin/clients/new/?lead=7";
        assert_eq!(answer.body.contains(link), may_convert, "{role}: {}", answer.body);
    }
    let answer = with(Role::Manager, None, of_lead()).answer(get(lead)).await;
    assert!(answer.body.contains(&format!("href=\"{ONE}\"")), "{}", answer.body);
    assert!(answer.body.contains("€1,200.50 a month · €990.00 once"), "{}", answer.body);
    assert!(!answer.body.contains("clients/new/"), "{}", answer.body);
    let answer = Office::of(Role::Viewer, None, None).answer(get(ONE)).await;
    assert!(answer.body.contains(&format!("href=\"{lead}\"")), "{}", answer.body);
}

#[actix_web::test]
async fn a_form_of_a_lead_is_filled_with_what_the_lead_says() {
    let path = format!("{LIST}new/?lead=7");
    let answer = Office::of(Role::Sales, None, None).answer(get(&path)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let action = "action=\"/backend/admin/clients/new/?lead=7\"";
    assert!(answer.body.contains(action), "{}", answer.body);
    assert!(answer.body.contains("alert(&#39;notes&#39;)"), "{}", answer.body);
    assert!(!answer.body.contains("name=\"lead\""), "{}", answer.body);
    // A lead of somebody else.
    let answer = Office::of(Role::Sales, Some(StaffId(2)), None).answer(get(&path)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // A lead that is a client already.
    let answer = with(Role::Sales, None, of_lead()).answer(get(&path)).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, ONE));
    // No lead.
    for path in ["new/?lead=8", "new/?lead=x"] {
        let path = format!("{LIST}{path}");
        let answer = Office::of(Role::Owner, None, None).answer(get(&path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[actix_web::test]
async fn a_lead_becomes_a_client() {
    let mut clients = MockClientRepository::new();
    clients.expect_convert().times(1).returning(|seen, _, new, act| {
        assert_eq!((seen.id, new.team_id.as_str()), (LeadId(7), "T1"));
        assert_eq!(new.monthly_charge, Money::charge(120_050));
        assert_eq!(new.one_time_charge, None);
        assert!(act.author.batch.is_some());
        Ok(Client { id: ClientId(9), details: new.clone() })
    });
    let form = "_token=0123456789abcdef0123456789abcdef&team_id=T1&category=web_dev\
        &monthly_charge=1.200%2C50+%E2%82%AC&one_time_charge=&lead=99";
    let path = format!("{LIST}new/?lead=7");
    let answer = with(Role::Sales, None, clients).answer(post(&path, form)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), format!("{LIST}9/?done=client-created"));
    // Sent again, it leads to what the first one made. The mocks refuse every write.
    let mut office = Office::of(Role::Sales, None, None);
    let mut events = MockEventRepository::new();
    events.expect_list().returning(|filter, _, _| {
        assert_eq!(filter.resource.as_deref(), Some("client"), "the lead has an event too");
        let subject = Subject { resource: "client".into(), id: 9 };
        Ok(vec![Event { subject, ..office::created(9) }])
    });
    office.repositories.events = events;
    let answer = office.answer(post(&path, form)).await;
    assert_eq!(answer.header("location"), format!("{LIST}9/?done=client-created"));
}

/// Two nodes get the same form at the same moment. The rule of one client for a lead refuses the
/// second before its event does.
#[actix_web::test]
async fn a_form_that_another_node_carries_out_leads_to_what_that_made() {
    let mut clients = MockClientRepository::new();
    clients.expect_convert().times(1).returning(|_, _, _, _| Err(StoreError::Conflict(LEAD_TAKEN)));
    clients.expect_find_by_lead().returning(|_| Ok(Some(stored())));
    let mut office = with(Role::Sales, None, clients);
    let mut events = MockEventRepository::new();
    events.expect_list().times(1).returning(|_, _, _| Ok(Vec::new()));
    events.expect_list().times(1).returning(|_, _, _| {
        let subject = Subject { resource: "client".into(), id: 9 };
        Ok(vec![Event { subject, ..office::created(9) }])
    });
    office.repositories.events = events;
    let form = "_token=0123456789abcdef0123456789abcdef&team_id=T1&category=web_dev";
    let answer = office.answer(post(&format!("{LIST}new/?lead=7"), form)).await;
    assert_eq!(answer.header("location"), format!("{LIST}9/?done=client-created"));
}

/// A sales person has become the owner of the lead by that, and may not give the lead away.
#[actix_web::test]
async fn sales_people_see_no_undo_of_a_conversion() {
    for (role, sees) in [(Role::Sales, false), (Role::Manager, true)] {
        let mut office = Office::of(role, Some(ME), None);
        let mut events = MockEventRepository::new();
        events.expect_list().returning(|_, before, _| {
            let changes = Changes::one("owner", None, Some(ME.0));
            let event =
                Event { verb: Verb::of("lead", Verb::UPDATED), changes, ..office::created(7) };
            Ok(if before.is_none() { vec![event] } else { Vec::new() })
        });
        office.repositories.events = events;
        let answer = office.answer(get("/backend/admin/leads/7/")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.body.contains("/backend/admin/undo/"), sees, "{role}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_refused_form_comes_back_with_what_was_typed() {
    let form = "team_id=&category=web_dev&monthly_charge=-7&one_time_charge=x&\
        short_description=Tri+%3Cb%3E";
    for path in [format!("{LIST}new/"), format!("{LIST}new/?lead=7")] {
        let answer = Office::of(Role::Manager, None, None).answer(post(&path, form)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        for text in [
            "Fill in this field.",
            "An amount is not negative.",
            "This is not an amount.",
            "value=\"-7\"",
            "value=\"x\"",
            "Tri &#60;b&#62;",
        ] {
            assert!(answer.body.contains(text), "{text}: {}", answer.body);
        }
    }
}

#[actix_web::test]
async fn a_form_shows_and_takes_amounts_in_the_way_of_the_language() {
    let mut office = Office::of(Role::Manager, None, Some(Language::Croatian));
    office.repositories.clients = found();
    let answer = office.answer(get(&format!("{ONE}edit/"))).await;
    assert!(answer.body.contains("value=\"1200,50\""), "{}", answer.body);
    assert!(answer.body.contains("name=\"_base_monthly_charge\" value=\"1200.50\""));
    let mut clients = found();
    clients.expect_update().times(1).returning(|seen, details, _| {
        assert_eq!(details.monthly_charge, seen.details.monthly_charge);
        assert_eq!(details.one_time_charge, Money::charge(100_000));
        assert_eq!(details.contract_file, seen.details.contract_file);
        Ok(Client { id: seen.id, details: details.clone() })
    });
    let form = format!(
        "_version={}&_base_monthly_charge=1200.50&monthly_charge=1200%2C50&\
        _base_one_time_charge=990.00&one_time_charge=1.000",
        version()
    );
    let path = format!("{ONE}edit/");
    let answer = with(Role::Manager, None, clients).answer(post(&path, &form)).await;
    assert_eq!(answer.header("location"), format!("{ONE}?done=client-saved"), "{}", answer.body);
}

#[actix_web::test]
async fn a_conflict_shows_both_values() {
    let form = "_version=older&_base_team_id=T0&team_id=T2&_base_monthly_charge=1.00&\
        monthly_charge=2";
    let path = format!("{ONE}edit/");
    let answer = with(Role::Manager, None, found()).answer(post(&path, form)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    for text in ["T0", "T1", "T2", "1.00", "2.00", "1200.50"] {
        assert!(answer.body.contains(&format!("<span class=\"pre\">{text}</span>")), "{text}");
    }
}

#[actix_web::test]
async fn only_a_manager_gives_a_client_another_lead() {
    let path = format!("{ONE}edit/");
    for (role, may_assign) in [(Role::Manager, true), (Role::Sales, false)] {
        let answer = with(role, Some(ME), found()).answer(get(&path)).await;
        assert_eq!(answer.body.contains("name=\"lead\""), may_assign, "{role}");
        let mut clients = found();
        let times = usize::from(may_assign);
        clients.expect_update().times(times).returning(|seen, _, _| Ok(seen.clone()));
        let form = format!("_version={}&lead=8", version());
        let answer = with(role, Some(ME), clients).answer(post(&path, &form)).await;
        let status = if may_assign { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, status, "{role}: {}", answer.body);
    }
}

/// The deletion of the client.
fn deleted() -> Event {
    Event {
        id: EventId(5),
        verb: Verb::of("client", Verb::DELETED),
        changes: Changes::Row(exit3_domain::events::record(&stored())),
        ..charged()
    }
}

#[actix_web::test]
async fn a_deletion_can_be_taken_back() {
    let after = |clients| {
        let mut office = with(Role::Manager, None, clients);
        let mut events = MockEventRepository::new();
        events.expect_list().returning(|_, _, _| Ok(vec![deleted()]));
        events.expect_find().returning(|_| Ok(Some(deleted())));
        office.repositories.events = events;
        office
    };
    let mut clients = found();
    clients.expect_delete().times(1).returning(|_, _| Ok(()));
    let form = format!("_version={}", version());
    let answer = after(clients).answer(post(&format!("{ONE}delete/"), &form)).await;
    let place = format!("{LIST}?done=client-deleted&event=5");
    assert_eq!(answer.header("location"), place, "{}", answer.body);
    let answer = Office::of(Role::Manager, None, None).answer(get(&place)).await;
    assert!(answer.body.contains("/backend/admin/undo/5/"), "{}", answer.body);
    let gone = || {
        let mut clients = MockClientRepository::new();
        clients.expect_find().returning(|_| Ok(None));
        clients
    };
    let answer = after(gone()).answer(get(ONE)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("/backend/admin/undo/5/"), "{}", answer.body);
    let mut clients = gone();
    clients.expect_restore().times(1).returning(|back, _| {
        assert_eq!(*back, stored());
        Ok(())
    });
    let answer = after(clients).answer(post("/backend/admin/undo/5/", "")).await;
    assert_eq!(answer.header("location"), format!("{ONE}?done=undone"), "{}", answer.body);
}

#[actix_web::test]
async fn the_search_over_everything_finds_clients() {
    let path = "/backend/admin/search/?q=team";
    let answer = Office::of(Role::Viewer, None, None).answer(get(path)).await;
    assert!(answer.body.contains(&format!("href=\"{ONE}\"")), "{}", answer.body);
    assert!(answer.body.contains(&format!("href=\"{LIST}?q=team\"")), "{}", answer.body);
    assert!(!answer.body.contains('€'), "{}", answer.body);
}
