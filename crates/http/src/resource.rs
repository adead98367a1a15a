//! How a resource registers itself: with one value that says everything the API needs to know of it.

use actix_web::http::Method;
use exit3_domain::api_keys::Scope;
use exit3_domain::fields::Field;
use exit3_domain::quotas::Quota;
use exit3_web::Endpoint;
use utoipa::openapi::OpenApi;

use crate::requests::Body;

/// The path of one row, below the path of its resource.
pub(crate) const ROW: &str = "{id:[^/.]+}/";

/// A resource of the API.
pub(crate) struct Resource {
    /// The first segment of all its paths, and the first part of its scopes.
    pub(crate) name: &'static str,
    /// The fields that clients may set.
    pub(crate) fields: &'static [Field],
    /// Whether a key may be allowed to create without being allowed to change. Such a key may be
    /// publishable, and then everybody can use it. Otherwise creating needs the scope for writing.
    pub(crate) has_create_scope: bool,
    /// The separate quota for creating something.
    pub(crate) creates: Option<Quota>,
    /// Whether its paths are also served without a version, as in the replaced service.
    pub(crate) is_unversioned: bool,
    /// Its endpoints, with paths below the path of the resource.
    pub(crate) endpoints: fn() -> Vec<Endpoint>,
    /// The bodies of its requests.
    pub(crate) bodies: fn() -> Vec<Body>,
    /// Its part of the OpenAPI document: paths, schemas and the tag.
    pub(crate) document: fn() -> OpenApi,
}

impl Resource {
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

/// The resources that an API serves.
#[derive(Clone, Copy)]
pub(crate) struct Resources(pub(crate) &'static [Resource]);

impl Resources {
    /// All resources.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static Resource> {
        self.0.iter()
    }

    /// The resource of a path without the version prefix. `None` for a path outside of all
    /// resources, so that it never gets the scope of one.
    pub(crate) fn of(self, path: &str) -> Option<&'static Resource> {
        let first = path.split('/').next()?;
        self.iter().find(|resource| resource.name == first)
    }

    /// The scopes of all resources.
    pub(crate) fn scopes(self) -> impl Iterator<Item = Scope> {
        self.iter().flat_map(|Resource { name, has_create_scope, .. }| {
            let create = has_create_scope.then(|| Scope::create(name));
            create.into_iter().chain([Scope::read(name), Scope::write(name)])
        })
    }
}
