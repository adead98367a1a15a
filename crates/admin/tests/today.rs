//! The first page.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod office;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use exit3_admin::BASE;
use exit3_app::intake::Intake;
use exit3_domain::leads::{LeadFilter, LeadOwner, LeadPage, LeadSource, LeadStatus};
use exit3_domain::paging::{Count, Glance, Slice};
use exit3_domain::staff::{Language, Role};
use exit3_ports::MockRepositories;
use exit3_ports::leads::MockLeadRepository;
use exit3_ports::sign_ins::MockSignIns;
use exit3_ports::spool::{MockSpool, SpoolStatus};
use office::{ME, Office, get, lead, now};

/// An office whose person left at this time, with this number of leads in lists; the filters that lists
/// are asked for.
fn office(change: impl FnOnce(&mut MockRepositories)) -> (Office, Arc<Mutex<Vec<LeadFilter>>>) {
    let mut office = Office::of(Role::Sales, Some(ME), None);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut leads = MockLeadRepository::new();
    let seen = Arc::clone(&asked);
    leads.expect_page().returning(move |filter, _, step| {
        seen.lock().unwrap().push(filter.clone());
        let rows = if step.size == 1 { Vec::new() } else { vec![lead(Some(ME))] };
        let glance = Glance {
            slice: Slice { rows, has_next: false, has_previous: false },
            is_cut_short: false,
        };
        let count = Count::Exact(if filter.due.is_some() { 3 } else { 21 });
        Ok(LeadPage { glance, count, by_status: Vec::new() })
    });
    leads.expect_counts().returning(|| Ok(vec![(LeadStatus::New, LeadSource::Website, 5)]));
    office.repositories.leads = leads;
    change(&mut office.repositories);
    (office, asked)
}

#[actix_web::test]
async fn what_to_do_comes_first_and_leads_to_the_lists() {
    let (office, asked) = office(|_| {});
    let answer = office.answer(get(BASE)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let lists = [
        "leads/?owner=1&#38;due=1&#38;sort=next_step_at\">Your next steps <span class=\"number\">3",
        "leads/?status=new&#38;owner=none&#38;sort=created_at\">Without an owner <span class=\"number\">21",
        "leads/?since=2026-09-21T00%3A13\">New since your last visit <span class=\"number\">21",
        "id=\"weeks\"",
    ];
    let places: Vec<_> = lists.iter().map(|list| answer.body.find(list)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {}", answer.body);
    assert!(answer.body.contains("Since 2026-09-21 00:13"), "{}", answer.body);
    // A lead knows the list from which it was opened.
    assert!(answer.body.contains("/backend/admin/leads/7/?owner=1&#38;due=1"), "{}", answer.body);
    let asked = asked.lock().unwrap();
    let due: Vec<_> = asked.iter().filter_map(|filter| filter.due).collect();
    assert_eq!(due, [now()]);
    let owners: Vec<_> = asked.iter().map(|filter| filter.owner).collect();
    assert!(owners.contains(&Some(LeadOwner::Nobody)), "{owners:?}");
}

#[actix_web::test]
async fn steps_of_days_before_are_overdue() {
    let today = now().date_naive().and_time(NaiveTime::MIN).and_utc();
    let earlier = today - TimeDelta::microseconds(1);
    for (days, count, shown) in [
        (vec![earlier, earlier, today], 9, "2 overdue"),
        (vec![earlier, earlier], 9, "2+ overdue"),
        (vec![earlier, earlier], 2, "2 overdue"),
        (vec![today], 1, "Due until today</p>"),
    ] {
        let (office, _) = office(|all| {
            let mut leads = MockLeadRepository::new();
            leads.expect_counts().returning(|| Ok(vec![(LeadStatus::New, LeadSource::Website, 5)]));
            leads.expect_page().returning(move |_, _, _| {
                let row = |at: &DateTime<Utc>| {
                    let mut row = lead(Some(ME));
                    row.work.next_step_at = Some(*at);
                    row
                };
                let rows = days.iter().map(row).collect();
                let slice = Slice { rows, has_next: true, has_previous: false };
                let glance = Glance { slice, is_cut_short: false };
                Ok(LeadPage { glance, count: Count::Exact(count), by_status: Vec::new() })
            });
            all.leads = leads;
        });
        let answer = office.answer(get(BASE)).await;
        assert!(answer.body.contains(shown), "{shown}: {}", answer.body);
    }
}

#[actix_web::test]
async fn on_the_first_visit_a_week_is_new() {
    let (office, _) = office(|all| {
        let find = std::mem::replace(&mut all.sign_ins, MockSignIns::new());
        all.sign_ins.expect_left_at().returning(|_| Ok(None));
        all.sign_ins.expect_find().returning(move |digest| {
            futures_util::FutureExt::now_or_never(exit3_ports::SignIns::find(&find, digest))
                .unwrap()
        });
    });
    let answer = office.answer(get(BASE)).await;
    assert!(answer.body.contains("New in the last week"), "{}", answer.body);
    assert!(answer.body.contains("leads/?since=2026-09-14T14%3A13"), "{}", answer.body);
}

#[actix_web::test]
async fn pictures_have_the_same_numbers_in_a_table_and_lead_to_lists() {
    for (language, percent) in [(Language::English, "75 %"), (Language::Croatian, "75 %")] {
        let answer = Office::of(Role::Viewer, None, Some(language)).answer(get(BASE)).await;
        let body = answer.body.replace('\u{a0}', " ");
        let thousand = if language == Language::English { "1,234" } else { "1.234" };
        assert_eq!(body.matches(&format!("<td>{thousand}</td>")).count(), 2, "{body}");
        for part in [
            "href=\"/backend/admin/leads/?since=2026-09-21&#38;until=2026-09-27\"",
            "href=\"/backend/admin/leads/?status=converted\"",
            "href=\"/backend/admin/leads/?source=referral\"",
            &format!("750 · {percent}</text>"),
            "<td>3 h</td><td>4 d</td>",
        ] {
            assert!(body.contains(part), "{part}: {body}");
        }
        // Nobody who may only read is asked to make a lead.
        assert!(!body.contains("/leads/new/"), "{body}");
        assert_eq!(body.matches("<svg class=\"chart\"").count(), 4);
    }
}

#[actix_web::test]
async fn a_new_installation_says_how_leads_come_in() {
    for (role, may_create, is_owner) in
        [(Role::Owner, true, true), (Role::Sales, true, false), (Role::Viewer, false, false)]
    {
        let mut office = Office::of(role, None, None);
        let mut leads = MockLeadRepository::new();
        leads.expect_counts().returning(|| Ok(Vec::new()));
        office.repositories.leads = leads;
        let answer = office.answer(get(BASE)).await;
        assert!(answer.body.contains("POST /backend/api/v1/leads/"), "{}", answer.body);
        assert_eq!(answer.body.contains("/leads/new/"), may_create, "{role}");
        assert_eq!(answer.body.contains("exit3 import-django"), is_owner, "{role}");
    }
}

#[actix_web::test]
async fn the_menu_leads_to_it() {
    let answer = Office::of(Role::Viewer, None, None).answer(get(BASE)).await;
    assert!(answer.body.contains("aria-current=\"page\" data-key=\"g h\""), "{}", answer.body);
}

#[actix_web::test]
async fn what_waits_in_the_spool_is_told() {
    for (waiting, says) in
        [(0, None), (1, Some("1 lead or sign-up has waited")), (7, Some("7 leads and"))]
    {
        let (mut office, _) = office(|_| {});
        let mut spool = MockSpool::new();
        spool.expect_keys().returning(|| Ok(None));
        spool.expect_waiting().returning(|_, _| Ok(Vec::new()));
        spool.expect_status().returning(move || {
            let oldest = (waiting > 0).then(|| now() - TimeDelta::minutes(3));
            let problems = u64::from(waiting == 7);
            Ok(SpoolStatus { waiting, problems, oldest, ..SpoolStatus::default() })
        });
        office.intake = Some(Arc::new(Intake::open(Arc::new(spool)).await.unwrap()));
        let body = office.answer(get(BASE)).await.body;
        assert_eq!(body.contains("on this node"), says.is_some(), "{body}");
        assert!(says.is_none_or(|says| body.contains(says)), "{body}");
        assert_eq!(body.contains("database refuses 1 of them"), waiting == 7, "{body}");
    }
}
