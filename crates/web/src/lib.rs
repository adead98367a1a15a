//! The part of HTTP that is not about one API: peers, hosts, security headers, request bodies,
//! errors, logs and metrics. The API is built on it, and so can other pages of the service be. It
//! knows the errors of use cases, but no resource.

mod attachment;
pub mod body;
mod cors;
mod edge;
mod endpoint;
pub mod error;
mod headers;
pub mod hosts;
mod observe;
mod panics;
pub mod path;
mod peer;
mod policy;
mod proxies;
pub mod query;
pub mod quotas;
mod raw;
mod request_id;
mod route;
mod site;
mod subject;

pub use attachment::{attach, file_body};
pub use cors::CorsSettings;
pub use edge::{Edge, refuse};
pub use endpoint::{Endpoint, Gated, elsewhere, open};
pub use error::ApiError;
pub use observe::{ClientIp, Observer, observe};
pub use peer::{Connection, Peer};
pub use policy::{ErrorShape, RoutePolicy};
pub use proxies::TrustedProxies;
pub use raw::raw_answer;
pub use request_id::{current_request, request_id};
pub use route::policy as policy_of;
pub use site::{AllowedHosts, Hsts, Site};
pub use subject::subject;
