//! Finds settings that other settings make ineffective or harmful.

use super::super::{Arguments, Settings};
use super::Findings;

pub(super) fn find(found: &mut Findings, arguments: &Arguments, settings: &Settings) {
    // Only these two make a request count as encrypted.
    let encrypted = settings.tls.is_some() || !settings.site.trusted_proxies.is_empty();
    let remedy = "set TLS_CERT and TLS_KEY, or list the proxy that encrypts in TRUSTED_PROXIES";
    found.add(
        arguments.secure_ssl_redirect && !encrypted,
        "SECURE_SSL_REDIRECT",
        "redirects every request to its own address, forever: no request counts as encrypted",
        remedy,
    );
    found.add(
        arguments.secure_hsts_seconds > 0 && !encrypted,
        "SECURE_HSTS_SECONDS",
        "has no effect: no request counts as encrypted",
        remedy,
    );
    for (variable, is_true) in [
        ("SECURE_HSTS_INCLUDE_SUBDOMAINS", arguments.secure_hsts_include_subdomains),
        ("SECURE_HSTS_PRELOAD", arguments.secure_hsts_preload),
    ] {
        found.add(
            is_true && arguments.secure_hsts_seconds == 0,
            variable,
            "has no effect: SECURE_HSTS_SECONDS is 0",
            "set SECURE_HSTS_SECONDS to 31536000, or leave it out",
        );
    }
    found.add(
        arguments.use_x_forwarded_host && settings.site.trusted_proxies.is_empty(),
        "USE_X_FORWARDED_HOST",
        "is true, but no proxy is trusted",
        "list the proxies in TRUSTED_PROXIES, or leave it out",
    );
    found.add(
        arguments.cors_allow_credentials && settings.cors.origins.is_empty(),
        "CORS_ALLOW_CREDENTIALS",
        "has no effect: CORS_ALLOWED_ORIGINS is empty",
        "list the origins of the pages, or leave it out",
    );
    let longest = settings.admin.longest;
    found.add(
        settings.admin.enabled && settings.admin.idle > longest,
        "ADMIN_IDLE_HOURS",
        "has no effect: ADMIN_LONGEST_DAYS ends sign-ins earlier",
        "set it to less, or leave it out",
    );
    let given = |name: &str| arguments.given.iter().any(|given| given == name);
    for name in ["ADMIN_ALLOWED_NETWORKS", "ADMIN_IDLE_HOURS", "ADMIN_LONGEST_DAYS"] {
        found.add(
            !settings.admin.enabled && given(name),
            name,
            "has no effect: ADMIN_ENABLED is false",
            "leave it out, or set ADMIN_ENABLED=true",
        );
    }
    for name in ["SPOOL_DIR", "SPOOL_MAX_MB"] {
        found.add(
            settings.database.is_embedded() && given(name),
            name,
            "has no effect: the embedded database needs no spool",
            "leave it out, or set DATABASE_URL",
        );
    }
    found.add(
        arguments.redis_password.is_some() && arguments.redis_url.is_none(),
        "REDIS_PASSWORD",
        "has no effect: REDIS_URL is not set",
        "set REDIS_URL as well, or leave it out",
    );
    for (variable, is_given) in [
        ("EMAIL_HOST_USER", arguments.email_host_user.is_some()),
        ("EMAIL_HOST_PASSWORD", arguments.email_host_password.is_some()),
        ("EMAIL_USE_TLS", arguments.email_use_tls),
        ("EMAIL_USE_SSL", arguments.email_use_ssl),
        ("ALARM_TO", arguments.alarm_to.is_some()),
    ] {
        found.add(
            arguments.email_host.is_none() && is_given,
            variable,
            "has no effect: EMAIL_HOST is not set",
            "set EMAIL_HOST as well, or leave it out",
        );
    }
    let reports = arguments.sentry_traces_sample_rate > 0.0 && arguments.sentry_dsn.is_none();
    found.add(
        reports,
        "SENTRY_TRACES_SAMPLE_RATE",
        "has no effect: SENTRY_DSN is not set",
        "set SENTRY_DSN as well, or leave it out",
    );
}
