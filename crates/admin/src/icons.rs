//! Icons, from files of lucide (ISC).

use askama::filters::Safe;

macro_rules! icons {
    ($($name:literal),* $(,)?) => {
        /// The icon of this name as an SVG element; empty for an unknown name.
        pub(crate) fn icon(name: &str) -> Safe<&'static str> {
            Safe(match name {
                $($name => include_str!(concat!("../icons/", $name, ".svg")),)*
                _ => "",
            })
        }
    };
}

icons!(
    "arrow-left",
    "building-2",
    "calendar",
    "check",
    "chevron-left",
    "chevron-right",
    "circle-alert",
    "circle-check",
    "clock",
    "copy",
    "download",
    "globe",
    "history",
    "house",
    "inbox",
    "info",
    "key",
    "keyboard",
    "log-out",
    "mail",
    "menu",
    "message-square",
    "monitor",
    "pencil",
    "phone",
    "plus",
    "rotate-ccw",
    "save",
    "search",
    "settings",
    "shield",
    "filter",
    "trash-2",
    "user",
    "users",
    "x",
);
