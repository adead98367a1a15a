use exit3_app::silence::Alarmed;

use super::*;

#[test]
fn a_control_character_within_a_value_is_refused_without_printing_it() {
    for (name, value) in [
        ("BASIC_API_KEY", "hunter2\nhunter2"),
        ("SECRET_KEY", "hunter2\u{0}x"),
        ("DB_PASSWORD", "hunter2\r\nx"),
        ("DATABASE_URL", "postgres://ana:hunter2@db\n/leads"),
        ("HOST", "127.0.0.1\u{1b}[0m"),
        ("DATA_DIR", "da\nta"),
        ("ALLOWED_HOSTS", "a\u{7}b"),
    ] {
        let problem = fill_in(Cli::command(), &Variables::of(&[(name, value)], "")).unwrap_err();
        assert!(problem.starts_with(&format!("{name} has a line break or")), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    let lines = [("ALLOWED_HOSTS", "a.example,\r\n\tb.example\n")];
    let hosts = ["a.example", "b.example"].map(str::to_owned);
    assert_eq!(settings_of(&lines).site.allowed_hosts, AllowedHosts::new(hosts));
}

#[test]
fn every_setting_is_trimmed_and_an_empty_one_is_absent() {
    for (name, value) in [
        ("HOST", "127.0.0.1"),
        ("PORT", "8001"),
        ("DATABASE_URL", "postgres://ana@db/leads"),
        ("REPLICA_MAX_LAG", "3s"),
        ("DB_POOL_SIZE", "8"),
        ("AUTO_MIGRATE", "false"),
        ("RATE_LIMIT_ANON", "5/day"),
        ("REDIS_URL", "redis://redis:6379/0"),
        ("LOG_LEVEL", "WARNING"),
        ("METRICS_BIND", "off"),
        ("SENTRY_DSN", "https://key@sentry/7"),
        ("API_SUNSET", "2027-12-31"),
        ("EVENTS_KEEP", "30"),
        ("ADMIN_IDLE_HOURS", "3"),
        ("TLS_CERT", "cert.pem"),
        ("BASIC_API_KEY", "key"),
    ] {
        let plain = format!("{:?}", arguments(&[(name, value)]).unwrap());
        let plain = plain.split(", variables:").next().unwrap().to_owned();
        for around in [format!(" {value}\r\n"), format!("\u{feff}{value}\u{a0}")] {
            let around = format!("{:?}", arguments(&[(name, &around)]).unwrap());
            assert!(around.starts_with(&plain), "{name}: {around}");
        }
    }
    let none = format!("{:?}", arguments(&[]).unwrap());
    let command = Cli::command();
    for (_, name) in names(&command) {
        for empty in ["", " ", "\n", "\u{feff}"] {
            let with = format!("{:?}", arguments(&[(&name, empty)]).unwrap());
            assert_eq!(with, none, "{name}");
        }
    }
}

#[test]
fn a_generated_password_is_used_unchanged() {
    for password in ["a/b+c==", "/aaaa", "12/34", "p@ss:w%41rd?#&", "ključ"] {
        let env = [
            ("DATABASE_URL", "postgres://ana@db/leads"),
            ("DATABASE_REPLICA_URL", "postgres://ana@standby/leads"),
            ("DB_PASSWORD", password),
            ("REDIS_URL", "redis://redis:6379/0"),
            ("REDIS_PASSWORD", password),
        ];
        let settings = settings_of(&env);
        let DatabaseSettings::Postgres(database) = &settings.database else { panic!("{env:?}") };
        assert_eq!(database.password(), Some(password));
        let url = Url::parse(settings.redis_url.unwrap().expose_secret()).unwrap();
        let decoded = percent_encoding::percent_decode_str(url.password().unwrap());
        assert_eq!(decoded.decode_utf8().unwrap(), password);
        assert_eq!((url.host_str(), url.port(), url.path()), (Some("redis"), Some(6379), "/0"));
        assert_eq!(
            with_password("redis://:own@redis/0", password),
            "redis://:own@redis/0",
            "the password in the URL takes precedence"
        );
        let socket = Url::parse(&with_password("redis+unix:///run/redis.sock", password)).unwrap();
        assert_eq!(socket.query_pairs().next(), Some(("pass".into(), password.into())));
    }
}

#[test]
fn an_invalid_url_explains_how_to_encode_a_password() {
    for (name, value, help) in [
        ("REDIS_URL", "redis://:hunter2/x@redis:6379/0", "REDIS_PASSWORD"),
        ("DATABASE_URL", "postgres://ana:hunter2@x@db/leads", "DB_PASSWORD"),
        ("DATABASE_URL", "postgres://ana:hunter2?x@db/leads", "DB_PASSWORD"),
        ("DATABASE_REPLICA_URL", "postgres://ana:hunter2@x@db/leads", "DB_PASSWORD"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ana:hunter2/x@c:4318", "percent-encoded"),
    ] {
        let env = [("DATABASE_URL", "postgres://ana@db/leads"), KEY, SECRET, (name, value)];
        let env = if name == "DATABASE_URL" { &env[1..] } else { &env[..] };
        let problem = problem(env);
        assert!(problem.starts_with(name) && !problem.contains("hunter2"), "{problem}");
        assert!(problem.contains("%2F") && problem.contains(help), "{problem}");
    }
    let tls = problem(&[POSTGRES, KEY, SECRET, ("REDIS_URL", "rediss://redis")]);
    assert!(tls.starts_with("REDIS_URL asks for TLS"), "{tls}");
}

#[test]
fn the_example_file_names_exactly_the_settings() {
    let example = include_str!("../../../../../.env.example");
    let named = example.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("# ").unwrap_or(line).split_once('=')?;
        let is_name =
            name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        is_name.then(|| name.to_owned())
    });
    let named: Vec<String> = named.collect();
    let known: Vec<String> = names(&Cli::command()).into_iter().map(|(_, name)| name).collect();
    for name in &known {
        assert_eq!(named.iter().filter(|it| *it == name).count(), 1, "{name}");
    }
    for name in &named {
        assert!(known.contains(name), "{name} is no setting");
    }
}

#[test]
fn mails_need_a_server_and_a_sender() {
    let host = ("EMAIL_HOST", "smtp.exit3.agency");
    let from = ("DEFAULT_FROM_EMAIL", "Exit Three <leads@exit3.agency>");
    let alarmed = |env: &[(&str, &str)]| {
        let mail = settings_of(env).mail;
        (mail.mailer.is_some(), mail.alarmed)
    };
    assert_eq!(alarmed(&[from, ("ALARM_TO", "ana@exit3.agency")]), (false, Alarmed::Nobody));
    assert_eq!(alarmed(&[host, from]), (true, Alarmed::Owners));
    let two = ["ana@exit3.agency", "iva@exit3.agency"].map(str::to_owned).to_vec();
    let named = [host, from, ("ALARM_TO", " ana@exit3.agency,iva@exit3.agency, ")];
    assert_eq!(alarmed(&named), (true, Alarmed::Addresses(two)));
    let login = [("EMAIL_HOST_USER", "exit3"), ("EMAIL_HOST_PASSWORD", "hunter2")];
    assert!(alarmed(&[host, from, login[0], login[1], ("EMAIL_USE_SSL", "true")]).0);
    for (env, name) in [
        (vec![host], "DEFAULT_FROM_EMAIL"),
        (vec![host, ("DEFAULT_FROM_EMAIL", "Exit Three")], "DEFAULT_FROM_EMAIL"),
        (vec![host, from, login[0]], "EMAIL_HOST_PASSWORD"),
        (vec![host, from, login[1]], "EMAIL_HOST_USER"),
        (vec![host, from, ("EMAIL_USE_TLS", "1"), ("EMAIL_USE_SSL", "1")], "EMAIL_USE_SSL"),
        (vec![("EMAIL_HOST", "smtp.exit3.agency:587"), from], "EMAIL_HOST"),
        (vec![("EMAIL_HOST", "smtp exit3"), from], "EMAIL_HOST"),
    ] {
        // A file of the replaced service may have any of these, so they do not stop the start.
        let settings = settings_of(&env);
        let told = settings.notes.iter().find(|note| note.starts_with(name)).unwrap();
        assert!(told.ends_with("No mails are sent") && !told.contains("hunter2"), "{told}");
        assert!(settings.mail.mailer.is_none() && settings.mail.alarmed == Alarmed::Nobody);
    }
    let wrong = problem(&[("ALARM_TO", "ana@exit3.agency, Iva <iva@exit3.agency>")]);
    assert!(wrong.starts_with("ALARM_TO"), "{wrong}");
}
