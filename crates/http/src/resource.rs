//! How a resource registers itself: with one value that says everything the API needs to know of it.

use actix_web::http::Method;
use exit3_app::modules::Switch;
use exit3_domain::api_keys::Scope;
use exit3_domain::fields::Field;
use exit3_domain::quotas::Quota;
use exit3_web::Endpoint;
use utoipa::openapi::OpenApi;

use crate::requests::Body;

/// The path of one row, below the path of its resource.
pub const ROW: &str = "{id:[^/.]+}/";

/// A resource of the API: everything that the API needs to know of it. The gate in front of its
/// routes, its scopes, quotas, telemetry and its part of the document follow.
///
/// ```
/// use actix_web::HttpResponse;
/// use actix_web::http::Method;
/// use exit3_http::{OWN, Resource, Served};
/// use exit3_web::Endpoint;
///
/// async fn list() -> HttpResponse {
///     HttpResponse::NoContent().finish()
/// }
///
/// const TAGS: Resource = Resource {
///     name: "tags",
///     endpoints: || vec![Endpoint::new("").route(Method::GET, list)],
///     ..Resource::EMPTY
/// };
///
/// let resources = OWN.and([Served { resource: TAGS, switch: None }]);
/// assert!(resources.scopes().any(|scope| scope.to_string() == "tags:read"));
/// // The document must say what is served: see `Resource::document`.
/// assert!(resources.faults().iter().any(|fault| fault.contains("is missing in the annotations")));
/// ```
#[derive(Clone, Copy)]
pub struct Resource {
    /// The first segment of all its paths, and the first part of its scopes: lower-case letters
    /// and `_`.
    pub name: &'static str,
    /// The fields that clients may set.
    pub fields: &'static [Field],
    /// Whether a key may be allowed to create without being allowed to change. Such a key may be
    /// publishable, and then everybody can use it. Otherwise creating needs the scope for writing.
    pub has_create_scope: bool,
    /// The separate quota for creating something.
    pub creates: Option<Quota>,
    /// Whether its paths are also served without a version, as in the replaced service.
    pub is_unversioned: bool,
    /// Its endpoints, with paths below the path of the resource.
    pub endpoints: fn() -> Vec<Endpoint>,
    /// The bodies of its requests, whose schemas [`written_out`](crate::written_out) declares.
    pub bodies: fn() -> Vec<Body>,
    /// Its part of the OpenAPI document: paths, schemas and the tag.
    pub document: fn() -> OpenApi,
}

impl Resource {
    /// A resource without anything, for `..Resource::EMPTY`.
    pub const EMPTY: Self = Self {
        name: "",
        fields: &[],
        has_create_scope: false,
        creates: None,
        is_unversioned: false,
        endpoints: Vec::new,
        bodies: Vec::new,
        document: OpenApi::default,
    };

    /// The scope that a method needs; `None` if no resource has the method.
    pub(crate) fn scope(&self, method: &Method) -> Option<Scope> {
        match *method {
            Method::GET | Method::HEAD => Some(Scope::read(self.name)),
            Method::POST if self.has_create_scope => Some(Scope::create(self.name)),
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
                Some(Scope::write(self.name))
            }
            _ => None,
        }
    }

    /// The separate quota for creating something with this method.
    pub(crate) fn quota(&self, method: &Method) -> Option<Quota> {
        if method == Method::POST { self.creates } else { None }
    }
}

/// A resource that an API serves.
#[derive(Clone, Copy)]
pub struct Served {
    /// The resource.
    pub resource: Resource,
    /// The switch of its module. While it is off, the resource answers 503.
    pub switch: Option<&'static Switch>,
}

impl Served {
    /// A resource of the service itself.
    pub(crate) const fn own(resource: Resource) -> Self {
        Self { resource, switch: None }
    }
}

/// The resources that an API serves. All that the API knows of them follows from this list.
#[derive(Clone, Copy)]
pub struct Resources(pub(crate) &'static [Served]);

impl Resources {
    /// These resources, and those of modules. Call it once for each process: the list lives as long
    /// as the process.
    pub fn and(self, more: impl IntoIterator<Item = Served>) -> Self {
        Self(self.0.iter().copied().chain(more).collect::<Vec<_>>().leak())
    }

    /// All resources.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static Resource> {
        self.served().map(|served| &served.resource)
    }

    /// All resources, with their switches.
    pub(crate) fn served(self) -> impl Iterator<Item = &'static Served> {
        self.0.iter()
    }

    /// The resource of a path without the version prefix. `None` for a path outside of all
    /// resources, so that it never gets the scope of one.
    pub(crate) fn of(self, path: &str) -> Option<&'static Resource> {
        let first = path.split('/').next()?;
        self.iter().find(|resource| resource.name == first)
    }

    /// The scopes that a key can have: those of all resources.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        self.iter().flat_map(|Resource { name, has_create_scope, .. }| {
            let create = has_create_scope.then(|| Scope::create(name));
            create.into_iter().chain([Scope::read(name), Scope::write(name)])
        })
    }
}
