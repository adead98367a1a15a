//! Routes, as logs and metrics call them, and how long requests to them take.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use metrics::{Histogram, SharedString, histogram};

/// What is no route.
pub(super) const UNMATCHED: &str = "unmatched";

/// The pattern of a route, and what is measured of it; of one worker.
#[derive(Clone)]
pub struct Pattern(Rc<Route>);

struct Route {
    pattern: String,
    /// By method and status. Where a histogram is not kept, its labels are put together
    /// and looked up for every request, which costs more than to measure it.
    times: RefCell<HashMap<(&'static str, u16), Histogram>>,
}

impl Pattern {
    pub(super) fn as_str(&self) -> &str {
        &self.0.pattern
    }
}

/// The pattern of `path` below `prefix`, without what an identifier must look like.
pub fn pattern(prefix: &str, path: &str) -> Pattern {
    let mut pattern = prefix.to_owned();
    for piece in path.split_inclusive('}') {
        match piece.split_once(':') {
            Some((before, _)) => pattern.extend([before, "}"]),
            None => pattern.push_str(piece),
        }
    }
    Pattern(Rc::new(Route { pattern, times: RefCell::default() }))
}

/// Measures a request.
pub(super) fn measure(route: Option<&Pattern>, method: &'static str, status: u16, took: Duration) {
    match route {
        Some(Pattern(route)) => {
            let mut times = route.times.borrow_mut();
            let time = times.entry((method, status));
            time.or_insert_with(|| time_of(method, route.pattern.clone(), status)).record(took);
        }
        None => time_of(method, UNMATCHED, status).record(took),
    }
}

fn time_of(method: &'static str, route: impl Into<SharedString>, status: u16) -> Histogram {
    histogram!(
        "http_server_request_duration_seconds",
        "http_request_method" => method,
        "http_route" => route,
        "http_response_status_code" => status.to_string()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_says_where_but_not_what() {
        let shown = |path| pattern("/api/", path).as_str().to_owned();
        assert_eq!(shown("things/{id:[^/.]+}/"), "/api/things/{id}/");
        assert_eq!(shown("docs/assets/{name}"), "/api/docs/assets/{name}");
        assert_eq!(shown("things/"), "/api/things/");
    }
}
