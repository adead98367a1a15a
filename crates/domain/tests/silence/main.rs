//! How often the alarm for silence is false, and how soon it comes, in simulated years of intake.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "in a test a panic is the report"
)]

mod year;

use chrono::TimeDelta;

use year::{Chance, Year};

/// What was found in some simulated years.
struct Found {
    /// The false alarms of each year.
    alarms: Vec<usize>,
    /// The times until the alarm, in ascending order.
    detections: Vec<TimeDelta>,
}

fn simulate(daily: f64, years: u32) -> Found {
    let mut chance = Chance(18);
    let (mut alarms, mut detections) = (Vec::new(), Vec::new());
    for _ in 0..years {
        let year = Year::of(daily, &mut chance);
        alarms.push(year.false_alarms());
        detections.extend((0..10).map(|_| year.detection(&mut chance)));
    }
    detections.sort_unstable();
    Found { alarms, detections }
}

impl Found {
    fn alarms_a_year(&self) -> f64 {
        self.alarms.iter().sum::<usize>() as f64 / self.alarms.len() as f64
    }

    /// The time that so many percent of the detections do not exceed, in hours.
    fn hours(&self, percent: usize) -> f64 {
        let place = (self.detections.len() * percent).div_ceil(100) - 1;
        self.detections[place].as_seconds_f64() / 3600.0
    }
}

#[test]
fn false_alarms_are_rare_and_a_break_is_noticed() {
    // So many false alarms in a year are to be expected of chance alone: one of 10,000 silences.
    for (daily, years, most_alarms, most_hours) in [(1.0, 10, 0.3, 300.0), (10.0, 10, 2.0, 60.0)] {
        let found = simulate(daily, years);
        assert!(found.alarms_a_year() <= most_alarms, "{daily}: {:?}", found.alarms);
        let (half, all) = (found.hours(50), found.hours(100));
        assert!(half > 0.0 && found.hours(90) <= most_hours, "{daily}: {half}");
        assert!(all <= 3.0 * most_hours, "{daily}: {all}");
    }
}

#[test]
#[ignore = "prints the table of docs/OPERATIONS.md"]
fn table() {
    println!("| leads a day | false alarms a year | hours until the alarm: half | nine of ten |");
    println!("|---|---|---|---|");
    for (daily, years) in [(1.0, 400), (10.0, 200), (100.0, 100)] {
        let found = simulate(daily, years);
        let (half, most) = (found.hours(50), found.hours(90));
        println!("| {daily} | {:.2} | {half:.1} | {most:.1} |", found.alarms_a_year());
    }
}
