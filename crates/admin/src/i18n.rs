//! The languages of the pages. The texts are in `i18n/`; an id that does not exist fails the build.
//! Modules add theirs.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header};
use exit3_domain::staff::Language;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed::{AssetsMultiplexor, I18nAssets, LanguageLoader};
use rust_embed::RustEmbed;

/// The texts of one language. `fl!` of a module checks the ids in the files of that module, and reads
/// the texts from here.
pub type Texts = &'static FluentLanguageLoader;

#[derive(RustEmbed)]
#[folder = "i18n/"]
struct Files;

/// The texts of a module, as one more file of the language.
struct Further {
    path: String,
    text: &'static str,
}

impl I18nAssets for Further {
    fn get_files(&self, path: &str) -> Vec<Cow<'_, [u8]>> {
        (path == self.path).then_some(Cow::Borrowed(self.text.as_bytes())).into_iter().collect()
    }

    fn filenames_iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
        Box::new(std::iter::once(self.path.clone()))
    }
}

/// Reads the texts: ours, and those of modules, each with its language. They are kept until the
/// process ends.
pub(crate) fn load(
    language: Language,
    modules: impl IntoIterator<Item = (Language, &'static str)>,
) -> Texts {
    let loader = FluentLanguageLoader::new("admin", "en".parse().unwrap_or_default());
    let wanted = language.as_str().parse().unwrap_or_default();
    let mut files: Vec<Box<dyn I18nAssets + Send + Sync>> = vec![Box::new(Files)];
    files.extend(modules.into_iter().map(|(language, text)| {
        let path = format!("{}/admin.ftl", language.as_str());
        Box::new(Further { path, text }) as Box<dyn I18nAssets + Send + Sync>
    }));
    // Our files are embedded, and a test reads them.
    if let Err(error) = loader.load_languages(&AssetsMultiplexor::new(files), &[wanted]) {
        tracing::error!(%error, "the texts of the back office cannot be read");
    }
    // The marks around values are for texts that mix directions; ours do not.
    loader.set_use_isolating(false);
    Box::leak(Box::new(loader))
}

/// Our own texts.
#[cfg(test)]
pub(crate) fn texts(language: Language) -> Texts {
    load(language, [])
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
pub fn say(texts: Texts, prefix: &str, word: &str) -> String {
    let id = format!("{prefix}-{}", word.replace(['_', '.'], "-"));
    match texts.has(&id) {
        true => texts.get(&id),
        false => word.to_owned(),
    }
}
