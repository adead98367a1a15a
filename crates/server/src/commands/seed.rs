use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use exit3_app::App;
use exit3_domain::events::{Actor, Author};
use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus, NewLead};
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::StoreError;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::{Failure, prepare, runtime, say};
use crate::backend::Backend;
use crate::progress::bar;
use crate::settings::Settings;

/// Rows in one write.
const BATCH: u64 = 5_000;

/// How many rows to create.
#[derive(Args)]
pub(super) struct SeedDemo {
    /// Leads to create
    #[arg(long, default_value_t = 1_000)]
    leads: u64,
    /// Subscribers to create
    #[arg(long, default_value_t = 1_000)]
    subscribers: u64,
    /// Another number creates other people
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fills the database with invented leads and subscribers.
pub(super) fn seed(settings: &Settings, demo: &SeedDemo) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(async {
        prepare::writable(&backend)?;
        prepare::schema(settings, &backend).await?;
        let app = backend.patient_app();
        let mut people = People { random: StdRng::seed_from_u64(demo.seed), made: 0 };
        leads(&app, demo.leads, &mut people).await?;
        let stored = subscribers(&app, demo.subscribers, &mut people).await?;
        say(format_args!("{}: {} leads, {stored} subscribers", backend.describe(), demo.leads));
        Ok(())
    })
}

/// The author of the invented rows.
fn author() -> Author {
    Actor::command("seed-demo").into()
}

/// Creates leads of the last two years, the newest last. As in real data, the newest tenth came
/// from the website and is still unread.
async fn leads(app: &App, count: u64, people: &mut People) -> Result<(), StoreError> {
    let bar = bar("leads".to_owned(), count);
    let now = app.clock.now();
    let step = TimeDelta::days(730) / i32::try_from(count.max(1)).unwrap_or(i32::MAX);
    let mut at = now - TimeDelta::days(730);
    let mut left = count;
    while left > 0 {
        let size = left.min(BATCH);
        let batch: Vec<(NewLead, DateTime<Utc>)> = (0..size)
            .map(|done| {
                at += step;
                let mut lead = people.lead();
                if left - done <= count / 10 {
                    lead.source = LeadSource::Website;
                    lead.status = LeadStatus::New;
                }
                (lead, at)
            })
            .collect();
        app.repositories()?.leads.create_many(&batch, &author().at(app.clock.now())).await?;
        bar.inc(size);
        left -= size;
    }
    bar.finish();
    Ok(())
}

/// Returns the number of new subscribers.
async fn subscribers(app: &App, count: u64, people: &mut People) -> Result<u64, StoreError> {
    let bar = bar("subscribers".to_owned(), count);
    let mut stored = 0;
    let mut left = count;
    while left > 0 {
        let size = left.min(BATCH);
        let batch: Vec<NewSubscriber> = (0..size).map(|_| people.subscriber()).collect();
        stored += app
            .repositories()?
            .subscribers
            .create_many(&batch, &author().at(app.clock.now()))
            .await?;
        bar.inc(size);
        left -= size;
    }
    bar.finish();
    Ok(stored)
}

const FIRST: &[&str] = &[
    "Ana", "Marko", "Ivana", "Luka", "Petra", "Đuro", "Željka", "Šime", "Maja", "Tomislav",
    "Elena", "Jürgen", "Zoë", "Søren", "Chloé", "Matej", "Lucija", "Filip", "Nora", "Karlo",
];
const LAST: &[&str] = &[
    "Horvat",
    "Kovačević",
    "Babić",
    "Marić",
    "Jurić",
    "Novak",
    "Knežević",
    "Vuković",
    "Đurić",
    "Weiß",
    "Müller",
    "Rossi",
    "Dubois",
    "Nowak",
    "Andersen",
    "Kralj",
    "Božić",
    "Perić",
    "Tomić",
];
const POSITIONS: &[&str] = &[
    "CEO",
    "CTO",
    "Head of Marketing",
    "Product Manager",
    "Founder",
    "Developer",
    "Sales Lead",
    "Operations Manager",
    "Designer",
    "Procurement",
];
const COMPANIES: &[&str] = &[
    "Adria",
    "Kvarner",
    "Velebit",
    "Sava",
    "Drava",
    "Medvedgrad",
    "Jadran",
    "Lika",
    "Zagorje",
    "Istra",
    "Dalmacija",
    "Slavonija",
];
const KINDS: &[&str] = &["d.o.o.", "j.d.o.o.", "GmbH", "Studio", "Commerce", "Logistics", "Tech"];
const NOTES: &[&str] = &[
    "Asks for an offer for a new web shop.",
    "Met at the fair in Zagreb, wants to be called back.",
    "Needs a mobile app before the summer season.",
    "Has 40 shops and wants to automate orders.",
    "Compares three agencies; price matters most.",
];

/// Invents people.
struct People {
    random: StdRng,
    made: u64,
}

impl People {
    fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        from.choose(&mut self.random).copied().unwrap_or(otherwise)
    }

    fn lead(&mut self) -> NewLead {
        self.made += 1;
        let first = self.pick(FIRST, "Ana");
        let last = self.pick(LAST, "Horvat");
        let company = self.pick(COMPANIES, "Adria");
        let has_company = self.random.random_bool(0.8);
        let has_phone = self.random.random_bool(0.6);
        let has_email = !has_phone || self.random.random_bool(0.9);
        let number = self.random.random_range(1_000_000..10_000_000_u32);
        let address = format!("{}.{}@{}.example", ascii(first), self.made, ascii(company));
        NewLead {
            full_name: format!("{first} {last}"),
            position: self.pick(POSITIONS, "CEO").to_owned(),
            company_name: has_company.then(|| format!("{company} {}", self.pick(KINDS, "d.o.o."))),
            phone_number: has_phone.then(|| format!("+38591{number}")),
            email: has_email.then_some(address),
            source: self.pick(LeadSource::ALL, LeadSource::Other),
            status: self.pick(LeadStatus::ALL, LeadStatus::New),
            notes: self
                .random
                .random_bool(0.4)
                .then(|| self.pick(NOTES, "Asks for an offer.").to_owned()),
            category: self.pick(LeadCategory::ALL, LeadCategory::WebDev),
        }
    }

    fn subscriber(&mut self) -> NewSubscriber {
        self.made += 1;
        let first = self.pick(FIRST, "Ana");
        NewSubscriber {
            email: format!("{}.{}@example.com", ascii(first), self.made),
            is_subscribed: self.random.random_bool(0.9),
        }
    }
}

/// The letters of an e-mail address.
fn ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|c| match c {
            'č' | 'ć' => 'c',
            'đ' => 'd',
            'š' => 's',
            'ž' => 'z',
            'ö' | 'ø' => 'o',
            'ü' => 'u',
            'é' | 'ë' => 'e',
            c => c,
        })
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_domain::email;

    #[test]
    fn invented_data_is_valid_and_reproducible() {
        let mut people = People { random: StdRng::seed_from_u64(1), made: 0 };
        let mut again = People { random: StdRng::seed_from_u64(1), made: 0 };
        for _ in 0..1_000 {
            let lead = people.lead();
            assert!(lead.email.is_some() || lead.phone_number.is_some());
            assert!(lead.email.as_deref().is_none_or(email::is_valid));
            assert_eq!(lead, again.lead());
            assert!(email::is_valid(&people.subscriber().email));
            again.subscriber();
        }
    }
}
