//! The frame around every page: language, theme, menu, and what the page says once.

use exit3_domain::access::{Action, may};

use crate::i18n::{Texts, say};
use crate::icons::icon;
use crate::visit::Visit;
use crate::{BASE, assets};

/// One link in the menu.
pub(crate) struct Link {
    pub(crate) path: String,
    pub(crate) icon: &'static str,
    pub(crate) text: String,
    pub(crate) key: &'static str,
    pub(crate) is_here: bool,
}

/// What a page says once, such as "Deleted", with the event that can be undone.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) event: Option<i64>,
}

/// The frame around a page.
pub(crate) struct Shell {
    pub(crate) texts: Texts,
    pub(crate) language: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) keys: bool,
    pub(crate) who: Option<Person>,
    pub(crate) menu: Vec<Link>,
    pub(crate) said: Option<Said>,
}

/// The person who is signed in.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: String,
}

/// The words after which the event that the page names can be undone.
const UNDOABLE: [&str; 6] = [
    "lead-deleted",
    "note-removed",
    "subscriber-deleted",
    "client-deleted",
    "contract-stored",
    "contract-removed",
];

impl Shell {
    /// The frame of a page of the resource `here`.
    pub(crate) fn of(visit: &Visit, here: &str) -> Self {
        let texts = visit.texts;
        let who = visit.who.as_deref();
        let links = visit.offer.pages().filter_map(|pages| Some((pages.name, pages.menu?)));
        let link = |(name, menu): (&'static str, crate::resource::Menu)| Link {
            path: format!("{BASE}{}", menu.path),
            icon: menu.icon,
            text: say(texts, "menu", name),
            key: menu.key,
            is_here: name == here,
        };
        let menu = who.map(|who| {
            let worker = who.worker();
            links.filter(|(_, menu)| may(&worker, Action::Read, menu.reads)).map(link).collect()
        });
        let said = visit.done.as_ref().filter(|(word, _)| texts.has(&format!("done-{word}")));
        Self {
            texts,
            language: visit.language.as_str(),
            theme: visit.theme().map_or("", |theme| theme.as_str()),
            keys: who.is_none_or(|who| who.staff.preferences.single_keys),
            who: who.map(|who| Person {
                name: who.staff.profile.full_name(),
                role: say(texts, "role", who.role.as_str()),
            }),
            menu: menu.unwrap_or_default(),
            said: said.map(|(word, event)| Said {
                text: say(texts, "done", word),
                event: event.filter(|_| UNDOABLE.contains(&word.as_str())),
            }),
        }
    }

    /// The address of a style sheet or a script.
    pub(crate) fn asset(&self, name: &str) -> String {
        format!("{BASE}assets/{}", assets::address(name))
    }

    /// An icon as an SVG element.
    pub(crate) fn icon(&self, name: &str) -> askama::filters::Safe<&'static str> {
        icon(name)
    }
}
