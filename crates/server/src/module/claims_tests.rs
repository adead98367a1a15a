use clap::{Arg, Args};
use exit3_ports::{Column, Kind, Table};

use super::*;
use crate::module::Module;

#[derive(Args)]
struct Hours {
    /// Hours
    #[arg(long, env = "MEETINGS_HOURS", default_value_t = 1, global = true)]
    meetings_hours: u32,
}

#[derive(Args)]
struct Nameless {
    /// Hours
    #[arg(long, default_value_t = 1, global = true)]
    tags_hours: u32,
}

#[derive(clap::Subcommand)]
enum List {
    /// Lists
    List,
}

fn line() -> Command {
    let port = Arg::new("port").long("port").env("PORT").global(true);
    let backup = Command::new("backup").arg(Arg::new("meetings-hours").long("meetings-hours"));
    Command::new("exit3").arg(port).subcommand(backup)
}

fn told(modules: &[Arc<dyn Attached>]) -> String {
    let line = Command::new("exit3").subcommand(Command::new("backup"));
    check(modules, &line).map_or_else(|conflict| conflict.to_string(), |()| String::new())
}

fn of<S: Args + Send + Sync + 'static>(name: &'static str) -> Arc<dyn Attached> {
    Arc::new(Module::<S>::new(name))
}

fn commanded(name: &'static str) -> Arc<dyn Attached> {
    Arc::new(Module::<()>::new(name).command("Lists", |_, _: List| async { Ok(()) }))
}

const TAGS: Table =
    Table { name: "tags", columns: &[Column::new("id", Kind::Integer)], ..Table::EMPTY };

fn with_table(name: &'static str, table: Table) -> Arc<dyn Attached> {
    Arc::new(Module::<()>::new(name).schema(vec![table].leak(), &[], &[]))
}

#[test]
fn a_thing_that_two_modules_claim_is_named() {
    assert_eq!(told(&[of::<Hours>("meetings"), of::<()>("tags"), commanded("other")]), "");
    assert_eq!(
        told(&[of::<()>("tags"), of::<()>("tags")]),
        "the module tags claims the name tags twice"
    );
    assert_eq!(
        told(&[of::<Hours>("meetings"), of::<Hours>("agenda")]),
        "the modules meetings and agenda both claim the setting MEETINGS_HOURS: only one of them \
         can be switched on"
    );
    assert_eq!(
        told(&[commanded("backup")]),
        "the module backup claims the command backup, which is the service's own"
    );
    for name in ["leads", "jobs", "lead_counts"] {
        assert_eq!(
            told(&[with_table("tags", Table { name, ..TAGS })]),
            format!("the module tags claims the table {name}, which is the service's own")
        );
    }
}

#[test]
fn a_word_of_events_is_that_of_one_table() {
    let other = || with_table("labels", Table { name: "labels", resource: "tag", ..TAGS });
    let tags = || with_table("tags", Table { resource: "tag", ..TAGS });
    assert_eq!(
        told(&[tags(), other()]),
        "the modules tags and labels both claim the word of events tag: only one of them can be \
         switched on"
    );
    for resource in ["lead", "person"] {
        assert_eq!(
            told(&[with_table("tags", Table { resource, ..TAGS })]),
            format!(
                "the module tags claims the word of events {resource}, which is the service's own"
            )
        );
    }
    let shown = |word| Pages { name: word, rows: Some(word), ..Pages::EMPTY };
    let schema =
        || Module::<()>::new("tags").schema(&[Table { resource: "tag", ..TAGS }], &[], &[]);
    let of = |module: Module, pages| told(&[Arc::new(module.pages(pages)), other()]);
    assert!(
        of(schema(), shown("tag")).starts_with("the modules tags and labels both claim the word")
    );
    assert_eq!(told(&[Arc::new(schema().pages(shown("tag")).pages(shown("label")))]), "");
    assert!(of(Module::new("tags"), shown("tag")).contains("both claim the word of events tag"));
}

#[test]
fn a_wrong_definition_of_a_table_stops_the_start() {
    assert_eq!(told(&[with_table("tags", TAGS)]), "");
    let part_of = Some(("lead", "leads"));
    assert_eq!(
        told(&[with_table("tags", Table { part_of, ..TAGS })]),
        "the table \"tags\" of the module tags has no column lead of integers, which part_of names"
    );
}

#[test]
fn an_option_of_a_command_cannot_be_a_setting() {
    let conflict = check(&[of::<Hours>("meetings")], &line()).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "the module meetings claims the option --meetings-hours, which is the service's own"
    );
}

#[test]
fn what_cannot_be_had_is_explained() {
    for name in ["", "Tags", "1", "_tags", "my-tags"] {
        assert!(told(&[of::<()>(name)]).contains("only the letters a to z"), "{name}");
    }
    assert_eq!(
        told(&[of::<Nameless>("tags")]),
        "the setting tags_hours of the module tags needs `long`, `env` and `global = true`"
    );
}
