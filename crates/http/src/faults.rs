//! What can be wrong with the registration of resources.

use std::collections::BTreeSet;

use exit3_app::modules::{Claim, Switch};
use exit3_domain::api_keys::Scope;
use serde_json::{Value, json};

use crate::openapi::{described, document};
use crate::resource::{Resource, Resources, Served};
use crate::routes::served;
use crate::versions::NEW;

impl Resources {
    /// What is wrong with these resources, in sentences: names that scopes cannot have, routes that
    /// the document omits or invents, and schemas of requests without the fields that clients may
    /// set. The service does not start with a module that has faults; the tests of a module find
    /// them before.
    pub fn faults(self) -> Vec<String> {
        let document = document(self);
        let (described, served) = (described(&document), served(self));
        let omitted = served.difference(&described).map(|route| {
            format!("{route} is served, but its handler is missing in the annotations")
        });
        let invented = described.difference(&served);
        let invented = invented.map(|route| format!("{route} is described, but not served"));
        let resources = self.iter().flat_map(|resource| of_resource(resource, &document));
        resources.chain(omitted).chain(invented).chain(empty(&document)).collect()
    }

    /// What each resource claims for its module: its path, from which its scopes follow, and the
    /// names of its schemas and operations in the document.
    pub fn claims(self) -> impl Iterator<Item = (Option<&'static str>, Claim)> {
        let service = names(&document(Self(&[]))).into_iter().map(|claim| (None, claim));
        service.chain(self.served().flat_map(|Served { resource, switch }| {
            let path = Claim::of("path", format!("{NEW}{}/", resource.name));
            let claims = names(&json!((resource.document)())).into_iter().chain([path]);
            claims.map(|claim| (switch.map(Switch::module), claim))
        }))
    }
}

/// The names in a document: those of its schemas and operations.
fn names(document: &Value) -> Vec<Claim> {
    let schemas = schemas(document).into_iter().flatten();
    let schemas = schemas.map(|(name, _)| Claim::of("schema", name));
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.filter_map(|(_, item)| item.as_object()).flatten();
    let operations = operations.filter_map(|(_, operation)| {
        Some(Claim::of("operation", operation.get("operationId")?.as_str()?))
    });
    schemas.chain(operations).collect()
}

/// The faults of one resource.
fn of_resource(resource: &Resource, document: &Value) -> Vec<String> {
    let name = resource.name;
    let is_a_scope = Scope::read(name).to_string().parse::<Scope>().is_ok();
    let unnamed = (!is_a_scope).then(|| format!("{name:?} is no name of a resource"));
    let fields: BTreeSet<&str> = resource.fields.iter().map(|field| field.name).collect();
    let bodies = (resource.bodies)().into_iter().filter_map(|body| {
        let described: BTreeSet<&str> = properties(schemas(document)?.get(body.name)?).collect();
        (described != fields).then(|| {
            let (name, fields) = (body.name, resource.fields.iter().map(|field| field.name));
            format!("the schema {name} does not have the fields {:?}", fields.collect::<Vec<_>>())
        })
    });
    unnamed.into_iter().chain(bodies).collect()
}

/// Schemas that stand for a body which is missing.
fn empty(document: &Value) -> impl Iterator<Item = String> {
    let schemas = schemas(document).into_iter().flatten();
    let empty = schemas.filter(|(_, schema)| {
        schema.get("type").is_some_and(|kind| kind == "object")
            && properties(schema).next().is_none()
    });
    empty.map(|(name, _)| format!("the schema {name} has no properties"))
}

fn schemas(document: &Value) -> Option<&serde_json::Map<String, Value>> {
    document.pointer("/components/schemas")?.as_object()
}

/// The names of the properties of a schema.
fn properties(schema: &Value) -> impl Iterator<Item = &str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use exit3_app::modules::conflict;
    use exit3_domain::fields::{Field, FieldKind};
    use exit3_web::Endpoint;

    use super::*;
    use crate::OWN;

    const NOTE: Field =
        Field { name: "note", kind: FieldKind::Boolean, is_required: false, is_nullable: false };

    #[test]
    fn the_resources_of_the_service_have_none() {
        assert_eq!(OWN.faults(), [""; 0]);
    }

    #[test]
    fn a_route_that_the_document_omits_or_invents_is_one() {
        let without = Resource { document: Resource::EMPTY.document, ..crate::clients::RESOURCE };
        let faults = Resources(&[]).and([Served::own(without)]).faults();
        let omitted = "/backend/api/v1/clients/ post is served, but its handler is missing in the \
            annotations";
        assert!(faults.iter().any(|fault| fault == omitted), "{faults:?}");
        let without = Resource { endpoints: Vec::<Endpoint>::new, ..crate::clients::RESOURCE };
        let faults = Resources(&[]).and([Served::own(without)]).faults();
        let invented = "/backend/api/v1/clients/ post is described, but not served";
        assert!(faults.iter().any(|fault| fault == invented), "{faults:?}");
    }

    #[test]
    fn a_body_with_other_fields_is_one_and_a_schema_without_its_body() {
        let other = Resource { fields: &[NOTE], ..crate::subscribers::RESOURCE };
        let faults = Resources(&[]).and([Served::own(other)]).faults();
        let of = |name| format!("the schema {name} does not have the fields [\"note\"]");
        assert_eq!(faults, ["SubscriberCreate", "SubscriberUpdate"].map(of));
        let without = Resource { bodies: Vec::new, ..crate::subscribers::RESOURCE };
        let faults = Resources(&[]).and([Served::own(without)]).faults();
        let of = |name| format!("the schema {name} has no properties");
        assert_eq!(faults, ["SubscriberCreate", "SubscriberUpdate"].map(of));
    }

    #[test]
    fn a_name_that_no_scope_can_have_is_one() {
        let named = Resource { name: "Tags", ..Resource::EMPTY };
        let faults = Resources(&[]).and([Served::own(named)]).faults();
        assert_eq!(faults, ["\"Tags\" is no name of a resource"]);
    }

    #[test]
    fn a_path_and_a_name_in_the_document_belong_to_one_module() {
        static TAGS: Switch = Switch::of("tags");
        assert_eq!(conflict(OWN.claims()), None);
        let told = |resource| {
            let switch = Some(&TAGS);
            conflict(OWN.and([Served { resource, switch }]).claims()).unwrap_or_default()
        };
        let own = |claim| format!("the module tags claims {claim}, which is the service's own");
        let taken = Resource { name: "leads", ..Resource::EMPTY };
        assert_eq!(told(taken), own("the path /backend/api/v1/leads/"));
        let clients = Resource { name: "tags", ..crate::clients::RESOURCE };
        assert!(told(clients).starts_with("the module tags claims the schema "));
        #[derive(utoipa::OpenApi)]
        #[openapi(paths(crate::health::live))]
        struct Probes;
        let probes = || {
            let mut document = <Probes as utoipa::OpenApi>::openapi();
            document.components = None;
            document
        };
        let probes = Resource { name: "tags", document: probes, ..Resource::EMPTY };
        assert_eq!(told(probes), own("the operation live"));
    }
}
