use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use exit3_django::diff::{
    Answer, Comparison, Key, List, Read, Resource, list_queries, odd_reads, search_terms,
};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::asking::{self, ask_for_long};
use super::{Failure, runtime, say};
use crate::settings::words::secret;

const PATIENCE: Duration = Duration::from_secs(30);

/// The longest page that is read, in bytes: 200 leads with notes of 5,000 four-byte characters take
/// 4 MB, and rows of the Django service may be older than that limit.
const LONGEST: usize = 64 * 1024 * 1024;

/// The number of single rows that are requested from each list.
const SINGLES: usize = 25;

/// The services to compare.
#[derive(Args)]
pub(super) struct DiffDjango {
    /// The address of the Django service, for example https://api.exit3.agency
    #[arg(long)]
    old: Url,
    /// The address of this service
    #[arg(long)]
    new: Url,
    /// The API key of the Django service
    #[arg(long, env = "OLD_KEY", hide_env_values = true, value_parser = secret)]
    old_key: SecretString,
    /// The API key of this service; the Django service's key by default
    #[arg(long, env = "NEW_KEY", hide_env_values = true, value_parser = secret)]
    new_key: Option<SecretString>,
    /// The most pages of each list to request
    #[arg(long, default_value_t = 200)]
    pages: usize,
}

/// Sends the same requests to both services and compares the answers.
pub(super) fn diff_django(what: &DiffDjango) -> Result<(), Failure> {
    let client = asking::client(PATIENCE).build()?;
    let service = |name, url: &Url, key: &SecretString| Service {
        name,
        client: client.clone(),
        base: url.as_str().trim_end_matches('/').to_owned(),
        key: key.clone(),
    };
    let new_key = what.new_key.as_ref().unwrap_or(&what.old_key);
    let both = Both {
        old: service("old", &what.old, &what.old_key),
        new: service("new", &what.new, new_key),
        pages: what.pages,
    };
    let comparison = runtime()?.block_on(both.compare())?;
    tell(&comparison)
}

struct Both {
    old: Service,
    new: Service,
    pages: usize,
}

impl Both {
    async fn compare(&self) -> Result<Comparison, Failure> {
        let mut comparison = Comparison::default();
        for resource in Resource::ALL {
            let everything = self.compare_list(&mut comparison, resource, "").await?;
            let terms = search_terms(&everything.rows);
            for query in list_queries(resource, &terms).iter().skip(1) {
                self.compare_list(&mut comparison, resource, query).await?;
            }
            let ids = everything.rows.iter().filter_map(|row| row.get("id")?.as_i64());
            let ids: Vec<i64> = ids.collect();
            let step = ids.len().div_ceil(SINGLES).max(1);
            let singles = ids.iter().step_by(step).map(|id| Read::row(resource, *id));
            let reads: Vec<Read> = singles.chain(odd_reads(resource)).collect();
            for read in &reads {
                let (old, new) = (self.old.answer(read).await?, self.new.answer(read).await?);
                comparison.compare(read, &old, &new);
            }
        }
        Ok(comparison)
    }

    async fn compare_list(
        &self,
        comparison: &mut Comparison,
        resource: Resource,
        query: &str,
    ) -> Result<List, Failure> {
        let old = self.old.list(resource, query, self.pages).await?;
        let new = self.new.list(resource, query, self.pages).await?;
        comparison.compare_lists(resource, query, &old, &new);
        Ok(old)
    }
}

struct Service {
    name: &'static str,
    client: Client,
    base: String,
    key: SecretString,
}

impl Service {
    async fn answer(&self, read: &Read) -> Result<Answer, Failure> {
        let request = self.client.get(format!("{}{}", self.base, read.path));
        let key = match read.key {
            Key::Right => Some(self.key.expose_secret()),
            Key::Wrong => Some("not-the-key"),
            Key::None => None,
        };
        let request = match key {
            Some(key) => request.header("Authorization", format!("Basic {key}")),
            None => request,
        };
        let answer = ask_for_long(request, LONGEST).await;
        let answer = answer.map_err(|error| format!("--{}: {read}: {error}", self.name))?;
        Ok(Answer { status: answer.status.as_u16(), body: answer.body })
    }

    async fn list(&self, resource: Resource, query: &str, pages: usize) -> Result<List, Failure> {
        let mut list = List::default();
        for page in 1..=pages {
            let read = Read::of(format!("{}?{query}&page={page}", resource.path()));
            let Answer { status, mut body } = self.answer(&read).await?;
            let rows = body.get_mut("results").map(Value::take);
            let (Some(Value::Array(mut rows)), 200) = (rows, status) else {
                return Err(format!("--{}: {read} is not a list ({status})", self.name).into());
            };
            list.rows.append(&mut rows);
            list.count = body.get("count").and_then(Value::as_i64).unwrap_or(-1);
            list.complete = body.get("next").is_none_or(Value::is_null);
            if list.complete {
                break;
            }
        }
        Ok(list)
    }
}

fn tell(comparison: &Comparison) -> Result<(), Failure> {
    let mut known = BTreeMap::<&str, usize>::new();
    for difference in &comparison.differences {
        let (read, what) = (&difference.read, &difference.what);
        match difference.known {
            Some(name) => {
                *known.entry(name).or_default() += 1;
                say(format_args!("intended ({name}): {read}: {what}"));
            }
            None => say(format_args!("DIFFERENT: {read}: {what}")),
        }
    }
    for (name, count) in known {
        say(format_args!("intended ({name}): {count}"));
    }
    let reads = comparison.reads;
    match comparison.unexpected() {
        0 => {
            say(format_args!("{reads} reads: no unintended difference"));
            Ok(())
        }
        count => Err(format!("{count} differences in {reads} reads").into()),
    }
}
