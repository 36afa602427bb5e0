//! Forked children: the child only notes that it is one; its first event starts files of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{local, object, recorder, site, stack, watchdog};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the program's start.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs in the child, on its only thread, before `fork` returns there. Other threads, and with them holders of the recorder's
/// locks, don't exist in the child; what they left behind is valid at every instant.
pub(crate) extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    site::break_open();
    stack::forget();
    object::forget_definitions();
    local::forget();
    recorder::start_again();
    watchdog::forget();
}
