//! The service with meetings.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: exit3::Allocator = exit3::Allocator;

fn main() -> ExitCode {
    exit3::Service::new().module(meetings::module()).run()
}
