//! What every page of a list shows around its rows: the search, chips, heads of columns, counts, and
//! links to other pages. `templates/listing.html` is the frame of these pages.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_domain::order::Sort;
use exit3_domain::paging::{Count, Direction, Slice};
use i18n_embed_fl::fl;

use crate::asked::{Asked, Filters, SIZES};
use crate::errors::PageError;
use crate::format;
use crate::i18n::{Texts, say};
use crate::page::{is_partial, page};

/// What a page of a list shows around its rows.
pub(crate) struct List {
    pub(crate) title: String,
    /// The address without a query.
    pub(crate) path: &'static str,
    /// This page.
    pub(crate) here: String,
    pub(crate) search: String,
    pub(crate) search_label: String,
    pub(crate) order: String,
    pub(crate) size: u32,
    /// What the form of the filters keeps though it has no field for it.
    pub(crate) kept: Vec<(&'static str, String)>,
    pub(crate) chips: Vec<Chip>,
    pub(crate) chips_label: String,
    pub(crate) columns: Vec<Column>,
    /// The number of rows, as it is shown.
    pub(crate) count: String,
    /// The link that counts them exactly, unless the number is exact.
    pub(crate) count_exactly: Option<String>,
    /// The link to the page that exports the list, for those who may.
    pub(crate) export: Option<String>,
    /// The link that searches all rows, if words were only looked for in the next ones.
    pub(crate) search_all: Option<String>,
    pub(crate) search_all_text: String,
    pub(crate) cut_short_text: String,
    pub(crate) is_empty: bool,
    /// Whether the page begins beside a row, not at an end of the list.
    pub(crate) is_within: bool,
    pub(crate) is_filtered: bool,
    pub(crate) empty_title: String,
    pub(crate) empty_text: String,
    pub(crate) first_page: String,
    /// The links that drop one of the filters, with their texts.
    pub(crate) drops: Vec<(String, String)>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) sizes: Vec<(u32, String)>,
}

/// A value of the most important filter, with the number of its rows.
pub(crate) struct Chip {
    pub(crate) word: &'static str,
    pub(crate) text: String,
    pub(crate) count: String,
    pub(crate) href: String,
    pub(crate) is_chosen: bool,
}

/// The head of a column.
pub(crate) struct Column {
    /// The name, which decides about the width.
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) href: Option<String>,
    pub(crate) sorted: &'static str,
}

impl List {
    /// A page of the list of a resource, such as `leads`, with what was found for it.
    pub(crate) fn of<F: Filters>(
        texts: Texts,
        resource: &str,
        asked: &Asked<F>,
        slice: &Slice<<F::Sort as Sort>::Row>,
        count: Count,
    ) -> Self {
        let edge = |row: Option<&<F::Sort as Sort>::Row>, direction, exists: bool| {
            row.filter(|_| exists).map(|row| asked.beside(direction, row).link())
        };
        let without_search = || (asked.without_search().link(), fl!(texts, "empty-drop-search"));
        Self {
            title: say(texts, "menu", resource),
            path: F::PATH,
            here: asked.link(),
            search: asked.search.clone(),
            search_label: say(texts, "filter-search", resource),
            order: asked.order.to_string(),
            size: asked.size,
            kept: Vec::new(),
            chips: Vec::new(),
            chips_label: String::new(),
            columns: Vec::new(),
            count: format::count(texts, count),
            count_exactly: match count {
                Count::Exact(_) => None,
                Count::AtLeast(_) => Some(asked.counted().link()),
            },
            export: None,
            search_all: None,
            search_all_text: say(texts, "list-search-all", resource),
            cut_short_text: say(texts, "list-cut-short", resource),
            is_empty: slice.rows.is_empty(),
            is_within: asked.beside.is_some(),
            is_filtered: asked.is_filtered(),
            empty_title: say(texts, "empty", resource),
            empty_text: say(texts, "empty-text", resource),
            first_page: asked.anew().link(),
            drops: (!asked.search.is_empty()).then(without_search).into_iter().collect(),
            previous: edge(slice.rows.first(), Direction::Backward, slice.has_previous),
            next: edge(slice.rows.last(), Direction::Forward, slice.has_next),
            sizes: SIZES.iter().map(|size| (*size, asked.sized(*size).link())).collect(),
        }
    }
}

/// The heads of these columns, with the orders that a click on them asks for.
pub(crate) fn columns<F: Filters>(
    texts: Texts,
    asked: &Asked<F>,
    columns: &[(&'static str, Option<F::Sort>)],
) -> Vec<Column> {
    let column = |(name, sort): &(&'static str, Option<F::Sort>)| Column {
        name,
        text: say(texts, "column", name),
        href: sort.map(|sort| asked.sorted(sort).link()),
        sorted: match sort {
            Some(sort) if *sort == asked.order.by && asked.order.descending => "descending",
            Some(sort) if *sort == asked.order.by => "ascending",
            _ => "",
        },
    };
    columns.iter().map(column).collect()
}

/// Renders a page of a list. `here` is its address.
pub(crate) fn list_page(
    request: &HttpRequest,
    template: &impl Template,
    here: &str,
) -> Result<HttpResponse, PageError> {
    let mut response = page(request, template)?;
    if is_partial(request)
        && let Ok(address) = HeaderValue::from_str(here)
    {
        // The address without empty fields, so that each key press does not make a step of Back.
        response.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    }
    Ok(response)
}
