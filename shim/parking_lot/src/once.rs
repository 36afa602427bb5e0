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
        self.record.request(place, type_name::<()>);
        let mut ran = false;
        call(&mut || {
            ran = true;
            self.record.begin(place, type_name::<()>)
        });
        if !ran {
            self.record.waited(place, type_name::<()>);
        }
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
