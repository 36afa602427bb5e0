//! What is to be done however a closure ends.

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
