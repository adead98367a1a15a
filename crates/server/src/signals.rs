//! What the process does when it gets a signal.
//!
//! By default, most signals end a process at once and lose its requests in flight. Here, a
//! signal that may come from anywhere either stops the service in order or does nothing.

use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::ops::RangeInclusive;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Wishes to stop. The last is what an uninterruptible power supply says.
const STOP: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::POWER];

/// Nothing. There is nothing that would have to be read again: certificates are taken over
/// when their files change, and a log file that was moved is made anew. Where a file may not
/// grow (SIGXFSZ), the write itself fails with an error.
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
/// Those without a name, which are nothing either.
const REAL_TIME: RangeInclusive<i32> = 34..=64;

/// Ends when the service is asked to stop. Asked again, it still finishes what it does.
///
/// A terminal that was closed (SIGHUP) is a wish to stop where the service was started from
/// one. Programs that rotate logs send the same, and mean something else.
///
/// # Errors
/// A signal cannot be heard.
pub(crate) async fn service_stops() -> io::Result<()> {
    stops(io::stdin().is_terminal()).await
}

/// Ends when a command is asked to stop. It ends with its terminal.
///
/// # Errors
/// A signal cannot be heard.
pub(crate) async fn command_stops() -> io::Result<()> {
    stops(true).await
}

/// A signal that was heard once ends the process no more, whether somebody listens or not.
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
