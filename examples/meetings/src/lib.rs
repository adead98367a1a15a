//! Meetings with leads: a module of the service.
#![allow(unreachable_pub, reason = "other crates need nothing but `module`")]

#[cfg(test)]
mod adapter_tests;
mod admin;
mod app;
#[cfg(test)]
mod app_tests;
mod command;
mod domain;
mod http;
mod jobs;
mod ports;
mod postgres;
mod sqlite;

use std::sync::Arc;

use chrono::TimeDelta;
use exit3::{Module, ModuleDatabase};

use crate::app::Meetings;
use crate::ports::MeetingRepository;

/// The settings of the module.
#[derive(clap::Args)]
#[command(next_help_heading = "Settings of the module meetings")]
pub struct MeetingSettings {
    /// How many hours before a meeting its reminder is noted
    #[arg(long, env = "MEETINGS_REMIND_HOURS", default_value_t = 24, global = true, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub meetings_remind_hours: u32,
}

/// The module.
pub fn module() -> Module<MeetingSettings> {
    Module::new("meetings")
        .schema(&[ports::TABLE], ports::POSTGRES, ports::SQLITE)
        .keeps(keep)
        .resource(http::RESOURCE)
        .pages(admin::PAGES)
        .jobs(jobs::add)
        .command("Lists meetings", command::run)
}

fn keep(database: ModuleDatabase, settings: &MeetingSettings) -> Meetings {
    let repository: Arc<dyn MeetingRepository> = match database {
        ModuleDatabase::Postgres(handle) => Arc::new(postgres::PgMeetingRepository::new(handle)),
        ModuleDatabase::Sqlite(store) => Arc::new(sqlite::SqliteMeetingRepository::new(store)),
    };
    let remind_ahead = TimeDelta::hours(settings.meetings_remind_hours.into());
    Meetings { repository, remind_ahead }
}
