//! HTML pages that show the OpenAPI document. All their files are embedded in the binary.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Path};
use exit3_web::ApiError;
use rust_embed::RustEmbed;

/// The pages and their viewers. `swagger-ui-bundle.js` and `swagger-ui.css` are unchanged files of
/// Swagger UI 5.32.6; a crate that has them would also compile a reader of zip files.
/// `redoc.standalone.js` is the bundle of Redoc's npm package with one change: the address of a logo
/// on another host is replaced by an empty image.
#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Swagger UI: the documentation of the API, and a way to try it.
#[utoipa::path(
    get,
    path = "/backend/api/docs/",
    tag = "service",
    operation_id = "docs",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub(crate) async fn swagger() -> HttpResponse {
    page(include_str!("../assets/swagger.html"))
}

/// Redoc: the documentation of the API.
#[utoipa::path(
    get,
    path = "/backend/api/redoc/",
    tag = "service",
    operation_id = "redoc",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub(crate) async fn redoc() -> HttpResponse {
    page(include_str!("../assets/redoc.html"))
}

/// A file that one of the pages needs.
///
/// # Errors
/// 404 if there is no such file.
pub(crate) async fn asset(name: Path<String>) -> Result<HttpResponse, ApiError> {
    let bytes = asset_bytes(&name).ok_or_else(|| ApiError::not_found("Not found."))?;
    Ok(HttpResponse::Ok()
        .content_type(content_type(&name))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .body(bytes))
}

/// The bytes of an embedded file. They are not copied: Redoc's bundle alone is a megabyte, and
/// anybody can request it without a key.
fn asset_bytes(name: &str) -> Option<Bytes> {
    Some(match Assets::get(name)?.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

/// The `Content-Security-Policy` of the pages. A page may only load its own files. The digests
/// allow the two inline style elements that Redoc's script creates, one of them empty. The style
/// sheets contain images; Redoc searches in a worker.
pub(crate) const PAGE_SECURITY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; script-src 'self'; \
    style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' \
    'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; \
    img-src 'self' data:; connect-src 'self'; worker-src 'self' blob:";

fn page(html: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_not_copied() {
        for name in ["redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css"] {
            let [first, second] = [asset_bytes(name), asset_bytes(name)].map(Option::unwrap);
            assert_eq!(first.as_ptr(), second.as_ptr(), "{name}");
        }
    }
}
