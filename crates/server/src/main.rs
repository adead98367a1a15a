//! The binary `exit3`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: exit3::Allocator = exit3::Allocator;

fn main() -> ExitCode {
    exit3::Service::new().run()
}
