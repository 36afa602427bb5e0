//! A lock for the recorder's rare paths that a forked child can break open.

use std::sync::atomic::{AtomicBool, Ordering};

/// Guards the growth of tables. What it guards is valid at every instant, so breaking it open loses nothing.
#[derive(Debug)]
pub(crate) struct Spin(AtomicBool);

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin(AtomicBool::new(false))
    }

    /// Runs `body` while no other thread is in here.
    pub(crate) fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        while self.0.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::thread::yield_now();
        }
        let result = body();
        self.0.store(false, Ordering::Release);
        result
    }

    /// Opens it: in a forked child its holder is gone.
    pub(crate) fn break_open(&self) {
        self.0.store(false, Ordering::Release);
    }
}
