//! Instrumented [`OnceLock`](real::OnceLock).

use core::any::type_name;
use core::fmt;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use conccheck_rt::once as rt;
use real_std::sync as real;

/// Instrumented [`std::sync::OnceLock`](real::OnceLock).
pub struct OnceLock<T> {
    record: rt::Once,
    inner: real::OnceLock<T>,
}

impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// See [`std::sync::OnceLock::new`](real::OnceLock::new).
    #[track_caller]
    #[inline]
    #[must_use]
    pub const fn new() -> OnceLock<T> {
        OnceLock { record: rt::Once::new(), inner: real::OnceLock::new() }
    }

    /// See [`std::sync::OnceLock::get`](real::OnceLock::get).
    #[track_caller]
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let value = self.inner.get();
        if value.is_some() {
            self.record.found(Location::caller(), type_name::<T>);
        }
        value
    }

    /// See [`std::sync::OnceLock::get_mut`](real::OnceLock::get_mut).
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// See [`std::sync::OnceLock::wait`](real::OnceLock::wait).
    #[track_caller]
    pub fn wait(&self) -> &T {
        let place = Location::caller();
        if let Some(value) = self.get() {
            return value;
        }
        self.record.request(place, type_name::<T>);
        let value = self.inner.wait();
        self.record.waited(place, type_name::<T>);
        value
    }

    /// See [`std::sync::OnceLock::set`](real::OnceLock::set).
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("the initialiser runs once"));
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// See [`std::sync::OnceLock::get_or_init`](real::OnceLock::get_or_init).
    #[track_caller]
    #[inline]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.get() {
            Some(value) => value,
            None => self.init(f, Location::caller()),
        }
    }

    #[cold]
    fn init(&self, f: impl FnOnce() -> T, place: &'static Location<'static>) -> &T {
        self.record.initialise(place, type_name::<T>, |begin| {
            self.inner.get_or_init(|| {
                let _running = begin();
                f()
            })
        })
    }

    /// See [`std::sync::OnceLock::into_inner`](real::OnceLock::into_inner).
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// See [`std::sync::OnceLock::take`](real::OnceLock::take).
    ///
    /// To the recorder the emptied cell is a new one, created here: what was seen of the old value says nothing about the next.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        let value = self.inner.take();
        if value.is_some() {
            self.record = rt::Once::new();
        }
        value
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> OnceLock<T> {
        OnceLock { record: rt::Once::new(), inner: self.inner.clone() }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        OnceLock { record: rt::Once::new(), inner: real::OnceLock::from(value) }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
