//! Responses with lists of any resource.

use actix_web::{HttpRequest, HttpResponse};
use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step, last_page};
use exit3_ports::{Consistency, LogPosition};
use exit3_web::{ApiError, hosts, query::Params};
use serde::Serialize;

use crate::cursor::{Cursor, CursorKey};

#[derive(Serialize)]
struct PageResponse<T> {
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<T>,
}

#[derive(Serialize)]
struct SliceResponse<T> {
    next: Option<String>,
    previous: Option<String>,
    results: Vec<T>,
}

/// Responds with a numbered page.
pub(crate) fn page<T, R>(
    request: &HttpRequest,
    params: &Params,
    asked: PageRequest,
    page: Page<T>,
) -> HttpResponse
where
    R: From<T> + Serialize,
{
    let base = hosts::address(request);
    let next = (page.number < last_page(page.count, asked.size))
        .then(|| params.link(&base, "page", Some(&(page.number + 1).to_string())));
    let previous = match page.number {
        0 | 1 => None,
        // The link to page 1 has no number, as in the replaced service.
        2 => Some(params.link(&base, "page", None)),
        number => Some(params.link(&base, "page", Some(&(number - 1).to_string()))),
    };
    let results: Vec<R> = page.rows.into_iter().map(R::from).collect();
    HttpResponse::Ok().json(PageResponse { count: page.count, next, previous, results })
}

/// A walk through one list: reads and writes its cursors.
pub(crate) struct Walk<'a, P> {
    /// The list and its order.
    pub list: String,
    /// Encrypts cursors.
    pub key: &'a CursorKey,
    /// Converts a position to the sort values and id of a cursor.
    pub write: fn(P) -> (Vec<String>, i64),
    /// Converts the sort values and id of a cursor to a position.
    pub read: &'a dyn Fn(&[String], i64) -> Option<P>,
}

impl<P> Walk<'_, P> {
    /// The step that `?cursor=` requests; an empty cursor starts at the beginning.
    ///
    /// # Errors
    /// 400 for a cursor that was not made for this list.
    pub(crate) fn step(&self, params: &Params) -> Result<Step<P>, ApiError> {
        let size = params.page_size();
        let Some(token) = params.last("cursor") else {
            return Ok(Step { from: None, direction: Direction::Forward, size });
        };
        let cursor = self.key.decode(token, &self.list)?;
        if let (Some(seen), Some(consistency)) = (cursor.seen, Consistency::current()) {
            consistency.has_seen(LogPosition(seen));
        }
        let position = (self.read)(&cursor.key, cursor.id).ok_or_else(crate::cursor::invalid)?;
        Ok(Step { from: Some(position), direction: cursor.direction(), size })
    }

    /// Responds with a slice.
    pub(crate) fn slice<T, R>(
        &self,
        request: &HttpRequest,
        params: &Params,
        slice: Slice<T>,
        position: impl Fn(&T) -> P,
    ) -> HttpResponse
    where
        R: From<T> + Serialize,
    {
        let base = hosts::address(request);
        let seen =
            Consistency::current().and_then(|consistency| consistency.reached()).map(|seen| seen.0);
        let link = |row: Option<&T>, back: bool| {
            let (key, id) = (self.write)(position(row?));
            let token = self.key.encode(&Cursor { back, key, id, seen }, &self.list);
            Some(params.link(&base, "cursor", Some(&token)))
        };
        let next = slice.has_next.then(|| link(slice.rows.last(), false)).flatten();
        let previous = slice.has_previous.then(|| link(slice.rows.first(), true)).flatten();
        let results: Vec<R> = slice.rows.into_iter().map(R::from).collect();
        HttpResponse::Ok().json(SliceResponse { next, previous, results })
    }
}

/// The value of `?ordering=` for an order.
pub(crate) fn ordering(word: &str, descending: bool) -> String {
    format!("{}{word}", if descending { "-" } else { "" })
}
