//! Style sheet, scripts and pictures of the pages. They are embedded in the binary, and have the
//! digest of their content in their names, so browsers keep them for good.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_web::ApiError;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// The files. `htmx.min.js` is the unchanged file of htmx 4.0.1.
#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

struct Asset {
    content_type: &'static str,
    plain: Bytes,
    gzip: Bytes,
}

struct Assets {
    by_address: HashMap<String, Asset>,
    addresses: HashMap<String, String>,
}

/// All files by their names with digests. They are compressed once, when a page first needs one.
static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut assets = Assets { by_address: HashMap::new(), addresses: HashMap::new() };
    for name in Files::iter() {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        // Licences are not served.
        let Some(content_type) = content_type(extension) else { continue };
        let Some(file) = Files::get(&name) else { continue };
        let digest = hex::encode(Sha256::digest(&file.data));
        let address = format!("{stem}.{}.{extension}", digest.get(..12).unwrap_or_default());
        let asset = Asset {
            content_type,
            plain: Bytes::copy_from_slice(&file.data),
            gzip: gzip(&file.data, Compression::best()).unwrap_or_default(),
        };
        assets.addresses.insert(name.to_string(), address.clone());
        assets.by_address.insert(address, asset);
    }
    assets
});

fn content_type(extension: &str) -> Option<&'static str> {
    match extension {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// Compresses bytes. Returns `None` only if memory runs out.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether the client accepts gzip (RFC 9110, 12.5.3).
pub(crate) fn accepts_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING);
    let Some(accepted) = accepted.and_then(|value| value.to_str().ok()) else { return false };
    accepted.split(',').any(|range| {
        let (coding, quality) = range.split_once(';').unwrap_or((range, ""));
        let quality = quality.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case("gzip") && quality.parse::<f32>().is_ok_and(|q| q > 0.0)
    })
}

/// The address of a file, relative to the back office's assets.
pub(crate) fn address(name: &str) -> &'static str {
    ASSETS.addresses.get(name).map_or("", String::as_str)
}

/// Serves a file.
///
/// # Errors
/// 404 if there is no such file.
pub(crate) async fn serve(
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let asset = ASSETS.by_address.get(name.as_str());
    let asset = asset.ok_or_else(|| ApiError::not_found("Not found."))?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"));
    Ok(if accepts_gzip(&request) && !asset.gzip.is_empty() {
        response.insert_header((header::CONTENT_ENCODING, "gzip")).body(asset.gzip.clone())
    } else {
        response.body(asset.plain.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use rstest::rstest;

    #[test]
    fn scripts_and_styles_are_small() {
        let sizes: Vec<(&String, usize)> =
            ASSETS.by_address.iter().map(|(name, asset)| (name, asset.gzip.len())).collect();
        assert!(sizes.len() >= 3, "{sizes:?}");
        assert!(sizes.iter().map(|(_, size)| size).sum::<usize>() <= 40_000, "{sizes:?}");
        assert!(sizes.iter().all(|(_, size)| *size > 0), "{sizes:?}");
    }

    #[test]
    fn an_address_changes_with_the_content() {
        let [css, js] = ["app.css", "app.js"].map(address);
        assert!(css.starts_with("app.") && css.ends_with(".css") && css.len() == 20, "{css}");
        assert_ne!(css.get(4..16), js.get(4..16));
    }

    #[rstest]
    #[case("gzip", true)]
    #[case("br, gzip;q=0.5", true)]
    #[case("GZIP; q=1", true)]
    #[case("gzip;q=0", false)]
    #[case("br", false)]
    #[case("", false)]
    fn gzip_must_be_accepted(#[case] header: &str, #[case] accepted: bool) {
        let request = TestRequest::default()
            .insert_header((header::ACCEPT_ENCODING, header))
            .to_http_request();
        assert_eq!(accepts_gzip(&request), accepted);
    }
}
