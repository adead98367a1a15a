//! The binary `exit3`.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, thread};

/// Uses a fifth less CPU time per request than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds until mimalloc returns freed memory to the system.
const DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// How often memory that is no longer needed is returned to the system.
const PAUSE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    give_back_at_once();
    // If there is no thread to be had, the process just needs more memory.
    let _ = thread::Builder::new().name("memory".to_owned()).spawn(give_back_when_idle);
    exit3::run(env::args_os())
}

/// Returns freed memory to the system from time to time. The allocator does so only when memory is
/// freed later than a second after it was needed, so an idle process would keep for ever what it
/// needed while it started.
#[allow(unsafe_code, reason = "the allocator is a C library")]
fn give_back_when_idle() {
    // SAFETY: mimalloc.h declares it so. It takes no pointer, and any thread may call it at any time.
    unsafe extern "C" {
        safe fn mi_collect(force: bool);
    }
    loop {
        thread::sleep(PAUSE);
        mi_collect(true);
    }
}

/// Restarts the process with [`DELAY`] set to 0, for commands that promise to need little memory.
/// By default the allocator keeps freed memory for a second, which suits a service, but would keep
/// the 32 MiB of a passphrase for nothing. It reads the variable only at the start of a process.
fn give_back_at_once() {
    let arguments: Vec<_> = env::args_os().collect();
    let promises = ["backup", "restore", "verify-backup"];
    let named = arguments.iter().any(|argument| promises.iter().any(|name| argument == name));
    // Behind a loader, `current_exe` is the loader, which must not be restarted.
    let program = env::current_exe().ok();
    let program = program.filter(|path| path.ends_with(env!("CARGO_BIN_NAME")));
    if let (true, None, Some(program)) = (named, env::var_os(DELAY), program) {
        // If this fails, the command just needs more memory.
        let _ = Command::new(program).args(arguments.iter().skip(1)).env(DELAY, "0").exec();
    }
}
