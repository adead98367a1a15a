use super::*;
use crate::i18n::texts;
use chrono::{DateTime, TimeDelta};
use exit3_domain::leads::Week;
use exit3_domain::staff::Language;
use rstest::rstest;

#[rstest]
#[case(0, 0, 0)]
#[case(0, 9, 0)]
#[case(1, 1_000_000, 2)]
#[case(5, 10, 56)]
#[case(10, 10, HIGHEST)]
#[case(u64::MAX, u64::MAX, HIGHEST)]
fn what_is_there_is_seen(#[case] part: u64, #[case] most: u64, #[case] height: u64) {
    assert_eq!(scaled(part, most, HIGHEST), height);
}

#[rstest]
#[case(0, 0, "0 %")]
#[case(1, 1000, "< 1 %")]
#[case(1, 8, "13 %")]
#[case(999_999, 1_000_000, "100 %")]
fn shares_are_rounded(#[case] part: u64, #[case] whole: u64, #[case] text: &str) {
    assert_eq!(share(texts(Language::English), part, whole).replace('\u{a0}', " "), text);
}

#[test]
fn columns_fill_the_width_and_stand_on_the_ground() {
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let week = |(place, week)| {
        let waits = vec![3_600_000_000 * (place as i64 + 1); place];
        LeadWeek::of(week, place as u64 * 10, waits)
    };
    let weeks: Vec<_> = Week::last(now).into_iter().enumerate().map(week).collect();
    for language in [Language::English, Language::Croatian] {
        let texts = texts(language);
        for picture in [Columns::received(texts, &weeks), Columns::waits(texts, &weeks)] {
            assert_eq!(picture.columns.len(), weeks.len());
            for column in &picture.columns {
                assert_eq!(column.top + column.height, GROUND);
                assert_eq!(column.cells.len(), picture.head.len());
                assert!(!column.says.is_empty() && column.href.contains("since="));
            }
            let last = &picture.columns[weeks.len() - 1];
            assert_eq!((last.height, last.left.as_str()), (HIGHEST, "91.66%"));
            assert!(last.is_present && !last.is_minor);
            assert!(!picture.columns[0].is_present);
            assert_eq!(picture.columns[0].height, 0);
        }
    }
    let half = Some(TimeDelta::hours(2));
    assert_eq!(weeks[1].half, half);
}

#[test]
fn the_slowest_are_a_line_above_the_column() {
    let week = Week::last(DateTime::from_timestamp(1_790_000_000, 0).unwrap())[0];
    let waits = vec![1_000_000_000, 1_000_000_000, 1_000_000_000, 4_000_000_000];
    let picture = Columns::waits(texts(Language::English), &[LeadWeek::of(week, 9, waits)]);
    let column = &picture.columns[0];
    assert_eq!((column.height, column.line), (28, Some((GROUND - HIGHEST, HIGHEST - 28))));
    assert_eq!(column.cells[1..], ["9", "4", "16 min", "1 h"]);
}

#[test]
fn bars_are_in_the_order_of_the_way_and_of_the_numbers() {
    let texts = texts(Language::English);
    let counts = [
        (LeadStatus::Closed, LeadSource::Referral, 50),
        (LeadStatus::Converted, LeadSource::Referral, 10),
        (LeadStatus::New, LeadSource::Website, 40),
    ];
    let funnel = Bars::funnel(texts, &counts);
    let found: Vec<_> =
        funnel.bars.iter().map(|bar| (bar.text.as_str(), bar.value.as_str())).collect();
    assert_eq!(found[0].0, "New");
    assert!(found[0].1.starts_with("40 · 40"), "{found:?}");
    assert!(found[5].1.starts_with("50 · 50") && funnel.bars[5].is_quiet, "{found:?}");
    assert_eq!(
        (funnel.bars[5].width.as_str(), funnel.bars[1].width.as_str()),
        ("100.00%", "0.00%")
    );
    let sources = Bars::sources(texts, &counts);
    let bar = &sources.bars[0];
    assert_eq!((bar.text.as_str(), bar.part.as_deref()), ("Referral", Some("16.60%")));
    assert_eq!(bar.cells[1..3], ["60", "10"]);
    assert!(bar.href.ends_with("?source=referral"), "{}", bar.href);
}
