//! The list of subscribers.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::subscribers;
use exit3_domain::access::{Action, Record};
use exit3_domain::paging::Count;
use exit3_domain::subscribers::{SubscriberId, SubscriberSort};
use i18n_embed_fl::fl;

use super::asked::{Asked, SubscriberFilters};
use super::{address, state};
use crate::Admin;
use crate::errors::PageError;
use crate::exports;
use crate::format;
use crate::i18n::{Texts, say};
use crate::listing::{Chip, List, columns, list_page};
use crate::shell::Shell;
use crate::visit::Member;

/// The columns, and the orders that they stand for. Numbers are in the order of sign-ups.
const COLUMNS: [(&str, Option<SubscriberSort>); 3] = [
    ("email", Some(SubscriberSort::Email)),
    ("subscribed", Some(SubscriberSort::IsSubscribed)),
    ("number", Some(SubscriberSort::Id)),
];

#[derive(Template)]
#[template(path = "subscribers/list.html")]
struct ListPage {
    shell: Shell,
    list: List,
    rows: Vec<Row>,
}

/// A subscriber in the list.
struct Row {
    id: i64,
    href: String,
    email: String,
    dot: &'static str,
    state: String,
}

pub(super) async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Subscriber)?;
    let asked = Asked::read(request.query_string());
    let (app, texts) = (&admin.app, member.visit.texts);
    let filter = asked.filters.filter(asked.words());
    let step = asked.step(async |id| subscribers::find(app, SubscriberId(id)).await).await?;
    let found = subscribers::page(app, &filter, &asked.search, asked.order, &step).await?;
    let count = match (asked.is_counted, found.count) {
        (true, Count::AtLeast(_)) => Count::Exact(subscribers::count(app, &filter).await?),
        (_, count) => count,
    };
    // Words are only looked for among the next rows, unless the person wants to wait.
    let is_cut_short = found.glance.is_cut_short && !asked.is_counted;
    let slice = match found.glance.is_cut_short && asked.is_counted {
        true => subscribers::walk(app, &filter, asked.order, &step).await?,
        false => found.glance.slice,
    };
    let mut list = List::of(texts, "subscribers", &asked, &slice, count);
    list.columns = columns(texts, &asked, &COLUMNS);
    list.export = exports::link(&member, &asked);
    list.search_all = is_cut_short.then(|| asked.counted().link());
    list.chips = chips(texts, &asked, found.by_state);
    list.chips_label = say(texts, "column", "subscribed");
    if let Some(wanted) = asked.filters.is_subscribed {
        list.kept.push(("subscribed", wanted.to_string()));
        let any = asked.filtered(SubscriberFilters::default()).link();
        list.drops.push((any, fl!(texts, "empty-drop-status")));
    }
    let rows = slice.rows.iter().map(|one| {
        let (dot, state) = state(texts, one.is_subscribed);
        let href = asked.link_from(&address(one.id));
        Row { id: one.id.0, href, email: one.email.clone(), dot, state }
    });
    let template =
        ListPage { shell: Shell::of(&member.visit, "subscribers"), rows: rows.collect(), list };
    list_page(&request, &template, &template.list.here)
}

fn chips(texts: Texts, asked: &Asked, by_state: Option<[u64; 2]>) -> Vec<Chip> {
    let number = |of: fn([u64; 2]) -> u64| {
        by_state.map(|by_state| format::number(texts, of(by_state))).unwrap_or_default()
    };
    let chip = |is_subscribed: Option<bool>, count: String| {
        let (word, text) = match is_subscribed {
            Some(wanted) => state(texts, wanted),
            None => ("", say(texts, "subscribed", "all")),
        };
        let href = asked.filtered(SubscriberFilters { is_subscribed }).link();
        let is_chosen = asked.filters.is_subscribed == is_subscribed;
        Chip { word, text, count, href, is_chosen }
    };
    vec![
        chip(None, number(|[wanting, others]| wanting.saturating_add(others))),
        chip(Some(true), number(|[wanting, _]| wanting)),
        chip(Some(false), number(|[_, others]| others)),
    ]
}
