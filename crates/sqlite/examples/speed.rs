//! Measures the adapter by itself, without HTTP:
//! `cargo run --release -p exit3-sqlite --example speed -- DIRECTORY [LEADS] [creates]`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a tool for developers, whose output is its purpose"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_domain::leads::{
    LeadCategory, LeadFilter, LeadOrder, LeadSort, LeadSource, LeadStatus, NewLead,
};
use exit3_domain::paging::{Direction, PageNumber, PageRequest, Step};
use exit3_ports::LeadRepository;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::{act, at, lead, some_act};

const TIME: Duration = Duration::from_secs(3);

fn some_lead(n: i64) -> NewLead {
    let place =
        usize::try_from(n.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).unwrap();
    lead()
        .full_name(format!("Lead {place} Horvat"))
        .company_name(Some(&format!("Company {} d.o.o.", place / 7)))
        .email(Some(&format!("lead{n}@company{}.hr", place / 7)))
        .status(LeadStatus::ALL[place % 6])
        .source(LeadSource::ALL[place / 6 % 6])
        .category(LeadCategory::ALL[place / 36 % 6])
        .notes(Some("Met at the fair, wants an offer for a web shop until the autumn."))
        .build()
}

/// Runs `call` from `tasks` at once for a while; calls a second.
async fn rate<F>(tasks: usize, call: impl Fn(i64) -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let workers: Vec<_> = (0..tasks)
        .map(|task| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut calls = 0_i64;
                while begun.elapsed() < TIME {
                    call(calls * 1000 + i64::try_from(task).unwrap()).await;
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    let mut calls = 0;
    for worker in workers {
        calls += worker.await.unwrap();
    }
    calls as f64 / begun.elapsed().as_secs_f64()
}

async fn lists(leads: &Arc<dyn LeadRepository>, name: &str, filter: LeadFilter, page: PageNumber) {
    let sorts = [LeadSort::CreatedAt, LeadSort::FullName];
    for by in sorts {
        let (leads, filter) = (Arc::clone(leads), filter.clone());
        let order = LeadOrder { by, descending: true };
        let request = PageRequest { number: page, size: 50 };
        let first = Instant::now();
        let Ok(found) = leads.list(&filter, order, request).await else {
            println!("{name:28} by {by:10}: gave up after {:?}", first.elapsed());
            continue;
        };
        let first = first.elapsed();
        let call = move |_| {
            let (leads, filter) = (Arc::clone(&leads), filter.clone());
            async move { drop(leads.list(&filter, order, request).await.unwrap()) }
        };
        let one = if first < Duration::from_millis(20) { rate(1, call.clone()).await } else { 0.0 };
        let many = if first < Duration::from_millis(20) { rate(32, call).await } else { 0.0 };
        let count = found.map(|page| page.count);
        println!(
            "{name:28} by {by:10}: {many:8.0}/s from 32, {one:8.0}/s from 1; once {first:?}, {count:?}"
        );
    }
}

async fn all_lists(leads: &Arc<dyn LeadRepository>, stock: i64) {
    for (name, page) in [
        ("all", PageNumber::Number(1)),
        ("all, last", PageNumber::Last),
        ("all, middle", PageNumber::Number(stock.unsigned_abs() / 100)),
    ] {
        lists(leads, name, LeadFilter::default(), page).await;
    }
    let status = |statuses: &[LeadStatus]| LeadFilter {
        statuses: Some(statuses.to_vec()),
        ..LeadFilter::default()
    };
    lists(leads, "status", status(&[LeadStatus::New]), PageNumber::Number(1)).await;
    let two = status(&[LeadStatus::New, LeadStatus::Closed]);
    lists(leads, "two statuses", two.clone(), PageNumber::Number(1)).await;
    let both = LeadFilter { sources: Some(vec![LeadSource::Other]), ..two };
    lists(leads, "two statuses and a source", both, PageNumber::Number(1)).await;
    let search = |word: &str| LeadFilter { words: vec![word.to_owned()], ..LeadFilter::default() };
    lists(leads, "search, all match", search("horvat"), PageNumber::Number(1)).await;
    lists(leads, "search, few match", search("lead77"), PageNumber::Number(1)).await;
    lists(leads, "search, none match", search("nobody"), PageNumber::Number(1)).await;
    let since =
        LeadFilter { created_after: Some(at(1_735_689_600_000_000)), ..LeadFilter::default() };
    lists(leads, "since the beginning", since, PageNumber::Number(1)).await;

    let middle = PageRequest { number: PageNumber::Number(stock.unsigned_abs() / 100), size: 50 };
    let middle = leads.list(&LeadFilter::default(), LeadOrder::NEWEST, middle).await;
    let from = middle.unwrap().unwrap().rows.first().map(|row| LeadOrder::NEWEST.position(row));
    let step = Step { from, direction: Direction::Forward, size: 50 };
    let walker = Arc::clone(leads);
    let steps =
        rate(32, move |_| {
            let (leads, step) = (Arc::clone(&walker), step.clone());
            async move {
                drop(leads.walk(&LeadFilter::default(), LeadOrder::NEWEST, &step).await.unwrap())
            }
        })
        .await;
    println!("cursor step in the middle: {steps:.0}/s from 32");
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap();
    let stock: i64 = arguments.next().map_or(10_000, |stock| stock.parse().unwrap());
    let path = Path::new(&directory).join("speed.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    database.migrate().unwrap();
    let leads = database.repositories().leads;
    let first = PageRequest::first();
    let stored = leads.list(&LeadFilter::default(), LeadOrder::NEWEST, first).await;
    let stored = i64::try_from(stored.unwrap().unwrap().count).unwrap();
    let begun = Instant::now();
    for chunk in (stored..stock).step_by(10_000) {
        let many: Vec<_> = (chunk..(chunk + 10_000).min(stock))
            .map(|n| (some_lead(n), at(1_735_689_600_000_000 + n * 1_000_000)))
            .collect();
        leads.create_many(&many, &some_act()).await.unwrap();
    }
    println!("{} leads stored in {:?}", (stock - stored).max(0), begun.elapsed());

    if arguments.next().is_none() {
        all_lists(&leads, stock).await;
    }
    for tasks in [1, 32] {
        let (writer, before) = (Arc::clone(&leads), database.commits());
        let creates =
            rate(tasks, move |n| {
                let leads = Arc::clone(&writer);
                let new = some_lead(n);
                async move {
                    drop(leads.create(&new, &act(at(1_800_000_000_000_000 + n))).await.unwrap())
                }
            })
            .await;
        let commits = (database.commits() - before) as f64 / TIME.as_secs_f64();
        println!("creates from {tasks}: {creates:.0}/s in {commits:.0} commits/s");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default());
}
