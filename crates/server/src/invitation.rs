//! The addresses of one-time pages.

use exit3_domain::sign_ins::SecretToken;

use crate::settings::Settings;

/// The address of the page that this token opens, once.
pub(crate) fn link(base: &str, token: &SecretToken) -> String {
    format!("{base}/backend/admin/invitation/{}/", token.expose())
}

/// The address under which people reach the service, as far as the settings tell: the first allowed
/// host, over HTTPS if the service or a proxy in front of it encrypts.
pub(crate) fn base(settings: &Settings) -> String {
    let site = &settings.site;
    let is_proxied = !site.trusted_proxies.is_empty();
    let scheme = match settings.tls.is_some() || is_proxied || site.ssl_redirect {
        true => "https",
        false => "http",
    };
    let hosts = site.allowed_hosts.patterns().iter().map(|host| host.trim_start_matches('.'));
    let host = hosts.filter(|host| *host != "*").find(|host| !host.is_empty());
    // A proxy has the usual port.
    let port = match (settings.listen.port(), scheme) {
        _ if is_proxied && host.is_some() => String::new(),
        (0, _) | (443, "https") | (80, "http") => String::new(),
        (port, _) => format!(":{port}"),
    };
    match host {
        Some(host) => format!("{scheme}://{host}{port}"),
        None => {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://localhost{port}")
        }
    }
}
