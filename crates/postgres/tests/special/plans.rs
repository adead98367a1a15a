//! How PostgreSQL reads lists: by an index, whatever the filter or order.
//!
//! The plans are those of the statements that the adapter sends, as the server
//! itself logs them (`auto_explain`).

use exit3_domain::leads::{LeadCategory, LeadFilter, LeadOrder, LeadSort, LeadSource, LeadStatus};
use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
use exit3_ports::LeadRepository;
use exit3_testkit::postgres::{self, TestPostgres};

use crate::migrated;

/// Enough for an index to pay.
const LEADS: u32 = 60_000;

/// Leads of which a few are rare: one of a name, and one in five thousand of a
/// status, a source or a category, which only an index finds soon.
async fn fill(url: &str) {
    let rare = |word: &str, usual: &str| {
        format!("CASE WHEN n % 5000 = 0 THEN '{word}' ELSE '{usual}' END")
    };
    let statement = format!(
        "INSERT INTO leads (full_name, position, company_name, email, source, status, category, \
                            created_at, updated_at, search_document)
         SELECT name, 'CTO', 'Company ' || n % 997, name || '@acme.hr', {}, {}, {},
                now() - n * interval '1 minute', now() - n * interval '1 minute',
                lower(name) || E'\\ncompany ' || n % 997
         FROM (SELECT n, CASE n WHEN 77 THEN 'Zvonimir' ELSE 'Person ' || md5(n::text) END AS name
               FROM generate_series(1, {LEADS}) n) people",
        rare("referral", "website"),
        rare("closed", "new"),
        rare("sales_auto", "web_dev"),
    );
    let admin = postgres::client(url).await;
    admin.batch_execute(&statement).await.unwrap();
    admin.batch_execute("VACUUM ANALYZE").await.unwrap();
    // For the connections that are made from now on.
    admin
        .batch_execute(
            "ALTER DATABASE postgres SET session_preload_libraries = 'auto_explain';
             ALTER DATABASE postgres SET auto_explain.log_min_duration = 0;",
        )
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_read_by_an_index() {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let url = server.url("postgres");
    migrated(&url).await;
    fill(&url).await;
    let leads = crate::open(&url).leads();
    let all = LeadFilter::default();
    let filters = [
        all.clone(),
        LeadFilter { statuses: Some(vec![LeadStatus::Closed]), ..all.clone() },
        LeadFilter { sources: Some(vec![LeadSource::Referral]), ..all.clone() },
        LeadFilter { categories: Some(vec![LeadCategory::SalesAuto]), ..all.clone() },
        LeadFilter { words: vec!["zvonimir".into()], ..all.clone() },
        LeadFilter { words: vec!["company 99".into()], ..all.clone() },
    ];
    let page = |number| PageRequest { number, size: 50 };
    for filter in &filters {
        for number in [PageNumber::Number(1), PageNumber::Number(2), PageNumber::Last] {
            leads.list(filter, LeadOrder::NEWEST, page(number)).await.unwrap();
        }
    }
    for by in LeadSort::ALL {
        for descending in [false, true] {
            let order = LeadOrder { by: *by, descending };
            leads.list(&all, order, page(PageNumber::Number(1))).await.unwrap();
            // In the middle, so that much lies ahead whichever way a step goes.
            let middle = PageNumber::Number(u64::from(LEADS) / 50 / 2);
            let middle = leads.list(&all, order, page(middle)).await.unwrap();
            let from = middle.unwrap().rows.pop().unwrap();
            for direction in [Direction::Forward, Direction::Backward] {
                let step = Step { from: Some(order.position(&from)), direction, size: 50 };
                leads.walk(&all, order, &step).await.unwrap();
                leads.walk(&filters[1], order, &step).await.unwrap();
            }
        }
    }
    // The log is written before the answer is sent, but not by the same hand.
    let log = server.log();
    let plans = log.matches("Query Text: ").count();
    assert!(plans >= 50, "the server logs its plans: {plans}");
    for index in [
        "leads_created_at",
        "leads_updated_at",
        "leads_full_name",
        "leads_company_name",
        "leads_status",
        "leads_source",
        "leads_category",
        "leads_search",
    ] {
        assert!(log.contains(index), "no list is read by {index}");
    }
    let scanned = log.lines().find(|line| line.contains("Seq Scan on leads"));
    assert_eq!(scanned, None, "{log}");
    // A few rows of a rare choice, or of a search, are sorted sooner than read in
    // order, and so is the one page that is read from the end.
    let sorted = log.split("Query Text: ").filter(|plan| {
        let may_sort = [" = '", "LIKE", "Subquery Scan on page"];
        plan.contains("Sort Key") && !may_sort.iter().any(|mark| plan.contains(mark))
    });
    let sorted: Vec<&str> = sorted.collect();
    assert!(sorted.is_empty(), "a list is sorted instead of read in order: {sorted:?}");
}
