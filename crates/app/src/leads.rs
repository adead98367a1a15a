//! What can be done with leads.

mod create;
mod delete;
mod find;
mod list;
mod update;

pub use create::create;
pub use delete::delete;
pub use find::find;
pub use list::{list, walk};
pub use update::{change, replace};
