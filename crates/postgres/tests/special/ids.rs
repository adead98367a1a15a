//! Ids of leads after somebody has set the sequence back.

use exit3_domain::canaries::CanaryId;
use exit3_domain::leads::LeadWork;
use exit3_ports::StoreError;
use exit3_testkit::builders::{lead, some_act};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_the_database_assigns_twice_is_a_refusal_that_passes() {
    let database = postgres::shared().create_database().await;
    let all = migrated(database.url()).await.repositories();
    let (new, act) = (lead().build(), some_act());
    let last = all.leads.create(&new, &act).await.unwrap().id.0;
    let client = postgres::client(database.url()).await;
    let back = async || {
        let back = format!("SELECT setval('leads_id_seq', {last}, false)");
        client.batch_execute(&back).await.unwrap();
    };
    back().await;
    let created = all.leads.create(&new, &act).await;
    assert!(created.is_err_and(|error| error.refuses_row()));
    back().await;
    let created = all.leads.create_with_work(&new, &LeadWork::default(), &act).await;
    assert!(created.is_err_and(|error| error.refuses_row()));
    back().await;
    let created = all.canaries.create(CanaryId(1), &CanaryId(1).lead(), &act).await;
    assert!(created.is_err_and(|error: StoreError| error.refuses_row()));
    // The next id is free.
    assert_eq!(all.leads.create(&new, &act).await.unwrap().id.0, last + 1);
}
