//! Pictures of numbers, as SVG. Places are percentages of the width, so that a picture fits any window
//! and its texts keep their size. Each mark is a link to the leads that it counts, and the same numbers
//! are in a table.

use chrono::{Datelike, NaiveDate, NaiveTime};
use exit3_domain::leads::counts::SourceCount;
use exit3_domain::leads::{LeadSource, LeadStatus, LeadWeek};
use i18n_embed_fl::fl;

use crate::format::{number, wait};
use crate::i18n::{Texts, say};
use crate::leads::{Asked, LeadFilters};

/// The height of the highest column, in pixels.
const HIGHEST: u64 = 112;
/// Where the columns stand, from the top.
const GROUND: u64 = 136;

/// A picture with a column for each week.
pub(super) struct Columns {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) head: Vec<String>,
    pub(super) columns: Vec<Column>,
}

/// One week in a picture.
pub(super) struct Column {
    pub(super) href: String,
    /// What the mark says to those who do not see it.
    pub(super) says: String,
    /// The left edge of the part of the picture that belongs to the week.
    pub(super) left: String,
    /// Its width.
    pub(super) width: String,
    pub(super) middle: String,
    pub(super) bar_left: String,
    pub(super) bar_width: String,
    pub(super) top: u64,
    pub(super) height: u64,
    /// A thin line above the column: its top and height.
    pub(super) line: Option<(u64, u64)>,
    pub(super) label_top: u64,
    pub(super) label: String,
    pub(super) day: String,
    pub(super) is_present: bool,
    /// Whether texts are left out where there is little room.
    pub(super) is_minor: bool,
    pub(super) cells: Vec<String>,
}

impl Columns {
    /// How many leads came in.
    pub(super) fn received(texts: Texts, weeks: &[LeadWeek]) -> Self {
        let most = weeks.iter().map(|week| week.received).max().unwrap_or(0);
        let column = |place, week: &LeadWeek| {
            let count = number(texts, week.received);
            let height = scaled(week.received, most, HIGHEST);
            let day = day(texts, week.week.first_day());
            Column {
                says: fl!(texts, "picture-weeks-says", day = day.as_str(), count = count.as_str()),
                label: if week.received == 0 { String::new() } else { short(texts, week.received) },
                cells: vec![day, count],
                ..Column::of(texts, weeks, place, height, None)
            }
        };
        Self {
            name: "weeks",
            title: fl!(texts, "picture-weeks"),
            about: fl!(texts, "picture-weeks-about"),
            head: vec![fl!(texts, "picture-week"), fl!(texts, "picture-received")],
            columns: weeks.iter().enumerate().map(|(place, week)| column(place, week)).collect(),
        }
    }

    /// How long leads waited for the first contact.
    pub(super) fn waits(texts: Texts, weeks: &[LeadWeek]) -> Self {
        let micros = |time: Option<chrono::TimeDelta>| {
            let micros = time.and_then(|time| time.num_microseconds()).unwrap_or(0);
            micros.unsigned_abs()
        };
        let most = weeks.iter().map(|week| micros(week.most)).max().unwrap_or(0);
        let column = |place, week: &LeadWeek| {
            let text = |time: Option<_>| time.map_or_else(|| "–".to_owned(), |it| wait(texts, it));
            let height = scaled(micros(week.half), most, HIGHEST);
            let line = week.most.map(|_| scaled(micros(week.most), most, HIGHEST));
            let day = day(texts, week.week.first_day());
            let (half, slow) = (text(week.half), text(week.most));
            let received = number(texts, week.received);
            let contacted = number(texts, week.contacted);
            Column {
                says: fl!(
                    texts,
                    "picture-contact-says",
                    day = day.as_str(),
                    half = half.as_str(),
                    most = slow.as_str(),
                    contacted = contacted.as_str(),
                    received = received.as_str()
                ),
                label: week.half.map(|half| wait(texts, half)).unwrap_or_default(),
                cells: vec![day, received, contacted, half, slow],
                ..Column::of(texts, weeks, place, height, line)
            }
        };
        Self {
            name: "contact",
            title: fl!(texts, "picture-contact"),
            about: fl!(texts, "picture-contact-about"),
            head: vec![
                fl!(texts, "picture-week"),
                fl!(texts, "picture-received"),
                fl!(texts, "picture-contacted"),
                fl!(texts, "picture-half"),
                fl!(texts, "picture-most"),
            ],
            columns: weeks.iter().enumerate().map(|(place, week)| column(place, week)).collect(),
        }
    }
}

impl Column {
    /// The place of a week, and a mark of this height with a line up to another height.
    fn of(texts: Texts, weeks: &[LeadWeek], place: usize, height: u64, line: Option<u64>) -> Self {
        let (place, number) = (place as u64, weeks.len().max(1) as u64);
        let week = weeks.get(place as usize).map(|week| week.week);
        let first = week.map(|week| week.first_day());
        let filters = LeadFilters {
            since: first.map(|day| day.and_time(NaiveTime::MIN)),
            until: week.map(|week| week.last_day()),
            ..LeadFilters::default()
        };
        let highest = line.unwrap_or(0).max(height);
        // The part of a week is as wide as ten tenths, and its column as six.
        let at = |tenths: u64| percent(place * 10 + tenths, number * 10);
        Self {
            href: link(filters),
            says: String::new(),
            left: at(0),
            width: percent(1, number),
            middle: at(5),
            bar_left: at(2),
            bar_width: percent(6, number * 10),
            top: GROUND - height,
            height,
            line: line.filter(|line| *line > height).map(|line| (GROUND - line, line - height)),
            label_top: GROUND - highest - 6,
            label: String::new(),
            day: first.map(|first| day(texts, first)).unwrap_or_default(),
            is_present: place + 1 == number,
            is_minor: (number - place).is_multiple_of(2),
            cells: Vec::new(),
        }
    }
}

/// A picture with a bar for each word.
pub(super) struct Bars {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) head: Vec<String>,
    pub(super) bars: Vec<Bar>,
}

/// One word in a picture.
pub(super) struct Bar {
    pub(super) href: String,
    pub(super) says: String,
    pub(super) text: String,
    /// The number, as it is shown beside the word.
    pub(super) value: String,
    pub(super) top: usize,
    pub(super) width: String,
    /// The width of the part that stands out; `None` if the whole bar does.
    pub(super) part: Option<String>,
    /// Whether the bar is no step of the way to a client.
    pub(super) is_quiet: bool,
    pub(super) cells: Vec<String>,
}

/// The height of a bar with its texts.
const ROW: usize = 40;

impl Bars {
    /// The height of the picture.
    pub(super) fn height(&self) -> usize {
        self.bars.len() * ROW
    }

    /// How far leads have come.
    pub(super) fn funnel(texts: Texts, counts: &[SourceCount]) -> Self {
        use LeadStatus::{Closed, Contacted, Converted, Interested, New, NotInterested};
        let all = total(counts, |_| true);
        // First the way to a client, then the other ends.
        let order = [New, Contacted, Interested, Converted, NotInterested, Closed];
        let of = |status: LeadStatus| total(counts, |(of, ..)| *of == status);
        let most = order.into_iter().map(of).max().unwrap_or(0);
        let bar = |(place, status): (usize, LeadStatus)| {
            let text = say(texts, "status", status.as_str());
            let (count, share) = (number(texts, of(status)), share(texts, of(status), all));
            Bar {
                href: link(LeadFilters { status: Some(status), ..LeadFilters::default() }),
                says: fl!(
                    texts,
                    "picture-bar-says",
                    name = text.as_str(),
                    count = count.as_str(),
                    share = share.as_str()
                ),
                value: format!("{count} · {share}"),
                top: place * ROW,
                width: width(of(status), most),
                part: None,
                is_quiet: matches!(status, NotInterested | Closed),
                cells: vec![text.clone(), count, share],
                text,
            }
        };
        Self {
            name: "funnel",
            title: fl!(texts, "picture-funnel"),
            about: fl!(texts, "picture-funnel-about"),
            head: vec![
                fl!(texts, "column-status"),
                fl!(texts, "picture-leads"),
                fl!(texts, "picture-share"),
            ],
            bars: order.into_iter().enumerate().map(bar).collect(),
        }
    }

    /// Where leads come from, and how many became clients.
    pub(super) fn sources(texts: Texts, counts: &[SourceCount]) -> Self {
        let of = |source: LeadSource| total(counts, |(_, of, _)| *of == source);
        let clients = |source: LeadSource| {
            total(counts, |(status, of, _)| *of == source && *status == LeadStatus::Converted)
        };
        let mut order = LeadSource::ALL.to_vec();
        order.sort_by_key(|source| std::cmp::Reverse(of(*source)));
        let most = order.first().map_or(0, |source| of(*source));
        let bar = |(place, source): (usize, LeadSource)| {
            let text = say(texts, "source", source.as_str());
            let (count, won) = (of(source), clients(source));
            let share = share(texts, won, count);
            let (count_text, won_text) = (number(texts, count), number(texts, won));
            Bar {
                href: link(LeadFilters { source: Some(source), ..LeadFilters::default() }),
                says: fl!(
                    texts,
                    "picture-sources-says",
                    name = text.as_str(),
                    count = count_text.as_str(),
                    clients = won_text.as_str()
                ),
                value: format!("{count_text} · {share}"),
                top: place * ROW,
                width: width(count, most),
                part: Some(width(won, most)),
                is_quiet: false,
                cells: vec![text.clone(), count_text, won_text, share],
                text,
            }
        };
        Self {
            name: "sources",
            title: fl!(texts, "picture-sources"),
            about: fl!(texts, "picture-sources-about"),
            head: vec![
                fl!(texts, "column-source"),
                fl!(texts, "picture-leads"),
                fl!(texts, "picture-clients"),
                fl!(texts, "picture-share"),
            ],
            bars: order.into_iter().enumerate().map(bar).collect(),
        }
    }
}

/// The list of the leads that a mark counts.
fn link(filters: LeadFilters) -> String {
    Asked { filters, ..Asked::default() }.link()
}

fn total(counts: &[SourceCount], is: impl Fn(&SourceCount) -> bool) -> u64 {
    counts.iter().filter(|count| is(count)).map(|(.., n)| *n).sum()
}

/// The length of a bar for `part`, if `whole` is the length for `most`. Every part but 0 is at least
/// 2 long, so that people see it.
fn scaled(part: u64, most: u64, whole: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(whole) / u128::from(most.max(1));
    let scaled = u64::try_from(scaled).unwrap_or(whole).min(whole);
    if part > 0 { scaled.max(2) } else { 0 }
}

/// The width of a bar.
fn width(part: u64, most: u64) -> String {
    percent(scaled(part, most, 1000).max(u64::from(part > 0) * 5), 1000)
}

/// A share in hundredths, for attributes.
fn percent(part: u64, whole: u64) -> String {
    let parts = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}%", parts / 100, parts % 100)
}

/// A share for people: `12 %`.
fn share(texts: Texts, part: u64, whole: u64) -> String {
    let parts = (u128::from(part) * 1000 / u128::from(whole.max(1)) + 5) / 10;
    match parts {
        0 if part > 0 => fl!(texts, "picture-percent", share = "< 1"),
        _ => fl!(texts, "picture-percent", share = parts.to_string()),
    }
}

/// A number where there is little room: `83k`.
fn short(texts: Texts, count: u64) -> String {
    match count {
        0..10_000 => number(texts, count),
        10_000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// A day without its year: `30 Nov` in English, `30. 11.` in Croatian.
fn day(texts: Texts, day: NaiveDate) -> String {
    fl!(texts, "day-short", day = day.day(), month = day.month())
}

#[cfg(test)]
#[path = "pictures_tests.rs"]
mod tests;
