use clap::{Arg, Args};
use exit3_http::Resource;
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

/// Settings with one argument.
macro_rules! settings {
    ($name:ident, $field:ident: $type:ty, $($given:tt)*) => {
        mod $name {
            #[derive(clap::Args)]
            pub(super) struct Settings {
                /// Hours
                #[arg(global = true, $($given)*)]
                pub(super) $field: $type,
            }
        }
    };
}

settings!(short, tags_hours: Option<u32>, long, short = 'p', env = "TAGS_HOURS");
settings!(alias, agenda_hours: Option<u32>, long, alias = "tags-hours", env = "AGENDA_HOURS");
settings!(other, agenda_hours: Option<u32>, long, short = 'p', env = "AGENDA_HOURS");
settings!(long, tags_hours: Option<u32>, long, env = "TAGS");
settings!(required, tags_hours: u32, long, env = "TAGS_HOURS");
settings!(help, help: Option<u32>, long, env = "TAGS_HELP");
settings!(archive, archive: Option<u32>, long, env = "TAGS_ARCHIVE");
settings!(source, tags_source: Option<u32>, long, env = "SOURCE");

#[derive(clap::Subcommand)]
enum Nested {
    /// Lists
    #[command(subcommand)]
    Deep(Deep),
}

#[derive(clap::Subcommand)]
enum Deep {
    /// Lists
    List {
        /// Hours
        #[arg(long, short = 'p', env = "TAGS_HOURS")]
        tags_hours: Option<u32>,
    },
}

fn nested(name: &'static str) -> Arc<dyn Attached> {
    Arc::new(Module::<()>::new(name).command("Lists", |_, _: Nested| async { Ok(()) }))
}

/// What the program says, whose command line must be one that clap can use if nothing is wrong.
fn told_of_line(modules: &[Arc<dyn Attached>]) -> String {
    let restore = Command::new("restore")
        .arg(Arg::new("archive"))
        .subcommand(Command::new("far").arg(Arg::new("from").long("from").env("SOURCE")));
    let line = line().subcommand(restore);
    let told =
        check(modules, &line).map_or_else(|conflict| conflict.to_string(), |()| String::new());
    if told.is_empty() {
        modules.iter().fold(line, |line, module| module.augment(line)).debug_assert();
    }
    told
}

#[test]
fn settings_that_share_nothing_but_the_name_of_their_struct_go_together() {
    assert_eq!(told_of_line(&[of::<long::Settings>("tags"), of::<other::Settings>("agenda")]), "");
}

/// clap's rules between the settings of a module, which name their struct, hold all the same.
#[test]
fn of_two_settings_only_one_may_be_given() {
    #[derive(Args)]
    #[group(multiple = false)]
    struct Settings {
        /// Hours
        #[arg(long, env = "HOURS", global = true)]
        hours: Option<u32>,
        /// Days
        #[arg(long, env = "DAYS", global = true)]
        days: Option<u32>,
    }
    let module = of::<Settings>("agenda");
    let line = of::<long::Settings>("tags").augment(Command::new("exit3"));
    let line = module.augment(line);
    let read = |given: &[&str]| line.clone().try_get_matches_from([&["exit3"], given].concat());
    let matches = read(&["--hours", "1"]).unwrap();
    let settings = module.read(&matches).unwrap();
    let settings = settings.downcast_ref::<Settings>().unwrap();
    assert_eq!((settings.hours, settings.days), (Some(1), None));
    assert!(read(&["--hours", "1", "--days", "1"]).is_err());
}

#[test]
fn equal_options_and_variables_are_found() {
    let both = |what: &str| {
        format!(
            "the modules tags and agenda both claim the {what}: only one of them can be switched on"
        )
    };
    let pair = [of::<short::Settings>("tags"), of::<other::Settings>("agenda")];
    assert_eq!(told_of_line(&pair), both("option -p"));
    let pair = [of::<long::Settings>("tags"), of::<alias::Settings>("agenda")];
    assert_eq!(told_of_line(&pair), both("option --tags-hours"));
    let own = |what: &str| format!("the module tags claims the {what}, which is the service's own");
    assert_eq!(told_of_line(&[of::<help::Settings>("tags")]), own("option --help"));
    // clap tells positions and options of one name not apart.
    assert_eq!(told_of_line(&[of::<archive::Settings>("tags")]), own("option --archive"));
    assert_eq!(told_of_line(&[of::<source::Settings>("tags")]), own("setting SOURCE"));
}

#[test]
fn an_option_of_a_module_s_command_is_no_setting() {
    assert_eq!(told_of_line(&[nested("tags"), nested("agenda"), of::<()>("other")]), "");
    for (settings, what) in [
        (of::<long::Settings>("agenda"), "option --tags-hours"),
        (of::<other::Settings>("agenda"), "option -p"),
    ] {
        let told = told_of_line(&[nested("tags"), settings]);
        assert!(
            told.starts_with(&format!("the modules agenda and tags both claim the {what}")),
            "{told}"
        );
    }
    let module = Module::<long::Settings>::new("tags");
    let module = module.command("Lists", |_, _: Nested| async { Ok(()) });
    let told = told_of_line(&[Arc::new(module)]);
    assert_eq!(told, "the module tags claims the option --tags-hours twice");
}

#[test]
fn a_module_that_panics_while_it_lists_what_it_has_stops_the_start_in_a_sentence() {
    #[derive(clap::Subcommand)]
    enum Twice {
        /// Lists
        List {
            /// Hours
            #[arg(long, short = 'x')]
            hours: Option<u32>,
            /// Days
            #[arg(long, short = 'x')]
            days: Option<u32>,
        },
    }
    let twice = Module::<()>::new("tags").command("Lists", |_, _: Twice| async { Ok(()) });
    let pages = Pages { endpoints: || panic!("in a module"), ..Pages::EMPTY };
    let resource = Resource { document: || panic!("in a module"), ..Resource::EMPTY };
    let sentence = "the module tags panicked while it listed its endpoints and options";
    for module in [
        Arc::new(Module::<()>::new("tags").pages(pages)) as Arc<dyn Attached>,
        Arc::new(Module::<()>::new("tags").resource(resource)),
        Arc::new(twice),
    ] {
        assert_eq!(told(&[module]), sentence);
    }
}

#[test]
fn a_type_is_kept_once() {
    struct Tags;
    let of = |name| Module::<()>::new(name).keeps(|_, ()| Tags);
    let told_of = |modules: Vec<Module>| {
        told(&modules.into_iter().map(|it| Arc::new(it) as _).collect::<Vec<_>>())
    };
    assert_eq!(told_of(vec![of("tags").keeps(|_, ()| 1_u8)]), "");
    let name = std::any::type_name::<Tags>();
    assert_eq!(
        told_of(vec![of("tags").keeps(|_, ()| Tags)]),
        format!("the module tags claims the kept type {name} twice")
    );
    assert!(told_of(vec![of("tags"), of("agenda")]).contains("both claim the kept type"));
}

#[test]
fn paths_that_differ_in_the_names_of_parameters_are_one() {
    let page = |name, path: &'static str| {
        // A function cannot hold the path.
        let endpoints = match path {
            "leads/{lead}/" => || vec![Endpoint::new("leads/{lead}/")],
            "assets/{file}" => || vec![Endpoint::new("assets/{file}")],
            "tags/{id}/{x:[0-9]+}/" => || vec![Endpoint::new("tags/{id}/{x:[0-9]+}/")],
            _ => || vec![Endpoint::new("tags/{tag}/{y:[0-9]+}/")],
        };
        let pages = Pages { name, endpoints, ..Pages::EMPTY };
        Arc::new(Module::<()>::new(name).pages(pages)) as Arc<dyn Attached>
    };
    for (path, told_path) in [("leads/{lead}/", "leads/{}/"), ("assets/{file}", "assets/{}")] {
        assert_eq!(
            told(&[page("tags", path)]),
            format!(
                "the module tags claims the page /backend/admin/{told_path}, which is the service's \
                 own"
            )
        );
    }
    let first = || page("tags", "tags/{id}/{x:[0-9]+}/");
    assert_eq!(told(&[first()]), "");
    let told = told(&[first(), page("agenda", "")]);
    assert!(told.contains("both claim the page /backend/admin/tags/{}/{:[0-9]+}/:"), "{told}");
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
    assert_eq!(
        told(&[of::<required::Settings>("tags")]),
        "the setting tags_hours of the module tags is required, which a setting of every command \
         cannot be: it needs a default, or the type Option"
    );
}
