//! The languages of the pages. The texts are in `i18n/`; an id that does not exist fails the build.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header};
use exit3_domain::staff::Language;
use i18n_embed::LanguageLoader;
use i18n_embed::fluent::FluentLanguageLoader;
use rust_embed::RustEmbed;

/// The texts of one language.
pub(crate) type Texts = &'static FluentLanguageLoader;

#[derive(RustEmbed)]
#[folder = "i18n/"]
struct Files;

static ENGLISH: LazyLock<FluentLanguageLoader> = LazyLock::new(|| load(Language::English));
static CROATIAN: LazyLock<FluentLanguageLoader> = LazyLock::new(|| load(Language::Croatian));

fn load(language: Language) -> FluentLanguageLoader {
    let loader = FluentLanguageLoader::new("admin", "en".parse().unwrap_or_default());
    let wanted = language.as_str().parse().unwrap_or_default();
    // The files are embedded, and a test reads them.
    if let Err(error) = loader.load_languages(&Files, &[wanted]) {
        tracing::error!(%error, "the texts of the back office cannot be read");
    }
    // The marks around values are for texts that mix directions; ours do not.
    loader.set_use_isolating(false);
    loader
}

/// The texts of a language.
pub(crate) fn texts(language: Language) -> Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Croatian => &CROATIAN,
    }
}

/// The language that a browser prefers, of those that there are; English if it prefers none.
pub(crate) fn preferred(request: &HttpRequest) -> Language {
    let Ok(accepted) = AcceptLanguage::parse(request) else { return Language::English };
    let ranked = accepted.ranked();
    let mut known = ranked.iter().filter_map(|preference| {
        let tag = preference.item()?.as_str().to_ascii_lowercase();
        Language::from_word(tag.split('-').next().unwrap_or_default())
    });
    known.next().unwrap_or(Language::English)
}

/// The text of an id that is known only at run time, such as that of a stored word. Tests hold that
/// all of them exist.
pub(crate) fn say(texts: Texts, prefix: &str, word: &str) -> String {
    let id = format!("{prefix}-{}", word.replace(['_', '.'], "-"));
    match texts.has(&id) {
        true => texts.get(&id),
        false => word.to_owned(),
    }
}
