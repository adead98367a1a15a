//! Search documents of an earlier release.

use exit3_domain::clients::ClientFilter;
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_testkit::contract::clients::client;
use exit3_testkit::{builders, postgres};

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_an_earlier_release_are_folded_again() {
    let (database, kept) = crate::shared().await;
    let leads = database.repositories().leads;
    let lead = builders::lead().full_name("Đuro Šarić").company_name(None).build();
    let many: Vec<_> = (0..230).map(|n| (lead.clone(), builders::at(n))).collect();
    leads.create_many(&many, &builders::some_act()).await.unwrap();
    let plain =
        leads.create(&builders::lead().build(), &builders::act(builders::at(7))).await.unwrap();
    database
        .repositories()
        .subscribers
        .create(&builders::subscriber("đ@šarić.hr"), &builders::some_act())
        .await
        .unwrap();
    let clients = database.repositories().clients;
    clients.create(&client("Šarić"), &builders::some_act()).await.unwrap();
    // As an earlier release stored them.
    let admin = postgres::client(kept.url()).await;
    admin
        .batch_execute(
            "UPDATE leads SET search_document = split_part(search_document, E'\\n\\f', 1);
             UPDATE subscribers SET search_document = email;
             UPDATE clients SET search_document = NULL",
        )
        .await
        .unwrap();
    let found = async |word: &str| {
        let filter = LeadFilter { words: vec![word.to_owned()], ..LeadFilter::default() };
        let page = leads.list(&filter, LeadOrder::NEWEST, PageRequest::first()).await;
        page.unwrap().unwrap().count
    };
    assert_eq!((found("saric").await, found("šarić").await), (0, 230));
    let is_client_found = async || {
        let filter = ClientFilter { words: vec!["saric".to_owned()], ..ClientFilter::default() };
        clients.totals(&filter).await.unwrap().count == 1
    };
    assert!(!is_client_found().await);
    let mut steps = Vec::new();
    loop {
        // Two nodes may do this at once.
        let other = crate::open(kept.url());
        let (one, other) = tokio::join!(database.fold_accents(), other.fold_accents());
        match one.unwrap().max(other.unwrap()) {
            0 => break,
            folded => steps.push(folded),
        }
        assert_eq!(found("šarić").await, 230);
    }
    assert!(steps.iter().all(|step| *step <= 100), "{steps:?}");
    assert_eq!((found("saric").await, found("šarić").await), (230, 230));
    assert!(is_client_found().await);
    assert_eq!(leads.find(plain.id).await.unwrap(), Some(plain));
    let rows = admin.query("SELECT search_document FROM subscribers", &[]).await.unwrap();
    let wanted = exit3_domain::search::document([Some("đ@šarić.hr")]);
    assert_eq!(rows[0].get::<_, &str>(0), wanted);
    let plan = "EXPLAIN SELECT id FROM leads WHERE octet_length(search_document) \
        <> char_length(search_document) AND position(chr(12) IN search_document) = 0 \
        ORDER BY id LIMIT 100";
    let plan: String =
        admin.query(plan, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)).collect();
    assert!(plan.contains("leads_with_accents"), "{plan}");
}
