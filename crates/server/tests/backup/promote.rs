//! From the small set-up to the big one.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_write_stays_behind() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "800", "--subscribers", "300"]);
    let target = Site::new(Kind::Postgres).await;
    let service = Arc::new(site.service());
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_until(Arc::clone(&service), Arc::clone(&stop)));
    while count(&service, "search=under-load").await < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let said = tokio::task::block_in_place(|| site.must(&["promote", "--to", &target.url]));
    assert!(said.contains("DATABASE_URL"), "{said}");
    // Also what comes later is refused; reading goes on.
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "late@example.com"});
    let late = service.post(LEADS, KEY, &lead.to_string()).await;
    assert_eq!(late.status(), 503);
    assert!(late.headers().contains_key("retry-after"));
    let there = count(&service, "").await;
    stop.store(true, Ordering::Relaxed);
    let answers = writer.await.unwrap();
    assert!(answers.iter().all(|(_, status)| matches!(status, 201 | 503)), "{answers:?}");
    assert_eq!(answers.last().unwrap().1, 503);

    let promoted = target.service();
    assert_eq!(count(&promoted, "").await, there);
    let created = answers.iter().filter(|(_, status)| *status == 201).count() as u64;
    assert_eq!(count(&promoted, "search=under-load").await, created);

    // It holds for a process that comes later, and until it is taken back.
    drop(Arc::into_inner(service));
    let service = site.service();
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 503);
    site.must(&["promote", "--abort"]);
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_lets_the_old_database_go_on() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "10", "--subscribers", "10"]);
    let target = Site::new(Kind::Postgres).await;
    target.must(&["seed-demo", "--leads", "1", "--subscribers", "0"]);
    let service = site.service();
    let sentence = refused(&site.run(&["promote", "--to", &target.url]));
    assert!(sentence.contains("not empty"), "{sentence}");
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "on@example.com"});
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}
