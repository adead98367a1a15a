//! Progress bars of long commands on standard error.

use std::cell::RefCell;

use exit3_archive::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, if that is a terminal.
pub(crate) fn bar(what: String, count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {wide_bar} {human_pos}/{human_len} {eta}");
    ProgressBar::new(count)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// One bar for each table.
#[derive(Default)]
pub(crate) struct Bars(RefCell<Option<ProgressBar>>);

impl Progress for Bars {
    fn begin(&self, what: &str, rows: u64) {
        self.finish();
        self.0.replace(Some(bar(what.to_owned(), rows)));
    }

    fn advance(&self, rows: u64) {
        if let Some(bar) = &*self.0.borrow() {
            bar.inc(rows);
        }
    }
}

impl Bars {
    /// Leaves the last bar on the screen.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.0.take() {
            bar.finish();
        }
    }
}
