//! Signal handling.
//!
//! By default, most signals end a process at once and lose its requests in flight. Here, a signal
//! either stops the service in order or does nothing.

use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::ops::RangeInclusive;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Signals that stop the service. The last one comes from uninterruptible power supplies.
const STOP: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::POWER];

/// Signals that do nothing. There is nothing to reload: certificates are reloaded when their files
/// change, and a moved log file is created again. If a file has reached its size limit (SIGXFSZ),
/// the write itself fails.
const NOTHING: [Signal; 9] = [
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::IO,
    Signal::STKFLT,
    Signal::XCPU,
    Signal::XFSZ,
];
/// Real-time signals, which do nothing either.
const REAL_TIME: RangeInclusive<i32> = 34..=64;

/// Completes when the service is asked to stop. Further requests to stop change nothing.
///
/// A closed terminal (SIGHUP) stops a service that was started from one. Otherwise SIGHUP is
/// ignored, because programs that rotate logs send it.
///
/// # Errors
/// A signal handler cannot be installed.
pub(crate) async fn service_stops() -> io::Result<()> {
    stops(io::stdin().is_terminal()).await
}

/// Completes when a command is asked to stop, or its terminal is closed.
///
/// # Errors
/// A signal handler cannot be installed.
pub(crate) async fn command_stops() -> io::Result<()> {
    stops(true).await
}

/// Once a signal has a handler, it no longer ends the process, even if nobody listens any more.
async fn stops(hang_up_stops: bool) -> io::Result<()> {
    let hear = |which: i32| signal(SignalKind::from_raw(which));
    for which in NOTHING.iter().map(|which| which.as_raw()).chain(REAL_TIME) {
        drop(hear(which)?);
    }
    let mut stop = STOP.iter().map(|which| hear(which.as_raw())).collect::<io::Result<Vec<_>>>()?;
    let hang_up = hear(Signal::HUP.as_raw())?;
    if hang_up_stops {
        stop.push(hang_up);
    }
    poll_fn(|context| {
        let any = stop.iter_mut().any(|one| one.poll_recv(context).is_ready());
        if any { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(())
}
