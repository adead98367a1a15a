//! HTTP that is not about one API: who sent a request, for which host, what protects an answer,
//! how bodies are read and errors rendered, and what is logged. The API uses it, as any other
//! pages of the service can. It knows use cases by their errors only, and no resource.

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

pub use cors::CorsSettings;
pub use edge::{Edge, refuse};
pub use endpoint::{Endpoint, Gated, elsewhere, open};
pub use error::ApiError;
pub use observe::{ClientIp, Observer, observe};
pub use peer::{Connection, Peer};
pub use policy::{ErrorShape, RoutePolicy};
pub use proxies::TrustedProxies;
pub use raw::raw_answer;
pub use request_id::request_id;
pub use site::{AllowedHosts, Hsts, Site};
