//! What resources add to pages of others. What a module adds must not take such a page with it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use askama::Template;
use exit3_app::modules::within;
use futures_util::FutureExt;
use i18n_embed_fl::fl;
use tokio::time::timeout;

use crate::errors::PageError;
use crate::i18n::{Texts, say};
use crate::resource::Pages;

/// How long a module may take for what it adds to a page.
const MOST: Duration = Duration::from_secs(1);

/// What is shown in place of a part that is missing.
#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    title: String,
    text: String,
}

/// Renders the parts of a page, one after the other. A card says which module adds nothing, though it
/// should.
pub(crate) async fn parts<P: Copy + 'static>(
    texts: Texts,
    all: impl IntoIterator<Item = &'static Pages>,
    of: fn(&Pages) -> &'static [P],
    render: impl AsyncFn(P) -> Result<String, PageError>,
) -> Result<Vec<String>, PageError> {
    let mut parts = Vec::new();
    for pages in all {
        for part in of(pages) {
            let Some(part) = contained(pages, render(*part)).await? else {
                let title = say(texts, "menu", pages.name);
                parts.push(Missing { title, text: fl!(texts, "part-missing") }.render()?);
                break;
            };
            parts.push(part);
        }
    }
    Ok(parts)
}

/// Does what a resource adds to a page of others. A module may panic, fail, or take too long: then
/// nothing is added, and the log names the module.
pub(crate) async fn contained<T>(
    pages: &Pages,
    work: impl Future<Output = Result<T, PageError>>,
) -> Result<Option<T>, PageError> {
    let Some(switch) = pages.switch else { return work.await.map(Some) };
    if !switch.is_on() {
        return Ok(None);
    }
    // Unwinding is safe: what the work owns is dropped with it, and shared data is behind locks that
    // survive a panic.
    let cause =
        match timeout(MOST, within(Some(switch), AssertUnwindSafe(work).catch_unwind())).await {
            Ok(Ok(Ok(done))) => return Ok(Some(done)),
            Ok(Ok(Err(error))) => error.to_string(),
            // The panic hook has logged the panic.
            Ok(Err(_)) => "a panic".to_owned(),
            Err(_) => format!("no result within {MOST:?}"),
        };
    tracing::warn!(module = switch.module(), cause, "a module adds nothing to a page");
    Ok(None)
}
