//! Responses with lists of any resource.

use actix_web::{HttpRequest, HttpResponse};
use exit3_domain::order::{Order, Sort};
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

/// Declares the schema of a list's response.
///
/// ```
/// #[derive(utoipa::ToSchema)]
/// struct Tag {
///     id: i64,
/// }
///
/// exit3_http::list_schema! {
///     /// A page of tags.
///     TagList of Tag
/// }
/// ```
#[macro_export]
macro_rules! list_schema {
    ($(#[$meta:meta])* $visibility:vis $name:ident of $row:ty) => {
        $(#[$meta])*
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code, reason = "describes an answer")]
        $visibility struct $name {
            /// The number of rows in the whole list; missing when walking by cursor.
            count: Option<u64>,
            /// The URL of the next page; null on the last one.
            #[schema(required = true)]
            next: Option<String>,
            /// The URL of the previous page; null on the first one.
            #[schema(required = true)]
            previous: Option<String>,
            results: Vec<$row>,
        }
    };
}

/// The requested part of a list.
pub enum Part {
    /// A numbered page.
    Page(PageRequest),
    /// A step of a walk, for a request with a cursor.
    Step(Step),
}

/// A request for a part of the list that is sorted by `S`. Its handler asks its use case for
/// [`ListRequest::part`], and answers with [`ListRequest::page`] or [`ListRequest::slice`].
pub struct ListRequest<'a, S> {
    request: &'a HttpRequest,
    params: &'a Params,
    /// Encrypts cursors.
    key: &'a CursorKey,
    /// The requested order.
    pub order: Order<S>,
    /// The requested part.
    pub part: Part,
}

impl<'a, S: Sort> ListRequest<'a, S> {
    /// Reads the order, and the page or the cursor. An empty cursor starts at the beginning.
    ///
    /// # Errors
    /// 400 for an unknown order, or a cursor that was not made for this list and order; 404 for an
    /// impossible page.
    pub fn read(
        request: &'a HttpRequest,
        params: &'a Params,
        key: &'a CursorKey,
    ) -> Result<Self, ApiError> {
        let order = params.ordering(S::from_word)?;
        let order = order.map_or(S::NEWEST, |(by, descending)| Order { by, descending });
        let part = match params.has("cursor") {
            false => Part::Page(params.page()?),
            true => Part::Step(step(params, key, order)?),
        };
        Ok(Self { request, params, key, order, part })
    }

    /// Responds with a numbered page.
    pub fn page<R: Serialize>(
        &self,
        page: Page<S::Row>,
        show: impl Fn(S::Row) -> R,
    ) -> HttpResponse {
        let base = hosts::address(self.request);
        let link = |number: Option<u64>| {
            let number = number.map(|number| number.to_string());
            self.params.link(&base, "page", number.as_deref())
        };
        let next = (page.number < last_page(page.count, self.params.page_size()))
            .then(|| link(Some(page.number + 1)));
        let previous = match page.number {
            0 | 1 => None,
            // The link to page 1 has no number, as in the replaced service.
            2 => Some(link(None)),
            number => Some(link(Some(number - 1))),
        };
        let results: Vec<R> = page.rows.into_iter().map(show).collect();
        HttpResponse::Ok().json(PageResponse { count: page.count, next, previous, results })
    }

    /// Responds with the rows of a step.
    pub fn slice<R: Serialize>(
        &self,
        slice: Slice<S::Row>,
        show: impl Fn(S::Row) -> R,
    ) -> HttpResponse {
        let base = hosts::address(self.request);
        let list = list(self.order);
        let seen =
            Consistency::current().and_then(|consistency| consistency.reached()).map(|seen| seen.0);
        let link = |row: Option<&S::Row>, back: bool| {
            let position = self.order.position(row?);
            let cursor = Cursor { back, key: position.texts(), id: position.id, seen };
            Some(self.params.link(&base, "cursor", Some(&self.key.encode(&cursor, &list))))
        };
        let next = slice.has_next.then(|| link(slice.rows.last(), false)).flatten();
        let previous = slice.has_previous.then(|| link(slice.rows.first(), true)).flatten();
        let results: Vec<R> = slice.rows.into_iter().map(show).collect();
        HttpResponse::Ok().json(SliceResponse { next, previous, results })
    }
}

/// The step that `?cursor=` requests.
fn step<S: Sort>(params: &Params, key: &CursorKey, order: Order<S>) -> Result<Step, ApiError> {
    let size = params.page_size();
    let Some(token) = params.last("cursor") else {
        return Ok(Step { from: None, direction: Direction::Forward, size });
    };
    let cursor = key.decode(token, &list(order))?;
    if let (Some(seen), Some(consistency)) = (cursor.seen, Consistency::current()) {
        consistency.has_seen(LogPosition(seen));
    }
    let position = order.parse(&cursor.key, cursor.id).ok_or_else(crate::cursor::invalid)?;
    Ok(Step { from: Some(position), direction: cursor.direction(), size })
}

/// The list and its order, to which a cursor is bound.
fn list<S: Sort>(order: Order<S>) -> String {
    format!("{} {order}", S::LIST)
}

#[cfg(test)]
mod tests {
    use exit3_domain::clients::ClientSort;
    use exit3_domain::leads::LeadSort;
    use exit3_domain::subscribers::SubscriberSort;

    use super::*;

    /// Cursors that earlier builds gave out are bound to these texts.
    #[test]
    fn a_cursor_is_bound_to_its_list_and_order() {
        assert_eq!(list(Order::<LeadSort>::NEWEST), "leads -created_at");
        assert_eq!(list(Order::<SubscriberSort>::NEWEST), "subscribers -id");
        assert_eq!(list(Order::<ClientSort>::NEWEST), "clients -id");
        let by_name = Order { by: LeadSort::FullName, descending: false };
        assert_eq!(list(by_name), "leads full_name");
    }
}
