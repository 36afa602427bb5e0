//! What is to be done however a closure ends.

/// Runs `f`, and aborts the process if it panics: what it changes would be left in no state at all.
#[cfg(feature = "arc_lock")]
pub(crate) fn never_unwinding<R>(f: impl FnOnce() -> R) -> R {
    // A panic within a panic aborts.
    let abort = Finally::new(|| panic!("a raw lock panicked while it was handed on"));
    let result = f();
    core::mem::forget(abort);
    result
}

/// Runs its closure when dropped, so also when what comes between panics.
pub(crate) struct Finally<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Finally<F> {
    pub(crate) fn new(f: F) -> Finally<F> {
        Finally(Some(f))
    }
}

impl<F: FnOnce()> Drop for Finally<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}
