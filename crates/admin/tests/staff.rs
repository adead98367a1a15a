//! The pages of staff accounts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use actix_web::http::StatusCode;
use exit3_domain::events::Subject;
use exit3_domain::sign_ins::{SecretToken, TOKEN};
use exit3_domain::staff::{Role, Staff, StaffId};
use exit3_ports::events::MockEventRepository;
use exit3_ports::staff::USERNAME_TAKEN;
use exit3_ports::{Constraint, StoreError};
use office::{Office, created, get, post, staff};

const STAFF: &str = "/backend/admin/staff/";
const NEW: &str = "/backend/admin/staff/new/";
const FORM: &str = "_token=0123456789abcdef0123456789abcdef&username=ivo&email=&role=sales";

/// The link of the only invitation, whose random bytes tests know.
fn link() -> String {
    let token = SecretToken::of(&[7; TOKEN]);
    format!("http://office.test/backend/admin/invitation/{}/", token.expose())
}

fn office() -> Office {
    Office::of(Role::Owner, None, None)
}

/// A form finds no event the first time, and the event of an account the second time.
fn found_the_second_time() -> MockEventRepository {
    let mut events = MockEventRepository::new();
    events.expect_list().times(1).returning(|filter, _, _| {
        assert!(filter.batch.is_some());
        Ok(Vec::new())
    });
    events.expect_list().returning(|_, _, _| {
        let mut event = created(7);
        event.subject = Subject { resource: "staff".into(), id: 7 };
        Ok(vec![event])
    });
    events
}

#[actix_web::test]
async fn an_invitation_shows_its_link_once() {
    let mut office = office();
    office.repositories.events = found_the_second_time();
    let invitations = &mut office.repositories.invitations;
    invitations.expect_invite_new().times(1).returning(|new, _, _, act| {
        assert_eq!(new.profile.username, "ivo");
        assert!(act.author.batch.is_some(), "a second sending would not be recognised");
        Ok(Staff { id: StaffId(7), profile: new.profile.clone(), ..staff(Role::Sales, None) })
    });
    let answers = office.answers(vec![post(NEW, FORM), post(NEW, FORM)]).await;
    assert_eq!(answers[0].status, StatusCode::OK);
    assert!(answers[0].body.contains(&format!("data-copy=\"{}\"", link())), "{}", answers[0].body);
    assert_eq!(answers[0].header("cache-control"), "no-store");
    assert_eq!(answers[1].status, StatusCode::SEE_OTHER);
    let place = format!("{STAFF}7/?done=staff-shown-before");
    assert_eq!(answers[1].header("location"), place);
}

/// Two nodes get the same form at the same moment. The user name is taken before the event is.
#[actix_web::test]
async fn an_invitation_that_another_node_makes_is_not_refused() {
    let mut office = office();
    office.repositories.events = found_the_second_time();
    let taken = || Err(StoreError::Conflict(USERNAME_TAKEN));
    office
        .repositories
        .invitations
        .expect_invite_new()
        .times(1)
        .returning(move |_, _, _, _| taken());
    let answers = office.answers(vec![post(NEW, FORM)]).await;
    assert_eq!(answers[0].header("location"), format!("{STAFF}7/?done=staff-shown-before"));
}

#[actix_web::test]
async fn another_link_is_made_on_request_and_shown_once() {
    let mut office = office();
    office.repositories.events = found_the_second_time();
    office.repositories.invitations.expect_invite().times(1).returning(|_, _| Ok(()));
    let form = "_token=0123456789abcdef0123456789abcdef";
    let path = format!("{STAFF}7/invite/");
    let answers = office.answers(vec![post(&path, form), post(&path, form)]).await;
    assert!(answers[0].body.contains(&link()), "{}", answers[0].body);
    assert_eq!(answers[1].header("location"), format!("{STAFF}7/?done=staff-shown-before"));
}

#[actix_web::test]
async fn a_disabled_account_gets_no_link() {
    let mut office = office();
    let invitations = &mut office.repositories.invitations;
    invitations.expect_invite().returning(|_, _| Err(StoreError::NotFound));
    let answer = office.answer(post(&format!("{STAFF}7/invite/"), "")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("the account is disabled"), "{}", answer.body);
}

#[actix_web::test]
async fn a_form_with_errors_shows_all_of_them_and_what_was_typed() {
    let form = "username=a+b%3Cscript%3E&email=x&first_name=Ivo&role=boss";
    let answer = office().answer(post(NEW, form)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for text in [
        "Use letters, digits and the characters",
        "This is not an e-mail address.",
        "Choose one of the values.",
        "value=\"a b&#60;script&#62;\"",
        "value=\"Ivo\"",
    ] {
        assert!(answer.body.contains(text), "no {text} in {}", answer.body);
    }
}

#[actix_web::test]
async fn the_last_owner_stays_one() {
    for (path, form) in [("role/", "role=sales"), ("disable/", "")] {
        let mut office = office();
        let accounts = &mut office.repositories.staff;
        accounts
            .expect_update()
            .returning(|_, _, _| Err(StoreError::Conflict(Constraint::LastOwner)));
        let answer = office.answer(post(&format!("{STAFF}7/{path}"), form)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.body.contains("this is the last active owner"), "{}", answer.body);
    }
}

#[actix_web::test]
async fn accounts_are_changed() {
    for (path, form, done) in [
        ("7/role/", "role=sales", "staff/7/?done=staff-role"),
        // Somebody who is no owner any more cannot see the accounts.
        ("1/role/", "role=manager", "account/?done=staff-role"),
        ("1/role/", "role=owner", "staff/1/?done=staff-role"),
        ("7/disable/", "", "staff/7/?done=staff-disabled"),
        ("7/enable/", "", "staff/7/?done=staff-enabled"),
        ("7/sign-out/", "", "staff/7/?done=staff-signed-out"),
    ] {
        let mut office = office();
        office
            .repositories
            .staff
            .expect_update()
            .returning(|seen, profile, _| Ok(Staff { profile: profile.clone(), ..seen.clone() }));
        office.repositories.sign_ins.expect_end().returning(|_, _, _| Ok(1));
        let answer = office.answer(post(&format!("{STAFF}{path}"), form)).await;
        assert_eq!(answer.header("location"), format!("/backend/admin/{done}"), "{path}");
        let said = Office::of(Role::Owner, None, None).answer(get(answer.header("location"))).await;
        assert!(said.body.contains("role=\"status\""), "{path} says nothing");
    }
}

#[actix_web::test]
async fn a_role_that_there_is_not_is_refused_in_a_sentence() {
    let answer = office().answer(post(&format!("{STAFF}7/role/"), "role=boss")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("Choose one of the values."), "{}", answer.body);
}

#[actix_web::test]
async fn pages_of_accounts_beyond_the_last_do_not_exist() {
    let mut office = office();
    let mut accounts = exit3_ports::staff::MockStaffRepository::new();
    accounts.expect_list().returning(|_| Ok(None));
    office.repositories.staff = accounts;
    let answer = office.answer(get(&format!("{STAFF}?page=99"))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
