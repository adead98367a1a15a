use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Command, Subcommand};
use exit3_app::access::Doer;
use exit3_app::{App, api_keys};
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, Scope, Scopes};
use exit3_domain::events::Actor;
use exit3_domain::quotas::Rate;
use exit3_http::Resources;

use super::{Failure, prepare, runtime, say, table};
use crate::backend::Backend;
use crate::module::Attached;
use crate::settings::Settings;

/// Actions on API keys.
#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Creates a key and shows it once
    Create(Create),
    /// Lists the keys without their secrets
    List,
    /// Revokes all keys with a name, or the one with a prefix
    Revoke {
        /// The name, or the prefix that `list` shows
        key: String,
    },
}

/// The properties of a new key.
#[derive(Args)]
pub(super) struct Create {
    /// The key's name, for people; it need not be unique
    #[arg(long)]
    name: String,
    #[arg(
        long = "scope",
        required = true,
        value_delimiter = ',',
        help = help(words(exit3_http::OWN.scopes()))
    )]
    scopes: Vec<String>,
    /// An origin whose pages may use the key, for example https://exit3.agency; may be repeated.
    /// The key is then publishable: it can only create, and only from these origins
    #[arg(long = "origin", value_delimiter = ',')]
    origins: Vec<String>,
    /// When the key expires: 90d, 12h, 30m
    #[arg(long, value_parser = span)]
    expires: Option<Duration>,
    /// The key's rate limit, for example 1000/hour; RATE_LIMIT_USER by default, or the limit of its
    /// visitors for a publishable key
    #[arg(long)]
    rate: Option<Rate>,
    /// The holder, for example the website's server, sends its visitors' addresses in
    /// X-Forwarded-For, and limits apply to them
    #[arg(long)]
    forwards_visitors: bool,
}

pub(super) fn api_key(settings: &Settings, command: ApiKeyCommand) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(async {
        if !matches!(command, ApiKeyCommand::List) {
            prepare::writable(&backend)?;
        }
        prepare::schema(settings, &backend).await?;
        let app = backend.patient_app();
        match command {
            ApiKeyCommand::Create(new) => create(&app, settings, new).await,
            ApiKeyCommand::List => list(&app).await,
            ApiKeyCommand::Revoke { key } => revoke(&app, &key).await,
        }
    })
}

async fn create(app: &App, settings: &Settings, new: Create) -> Result<(), Failure> {
    let scopes = known(&new.scopes, settings.resources)?;
    let expires_at = match new.expires {
        Some(span) => Some(
            chrono::TimeDelta::from_std(span)
                .ok()
                .and_then(|span| app.clock.now().checked_add_signed(span))
                .ok_or("--expires is too far in the future")?,
        ),
        None => None,
    };
    let draft = ApiKeyDraft {
        name: new.name,
        scopes: Scopes::of(scopes),
        origins: new.origins,
        rate: new.rate,
        forwards_visitors: new.forwards_visitors,
        expires_at,
    };
    let doer = Doer::operator(Actor::command("api-key create"));
    let (key, token) = api_keys::create(app, draft, &doer).await?;
    let draft = &key.draft;
    say(format_args!("API key {}, shown this once: {}", draft.name, token.expose()));
    let end = draft
        .expires_at
        .map_or_else(|| "never expires".to_owned(), |end| format!("expires at {}", time(end)));
    say(format_args!("Its prefix is {}. Its scopes are {}; it {end}.", key.prefix, draft.scopes));
    for origin in draft.origins.iter().filter(|origin| !settings.cors.origins.contains(origin)) {
        say(format_args!(
            "Browsers will not let pages of {origin} use it before CORS_ALLOWED_ORIGINS has \
             that origin."
        ));
    }
    Ok(())
}

async fn list(app: &App) -> Result<(), Failure> {
    let now = app.clock.now();
    let head = ["NAME", "PREFIX", "STATE", "SCOPES", "RATE", "ORIGINS", "EXPIRES", "LAST USED"];
    let mut rows = vec![head.map(str::to_owned)];
    let doer = Doer::operator(Actor::command("api-key list"));
    rows.extend(api_keys::list(app, &doer).await?.iter().map(|key| row(key, now)));
    table::print(&rows);
    Ok(())
}

fn row(key: &ApiKey, now: DateTime<Utc>) -> [String; 8] {
    let state = match key.revoked_at {
        Some(_) => "revoked",
        None if key.is_alive(now) => "alive",
        None => "expired",
    };
    let or_hyphen = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let moment = |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), time);
    let forwards = if key.draft.forwards_visitors { " (forwards visitors)" } else { "" };
    [
        key.draft.name.clone(),
        key.prefix.to_string(),
        state.to_owned(),
        format!("{}{forwards}", key.draft.scopes),
        or_hyphen(key.draft.rate.map(|rate| rate.to_string()).unwrap_or_default()),
        or_hyphen(key.draft.origins.join(" ")),
        moment(key.draft.expires_at),
        moment(key.last_used_at),
    ]
}

async fn revoke(app: &App, which: &str) -> Result<(), Failure> {
    let doer = Doer::operator(Actor::command("api-key revoke"));
    let revoked = api_keys::revoke(app, &which.into(), &doer).await?;
    if revoked.is_empty() {
        return Err(format!("there is no key {which} that is not revoked").into());
    }
    for key in revoked {
        say(format_args!("Revoked {}, whose prefix is {}.", key.draft.name, key.prefix));
    }
    Ok(())
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The scopes of these words, which must be those of a resource.
fn known(given: &[String], resources: Resources) -> Result<Vec<Scope>, String> {
    let known = |word: &String| {
        let scope = word.parse().ok().filter(|scope| resources.scopes().any(|own| own == *scope));
        scope.ok_or_else(|| {
            format!("--scope: \"{word}\" is not one of {}", words(resources.scopes()))
        })
    };
    given.iter().map(known).collect()
}

fn words(scopes: impl Iterator<Item = Scope>) -> String {
    scopes.map(|scope| scope.to_string()).collect::<Vec<_>>().join(", ")
}

fn help(words: String) -> String {
    format!("What the key may do: {words}; may be repeated")
}

/// Adds the scopes of modules to the help of `api-key create`.
pub(super) fn explain_scopes(line: Command, modules: &[Arc<dyn Attached>]) -> Command {
    let resources = modules.iter().flat_map(|module| module.resources());
    let scopes = resources.flat_map(|it| {
        let create = it.has_create_scope.then(|| Scope::create(it.name));
        create.into_iter().chain([Scope::read(it.name), Scope::write(it.name)])
    });
    let words = words(exit3_http::OWN.scopes().chain(scopes));
    line.mut_subcommand("api-key", |line| {
        line.mut_subcommand("create", |line| {
            line.mut_arg("scopes", |scopes| scopes.help(help(words)))
        })
    })
}

/// Parses a duration such as `90d`.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 90d, 12h or 30m".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(span("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(span("1w"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "d", "90", "0d", "-1d", "1y", "99999999999999999999d", "90đ", "1 d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
