//! The list of clients.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::clients;
use exit3_domain::access::{Action, Record};
use exit3_domain::clients::{Client, ClientId, ClientOrder, ClientSort, ClientTotals};
use exit3_domain::leads::{Lead, LeadCategory};
use exit3_domain::paging::Count;
use i18n_embed_fl::fl;

use super::asked::{Asked, ClientFilters};
use super::{address, charge, lead_of, name, record};
use crate::Admin;
use crate::choices::{Choice, choices};
use crate::errors::PageError;
use crate::exports;
use crate::format;
use crate::i18n::say;
use crate::listing::{List, columns, list_page};
use crate::shell::Shell;
use crate::visit::Member;

/// The columns, and the orders that they stand for. Numbers are in the order of creations.
const COLUMNS: [(&str, Option<ClientSort>); 6] = [
    ("client", None),
    ("team", Some(ClientSort::TeamId)),
    ("category", None),
    ("monthly", Some(ClientSort::MonthlyCharge)),
    ("one_time", Some(ClientSort::OneTimeCharge)),
    ("number", Some(ClientSort::Id)),
];

#[derive(Template)]
#[template(path = "clients/list.html")]
struct ListPage {
    shell: Shell,
    list: List,
    asked: Asked,
    categories: Vec<Choice>,
    contracts: Vec<Choice>,
    rows: Vec<Row>,
    /// What all clients of the list pay: each label, and the sum.
    totals: Vec<(String, String)>,
    may_create: bool,
}

/// A client in the list.
struct Row {
    id: i64,
    href: String,
    name: String,
    team: String,
    category: String,
    /// Empty also if the person may not see what the client pays.
    monthly: String,
    one_time: String,
}

pub(super) async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Client(None))?;
    let (app, texts) = (&admin.app, member.visit.texts);
    // Only who may see all charges sees their sums, and the order of clients by them.
    let sees_all = member.may(Action::Charge, Record::Client(None));
    let mut asked = Asked::read(request.query_string());
    if !sees_all && is_of_charges(asked.order.by) {
        asked = Asked { order: ClientOrder::NEWEST, ..asked.anew() };
    }
    let filter = asked.filters.filter(asked.words());
    let step = asked.step(async |id| clients::find(app, ClientId(id)).await).await?;
    let (slice, totals) = tokio::try_join!(
        clients::walk(app, &filter, asked.order, &step),
        clients::totals(app, &filter),
    )?;
    let leads = clients::leads_of(app, &slice.rows).await?;
    let mut list = List::of(texts, "clients", &asked, &slice, Count::Exact(totals.count));
    let heads =
        COLUMNS.map(|(name, sort)| (name, sort.filter(|by| sees_all || !is_of_charges(*by))));
    list.columns = columns(texts, &asked, &heads);
    list.export = exports::link(&member, &asked);
    if asked.filters.has_more() {
        let all = asked.filtered(ClientFilters::default()).link();
        list.drops.push((all, fl!(texts, "empty-drop-filters")));
    }
    let row = |client: &Client| row(&member, &asked, client, lead_of(&leads, client));
    let template = ListPage {
        shell: Shell::of(&member.visit, "clients"),
        categories: choices(
            texts,
            "category",
            LeadCategory::WORDS,
            asked.filters.category.map_or("", LeadCategory::as_str),
        ),
        contracts: choices(
            texts,
            "contract",
            &["true", "false"],
            match asked.filters.has_contract {
                Some(true) => "true",
                Some(false) => "false",
                None => "",
            },
        ),
        rows: slice.rows.iter().map(row).collect(),
        totals: if sees_all { shown(&member, totals) } else { Vec::new() },
        may_create: member.may(Action::Create, Record::Client(None)),
        list,
        asked,
    };
    list_page(&request, &template, &template.list.here)
}

fn is_of_charges(by: ClientSort) -> bool {
    matches!(by, ClientSort::MonthlyCharge | ClientSort::OneTimeCharge)
}

fn row(member: &Member, asked: &Asked, client: &Client, lead: Option<&Lead>) -> Row {
    let (texts, details) = (member.visit.texts, &client.details);
    let charge = |amount| match member.may(Action::Charge, record(lead)) {
        true => charge(texts, amount),
        false => String::new(),
    };
    Row {
        id: client.id.0,
        href: asked.link_from(&address(client.id)),
        name: name(texts, client, lead),
        team: details.team_id.clone(),
        category: say(texts, "category", details.category.as_str()),
        monthly: charge(details.monthly_charge),
        one_time: charge(details.one_time_charge),
    }
}

fn shown(member: &Member, totals: ClientTotals) -> Vec<(String, String)> {
    let texts = member.visit.texts;
    let ClientTotals { count: _, monthly, one_time } = totals;
    vec![
        (fl!(texts, "client-total-monthly"), format::money(texts, monthly.0)),
        (fl!(texts, "client-total-one-time"), format::money(texts, one_time.0)),
    ]
}
