//! Exports of lists: the form, and the file.

use actix_web::http::{Version, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::exports::{ExportError, Exported, begin};
use exit3_domain::access::Action;
use exit3_domain::exports::{Format, Separator};
use exit3_domain::paging::Count;
use exit3_domain::staff::Language;
use exit3_ports::with_causes;
use exit3_web::{ApiError, request_id};
use futures_util::stream::{self, StreamExt};
use i18n_embed_fl::fl;

use crate::asked::{Asked, Filters};
use crate::errors::PageError;
use crate::form::Form;
use crate::i18n::say;
use crate::page::{instead_of_page, page_with};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, format};

/// The field of the columns.
const COLUMN: &str = "column";

/// A list that can be exported.
pub(crate) struct ExportedList {
    /// The name of the resource.
    pub(crate) name: &'static str,
    /// The address of the list.
    pub(crate) address: String,
    /// The filters that are chosen, in words.
    pub(crate) filters: Vec<(String, String)>,
    /// The number of rows.
    pub(crate) count: Count,
}

#[derive(Template)]
#[template(path = "export.html")]
struct ExportPage {
    shell: Shell,
    title: String,
    menu: String,
    /// Where the form is sent: this page, with the query that selects the rows.
    action: String,
    list: ExportedList,
    count: String,
    /// The exact number of rows, if it is known.
    total: Option<u64>,
    /// Each column: the name, the label, and whether it is chosen.
    columns: Vec<(&'static str, String, bool)>,
    separators: Vec<(&'static str, String, bool)>,
    has_mark: bool,
    is_refilled: bool,
    is_refused: bool,
    who: i64,
}

/// The address of the page that exports a list; `None` if the person may not.
pub(crate) fn link<F: Filters<Sort: Exported>>(
    member: &Member,
    asked: &Asked<F>,
) -> Option<String> {
    let may = member.may(Action::Export, F::Sort::RECORD);
    may.then(|| asked.anew().link_from(&format!("{}export/", F::PATH)))
}

/// Shows the form of an export. `sent` is the form that is shown again: after a sign-in, or because
/// no column was chosen.
pub(crate) fn show<S: Exported>(
    request: &HttpRequest,
    member: &Member,
    list: ExportedList,
    sent: Option<&Form>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Export, S::RECORD)?;
    let visit = &member.visit;
    let format = match sent {
        Some(form) => format_of(form),
        // What Excel expects in a country with a decimal comma.
        None if visit.language == Language::Croatian => {
            Format { separator: Separator::Semicolon, has_mark: true }
        }
        None => Format { separator: Separator::Comma, has_mark: false },
    };
    let is_chosen = |name: &str| sent.is_none_or(|form| form.all(COLUMN).any(|own| own == name));
    let column = |name| (name, say(visit.texts, "field", name), is_chosen(name));
    let separator = |one: &Separator| {
        let word = one.as_str();
        (word, say(visit.texts, "separator", word), *one == format.separator)
    };
    let is_refused = sent.is_some() && !visit.refills;
    let template = ExportPage {
        shell: Shell::of(visit, list.name),
        title: say(visit.texts, "export", list.name),
        menu: say(visit.texts, "menu", list.name),
        action: format!("{}?{}", request.path(), request.query_string()),
        count: format::count(visit.texts, list.count),
        total: match list.count {
            Count::Exact(total) => Some(total),
            Count::AtLeast(_) => None,
        },
        columns: S::COLUMNS.iter().map(|of| column(of.name)).collect(),
        separators: Separator::ALL.iter().map(separator).collect(),
        has_mark: format.has_mark,
        is_refilled: visit.refills,
        is_refused,
        who: member.who.staff.id.0,
        list,
    };
    let error = is_refused.then(|| ApiError::parameter(COLUMN, "Choose at least one column."));
    Ok(instead_of_page(request, page_with(request, error.as_ref(), &template)?))
}

fn format_of(form: &Form) -> Format {
    let separator = Separator::from_word(form.text("separator")).unwrap_or(Separator::Comma);
    Format { separator, has_mark: form.text("mark") == "1" }
}

/// Sends the file that a form asks for; `None` if no column was chosen. A file that breaks off ends
/// the connection, so that it is not taken for a whole one.
pub(crate) async fn send<S: Exported>(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    name: &'static str,
    filter: S::Filter,
    form: &Form,
) -> Result<Option<HttpResponse>, PageError> {
    if request.version() < Version::HTTP_11 {
        // The end of such a response does not tell whether it is complete.
        return Err(ApiError::bad_request("Exports need HTTP/1.1.").into());
    }
    let columns: Vec<&str> = form.all(COLUMN).collect();
    let begun = begin::<S>(&admin.app, filter, &columns, format_of(form), &member.doer()).await;
    let mut export = match begun {
        Err(ExportError::NoColumns) => return Ok(None),
        begun => begun?,
    };
    // If the database is away already, a page says so.
    let first = export.next().await?.map(Bytes::from);
    let request_id = request_id();
    let rest = stream::try_unfold((export, request_id), |(mut export, request_id)| async move {
        match export.next().await {
            Ok(piece) => Ok(piece.map(|piece| (Bytes::from(piece), (export, request_id)))),
            Err(error) => {
                tracing::warn!(request_id, cause = with_causes(&error), "an export broke off");
                Err(error)
            }
        }
    });
    let day = admin.app.clock.now().format("%Y-%m-%d");
    let disposition = format!("attachment; filename=\"{name}-{day}.csv\"");
    let file = HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .streaming(stream::iter(first.map(Ok)).chain(rest));
    Ok(Some(file))
}
