//! Instrumented [`LazyLock`](real::LazyLock).
//!
//! The original takes the initialiser's own type, which leaves no room to see it run, so this one is built from the original
//! `OnceLock` and has the original's rules: the initialiser runs once, and if it panics the value is poisoned for good.

use core::any::type_name;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use conccheck_rt::once as rt;
use real_std::sync as real;

use super::PoisonError;

/// Instrumented [`std::sync::LazyLock`](real::LazyLock).
pub struct LazyLock<T, F = fn() -> T> {
    record: rt::Once,
    value: real::OnceLock<T>,
    /// Taken when it runs. The value is poisoned if this is empty and so is `value`, with nobody at work.
    init: real::Mutex<Option<F>>,
}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

#[cold]
#[inline(never)]
fn panic_poisoned() -> ! {
    panic!("LazyLock instance has previously been poisoned")
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// See [`std::sync::LazyLock::new`](real::LazyLock::new).
    #[track_caller]
    #[inline]
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock { record: rt::Once::new(), value: real::OnceLock::new(), init: real::Mutex::new(Some(f)) }
    }

    /// See [`std::sync::LazyLock::force`](real::LazyLock::force).
    #[track_caller]
    #[inline]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        match LazyLock::get(this) {
            Some(value) => value,
            None => this.init(Location::caller()),
        }
    }

    #[cold]
    fn init(&self, place: &'static Location<'static>) -> &T {
        self.record.initialise(place, type_name::<T>, |begin| {
            self.value.get_or_init(|| {
                // The lock is held to take the initialiser only, not while it runs.
                let init = self.init.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(init) = init else { panic_poisoned() };
                let _running = begin();
                init()
            })
        })
    }

    /// See [`std::sync::LazyLock::force_mut`](real::LazyLock::force_mut).
    #[track_caller]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        if this.value.get().is_none() {
            this.init(Location::caller());
        }
        this.value.get_mut().unwrap_or_else(|| panic_poisoned())
    }
}

impl<T, F> LazyLock<T, F> {
    /// See [`std::sync::LazyLock::get_mut`](real::LazyLock::get_mut).
    #[inline]
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut()
    }

    /// See [`std::sync::LazyLock::get`](real::LazyLock::get).
    #[track_caller]
    #[inline]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        let value = this.value.get();
        if value.is_some() {
            this.record.found(Location::caller(), type_name::<T>);
        }
        value
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    #[inline]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[track_caller]
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    #[inline]
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match self.value.get() {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}
