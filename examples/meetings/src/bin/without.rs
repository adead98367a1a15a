//! The service without meetings, for the test that switches them off.

use std::process::ExitCode;

fn main() -> ExitCode {
    exit3::Service::new().run()
}
