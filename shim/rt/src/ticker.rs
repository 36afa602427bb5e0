//! The runtime's own thread: advances the coarse tick and appends full chunks while anything is recorded, and rests otherwise. From
//! time to time it looks for deadlocks.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::clock::{self, Pair};
use crate::session::Session;
use crate::sys;
use crate::watchdog::Watchdog;

/// Time between two ticks.
const PERIOD: Duration = Duration::from_millis(1);
/// The same while chunks are to be appended: a busy thread fills one in little more.
const SHORT_PERIOD: Duration = Duration::from_micros(100);

/// Ticks until it rests and looks whether anybody asks for more.
const TICKS: u32 = 100;

/// Whether the thread rests.
static RESTING: AtomicBool = AtomicBool::new(false);
static HANDLE: AtomicPtr<Thread> = AtomicPtr::new(std::ptr::null_mut());

/// Starts the thread for a new recording. Without it (no more threads allowed) releases read the true clock.
pub(crate) fn start(session: &'static Session) {
    clock::stop_ticking();
    RESTING.store(false, Ordering::Relaxed);
    HANDLE.store(std::ptr::null_mut(), Ordering::Relaxed);
    let thread = sys::without_signals(|| {
        thread::Builder::new().name("conccheck".to_owned()).stack_size(256 * 1024).spawn(move || run(session))
    });
    if let Ok(thread) = thread {
        HANDLE.store(Box::into_raw(Box::new(thread.thread().clone())), Ordering::Release);
    }
}

fn run(session: &'static Session) {
    let mut watchdog = Watchdog::new(session);
    loop {
        for _ in 0..TICKS {
            let pair = Pair::now();
            clock::tick(pair.ticks);
            session.refresh_clock(pair);
            let is_busy = session.drain();
            if let Some(watchdog) = &mut watchdog {
                watchdog.look_if_due();
            }
            thread::sleep(if is_busy { SHORT_PERIOD } else { PERIOD });
        }
        clock::stop_ticking();
        RESTING.store(true, Ordering::SeqCst);
        while RESTING.load(Ordering::SeqCst) {
            match &mut watchdog {
                Some(watchdog) => {
                    thread::park_timeout(watchdog.look_if_due());
                }
                None => thread::park(),
            }
        }
    }
}

/// Whether the thread runs, or rests.
pub(crate) fn is_there() -> bool {
    !HANDLE.load(Ordering::Relaxed).is_null()
}

/// Called by a thread that found the tick standing still, or has something to be done.
#[expect(unsafe_code, reason = "the handle is kept as a raw pointer, since a forked child replaces it")]
pub(crate) fn wake() {
    if RESTING.load(Ordering::Relaxed) && RESTING.swap(false, Ordering::SeqCst) {
        // SAFETY: null, or leaked by `start`.
        if let Some(thread) = unsafe { HANDLE.load(Ordering::Acquire).as_ref() } {
            thread.unpark();
        }
    }
}
