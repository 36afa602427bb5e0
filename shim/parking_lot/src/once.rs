//! Instrumented [`Once`](real::Once).

use std::any::type_name;
use std::fmt;
use std::panic::Location;

use conccheck_rt::once as rt;
use parking_lot_orig::{self as real, OnceState};

/// Instrumented [`parking_lot::Once`](real::Once).
pub struct Once {
    record: rt::Once,
    inner: real::Once,
}

impl Once {
    /// See [`parking_lot::Once::new`](real::Once::new).
    #[track_caller]
    #[inline]
    pub const fn new() -> Once {
        Once { record: rt::Once::new(), inner: real::Once::new() }
    }

    /// See [`parking_lot::Once::new_completed`](real::Once::new_completed).
    #[cfg(conccheck_original = "0.13")]
    #[track_caller]
    #[inline]
    pub const fn new_completed() -> Once {
        Once { record: rt::Once::new(), inner: real::Once::new_completed() }
    }

    /// See [`parking_lot::Once::is_completed`](real::Once::is_completed).
    #[cfg(conccheck_original = "0.13")]
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        let done = self.inner.is_completed();
        if done {
            self.record.found(Location::caller(), type_name::<()>);
        }
        done
    }

    /// See [`parking_lot::Once::wait`](real::Once::wait).
    #[cfg(conccheck_original = "0.13")]
    #[track_caller]
    pub fn wait(&self) {
        self.wait_by(real::Once::wait, Location::caller());
    }

    /// See [`parking_lot::Once::wait_force`](real::Once::wait_force).
    #[cfg(conccheck_original = "0.13")]
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_by(real::Once::wait_force, Location::caller());
    }

    #[cfg(conccheck_original = "0.13")]
    fn wait_by(&self, wait: fn(&real::Once), place: &'static Location<'static>) {
        if self.inner.is_completed() {
            return self.record.found(place, type_name::<()>);
        }
        self.record.request(place, type_name::<()>);
        wait(&self.inner);
        self.record.waited(place, type_name::<()>);
    }

    /// See [`parking_lot::Once::state`](real::Once::state).
    #[track_caller]
    pub fn state(&self) -> OnceState {
        let state = self.inner.state();
        if state.done() {
            self.record.found(Location::caller(), type_name::<()>);
        }
        state
    }

    /// See [`parking_lot::Once::call_once`](real::Once::call_once).
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        self.call_by(Location::caller(), |begun| {
            self.inner.call_once(|| {
                let _running = begun();
                f();
            });
        });
    }

    /// See [`parking_lot::Once::call_once_force`](real::Once::call_once_force).
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(OnceState),
    {
        self.call_by(Location::caller(), |begun| {
            self.inner.call_once_force(|state| {
                let _running = begun();
                f(state);
            });
        });
    }

    fn call_by(&self, place: &'static Location<'static>, call: impl FnOnce(&mut dyn FnMut() -> rt::Running)) {
        if self.inner.state().done() {
            return self.record.found(place, type_name::<()>);
        }
        self.record.initialise(place, type_name::<()>, call);
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
