//! The route of a request: its policy, its name in logs and metrics, and its response times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpMessage;
use metrics::{Histogram, SharedString, histogram};

use crate::policy::RoutePolicy;

/// The pattern of requests that match no route.
pub(crate) const UNMATCHED: &str = "unmatched";

/// A route of one worker.
#[derive(Clone)]
pub(crate) struct Served(Rc<Route>);

struct Route {
    pattern: String,
    policy: RoutePolicy,
    /// Histograms by method and status. They are cached, because assembling and looking up their
    /// labels for every request costs more than recording the value.
    times: RefCell<HashMap<(&'static str, u16), Histogram>>,
}

impl Served {
    /// The route for `path` below `prefix`.
    pub(crate) fn new(prefix: &str, path: &str, policy: RoutePolicy) -> Self {
        let pattern = pattern(prefix, path);
        Self(Rc::new(Route { pattern, policy, times: RefCell::default() }))
    }

    /// The route's path pattern.
    pub(crate) fn pattern(&self) -> &str {
        &self.0.pattern
    }
}

/// The policy of the request's route, or the default policy before routing.
pub fn policy(request: &impl HttpMessage) -> RoutePolicy {
    let extensions = request.extensions();
    extensions.get().map_or(RoutePolicy::DEFAULT, |Served(route)| route.policy)
}

/// The pattern of `path` below `prefix`, without the regular expressions of its parameters.
fn pattern(prefix: &str, path: &str) -> String {
    let mut pattern = prefix.to_owned();
    for piece in path.split_inclusive('}') {
        match piece.split_once(':') {
            Some((before, _)) => pattern.extend([before, "}"]),
            None => pattern.push_str(piece),
        }
    }
    pattern
}

/// Records how long a request took.
pub(crate) fn measure(route: Option<&Served>, method: &'static str, status: u16, took: Duration) {
    match route {
        Some(Served(route)) => {
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
    fn a_pattern_has_no_regular_expressions() {
        let shown = |path| pattern("/api/", path);
        assert_eq!(shown("things/{id:[^/.]+}/"), "/api/things/{id}/");
        assert_eq!(shown("docs/assets/{name}"), "/api/docs/assets/{name}");
        assert_eq!(shown("things/"), "/api/things/");
    }
}
