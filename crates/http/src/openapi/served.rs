//! Serves the document.

use std::sync::OnceLock;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use exit3_web::ApiError;
use exit3_web::query::Params;

use super::document;
use crate::parameters::SchemaQuery;
use crate::resource::Resources;

/// The document, written when it is first asked for.
pub(crate) struct Document {
    resources: Resources,
    json: OnceLock<Bytes>,
    yaml: OnceLock<Bytes>,
}

impl Document {
    /// The document of these resources.
    pub(crate) fn new(resources: Resources) -> Self {
        Self { resources, json: OnceLock::new(), yaml: OnceLock::new() }
    }

    fn json(&self) -> Bytes {
        self.json.get_or_init(|| document(self.resources).to_string().into()).clone()
    }

    fn yaml(&self) -> Bytes {
        self.yaml.get_or_init(|| yaml(&document(self.resources)).into()).clone()
    }
}

/// Returns this OpenAPI document, as JSON or YAML.
#[utoipa::path(
    get,
    path = "/backend/api/schema/",
    tag = "service",
    operation_id = "schema",
    params(SchemaQuery),
    responses(
        (status = 200, description = "The document.", content(
            (serde_json::Value = "application/json"),
            (String = "application/yaml"),
        ))
    )
)]
pub(crate) async fn schema(
    document: Data<Document>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let params = Params::of(&request);
    let yaml = match params.last("format") {
        Some("json") => false,
        Some("yaml") => true,
        Some(_) => return Err(ApiError::not_found("Not found.")),
        None => request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("yaml") && !accept.contains("json")),
    };
    let (content_type, text) = if yaml {
        ("application/yaml", document.yaml())
    } else {
        ("application/json", document.json())
    };
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::VARY, "Accept"))
        .body(text))
}

/// Writes block-style YAML. JSON is valid YAML, but people who ask for YAML want to read it.
fn yaml(document: &serde_json::Value) -> String {
    yaml_serde::to_string(document).unwrap_or_else(|_| document.to_string())
}
