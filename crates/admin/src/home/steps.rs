//! What a person has to do now: short lists of leads, each with the link to the whole list.

use chrono::{DateTime, DurationRound, NaiveTime, TimeDelta, Utc};
use exit3_app::{App, leads};
use exit3_domain::leads::{Lead, LeadOrder, LeadOwner, LeadSort, LeadStatus};
use exit3_domain::paging::{Count, Direction, Step};
use exit3_domain::staff::StaffId;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::format;
use crate::i18n::Texts;
use crate::leads::{Asked, LeadFilters, address};

/// How many leads each list shows.
const SHOWN: u32 = 6;

/// What is new to a person who is here for the first time.
const FIRST: TimeDelta = TimeDelta::days(7);

/// A short list of leads.
pub(super) struct Steps {
    pub(super) name: &'static str,
    pub(super) title: String,
    /// The number of leads in the whole list.
    pub(super) count: String,
    /// The whole list.
    pub(super) href: String,
    pub(super) about: String,
    /// A number that asks for attention.
    pub(super) late: Option<String>,
    pub(super) rows: Vec<Row>,
    /// What the list says if it is empty.
    pub(super) none: String,
}

/// A lead in such a list.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) time: String,
    pub(super) machine: String,
    pub(super) is_late: bool,
}

impl Steps {
    /// The person's own leads whose next step is due.
    pub(super) async fn own(
        app: &App,
        texts: Texts,
        me: StaffId,
        now: DateTime<Utc>,
    ) -> Result<Self, PageError> {
        let order = LeadOrder { by: LeadSort::NextStepAt, descending: false };
        let owner = Some(LeadOwner::Staff(me));
        let filters = LeadFilters { owner, due: true, ..LeadFilters::default() };
        let asked = Asked { filters, order, ..Asked::default() };
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        let (rows, count) = list(app, &asked, now).await?;
        // They come first, so those that are shown tell whether there are more.
        let is_late = |lead: &&Lead| lead.work.next_step_at.is_some_and(|at| at < today);
        let found = rows.iter().filter(is_late).count();
        let are_all = found < rows.len() || count == Count::Exact(found as u64);
        let late = match found as u64 {
            0 => None,
            late if are_all => Some(Count::Exact(late)),
            late => Some(Count::AtLeast(late)),
        };
        let row = |lead: Lead| {
            let at = lead.work.next_step_at;
            Row {
                detail: lead.work.next_step.clone().unwrap_or_default(),
                time: at.map(|at| at.date_naive().to_string()).unwrap_or_default(),
                machine: at.map(format::machine).unwrap_or_default(),
                is_late: at.is_some_and(|at| at < today),
                ..Row::of(&lead, &asked)
            }
        };
        Ok(Self {
            name: "own",
            title: fl!(texts, "today-own"),
            count: format::count(texts, count),
            href: asked.link(),
            about: fl!(texts, "today-own-about"),
            late: late.map(|late| fl!(texts, "today-late", count = format::count(texts, late))),
            rows: rows.into_iter().map(row).collect(),
            none: fl!(texts, "today-own-none"),
        })
    }

    /// New leads that nobody owns: those that have waited for the longest time.
    pub(super) async fn waiting(
        app: &App,
        texts: Texts,
        now: DateTime<Utc>,
    ) -> Result<Self, PageError> {
        let asked = Asked {
            filters: LeadFilters {
                status: Some(LeadStatus::New),
                owner: Some(LeadOwner::Nobody),
                ..LeadFilters::default()
            },
            order: LeadOrder { by: LeadSort::CreatedAt, descending: false },
            ..Asked::default()
        };
        let (rows, count) = list(app, &asked, now).await?;
        Ok(Self {
            name: "waiting",
            title: fl!(texts, "today-waiting"),
            count: format::count(texts, count),
            href: asked.link(),
            about: fl!(texts, "today-waiting-about"),
            late: None,
            rows: rows.iter().map(|lead| Row::aged(texts, lead, &asked, now)).collect(),
            none: fl!(texts, "today-waiting-none"),
        })
    }

    /// The leads that came in since the person was here last.
    pub(super) async fn new(
        app: &App,
        texts: Texts,
        left_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, PageError> {
        let since = left_at.unwrap_or(now - FIRST);
        // The address of the list has no seconds.
        let since = since.duration_trunc(TimeDelta::minutes(1)).unwrap_or(since);
        let since_then = Some(since.naive_utc());
        let filters = LeadFilters { since: since_then, ..LeadFilters::default() };
        let asked = Asked { filters, ..Asked::default() };
        let (rows, count) = list(app, &asked, now).await?;
        Ok(Self {
            name: "new",
            title: match left_at {
                Some(_) => fl!(texts, "today-new"),
                None => fl!(texts, "today-new-first"),
            },
            count: format::count(texts, count),
            href: asked.link(),
            about: fl!(texts, "today-since", time = format::moment(since)),
            late: None,
            rows: rows.iter().map(|lead| Row::aged(texts, lead, &asked, now)).collect(),
            none: fl!(texts, "today-new-none"),
        })
    }
}

impl Row {
    fn of(lead: &Lead, asked: &Asked) -> Self {
        Self {
            // With the list, so that the page of the lead leads to the next one of it.
            href: asked.link_from(&address(lead.id)),
            name: lead.details.full_name.clone(),
            detail: lead.details.company_name.clone().unwrap_or_default(),
            time: String::new(),
            machine: format::machine(lead.created_at),
            is_late: false,
        }
    }

    fn aged(texts: Texts, lead: &Lead, asked: &Asked, now: DateTime<Utc>) -> Self {
        Self { time: format::age(texts, lead.created_at, now), ..Self::of(lead, asked) }
    }
}

fn step(size: u32) -> Step {
    Step { from: None, direction: Direction::Forward, size }
}

/// The first leads of a list, and their number.
async fn list(
    app: &App,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<(Vec<Lead>, Count), exit3_ports::StoreError> {
    let found =
        leads::page(app, &asked.filters.filter(asked.words(), now), asked.order, &step(SHOWN))
            .await?;
    Ok((found.glance.slice.rows, found.count))
}
