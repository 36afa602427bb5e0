//! SIGTERM: what the threads wait for is said before the process ends by it.
#![expect(unsafe_code, reason = "std has no signals")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The signal's number.
pub(super) const SIGTERM: u32 = 15;

/// The signal came: the picture is asked for.
static ASKED: AtomicBool = AtomicBool::new(false);
/// The picture is printed.
static SAID: AtomicBool = AtomicBool::new(false);

/// Whether the signal came and nobody has answered yet.
pub(super) fn is_asked() -> bool {
    ASKED.load(Ordering::Acquire) && !SAID.load(Ordering::Relaxed)
}

/// Lets the signal take its course.
pub(super) fn answer() {
    SAID.store(true, Ordering::Release);
}

/// How long the signal waits for the picture.
const PATIENCE: u32 = 150;
const STEP: Duration = Duration::from_millis(10);

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::c_int;

    use super::{ASKED, Ordering, PATIENCE, SAID, SIGTERM, STEP};

    /// As the C libraries of Linux have it.
    #[repr(C)]
    struct Action {
        handler: usize,
        mask: [u64; 16],
        flags: c_int,
        restorer: usize,
    }

    const DEFAULT: usize = 0;
    const SA_RESTART: c_int = 0x1000_0000;
    const SA_ONSTACK: c_int = 0x0800_0000;

    unsafe extern "C" {
        fn sigaction(signal: c_int, action: *const Action, old: *mut Action) -> c_int;
        fn raise(signal: c_int) -> c_int;
    }

    fn own() -> usize {
        let handler: extern "C" fn(c_int) = on_term;
        handler as usize
    }

    /// Who is called.
    fn installed() -> Option<usize> {
        let mut old = Action { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
        // SAFETY: asks only; `old` is at least as long as the system's.
        (unsafe { sigaction(SIGTERM as c_int, std::ptr::null(), &raw mut old) } == 0).then_some(old.handler)
    }

    fn install(handler: usize) {
        let action = Action { handler, mask: [0; 16], flags: SA_RESTART | SA_ONSTACK, restorer: 0 };
        // SAFETY: the handler is the default one or ours, which calls only what a handler may.
        unsafe { sigaction(SIGTERM as c_int, &raw const action, std::ptr::null_mut()) };
    }

    pub(in super::super) fn watch() {
        if installed() == Some(DEFAULT) {
            install(own());
        }
    }

    pub(in super::super) fn is_ours() -> bool {
        installed() == Some(own())
    }

    pub(in super::super) fn forget() {
        ASKED.store(false, Ordering::Relaxed);
        SAID.store(false, Ordering::Relaxed);
        if is_ours() {
            install(DEFAULT);
        }
    }

    /// Waits until the runtime's thread has printed what there is to say; then the signal does what it would have done.
    extern "C" fn on_term(_: c_int) {
        // A handler that the program put in our place calls this one perhaps: then the program decides.
        if !is_ours() {
            return;
        }
        ASKED.store(true, Ordering::Release);
        for _ in 0..PATIENCE {
            if SAID.load(Ordering::Acquire) {
                break;
            }
            std::thread::sleep(STEP);
        }
        install(DEFAULT);
        // SAFETY: takes effect when this handler returns.
        unsafe { raise(SIGTERM as c_int) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{ASKED, Ordering, PATIENCE, SAID, STEP};

    pub(in super::super) fn watch() {}

    pub(in super::super) fn is_ours() -> bool {
        false
    }

    pub(in super::super) fn forget() {
        let _ = (PATIENCE, STEP);
        ASKED.store(false, Ordering::Relaxed);
        SAID.store(false, Ordering::Relaxed);
    }
}

pub(super) use system::{forget, is_ours, watch};
