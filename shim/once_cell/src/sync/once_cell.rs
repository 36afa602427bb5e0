//! Instrumented [`OnceCell`](real::OnceCell).

use core::any::type_name;
use core::convert::Infallible;
use core::fmt;
use core::panic::Location;

use conccheck_rt::once as rt;
use once_cell_orig::sync as real;

/// Instrumented [`once_cell::sync::OnceCell`](real::OnceCell).
pub struct OnceCell<T> {
    record: rt::Once,
    inner: real::OnceCell<T>,
}

impl<T> OnceCell<T> {
    /// See [`once_cell::sync::OnceCell::new`](real::OnceCell::new).
    #[track_caller]
    pub const fn new() -> OnceCell<T> {
        OnceCell { record: rt::Once::new(), inner: real::OnceCell::new() }
    }

    /// See [`once_cell::sync::OnceCell::with_value`](real::OnceCell::with_value).
    #[cfg(not(conccheck_before = "1.12.0"))]
    #[track_caller]
    pub const fn with_value(value: T) -> OnceCell<T> {
        OnceCell { record: rt::Once::new(), inner: real::OnceCell::with_value(value) }
    }

    /// See [`once_cell::sync::OnceCell::get`](real::OnceCell::get).
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let value = self.inner.get();
        if value.is_some() {
            self.record.found(Location::caller(), type_name::<T>);
        }
        value
    }

    /// See [`once_cell::sync::OnceCell::wait`](real::OnceCell::wait).
    #[cfg(not(conccheck_before = "1.12.0"))]
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

    /// See [`once_cell::sync::OnceCell::get_mut`](real::OnceCell::get_mut).
    #[cfg(not(conccheck_before = "1.1.0"))]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// See [`once_cell::sync::OnceCell::get_unchecked`](real::OnceCell::get_unchecked).
    ///
    /// # Safety
    /// As the original's.
    #[cfg(not(conccheck_before = "1.2.0"))]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: as the caller promises.
        unsafe { self.inner.get_unchecked() }
    }

    /// See [`once_cell::sync::OnceCell::set`](real::OnceCell::set).
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        self.try_insert(value).map(|_| ()).map_err(|(_, value)| value)
    }

    /// See [`once_cell::sync::OnceCell::try_insert`](real::OnceCell::try_insert).
    #[track_caller]
    pub fn try_insert(&self, value: T) -> Result<&T, (&T, T)> {
        let mut value = Some(value);
        let found = self.get_or_init(|| value.take().expect("the initialiser runs once"));
        match value {
            None => Ok(found),
            Some(value) => Err((found, value)),
        }
    }

    /// See [`once_cell::sync::OnceCell::get_or_init`](real::OnceCell::get_or_init).
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        let Ok(value) = self.get_or_try_init(|| Ok::<T, Infallible>(f()));
        value
    }

    /// See [`once_cell::sync::OnceCell::get_or_try_init`](real::OnceCell::get_or_try_init).
    #[track_caller]
    pub fn get_or_try_init<F, E>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Result<T, E>,
    {
        match self.get() {
            Some(value) => Ok(value),
            None => self.init(f, Location::caller()),
        }
    }

    #[cold]
    fn init<E>(&self, f: impl FnOnce() -> Result<T, E>, place: &'static Location<'static>) -> Result<&T, E> {
        self.record.initialise(place, type_name::<T>, |begin| {
            self.inner.get_or_try_init(|| {
                let _running = begin();
                f()
            })
        })
    }

    /// See [`once_cell::sync::OnceCell::take`](real::OnceCell::take).
    ///
    /// To the recorder the emptied cell is a new one, created here: what was seen of the old value says nothing about the next.
    #[cfg(not(conccheck_before = "1.4.0"))]
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        let value = self.inner.take();
        if value.is_some() {
            self.record = rt::Once::new();
        }
        value
    }

    /// See [`once_cell::sync::OnceCell::into_inner`](real::OnceCell::into_inner).
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        OnceCell { record: rt::Once::new(), inner: self.inner.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.inner.clone_from(&source.inner);
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        OnceCell { record: rt::Once::new(), inner: real::OnceCell::from(value) }
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceCell<T> {}
