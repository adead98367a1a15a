//! Accounts of staff.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use exit3_app::App;
use exit3_app::access::Doer;
use exit3_app::staff::{self, StaffError};
use exit3_domain::events::Actor;
use exit3_domain::paging::{PageNumber, PageRequest};
use exit3_domain::staff::{AccountInput, Role, Staff};

use super::{Failure, password, prepare, runtime, say, table};
use crate::backend::Backend;
use crate::invitation;
use crate::settings::Settings;

/// Actions on accounts.
#[derive(Subcommand)]
pub(super) enum StaffCommand {
    /// Creates an account; asks for its password, or reads it from standard input
    Create(Create),
    /// Lists the accounts
    List,
    /// Gives an account another role
    SetRole {
        #[command(flatten)]
        who: Who,
        /// The role: owner, manager, sales or viewer
        #[arg(long)]
        role: RoleWord,
    },
    /// Replaces a password; asks for it, or reads it from standard input. Ends all sign-ins
    SetPassword(Who),
    /// Ends all sign-ins of an account, and lets it sign in no more
    Disable(Who),
    /// Lets an account sign in again
    Enable(Who),
    /// Prints a link on which the person can choose a password, once within 72 hours
    Invite(Who),
}

/// The account.
#[derive(Args)]
pub(super) struct Who {
    /// The name with which the person signs in
    #[arg(long)]
    username: String,
}

/// A new account.
#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    who: Who,
    /// The role: owner, manager, sales or viewer
    #[arg(long)]
    role: RoleWord,
    /// The first name
    #[arg(long, default_value = "")]
    first_name: String,
    /// The last name
    #[arg(long, default_value = "")]
    last_name: String,
    /// The e-mail address
    #[arg(long, default_value = "")]
    email: String,
}

/// A role on the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleWord(Role);

impl FromStr for RoleWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let role = Role::from_word(word).map(Self);
        role.ok_or_else(|| format!("not one of {}", Role::WORDS.join(", ")))
    }
}

impl StaffCommand {
    /// The name of the command in events.
    fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "staff create",
            Self::List => "staff list",
            Self::SetRole { .. } => "staff set-role",
            Self::SetPassword(_) => "staff set-password",
            Self::Disable(_) => "staff disable",
            Self::Enable(_) => "staff enable",
            Self::Invite(_) => "staff invite",
        }
    }
}

pub(super) fn staff(settings: &Settings, command: StaffCommand) -> Result<(), Failure> {
    let backend = Backend::open(settings)?;
    runtime()?.block_on(async {
        if !matches!(command, StaffCommand::List) {
            prepare::writable(&backend)?;
        }
        prepare::schema(settings, &backend).await?;
        let app = backend.patient_app();
        let doer = Doer::operator(Actor::command(command.name()));
        let done = execute(&app, settings, command, &doer).await;
        done.map_err(|failure| match failure.downcast::<StaffError>() {
            Ok(error) => told(*error),
            Err(failure) => failure,
        })
    })
}

async fn execute(
    app: &App,
    settings: &Settings,
    command: StaffCommand,
    doer: &Doer,
) -> Result<(), Failure> {
    match command {
        StaffCommand::List => list(app, doer).await,
        StaffCommand::Create(new) => {
            let Create { who, role, first_name, last_name, email } = new;
            let input =
                AccountInput { username: who.username, first_name, last_name, email, role: role.0 };
            // Nobody should have to type a password for an account that cannot be created.
            input.clone().into_profile().map_err(StaffError::Invalid)?;
            let made = staff::create(app, input, &password::ask()?, doer).await?;
            say(format_args!("Created the account {}.", called(&made)));
            Ok(())
        }
        StaffCommand::SetRole { who, role } => {
            let staff = find(app, &who, doer).await?;
            let staff = staff::set_role(app, staff.id, role.0, doer).await?;
            say(format_args!("Changed the account {}.", called(&staff)));
            Ok(())
        }
        StaffCommand::SetPassword(who) => {
            let staff = find(app, &who, doer).await?;
            staff::set_password(app, staff.id, &password::ask()?, doer).await?;
            let name = &staff.profile.username;
            say(format_args!("Replaced the password of {name}, and ended all sign-ins."));
            Ok(())
        }
        StaffCommand::Disable(who) => {
            let staff = find(app, &who, doer).await?;
            let staff = staff::set_active(app, staff.id, false, doer).await?;
            say(format_args!("Disabled the account {}.", called(&staff)));
            Ok(())
        }
        StaffCommand::Enable(who) => {
            let staff = find(app, &who, doer).await?;
            let staff = staff::set_active(app, staff.id, true, doer).await?;
            say(format_args!("Enabled the account {}.", called(&staff)));
            Ok(())
        }
        StaffCommand::Invite(who) => {
            let staff = find(app, &who, doer).await?;
            if !staff.profile.is_active {
                let name = staff.profile.username;
                return Err(format!("the account {name} is disabled: enable it first").into());
            }
            let token = staff::invite(app, staff.id, doer).await?;
            let link = invitation::link(&invitation::base(settings), &token);
            let name = &staff.profile.username;
            say(format_args!("{name} can choose a password here, once within 72 hours: {link}"));
            if !settings.admin.enabled {
                say(format_args!("Nobody serves this page: ADMIN_ENABLED is false."));
            }
            Ok(())
        }
    }
}

async fn find(app: &App, who: &Who, doer: &Doer) -> Result<Staff, Failure> {
    match staff::find(app, &who.username, doer).await {
        Err(StaffError::NotFound) => {
            Err(format!("there is no account {}", who.username.escape_debug()).into())
        }
        found => Ok(found?),
    }
}

async fn list(app: &App, doer: &Doer) -> Result<(), Failure> {
    let head = ["USERNAME", "ROLE", "STATE", "NAME", "EMAIL", "LAST SIGN-IN"];
    let mut rows = vec![head.map(str::to_owned)];
    let mut number = 1;
    loop {
        let page = PageRequest { number: PageNumber::Number(number), size: 100 };
        let Some(page) = staff::list(app, page, doer).await? else { break };
        rows.extend(page.rows.iter().map(row));
        if page.count <= number * 100 {
            break;
        }
        number += 1;
    }
    table::print(&rows);
    Ok(())
}

fn row(staff: &Staff) -> [String; 6] {
    let profile = &staff.profile;
    let or_hyphen = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let name = format!("{} {}", profile.first_name, profile.last_name);
    [
        profile.username.clone(),
        profile.works_as().map_or("-", Role::as_str).to_owned(),
        if profile.is_active { "active" } else { "disabled" }.to_owned(),
        or_hyphen(name.trim()),
        or_hyphen(&profile.email),
        staff.last_login.map_or_else(|| "-".to_owned(), time),
    ]
}

/// The account with its role, such as `ana, who is an owner`.
fn called(staff: &Staff) -> String {
    let profile = &staff.profile;
    let role = profile.works_as().map_or("has no role".to_owned(), |role| match role {
        Role::Owner => "is an owner".to_owned(),
        Role::Sales => "works in sales".to_owned(),
        Role::Manager | Role::Viewer => format!("is a {role}"),
    });
    format!("{}, who {role}", profile.username)
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An error as one sentence.
fn told(error: StaffError) -> Failure {
    let StaffError::Invalid(invalid) = &error else { return error.into() };
    let violations = invalid.fields().flat_map(|(field, violations)| {
        violations.iter().map(move |violation| format!("{field}: {}", violation.message))
    });
    violations.collect::<Vec<_>>().join(" ").into()
}
