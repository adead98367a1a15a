//! How much freed memory the process keeps.

use std::ffi::{c_int, c_long};
use std::time::Duration;
use std::{env, thread};

/// The allocator for programs that run the service. It uses a fifth less CPU time per request than
/// the system's allocator.
pub use mimalloc::MiMalloc as Allocator;

/// `mi_option_purge_delay` of mimalloc.h: milliseconds until freed memory is returned to the system.
const DELAY: c_int = 15;

/// How long a start takes at most, apart from migrations of large databases.
const START: Duration = Duration::from_secs(5);

/// By default the allocator keeps freed memory for a second, which saves the time of requests. But it
/// returns memory only while others is freed, so an idle process would keep for ever what it needed
/// while it started. So it keeps nothing during the start.
pub(crate) fn keep_none_during_start() {
    let usual = delay();
    set_delay(0);
    if !promises_little_memory() {
        let wait = move || {
            thread::sleep(START);
            set_delay(usual);
        };
        // If there is no thread to be had, requests just take a little longer.
        let _ = thread::Builder::new().name("memory".to_owned()).spawn(wait);
    }
}

/// Whether this is a command that promises to need little memory. It must not keep the 32 MiB of a
/// passphrase for nothing.
fn promises_little_memory() -> bool {
    let promises = ["backup", "restore", "verify-backup"];
    env::args_os().any(|argument| promises.iter().any(|name| argument == *name))
}

#[allow(unsafe_code, reason = "the allocator is a C library")]
fn delay() -> c_long {
    // SAFETY: mimalloc.h declares it so. It takes no pointer, and any thread may call it at any time.
    unsafe extern "C" {
        safe fn mi_option_get(option: c_int) -> c_long;
    }
    mi_option_get(DELAY)
}

#[allow(unsafe_code, reason = "the allocator is a C library")]
fn set_delay(milliseconds: c_long) {
    // SAFETY: mimalloc.h declares it so. It takes no pointer, and any thread may call it at any time.
    unsafe extern "C" {
        safe fn mi_option_set(option: c_int, value: c_long);
    }
    mi_option_set(DELAY, milliseconds);
}
