use super::*;

/// The names of the unsafe settings, with a mark on dangerous ones.
fn unsafe_settings(env: &[(&str, &str)]) -> Vec<String> {
    let arguments = arguments(env).unwrap();
    let settings = Settings::check(&arguments).unwrap();
    let found = findings(&arguments, &settings).into_iter();
    found
        .map(|finding| format!("{}{}", if finding.dangerous { "!" } else { "" }, finding.variable))
        .collect()
}

const SOUND: [(&str, &str); 10] = [
    POSTGRES,
    KEY,
    SECRET,
    ("ALLOWED_HOSTS", "api.exit3.agency"),
    ("TRUSTED_PROXIES", "127.0.0.1"),
    ("SECURE_SSL_REDIRECT", "true"),
    ("SECURE_HSTS_SECONDS", "31536000"),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "true"),
    ("SECURE_HSTS_PRELOAD", "true"),
    ("PRODUCTION", "true"),
];

#[test]
fn unsafe_settings_are_found() {
    assert_eq!(unsafe_settings(&SOUND), Vec::<String>::new());
    for (env, found) in [
        (("ALLOWED_HOSTS", ".exit3.agency,localhost"), ""),
        (("DEBUG", "true"), "!DEBUG"),
        (("SECRET_KEY", "short"), "!SECRET_KEY"),
        (("BASIC_API_KEY", "change-me-change-me-change-me-change-me"), "!BASIC_API_KEY"),
        (("BACKUP_PASSPHRASE", "15 characters, x"), ""),
        (("BACKUP_PASSPHRASE", "15 characters, "), "BACKUP_PASSPHRASE"),
        (("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0"), "!TRUSTED_PROXIES"),
        (("TRUSTED_PROXIES", "::ffff:0:0/96"), "!TRUSTED_PROXIES"),
        (("TRUSTED_PROXIES", ""), "ADMIN_ENABLED SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS"),
        (("ADMIN_ENABLED", "false"), ""),
        (("ADMIN_ALLOWED_NETWORKS", "10.0.0.0/8, 2001:db8::/32"), ""),
        (("ADMIN_IDLE_HOURS", "336"), ""),
        (("ADMIN_IDLE_HOURS", "337"), "ADMIN_IDLE_HOURS"),
        (("ADMIN_LONGEST_DAYS", "1"), ""),
        (("HOST", "0.0.0.0"), ""),
        (("USE_X_FORWARDED_HOST", "true"), ""),
        (("CORS_ALLOW_CREDENTIALS", "true"), "CORS_ALLOW_CREDENTIALS"),
        (("REDIS_PASSWORD", "hunter2"), "REDIS_PASSWORD"),
        (("SENTRY_TRACES_SAMPLE_RATE", "0.5"), "SENTRY_TRACES_SAMPLE_RATE"),
        (
            ("SECURE_HSTS_SECONDS", "0"),
            "SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_HSTS_PRELOAD",
        ),
        (("CORS_ALLOWED_ORIGINS", "http://exit3.agency"), "CORS_ALLOWED_ORIGINS"),
        (("SECURE_HSTS_SECONDS", "3600"), "SECURE_HSTS_SECONDS"),
        (("SECURE_HSTS_PRELOAD", "false"), "SECURE_HSTS_PRELOAD"),
        (("SECURE_HSTS_INCLUDE_SUBDOMAINS", "no"), "SECURE_HSTS_INCLUDE_SUBDOMAINS"),
        (("SECURE_SSL_REDIRECT", "false"), "SECURE_SSL_REDIRECT"),
        (("METRICS_BIND", "0.0.0.0:9464"), "METRICS_BIND"),
        (("METRICS_BIND", "127.0.0.1:9465"), ""),
        (("METRICS_BIND", "[::ffff:127.0.0.1]:9465"), ""),
        (("RATE_LIMIT_ANON", "off"), "RATE_LIMIT_ANON"),
        (("RATE_LIMIT_USER", "off"), "RATE_LIMIT_USER"),
        (("RATE_LIMIT_LEAD_CREATE", "off"), "RATE_LIMIT_LEAD_CREATE"),
        (("RATE_LIMIT_NEWSLETTER_CREATE", "off"), "RATE_LIMIT_NEWSLETTER_CREATE"),
        (("RATE_LIMIT_FLOOD", "off"), "RATE_LIMIT_FLOOD"),
        (("RATE_LIMIT_FLOOD", "1000000000/hour"), "RATE_LIMIT_FLOOD"),
        (("RATE_LIMIT_LEAD_CREATE", "1000000000/day"), "RATE_LIMIT_LEAD_CREATE"),
        (("RATE_LIMIT_USER", "1000000/hour"), ""),
        (("SECRET_KEY", "django-insecure-x8f$#jq0m7c4y2w9z6k"), "!SECRET_KEY"),
        (("SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "!SECRET_KEY"),
        (("BASIC_API_KEY", SECRET.1), "!BASIC_API_KEY"),
        (("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"), "!TRUSTED_PROXIES"),
        (("TRUSTED_PROXIES", "10.0.0.0/8,fc00::/7"), ""),
        (("ALLOWED_HOSTS", ".com"), "!ALLOWED_HOSTS"),
        (("ALLOWED_HOSTS", "api.exit3.agency,.COM."), "!ALLOWED_HOSTS"),
        (("DATABASE_URL", "postgres://ana:hunter2@db/leads?sslmode=disable"), "DATABASE_URL"),
        (("DATABASE_URL", "postgres://ana:password@192.0.2.1/leads"), "!DATABASE_URL"),
        (("DATABASE_URL", "postgres://ana:password@localhost/leads?sslmode=disable"), ""),
        (("DATABASE_URL", "postgres://ana:password@/leads"), ""),
        (("REDIS_URL", "redis://redis:6379/0"), "REDIS_URL"),
        (("REDIS_URL", "redis://:hunter2@redis:6379/0"), ""),
        (("REDIS_URL", "redis://127.0.0.1/0"), ""),
        (("REDIS_URL", "redis+unix:///run/redis.sock"), ""),
        (("CANARY_URL", "http://api.exit3.agency/backend/api/v1/leads/"), "!CANARY_URL"),
        (("CANARY_URL", "https://api.exit3.agency/backend/api/v1/leads/"), ""),
        (("CANARY_URL", "http://127.0.0.1:8000/backend/api/v1/leads/"), ""),
        (("SENTRY_DSN", "http://key@sentry/7"), "SENTRY_DSN"),
        (("SENTRY_DSN", "https://key@sentry/7"), ""),
        (("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"), "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318"), ""),
        (
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector/t"),
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (("ALARM_TO", "ana@exit3.agency"), "ALARM_TO"),
        (("EMAIL_USE_TLS", "true"), "EMAIL_USE_TLS"),
        (("LOG_LEVEL", "TRACE"), ""),
        (("LOG_LEVEL", "off"), "LOG_LEVEL"),
        (("PRODUCTION", "false"), "PRODUCTION"),
    ] {
        let mut changed: Vec<_> =
            SOUND.iter().copied().filter(|(name, _)| *name != env.0).collect();
        changed.push(env);
        assert_eq!(unsafe_settings(&changed).join(" "), found, "{env:?}");
    }
    let direct: Vec<_> = SOUND
        .iter()
        .copied()
        .filter(|(name, _)| !matches!(*name, "TRUSTED_PROXIES" | "SECURE_SSL_REDIRECT"))
        .chain([("SECURE_HSTS_SECONDS", "31536000")])
        .collect();
    let without: Vec<_> = direct.iter().copied().chain([("ADMIN_ENABLED", "false")]).collect();
    assert!(!unsafe_settings(&without).contains(&"ADMIN_ENABLED".to_owned()));
    let open: Vec<_> = direct.iter().copied().chain([("HOST", "0.0.0.0")]).collect();
    assert_eq!(unsafe_settings(&open)[0], "!TLS_CERT");
    let named: Vec<_> = direct.iter().copied().chain([("USE_X_FORWARDED_HOST", "true")]).collect();
    assert!(unsafe_settings(&named).contains(&"USE_X_FORWARDED_HOST".to_owned()));
    let with_tls: Vec<_> = direct
        .iter()
        .copied()
        .chain([("TLS_CERT", "c"), ("TLS_KEY", "k"), ("SECURE_SSL_REDIRECT", "true")])
        .collect();
    assert_eq!(unsafe_settings(&with_tls), Vec::<String>::new());
    let mails = |env: [(&'static str, &'static str); 2]| {
        let sound = SOUND.iter().copied().chain([("DEFAULT_FROM_EMAIL", "leads@exit3.agency")]);
        unsafe_settings(&sound.chain(env).collect::<Vec<_>>()).join(" ")
    };
    let elsewhere = ("EMAIL_HOST", "smtp.exit3.agency");
    assert_eq!(mails([elsewhere, ("EMAIL_PORT", "587")]), "EMAIL_USE_TLS");
    assert_eq!(mails([elsewhere, ("EMAIL_USE_TLS", "true")]), "");
    assert_eq!(mails([elsewhere, ("EMAIL_USE_SSL", "true")]), "");
    assert_eq!(mails([("EMAIL_HOST", "localhost"), ("ALARM_TO", "ana@exit3.agency")]), "");
    let credentials =
        [("CORS_ALLOWED_ORIGINS", "http://exit3.agency"), ("CORS_ALLOW_CREDENTIALS", "true")];
    let with: Vec<_> = SOUND.iter().copied().chain(credentials).collect();
    assert_eq!(unsafe_settings(&with), ["!CORS_ALLOWED_ORIGINS"]);
    let log = [("LOG_LEVEL", "TRACE"), ("LOG_CLIENT_IP", "full")];
    let with: Vec<_> = SOUND.iter().copied().chain(log).collect();
    assert_eq!(unsafe_settings(&with), ["LOG_LEVEL"]);
    let parts = [("DB_HOST", "db"), ("DB_NAME", "leads"), ("DB_PASSWORD", "postgres")];
    let with: Vec<_> = SOUND.into_iter().skip(1).chain(parts).collect();
    assert_eq!(unsafe_settings(&with), ["!DB_PASSWORD"]);
}

#[test]
fn a_world_writable_directory_is_unsafe() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let data = [("DATA_DIR", directory.path().to_str().unwrap())];
    let with: Vec<_> = SOUND.into_iter().skip(1).chain(data).collect();
    assert_eq!(unsafe_settings(&with), Vec::<String>::new());
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(unsafe_settings(&with), ["!DATA_DIR"]);
}

#[test]
fn any_host_is_unsafe() {
    for env in [vec![("ALLOWED_HOSTS", "*")], vec![]] {
        let all: Vec<_> = [POSTGRES, KEY, SECRET].into_iter().chain(env).collect();
        assert!(unsafe_settings(&all).contains(&"!ALLOWED_HOSTS".to_owned()));
    }
}

#[test]
fn a_starting_service_reports_ineffective_settings() {
    let notes = |env: &[(&str, &str)]| settings_of(&[&[POSTGRES], env].concat()).notes;
    assert_eq!(notes(&SOUND[1..]), Vec::<String>::new());
    let host = ("ALLOWED_HOSTS", "api.exit3.agency");
    let told = notes(&[("SECURE_SSL_REDIRECT", "true"), host]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("SECURE_SSL_REDIRECT redirects every request"), "{}", told[0]);
    let told = notes(&[("OTEL_TRACES_SAMPLER", "sometimes"), ("SENTRY_DEBUG", "true")]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], "SENTRY_DEBUG is not followed: the service does not know it");
}
