//! Instrumented [`Once`](real::Once).

use core::any::type_name;
use core::fmt;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use conccheck_rt::once as rt;
use real_std::sync as real;

use super::OnceState;

/// Instrumented [`std::sync::Once`](real::Once).
pub struct Once {
    record: rt::Once,
    inner: real::Once,
}

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

/// See [`std::sync::ONCE_INIT`](real::ONCE_INIT).
#[deprecated(since = "1.38.0", note = "the `Once::new()` function is now preferred")]
#[expect(clippy::declare_interior_mutable_const, reason = "std still has it")]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// See [`std::sync::Once::new`](real::Once::new).
    #[expect(clippy::new_without_default, reason = "the original has no Default either")]
    #[track_caller]
    #[inline]
    #[must_use]
    pub const fn new() -> Once {
        Once { record: rt::Once::new(), inner: real::Once::new() }
    }

    /// Whether it is done already; recorded if so.
    fn is_done(&self, place: &'static Location<'static>) -> bool {
        let done = self.inner.is_completed();
        if done {
            self.record.found(place, type_name::<()>);
        }
        done
    }

    /// See [`std::sync::Once::call_once`](real::Once::call_once).
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        let place = Location::caller();
        if self.is_done(place) {
            return;
        }
        self.record.initialise(place, type_name::<()>, |begin| {
            self.inner.call_once(|| {
                let _running = begin();
                f();
            });
        });
    }

    /// See [`std::sync::Once::call_once_force`](real::Once::call_once_force).
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        let place = Location::caller();
        if self.is_done(place) {
            return;
        }
        self.record.initialise(place, type_name::<()>, |begin| {
            self.inner.call_once_force(|state| {
                let _running = begin();
                f(state);
            });
        });
    }

    /// See [`std::sync::Once::is_completed`](real::Once::is_completed).
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.is_done(Location::caller())
    }

    /// See [`std::sync::Once::wait`](real::Once::wait).
    #[track_caller]
    pub fn wait(&self) {
        self.wait_by(real::Once::wait, Location::caller());
    }

    /// See [`std::sync::Once::wait_force`](real::Once::wait_force).
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_by(real::Once::wait_force, Location::caller());
    }

    fn wait_by(&self, wait: fn(&real::Once), place: &'static Location<'static>) {
        if !self.is_done(place) {
            self.record.request(place, type_name::<()>);
            wait(&self.inner);
            self.record.waited(place, type_name::<()>);
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
