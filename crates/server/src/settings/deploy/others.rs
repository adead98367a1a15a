//! Checks what the service relies on: the disk, databases, and targets of telemetry.

use std::os::unix::fs::PermissionsExt;

use exit3_postgres::PgSettings;
use reqwest::Url;
use secrecy::ExposeSecret;

use super::super::{Arguments, DatabaseSettings, Settings, addresses, words};
use super::Findings;

pub(super) fn find(found: &mut Findings, arguments: &Arguments, settings: &Settings) {
    match &settings.database {
        DatabaseSettings::Sqlite(_) => {
            let mode = settings.data_dir.metadata().map(|data| data.permissions().mode());
            found.danger(
                mode.is_ok_and(|mode| mode & 0o002 != 0),
                "DATA_DIR",
                "can be changed by everybody on the machine",
                "run `chmod 700` on it",
            );
        }
        DatabaseSettings::Postgres(database) => postgres(found, arguments, database),
    }
    let redis = settings.redis_url.as_ref().and_then(|url| elsewhere(url.expose_secret()));
    found.add(
        redis.is_some_and(|url| url.password().unwrap_or_default().is_empty()),
        "REDIS_URL",
        "is on another machine, without a password",
        "set one in Redis (requirepass), and here (REDIS_PASSWORD)",
    );
    let canary = settings.canary.as_ref().and_then(|canary| elsewhere(canary.url.as_str()));
    found.danger(
        canary.is_some_and(|url| url.scheme() == "http"),
        "CANARY_URL",
        "sends BASIC_API_KEY to another machine without encryption",
        "use https://",
    );
    let mail_server = arguments.email_host.as_ref().filter(|host| !addresses::is_local(host));
    let is_plain = !arguments.email_use_tls && !arguments.email_use_ssl;
    found.add(
        mail_server.is_some() && is_plain,
        "EMAIL_USE_TLS",
        "is not true: mails, and the password for them, go to another machine unencrypted",
        "set it, or EMAIL_USE_SSL, with the port that belongs to it",
    );
    let telemetry = &settings.telemetry;
    let sentry = telemetry.sentry.as_ref().map(|sentry| sentry.dsn.expose_secret());
    let exports = [&telemetry.otel.traces, &telemetry.otel.metrics].into_iter().flatten();
    let exports = exports.map(|export| export.endpoint.as_str());
    for (variable, addresses) in [
        ("SENTRY_DSN", sentry.into_iter().collect::<Vec<_>>()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", exports.collect()),
    ] {
        let mut addresses = addresses.into_iter().filter_map(elsewhere);
        found.add(
            addresses.any(|url| url.scheme() == "http"),
            variable,
            "sends to another machine without encryption",
            "use https://, or a collector on this machine",
        );
    }
}

fn postgres(found: &mut Findings, arguments: &Arguments, database: &PgSettings) {
    if !database.hosts().any(|host| !addresses::is_local(&host)) {
        return;
    }
    let given = arguments.db_password.as_ref().map(|password| password.expose_secret());
    let by_itself = given.is_some() && given == database.password();
    found.danger(
        database.password().is_some_and(|p| words::is_placeholder(&p.to_owned().into())),
        if by_itself { "DB_PASSWORD" } else { "DATABASE_URL" },
        "has a password that is easy to guess, for a database on another machine",
        "set a long random one",
    );
    found.add(
        database.is_plain(),
        "DATABASE_URL",
        "has sslmode=disable: leads go to another machine unencrypted",
        "use sslmode=verify-full with sslrootcert",
    );
}

/// The address, if it is on another machine.
fn elsewhere(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    (!host.is_empty() && !addresses::is_local(host)).then_some(url)
}
