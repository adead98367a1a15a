//! The list of leads.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use exit3_app::leads;
use exit3_domain::access::{Action, Record};
use exit3_domain::edits::FieldTexts;
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadId, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::Count;
use exit3_domain::versions::Version;
use i18n_embed_fl::fl;

use super::asked::{Asked, NOBODY};
use crate::Admin;
use crate::choices::{Choice, choices};
use crate::errors::PageError;
use crate::exports;
use crate::format;
use crate::i18n::{Texts, say};
use crate::listing::{Chip, List, columns, list_page};
use crate::shell::Shell;
use crate::team::Team;
use crate::visit::Member;

/// The columns, and the orders that they stand for.
const COLUMNS: [(&str, Option<LeadSort>); 9] = [
    ("name", Some(LeadSort::FullName)),
    ("company", Some(LeadSort::CompanyName)),
    ("contact", None),
    ("source", None),
    ("category", None),
    ("status", Some(LeadSort::Status)),
    ("owner", None),
    ("next", Some(LeadSort::NextStepAt)),
    ("age", Some(LeadSort::CreatedAt)),
];

#[derive(Template)]
#[template(path = "leads/list.html")]
struct ListPage {
    shell: Shell,
    list: List,
    asked: Asked,
    sources: Vec<Choice>,
    categories: Vec<Choice>,
    owners: Vec<Choice>,
    rows: Vec<Row>,
    who: i64,
    may_create: bool,
    nobody: &'static str,
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

pub(super) async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Lead(None))?;
    let asked = Asked::read(request.query_string());
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let filter = asked.filters.filter(asked.words(), now);
    let step = asked.step(async |id| leads::find(&admin.app, LeadId(id)).await).await?;
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
    let view = View { texts, team: &team, asked: &asked, member: &member, now };
    let filters = &asked.filters;
    let mut list = List::of(texts, "leads", &asked, &slice, count);
    list.columns = columns(texts, &asked, &COLUMNS);
    list.export = exports::link(&member, &asked);
    list.search_all = is_cut_short.then(|| asked.counted().link());
    list.chips = view.chips(&found.by_status);
    list.chips_label = say(texts, "column", "status");
    if let Some(status) = filters.status {
        list.kept.push(("status", status.to_string()));
        let any = asked.filtered(filters.with_status(None)).link();
        list.drops.push((any, fl!(texts, "empty-drop-status")));
    }
    let template = ListPage {
        shell: Shell::of(&member.visit, "leads"),
        sources: choices(
            texts,
            "source",
            LeadSource::WORDS,
            word(filters.source.map(LeadSource::as_str)),
        ),
        categories: choices(
            texts,
            "category",
            LeadCategory::WORDS,
            word(filters.category.map(LeadCategory::as_str)),
        ),
        owners: team.choices(
            match filters.owner {
                Some(LeadOwner::Staff(_)) => filters.owner_word(),
                _ => String::new(),
            }
            .as_str(),
        ),
        rows: slice.rows.iter().map(|lead| view.row(lead)).collect(),
        who: member.who.staff.id.0,
        may_create: member.may(Action::Create, Record::Lead(None)),
        nobody: NOBODY,
        list,
        asked,
    };
    list_page(&request, &template, &template.list.here)
}

/// The word of a choice; empty if nothing is chosen.
fn word(chosen: Option<&'static str>) -> &'static str {
    chosen.unwrap_or_default()
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
            count: format::count(self.texts, count),
            href: self.asked.filtered(self.asked.filters.with_status(status)).link(),
            is_chosen: self.asked.filters.status == status,
        };
        let each = by_status.iter().map(|(status, count)| chip(Some(*status), *count));
        std::iter::once(chip(None, all)).chain(each).collect()
    }

    pub(super) fn row(&self, lead: &Lead) -> Row {
        let (texts, details, work) = (self.texts, &lead.details, &lead.work);
        let shown = FieldTexts::of(lead);
        let text = |field| shown.get(field).unwrap_or_default().to_owned();
        let may_edit = self.member.may(Action::Edit, Record::Lead(work.owner));
        Row {
            id: lead.id.0,
            name: details.full_name.clone(),
            href: self.asked.link_from(&super::address(lead.id)),
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
            day: format::day(&text("next_step_at")),
            is_late: work.next_step_at.is_some_and(|at| at <= self.now),
            age: format::age(texts, lead.created_at, self.now),
            created: format::machine(lead.created_at),
            version: Version::of(lead).as_str().to_owned(),
            may_edit,
        }
    }
}
