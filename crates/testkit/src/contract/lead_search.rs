//! What a search finds.

use exit3_domain::leads::{LeadFilter, LeadSort, LeadStatus, NewLead};
use exit3_domain::search::MAX_WORDS;

use super::Harness;
use super::model::{NEW_YEAR, expected, fill, last, listed, orders, searching, walked};
use crate::builders::{act, at, lead};
use exit3_domain::paging::Direction;

async fn store(harness: &Harness, new: NewLead) {
    harness.leads.create(&new, &act(at(NEW_YEAR))).await.unwrap();
}

/// The number of leads that `query` finds; a list and a walk must agree.
async fn hits(harness: &Harness, query: &str) -> usize {
    let leads = harness.leads.as_ref();
    let filter = searching(query);
    let order = exit3_domain::leads::LeadOrder::NEWEST;
    let listed = listed(leads, &filter, order, 50).await;
    assert_eq!(walked(leads, &filter, order, Direction::Forward, 50).await, listed);
    listed.len()
}

pub async fn finds_parts_of_name_company_email_and_phone(harness: &Harness) {
    store(harness, lead().build()).await;
    for query in ["Ana", "na Ho", "orvat", "Acme", "d.o.o.", "ana@acme", "@", "38591", "+385", "67"]
    {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    for query in ["Anna", "acme.com", "386", "anaacme"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
}

pub async fn does_not_look_elsewhere(harness: &Harness) {
    store(harness, lead().position("Gardener").notes(Some("wants roses")).build()).await;
    for query in ["gardener", "roses", "new", "other", "web_dev", "2025"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
}

pub async fn finds_in_any_case(harness: &Harness) {
    let company = Some("Straße ΟΔΟΣ");
    store(harness, lead().full_name("Đuro Šarić").company_name(company).build()).await;
    for query in [
        "đuro", "ĐURO", "Đuro", "ĐuRo", "ŠARIĆ", "šarić", "straße", "STRASSE", "strasse", "STRAßE",
        "ss", "ß", "οδος", "ΟΔΟΣ", "οδοσ",
    ] {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    assert_eq!(hits(harness, "strase").await, 0);
}

pub async fn finds_with_and_without_accents(harness: &Harness) {
    store(harness, lead().full_name("Đuro Šarić").company_name(Some("Müller & Łoś")).build()).await;
    store(harness, lead().full_name("S\u{30c}arić Mate").company_name(None).build()).await;
    store(harness, lead().full_name("Duro Saric").company_name(Some("Muller & Los")).build()).await;
    for (query, found) in [
        ("saric", 3),
        ("SARIC", 3),
        ("ari", 3),
        ("saric muller", 2),
        ("duro", 2),
        ("los", 2),
        ("saric mate", 1),
        // A search with accents only finds texts with them.
        ("Šarić", 2),
        ("s\u{30c}aric\u{301}", 2),
        ("Đuro", 1),
        ("MÜLLER", 1),
        ("łoś šarić", 1),
        ("šarić mate", 1),
        ("djuro", 0),
        ("sarik", 0),
        ("ďuro", 0),
    ] {
        assert_eq!(hits(harness, query).await, found, "{query}");
    }
}

pub async fn wildcards_and_quotes_are_plain_characters(harness: &Harness) {
    for name in ["100% sure", "under_score", "back\\slash", "O'Hara", "say \"hi\"", "a*b?c[d]"] {
        store(harness, lead().full_name(name).build()).await;
    }
    for query in [
        "%", "0%", "_", "r_s", "\\", "k\\s", "'", "o'h", "\"", "\"hi\"", "*", "?", "[d]",
        "a*b?c[d]",
    ] {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    for query in ["1%e", "u%r", "und_r", "%%", "__", "\\%", "\\_", "''", "a.*b", "\\\\", "';--"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
}

pub async fn finds_single_characters_and_emoji(harness: &Harness) {
    store(harness, lead().full_name("Crab 🦀👩‍💻 日本").build()).await;
    store(harness, lead().full_name("Nobody").build()).await;
    for query in ["🦀", "👩‍💻", "日", "日本", "🦀👩", "cr"] {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    assert_eq!(hits(harness, "a").await, 2);
    assert_eq!(hits(harness, "🦞").await, 0);
}

pub async fn every_word_must_occur(harness: &Harness) {
    store(harness, lead().full_name("Ana Horvat").company_name(Some("Zeta")).build()).await;
    store(harness, lead().full_name("Ana Kovač").company_name(Some("Acme")).build()).await;
    for (query, found) in [
        ("ana", 2),
        ("ana horvat", 1),
        ("horvat ana", 1),
        ("zeta ana 385", 1),
        ("ana ANA aNa", 2),
        ("horvat kovač", 0),
        ("ana nobody", 0),
        ("  ana \t\n horvat  ", 1),
        ("", 2),
        ("   ", 2),
    ] {
        assert_eq!(hits(harness, query).await, found, "{query}");
    }
}

pub async fn a_word_does_not_span_two_fields(harness: &Harness) {
    let new = lead().full_name("Ana").company_name(Some("Horvat")).email(None).phone_number(None);
    store(harness, new.build()).await;
    assert_eq!(hits(harness, "ana horvat").await, 1);
    assert_eq!(hits(harness, "anahorvat").await, 0);
    assert_eq!(hits(harness, "ahor").await, 0);
    let joined = LeadFilter { words: vec!["ana horvat".to_owned()], ..LeadFilter::default() };
    let order = exit3_domain::leads::LeadOrder::NEWEST;
    assert_eq!(listed(harness.leads.as_ref(), &joined, order, 50).await, []);
}

pub async fn blank_fields_match_nothing(harness: &Harness) {
    let blank = lead().company_name(Some("")).email(None).phone_number(Some("")).notes(None);
    store(harness, blank.build()).await;
    for query in ["null", "none", "@", "acme", "''"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
    assert_eq!(hits(harness, "ana").await, 1);
}

pub async fn an_update_changes_what_is_found(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let changed = lead().full_name("Ivo Ivić").company_name(None).email(Some("ivo@zeta.hr"));
    harness.leads.update(&seen, &changed.build(), &seen.work, &act(at(NEW_YEAR))).await.unwrap();
    for query in ["ivić", "ivo@zeta.hr", "38591"] {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    for query in ["ana", "horvat", "acme"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
}

pub async fn a_word_with_nul_matches_nothing(harness: &Harness) {
    store(harness, lead().build()).await;
    for query in ["\0", "ana\0", "\0ana", "a\0na"] {
        assert_eq!(hits(harness, query).await, 0, "{query:?}");
    }
}

pub async fn many_words_are_no_trouble(harness: &Harness) {
    // The words overlap, so that all of them fit into one name.
    let name: Vec<char> = ('\u{4e00}'..).take(MAX_WORDS + 2).collect();
    let word = |n: usize| name[n..n + 3].iter().collect::<String>();
    let most: Vec<String> = (0..MAX_WORDS).map(word).collect();
    store(harness, lead().full_name(name.iter().collect::<String>()).build()).await;
    assert_eq!(hits(harness, &most.join(" ")).await, 1);
    let other: Vec<String> = (1..MAX_WORDS).map(word).chain(["nobody".to_owned()]).collect();
    assert_eq!(hits(harness, &other.join(" ")).await, 0);
    assert_eq!(hits(harness, &"x".repeat(20_000)).await, 0);
}

pub async fn searches_combine_with_filters_orders_and_pages(harness: &Harness) {
    let stored = fill(harness, 120).await;
    for query in ["ana", "đ", "%", "acme 385", "ß"] {
        let all = searching(query);
        let some = LeadFilter {
            statuses: Some(vec![LeadStatus::New, LeadStatus::Converted]),
            created_after: Some(at(NEW_YEAR + 2)),
            ..all.clone()
        };
        for filter in [all, some] {
            for order in orders::<LeadSort>() {
                let wanted = expected(&stored, &filter, order);
                assert_eq!(listed(harness.leads.as_ref(), &filter, order, 5).await, wanted);
                let end = harness.leads.list(&filter, order, last(5)).await.unwrap().unwrap();
                assert_eq!(end.rows.last(), wanted.last());
            }
        }
    }
}
