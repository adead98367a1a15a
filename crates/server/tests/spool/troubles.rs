//! Spools that are full or lost, and databases that refuse or give away what waits.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_refuses_what_it_cannot_keep() {
    let mut lab = Lab::new().await;
    lab.more.push(("SPOOL_MAX_MB", "1".to_owned()));
    let service = lab.start();
    reserved(&service).await;
    lab.stop();
    let notes = "x".repeat(5000);
    let body =
        json!({"full_name": "Ana", "position": "CTO", "email": "ana@acme.hr", "notes": notes});
    let (body, mut taken) = (body.to_string(), 0);
    let refused = loop {
        let answer = service.post(LEADS, KEY, &body).await;
        if answer.status() != 201 {
            break answer;
        }
        taken += 1;
        assert!(taken < 300, "the spool has no limit");
    };
    assert!(taken > 100, "{taken}");
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "2");
    assert_eq!(service.get(READY, KEY).await.status(), 503);
    assert!(service.metrics().await.contains("exit3_spool_entries_total{outcome=\"refused\"} 1"));
    lab.restart();
    emptied(&service).await;
    let list: Value = service.get(LEADS, KEY).await.json().await.unwrap();
    assert_eq!(list["count"], taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_whose_id_was_given_away_after_a_restore_gets_another_one() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    let url = lab.postgres.url("postgres");
    let (taken, _) = accepted(&service, "First").await;
    lab.stop();
    let (answer, _) = accepted(&service, "Ana").await;
    service.kill();
    lab.restart();
    // Somebody restores the server to an earlier moment, and others use it.
    let admin = postgres::client(&url).await;
    let id = answer["id"].as_i64().unwrap();
    let rewind = format!(
        "UPDATE leads SET id = {id} WHERE id = {}; SELECT setval('leads_id_seq', {id})",
        taken["id"]
    );
    admin.batch_execute(&rewind).await.unwrap();
    let service = lab.start();
    emptied(&service).await;
    assert!(service.logs("a client was told that its lead is"), "{}", service.errors());
    assert!(service.logs("was it restored?"), "{}", service.errors());
    let names: Vec<_> =
        stored(&service).await.into_values().map(|it| it["full_name"].clone()).collect();
    assert_eq!(names, ["First", "Ana"]);
    // The ids of this node are no more taken than those of the database.
    for name in ["Eva", "Ivo"] {
        assert!(!accepted(&service, name).await.1);
    }
    assert_eq!(stored(&service).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_lost_spool_nor_a_lost_function_stops_leads_that_the_database_takes() {
    let lab = Lab::new().await;
    let admin = postgres::client(&lab.postgres.url("postgres")).await;
    for trouble in ["spool", "function"] {
        let service = lab.start();
        reserved(&service).await;
        match trouble {
            "spool" => std::fs::remove_dir_all(lab.path().join("data/spool")).unwrap(),
            _ => admin.batch_execute("DROP FUNCTION reserve_lead_ids").await.unwrap(),
        }
        // More than the ids that the process has.
        for number in 0..1200 {
            let (_, is_spooled) = accepted(&service, &format!("{trouble} {number}")).await;
            assert!(!is_spooled, "{trouble} {number}");
        }
        let ready = until(&service, |ready| ready["status"] == "ok").await;
        assert!(ready["spool"].is_null() || ready["spool"]["waiting"] == 0, "{ready}");
        service.kill();
    }
    let stored = admin.query_one("SELECT count(*) FROM leads", &[]).await.unwrap();
    assert_eq!(stored.get::<_, i64>(0), 2400);
}

/// Lets the database refuse leads with the name `Odd`.
const REFUSE_ODD: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN RAISE ''no such names''; END'; \
    CREATE TRIGGER refuse BEFORE INSERT ON leads FOR EACH ROW \
    WHEN (NEW.full_name = 'Odd') EXECUTE FUNCTION refuse()";

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_a_trigger_of_others_refuses_waits_for_an_operator() {
    let lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    let admin = postgres::client(&lab.postgres.url("postgres")).await;
    admin.batch_execute(REFUSE_ODD).await.unwrap();
    let (odd, is_spooled) = accepted(&service, "Odd").await;
    assert!(is_spooled);
    for name in ["Ana", "Eva"] {
        assert!(!accepted(&service, name).await.1, "others wait with it");
    }
    until(&service, |ready| ready["spool"]["refused"] == 1).await;
    let (done, said) = lab.command(&["spool", "list"]);
    assert!(done && said.contains("no such names"), "{said}");
    let (done, said) = lab.command(&["spool", "replay"]);
    assert!(!done && said.contains("refuses 1"), "{said}");
    admin.batch_execute("DROP TRIGGER refuse ON leads").await.unwrap();
    let (done, said) = lab.command(&["spool", "replay"]);
    assert!(done, "{said}");
    assert!(stored(&service).await.values().any(|lead| *lead == odd));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_the_spool_too() {
    let lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    let admin = postgres::client(&lab.postgres.url("postgres")).await;
    admin.batch_execute(REFUSE_ODD).await.unwrap();
    for email in ["Ana@acme.hr", "eva@acme.hr"] {
        let lead = json!({"full_name": "Odd", "position": "CTO", "email": email}).to_string();
        assert!(is_spooled(&service.post(LEADS, KEY, &lead).await));
    }
    let erase = ["erase", "--email", "ana@acme.hr"];
    let (done, said) = lab.command(&[&erase[..], &["--dry-run"]].concat());
    assert!(done && said.ends_with("erase: 1 entries of the spool\n"), "{said}");
    let (done, said) = lab.command(&erase);
    assert!(done && said.starts_with("Erased: 1 entries of the spool\n"), "{said}");
    assert!(said.contains("spool was searched too."), "{said}");
    admin.batch_execute("DROP TRIGGER refuse ON leads").await.unwrap();
    let (done, said) = lab.command(&["spool", "replay"]);
    assert!(done, "{said}");
    let stored = stored(&service).await;
    let emails: Vec<&Value> = stored.values().map(|lead| &lead["email"]).collect();
    assert_eq!(emails, ["eva@acme.hr"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_is_turned_off_is_emptied() {
    let mut lab = Lab::new().await;
    let service = lab.start();
    reserved(&service).await;
    lab.stop();
    let (answer, _) = accepted(&service, "Ana").await;
    service.kill();
    lab.more.push(("SPOOL_MAX_MB", "0".to_owned()));
    let (done, said) = lab.command(&["spool", "list"]);
    assert!(done && said.contains(&format!("lead {}", answer["id"])), "{said}");
    let service = lab.start();
    let refused = service.post(LEADS, KEY, &lead("Eva")).await;
    assert_eq!(refused.status(), 503);
    lab.restart();
    emptied(&service).await;
    assert_eq!(stored(&service).await.into_values().collect::<Vec<_>>(), [answer]);
}
