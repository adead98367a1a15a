use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::asking::{self, AskError, ask, ask_for_any};
use super::{Failure, runtime, say};
use crate::secrets::random_bytes;
use crate::settings::words::secret;

const PATIENCE: Duration = Duration::from_secs(10);

/// The service to check, and the key to use.
#[derive(Args)]
#[command(after_help = "The key needs these scopes: leads:create, leads:read, leads:write, \
    newsletter:create, newsletter:read, newsletter:write. A run makes eight requests, of \
    which one creates a lead and one a subscription: limits count them.")]
pub(super) struct Probe {
    /// The address of the service, for example https://api.exit3.agency
    url: Url,
    /// The API key
    #[arg(long, env = "PROBE_KEY", hide_env_values = true, value_parser = secret)]
    key: SecretString,
}

/// Creates, reads and removes a lead and a sign-up through the public API.
pub(super) fn probe(probe: &Probe) -> Result<(), Failure> {
    let visit = Visit {
        client: asking::client(PATIENCE).build()?,
        base: probe.url.as_str().trim_end_matches('/').to_owned(),
        authorization: format!("Bearer {}", probe.key.expose_secret()),
    };
    runtime()?.block_on(async {
        let began = Instant::now();
        for thing in Thing::BOTH {
            visit.check_scope(thing).await?;
        }
        for thing in Thing::BOTH {
            let walk = visit.walk(thing).await?;
            say(format_args!("{thing}: {walk}"));
        }
        say(format_args!("all: {}", Took(began.elapsed())));
        Ok(())
    })
}

/// What is created.
#[derive(Clone, Copy)]
enum Thing {
    Lead,
    SignUp,
}

impl Thing {
    const BOTH: [Self; 2] = [Self::Lead, Self::SignUp];

    fn path(self) -> &'static str {
        match self {
            Self::Lead => "/backend/api/v1/leads/",
            Self::SignUp => "/backend/api/v1/newsletter/",
        }
    }

    /// The service's error for a missing row, which another server would not send.
    fn absent(self) -> &'static str {
        match self {
            Self::Lead => "No Lead matches the given query.",
            Self::SignUp => "No Newsletter matches the given query.",
        }
    }

    fn body(self, email: &str) -> Value {
        match self {
            Self::Lead => json!({
                "full_name": "Exit Three Probe", "position": "Probe", "email": email,
                "source": "other", "notes": "Sent by exit3 probe, which removes it."
            }),
            Self::SignUp => json!({ "email": email }),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Lead => "lead",
            Self::SignUp => "sign-up",
        })
    }
}

struct Visit {
    client: Client,
    base: String,
    authorization: String,
}

impl Visit {
    fn request(&self, method: Method, thing: Thing, id: Option<i64>) -> RequestBuilder {
        let id = id.map(|id| format!("{id}/")).unwrap_or_default();
        let url = format!("{}{}{id}", self.base, thing.path());
        self.client.request(method, url).header("Authorization", &self.authorization)
    }

    /// Checks that the key may remove such a row before one is created: no row has the id 0, and
    /// only a key with that right gets "not found".
    async fn check_scope(&self, thing: Thing) -> Result<(), Failure> {
        let answer = ask_for_any(self.request(Method::DELETE, thing, Some(0))).await;
        let error = match answer {
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
                let detail = answer.body.get("detail").and_then(Value::as_str);
                if detail == Some(thing.absent()) {
                    return Ok(());
                }
                let error = answer.refused();
                return Err(format!("the service is not at this address: {error}").into());
            }
            Ok(answer) => answer.refused(),
            Err(error) => error,
        };
        let hint = match error {
            AskError::Refused(StatusCode::FORBIDDEN, _) => {
                "; `exit3 probe --help` names its scopes"
            }
            _ => "",
        };
        Err(format!("it is not certain that the key may remove a {thing}: {error}{hint}").into())
    }

    async fn walk(&self, thing: Thing) -> Result<Walk, Failure> {
        // A domain that can never receive mail (RFC 2606).
        let mark = hex(&random_bytes::<8>());
        let email = format!("exit3-probe-{mark}@probe.invalid");
        let mut known = None;
        match self.steps(thing, &email, &mut known).await {
            Ok(walk) => Ok(walk),
            Err(failed) => match self.clean_up(thing, &email, known).await {
                Ok(()) => Err(failed.into()),
                Err(error) => {
                    Err(format!("{failed}; it may still be there, as {email}: {error}").into())
                }
            },
        }
    }

    async fn steps(
        &self,
        thing: Thing,
        email: &str,
        known: &mut Option<i64>,
    ) -> Result<Walk, String> {
        let failed = |what: &'static str| {
            move |error: AskError| format!("the {thing} could not be {what}: {error}")
        };
        let began = Instant::now();
        let create = self.request(Method::POST, thing, None).json(&thing.body(email));
        let created = ask(create, StatusCode::CREATED).await.map_err(failed("created"))?;
        let created_in = began.elapsed();
        *known = created.get("id").and_then(Value::as_i64);
        let Some(id) = *known else {
            return Err(format!("the {thing} was created, but the key may not read it"));
        };
        let began = Instant::now();
        let read = self.request(Method::GET, thing, Some(id));
        let read = ask(read, StatusCode::OK).await.map_err(failed("read back"))?;
        if read.get("email").and_then(Value::as_str) != Some(email) {
            return Err(format!(
                "the {thing} that was read back differs from the one that was sent"
            ));
        }
        let read_in = began.elapsed();
        let began = Instant::now();
        let remove = self.request(Method::DELETE, thing, Some(id));
        ask(remove, StatusCode::NO_CONTENT).await.map_err(failed("removed"))?;
        Ok(Walk { created: created_in, read: read_in, removed: began.elapsed() })
    }

    /// Removes what a failed step may have left. A row may have been stored even if there was no
    /// response.
    async fn clean_up(
        &self,
        thing: Thing,
        email: &str,
        known: Option<i64>,
    ) -> Result<(), AskError> {
        let left = match known {
            Some(id) => vec![id],
            None => self.search(thing, email).await?,
        };
        for id in left {
            let answer = ask_for_any(self.request(Method::DELETE, thing, Some(id))).await?;
            if ![StatusCode::NO_CONTENT, StatusCode::NOT_FOUND].contains(&answer.status) {
                return Err(answer.refused());
            }
        }
        Ok(())
    }

    async fn search(&self, thing: Thing, email: &str) -> Result<Vec<i64>, AskError> {
        let list = self.request(Method::GET, thing, None).query(&[("search", email)]);
        let list = ask(list, StatusCode::OK).await?;
        let rows = list.get("results").and_then(Value::as_array);
        let ours = |row: &&Value| row.get("email").and_then(Value::as_str) == Some(email);
        let ids = rows.into_iter().flatten().filter(ours);
        Ok(ids.filter_map(|row| row.get("id")?.as_i64()).collect())
    }
}

/// How long the steps took.
struct Walk {
    created: Duration,
    read: Duration,
    removed: Duration,
}

impl fmt::Display for Walk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [created, read, removed] = [self.created, self.read, self.removed].map(Took);
        write!(formatter, "created in {created}, read in {read}, removed in {removed}")
    }
}

struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1} ms", self.0.as_secs_f64() * 1000.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
