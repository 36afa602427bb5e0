//! A flag that tells threads to end, as it is where this crate records.

use core::fmt;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::rt::cancel::Token;

/// A flag that tells threads to end: `AtomicBool`, whose changes to `true` and whose loads are recorded.
///
/// Where this crate does not record, this *is* `AtomicBool`.
pub struct StopFlag {
    record: Token,
    inner: AtomicBool,
}

impl StopFlag {
    /// See [`AtomicBool::new`].
    #[track_caller]
    #[must_use]
    pub const fn new(value: bool) -> StopFlag {
        StopFlag { record: Token::new(), inner: AtomicBool::new(value) }
    }

    /// See [`AtomicBool::load`].
    #[track_caller]
    pub fn load(&self, order: Ordering) -> bool {
        let value = self.inner.load(order);
        self.record.looked(value, Location::caller());
        value
    }

    /// See [`AtomicBool::store`].
    #[track_caller]
    pub fn store(&self, value: bool, order: Ordering) {
        self.about_to_be(value, Location::caller());
        self.inner.store(value, order);
    }

    /// See [`AtomicBool::swap`].
    #[track_caller]
    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        self.about_to_be(value, Location::caller());
        self.inner.swap(value, order)
    }

    /// See [`AtomicBool::compare_exchange`].
    ///
    /// # Errors
    /// The value that it has, if that is not `current`.
    #[track_caller]
    pub fn compare_exchange(&self, current: bool, new: bool, success: Ordering, failure: Ordering) -> Result<bool, bool> {
        self.about_to_be(new && !current, Location::caller());
        self.inner.compare_exchange(current, new, success, failure)
    }

    /// See [`AtomicBool::compare_exchange_weak`].
    ///
    /// # Errors
    /// The value that it has, if that is not `current`, or if the hardware had no luck.
    #[track_caller]
    pub fn compare_exchange_weak(&self, current: bool, new: bool, success: Ordering, failure: Ordering) -> Result<bool, bool> {
        self.about_to_be(new && !current, Location::caller());
        self.inner.compare_exchange_weak(current, new, success, failure)
    }

    /// See [`AtomicBool::fetch_and`].
    pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
        self.inner.fetch_and(value, order)
    }

    /// See [`AtomicBool::fetch_or`].
    #[track_caller]
    pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
        self.about_to_be(value, Location::caller());
        self.inner.fetch_or(value, order)
    }

    /// See [`AtomicBool::fetch_xor`].
    #[track_caller]
    pub fn fetch_xor(&self, value: bool, order: Ordering) -> bool {
        self.about_to_be(value, Location::caller());
        self.inner.fetch_xor(value, order)
    }

    /// See [`AtomicBool::fetch_nand`].
    #[track_caller]
    pub fn fetch_nand(&self, value: bool, order: Ordering) -> bool {
        self.about_to_be(true, Location::caller());
        self.inner.fetch_nand(value, order)
    }

    /// See [`AtomicBool::fetch_not`].
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.about_to_be(true, Location::caller());
        self.inner.fetch_not(order)
    }

    /// See [`AtomicBool::fetch_update`].
    ///
    /// # Errors
    /// The value that it has, if `change` gives none.
    #[track_caller]
    pub fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut change: impl FnMut(bool) -> Option<bool>,
    ) -> Result<bool, bool> {
        let place = Location::caller();
        self.inner.fetch_update(set, fetch, |old| {
            let new = change(old);
            self.about_to_be(new == Some(true), place);
            new
        })
    }

    /// See [`AtomicBool::get_mut`].
    pub fn get_mut(&mut self) -> &mut bool {
        self.inner.get_mut()
    }

    /// See [`AtomicBool::into_inner`].
    pub const fn into_inner(self) -> bool {
        self.inner.into_inner()
    }

    /// See [`AtomicBool::as_ptr`].
    pub const fn as_ptr(&self) -> *mut bool {
        self.inner.as_ptr()
    }

    /// Records that it is about to become `true`, before anybody can see that, if that is what it becomes.
    fn about_to_be(&self, value: bool, place: &'static Location<'static>) {
        if value && !self.inner.load(Ordering::Relaxed) {
            self.record.cancel(place);
        }
    }
}

impl Default for StopFlag {
    #[track_caller]
    fn default() -> StopFlag {
        StopFlag::new(false)
    }
}

impl From<bool> for StopFlag {
    #[track_caller]
    fn from(value: bool) -> StopFlag {
        StopFlag::new(value)
    }
}

impl fmt::Debug for StopFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
