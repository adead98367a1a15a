//! The record of all events, for owners and managers.

mod asked;
mod batch;
mod shown;

use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::events::{names, record};
use exit3_app::{api_keys, staff};
use exit3_domain::access::{Action, Record};
use exit3_domain::events::{Actor, Verb};
use exit3_domain::silence;
use exit3_web::Endpoint;
use i18n_embed_fl::fl;

use self::asked::Asked;
use self::shown::{Entry, View, subjects};
use crate::errors::PageError;
use crate::i18n::say;
use crate::page::{is_partial, page};
use crate::resource::{Menu, Pages};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, format};

/// The number of events of a page.
const SIZE: u32 = 50;

/// The record in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "events",
    menu: Some(Menu { path: "events/", icon: "history", key: "g e", reads: Record::Event }),
    endpoints,
    ..Pages::EMPTY
};

/// People who have no row, or none any more, and what happens to them.
pub(crate) const PERSON: Pages =
    Pages { name: "person", rows: Some("person"), events: &["erased"], ..Pages::EMPTY };

/// The database as a whole.
pub(crate) const DATABASE: Pages =
    Pages { name: "database", rows: Some("database"), events: &["imported"], ..Pages::EMPTY };

/// The leads that come through the API, as a whole.
pub(crate) const INTAKE: Pages = Pages {
    name: "intake",
    rows: Some(silence::RESOURCE),
    events: &[Verb::SILENT],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("events/").route(Method::GET, list),
        Endpoint::new("events/undo/").route(Method::POST, batch::undo),
    ]
}

#[derive(Template)]
#[template(path = "events/list.html")]
struct ListPage {
    shell: Shell,
    asked: Asked,
    people: Vec<Choice>,
    kinds: Vec<Group>,
    entries: Vec<Entry>,
    /// The link to older events.
    older: Option<String>,
    /// When the oldest event happened that was looked at, if the search stopped early.
    looked_back_to: Option<String>,
    /// Whether all of these events can be taken back together.
    may_undo_all: bool,
    here: String,
    who: i64,
}

impl ListPage {
    fn newest(&self) -> String {
        Asked { before: None, ..self.asked.clone() }.link()
    }
}

/// A value of a filter.
struct Choice {
    word: String,
    text: String,
    is_chosen: bool,
}

/// What happens to one kind of rows.
struct Group {
    title: String,
    choices: Vec<Choice>,
}

async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Event)?;
    let (texts, doer) = (member.visit.texts, member.doer());
    let asked = Asked::read(request.query_string());
    let found = record(&admin.app, &asked.question(), asked.before, SIZE, &doer).await?;
    let names = names(&admin.app, subjects(&found.events), &doer).await?;
    let view = View { texts, member: &member, names: &names };
    let looked_back_to = found.older.filter(|_| found.is_cut_short);
    let template = ListPage {
        shell: Shell::of(&member.visit, "events"),
        people: people(&admin, &member, &asked.who).await?,
        kinds: kinds(&member, &asked.what),
        older: found.older.map(|older| asked.older(older).link()),
        looked_back_to: looked_back_to.map(|(at, _)| format::moment(at)),
        may_undo_all: asked.is_of_batch() && !found.events.is_empty(),
        entries: found.events.iter().map(|event| view.entry(event)).collect(),
        here: asked.link(),
        who: member.who.staff.id.0,
        asked,
    };
    let mut response = page(&request, &template)?;
    if is_partial(&request)
        && let Ok(address) = HeaderValue::from_str(&template.here)
    {
        response.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    }
    Ok(response)
}

/// Who may have done something: the active accounts, the keys for those who may see them, and the
/// service. Somebody else who is chosen by a link is there too.
async fn people(admin: &Admin, member: &Member, chosen: &str) -> Result<Vec<Choice>, PageError> {
    let texts = member.visit.texts;
    let mut people = Vec::new();
    for staff in staff::team(&admin.app).await? {
        let actor = Actor::Staff(staff.profile.username.as_str().into());
        people.push((actor, staff.profile.full_name()));
    }
    if member.may(Action::Read, Record::ApiKey) {
        for key in api_keys::list(&admin.app, &member.doer()).await? {
            let (name, prefix) = (key.draft.name.as_str().into(), key.prefix.0.as_str().into());
            let actor = Actor::ApiKey { name, prefix };
            let text = format!("{} ({})", format::actor(texts, &actor), key.prefix);
            people.push((actor, text));
        }
    }
    for actor in [Actor::BasicKey, Actor::Service] {
        let text = format::actor(texts, &actor);
        people.push((actor, text));
    }
    let choice = |(actor, text): (Actor, String)| {
        let word = actor.to_string();
        Choice { is_chosen: word == chosen, word, text }
    };
    let mut choices: Vec<Choice> = people.into_iter().map(choice).collect();
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.is_chosen) {
        let text = format::actor(texts, &Actor::from_words(chosen));
        choices.push(Choice { word: chosen.to_owned(), text, is_chosen: true });
    }
    Ok(choices)
}

/// What can have happened. Another word that is chosen by a link is there too.
fn kinds(member: &Member, chosen: &str) -> Vec<Group> {
    let texts = member.visit.texts;
    let choice = |word: String, text| Choice { is_chosen: word == chosen, word, text };
    let group = |pages: &Pages| {
        let resource = pages.rows.filter(|_| !pages.events.is_empty())?;
        let all = choice(resource.to_owned(), fl!(texts, "events-all"));
        let each = pages.events.iter().map(|action| {
            let verb = format!("{resource}.{action}");
            let text = say(texts, "event", &verb);
            choice(verb, text)
        });
        let choices = std::iter::once(all).chain(each).collect();
        Some(Group { title: say(texts, "events-about", resource), choices })
    };
    let mut groups: Vec<Group> = member.visit.offer.pages().filter_map(group).collect();
    let is_known = groups.iter().flat_map(|group| &group.choices).any(|choice| choice.is_chosen);
    if !chosen.is_empty() && !is_known {
        let other = choice(chosen.to_owned(), chosen.to_owned());
        groups.push(Group { title: fl!(texts, "events-other"), choices: vec![other] });
    }
    groups
}

#[cfg(test)]
mod tests {
    use exit3_domain::staff::Language;

    use crate::{OWN, Offer};

    #[test]
    fn everything_that_can_have_happened_is_said_in_both_languages() {
        for language in [Language::English, Language::Croatian] {
            let texts = Offer::new(OWN.iter().copied()).texts(language);
            for pages in OWN.iter().filter(|pages| !pages.events.is_empty()) {
                let resource = pages.rows.unwrap_or_default();
                let title = format!("events-about-{}", resource.replace('_', "-"));
                assert!(texts.has(&title), "{language:?} {title}");
                for action in pages.events {
                    let id = format!("event-{resource}-{action}").replace('_', "-");
                    assert!(texts.has(&id), "{language:?} {id}");
                }
            }
        }
    }
}
