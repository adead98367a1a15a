//! The list of leads.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use exit3_app::leads;
use exit3_domain::access::{Action, Record};
use exit3_domain::edits::FieldTexts;
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::{Count, Direction, Step};
use exit3_domain::versions::Version;

use super::asked::{Asked, NOBODY, SIZES};
use super::fields::{Choice, Team, choices};
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::format;
use crate::i18n::{Texts, say};
use crate::page::{is_partial, page};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE};

#[derive(Template)]
#[template(path = "leads/list.html")]
struct ListPage {
    shell: Shell,
    asked: Asked,
    /// The number of leads, as it is shown.
    count: String,
    /// The link that counts them exactly, unless the number is exact.
    count_exactly: Option<String>,
    chips: Vec<Chip>,
    sources: Vec<Choice>,
    categories: Vec<Choice>,
    owners: Vec<Choice>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// The link that searches all leads, if a short word was only looked for in the next ones.
    search_all: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    sizes: Vec<(u32, String)>,
    here: String,
    who: i64,
    may_create: bool,
    nobody: &'static str,
}

/// A status in the bar of filters.
struct Chip {
    word: &'static str,
    text: String,
    count: String,
    href: String,
    is_chosen: bool,
}

/// The head of a column.
struct Column {
    /// The name, which decides about the width.
    name: &'static str,
    text: String,
    href: Option<String>,
    sorted: &'static str,
}

/// A lead in the list.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) company: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) source: String,
    pub(super) category: String,
    pub(super) status: &'static str,
    pub(super) status_text: String,
    pub(super) statuses: Vec<Choice>,
    pub(super) owner: String,
    pub(super) owner_name: String,
    pub(super) owners: Vec<Choice>,
    pub(super) step: String,
    pub(super) day: String,
    pub(super) is_late: bool,
    pub(super) age: String,
    pub(super) created: String,
    pub(super) version: String,
    pub(super) may_edit: bool,
}

impl ListPage {
    fn without_search(&self) -> String {
        link_of(&Asked { search: String::new(), ..self.asked.with_status(self.asked.status) })
    }

    fn first_page(&self) -> String {
        link_of(&self.asked.with_status(self.asked.status))
    }

    fn without_status(&self) -> String {
        link_of(&self.asked.with_status(None))
    }
}

/// The list with these choices.
pub(super) fn link_of(asked: &Asked) -> String {
    match asked.query().as_str() {
        "" => format!("{BASE}leads/"),
        query => format!("{BASE}leads/?{query}"),
    }
}

pub(super) async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Lead(None))?;
    let asked = Asked::read(request.query_string());
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let filter = asked.filter(now);
    let step = step(&admin, &asked).await?;
    let (found, team) = tokio::try_join!(
        async { Ok::<_, PageError>(leads::page(&admin.app, &filter, asked.order, &step).await?) },
        Team::load(&admin),
    )?;
    let count = match (asked.is_counted, found.count) {
        (true, Count::AtLeast(_)) => {
            Count::Exact(leads::count(&admin.app, &filter, asked.order).await?)
        }
        (_, count) => count,
    };
    // Short words are only looked for in the next leads, unless the person wants to wait.
    let is_cut_short = found.glance.is_cut_short && !asked.is_counted;
    let slice = match found.glance.is_cut_short && asked.is_counted {
        true => leads::walk(&admin.app, &filter, asked.order, &step).await?,
        false => found.glance.slice,
    };
    let edge = |lead: Option<&Lead>, direction, exists: bool| {
        lead.filter(|_| exists).map(|lead| link_of(&asked.beside(direction, lead)))
    };
    let view = View { texts, team: &team, asked: &asked, member: &member, now };
    let template = ListPage {
        shell: Shell::of(&member.visit, "leads"),
        count: count_text(texts, count),
        count_exactly: match count {
            Count::Exact(_) => None,
            Count::AtLeast(_) => Some(link_of(&asked.counted())),
        },
        chips: view.chips(&found.by_status),
        sources: choices(
            texts,
            "source",
            LeadSource::WORDS,
            word(asked.source.map(LeadSource::as_str)),
        ),
        categories: choices(
            texts,
            "category",
            LeadCategory::WORDS,
            word(asked.category.map(LeadCategory::as_str)),
        ),
        owners: team.choices(
            match asked.owner {
                Some(LeadOwner::Staff(_)) => asked.owner_word(),
                _ => String::new(),
            }
            .as_str(),
        ),
        columns: view.columns(),
        search_all: is_cut_short.then(|| link_of(&asked.counted())),
        rows: slice.rows.iter().map(|lead| view.row(lead)).collect(),
        previous: edge(slice.rows.first(), Direction::Backward, slice.has_previous),
        next: edge(slice.rows.last(), Direction::Forward, slice.has_next),
        sizes: SIZES.iter().map(|size| (*size, link_of(&asked.sized(*size)))).collect(),
        here: link_of(&asked),
        who: member.who.staff.id.0,
        may_create: member.may(Action::Create, Record::Lead(None)),
        nobody: NOBODY,
        asked,
    };
    let mut response = page(&request, &template)?;
    if is_partial(&request)
        && let Ok(address) = HeaderValue::from_str(&template.here)
    {
        // The address without empty fields, so that each key press does not make a step of Back.
        response.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    }
    Ok(response)
}

/// A count for people: `1,000+` if there may be more.
fn count_text(texts: Texts, count: Count) -> String {
    match count {
        Count::Exact(count) => format::number(texts, count),
        Count::AtLeast(0) => "…".to_owned(),
        Count::AtLeast(count) => format!("{}+", format::number(texts, count)),
    }
}

/// The word of a choice; empty if nothing is chosen.
fn word(chosen: Option<&'static str>) -> &'static str {
    chosen.unwrap_or_default()
}

/// The step to the page. If its address names no position, it begins at the lead, and if that is gone,
/// it is the first page.
async fn step(admin: &Admin, asked: &Asked) -> Result<Step, PageError> {
    let first = Step { from: None, direction: Direction::Forward, size: asked.size };
    let Some((direction, id)) = asked.beside else { return Ok(first) };
    if let Some(position) = asked.position() {
        return Ok(Step { from: Some(position), direction, ..first });
    }
    match leads::find(&admin.app, id).await {
        Ok(lead) => Ok(Step { from: Some(asked.order.position(&lead)), direction, ..first }),
        Err(exit3_app::FindError::NotFound) => Ok(first),
        Err(error) => Err(error.into()),
    }
}

/// What the rows of one list have in common.
pub(super) struct View<'a> {
    pub(super) texts: Texts,
    pub(super) team: &'a Team,
    pub(super) asked: &'a Asked,
    pub(super) member: &'a Member,
    pub(super) now: DateTime<Utc>,
}

impl View<'_> {
    fn chips(&self, by_status: &[(LeadStatus, Count)]) -> Vec<Chip> {
        let all = LeadFilter::default().total(by_status);
        let chip = |status: Option<LeadStatus>, count: Count| Chip {
            word: word(status.map(LeadStatus::as_str)),
            text: say(self.texts, "status", status.map_or("all", LeadStatus::as_str)),
            count: count_text(self.texts, count),
            href: link_of(&self.asked.with_status(status)),
            is_chosen: self.asked.status == status,
        };
        let each = by_status.iter().map(|(status, count)| chip(Some(*status), *count));
        std::iter::once(chip(None, all)).chain(each).collect()
    }

    fn columns(&self) -> Vec<Column> {
        let column = |(name, sort): (&'static str, Option<LeadSort>)| Column {
            name,
            text: say(self.texts, "column", name),
            href: sort.map(|sort| link_of(&self.asked.sorted(sort))),
            sorted: match sort {
                Some(sort) if sort == self.asked.order.by && self.asked.order.descending => {
                    "descending"
                }
                Some(sort) if sort == self.asked.order.by => "ascending",
                _ => "",
            },
        };
        [
            ("name", Some(LeadSort::FullName)),
            ("company", Some(LeadSort::CompanyName)),
            ("contact", None),
            ("source", None),
            ("category", None),
            ("status", Some(LeadSort::Status)),
            ("owner", None),
            ("next", Some(LeadSort::NextStepAt)),
            ("age", Some(LeadSort::CreatedAt)),
        ]
        .into_iter()
        .map(column)
        .collect()
    }

    pub(super) fn row(&self, lead: &Lead) -> Row {
        let (texts, details, work) = (self.texts, &lead.details, &lead.work);
        let shown = FieldTexts::of(lead);
        let text = |field| shown.get(field).unwrap_or_default().to_owned();
        let query = self.asked.query();
        let may_edit = self.member.may(Action::Edit, Record::Lead(work.owner));
        let mark = if query.is_empty() { "" } else { "?" };
        Row {
            id: lead.id.0,
            name: details.full_name.clone(),
            href: format!("{}{mark}{query}", super::address(lead.id)),
            company: text("company_name"),
            email: text("email"),
            phone: text("phone_number"),
            source: say(texts, "source", details.source.as_str()),
            category: say(texts, "category", details.category.as_str()),
            status: details.status.as_str(),
            status_text: say(texts, "status", details.status.as_str()),
            statuses: match may_edit {
                true => choices(texts, "status", LeadStatus::WORDS, details.status.as_str()),
                false => Vec::new(),
            },
            owner: text("owner"),
            owner_name: work.owner.and_then(|id| self.team.name(id)).unwrap_or_default(),
            owners: if may_edit { self.team.choices(&text("owner")) } else { Vec::new() },
            step: text("next_step"),
            day: super::fields::day(&text("next_step_at")),
            is_late: work.next_step_at.is_some_and(|at| at <= self.now),
            age: format::age(texts, lead.created_at, self.now),
            created: format::machine(lead.created_at),
            version: Version::of(lead).as_str().to_owned(),
            may_edit,
        }
    }
}
