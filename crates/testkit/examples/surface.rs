//! Prints what is public in a crate, one item a line, from rustdoc's JSON: see `scripts/surface`.
#![allow(clippy::print_stdout, reason = "this is what the program is for")]

use std::collections::HashSet;

use public_api::{Builder, PublicItem};

fn main() -> Result<(), String> {
    let file = std::env::args().nth(1).ok_or("give the file that rustdoc has written")?;
    let api = Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| format!("this Rust needs another version of public-api: {error}"))?;
    let items: Vec<(&PublicItem, String)> =
        api.items().map(|item| (item, item.to_string())).collect();
    // That a type implements a trait says which methods it has.
    let traits: HashSet<_> = items
        .iter()
        .filter(|(_, line)| line.starts_with("impl") && line.contains(" for "))
        .map(|(item, _)| item.id())
        .collect();
    let is_told = |item: &PublicItem| item.parent_id().is_some_and(|id| traits.contains(&id));
    for (item, line) in &items {
        let is_heading = line.starts_with("impl") && !traits.contains(&item.id());
        if !is_heading && !is_told(item) {
            println!("{}", short(&line_of_source(line)));
        }
    }
    Ok(())
}

/// The method as it was written, before `async_trait` changed it.
fn line_of_source(line: &str) -> String {
    const FUTURE: &str =
        "core::pin::Pin<alloc::boxed::Box<(dyn core::future::future::Future<Output = ";
    const END: &str = "> + core::marker::Send + 'async_trait)>>";
    let Some((head, rest)) = line.split_once(FUTURE) else { return line.to_owned() };
    let Some((output, _)) = rest.split_once(END) else { return line.to_owned() };
    let mut head = head.replacen("pub fn ", "pub async fn ", 1);
    for number in 0..10 {
        head =
            head.replace(&format!("&'life{number} "), "&").replace(&format!("'life{number}, "), "");
    }
    head = head.replace("<'async_trait>", "").replace(", 'async_trait>", ">");
    format!("{head}{output}")
}

/// The line without the paths of the standard library.
fn short(line: &str) -> String {
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let mut shown = String::new();
    for part in line.split_inclusive(|letter| !is_path(letter)) {
        let is_std = ["core::", "alloc::", "std::"].iter().any(|of| part.starts_with(of));
        shown += if is_std { part.rsplit("::").next().unwrap_or(part) } else { part };
    }
    shown
}
