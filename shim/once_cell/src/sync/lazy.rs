//! Instrumented [`Lazy`](once_cell_orig::sync::Lazy).
//!
//! The original takes the initialiser's own type, which leaves no room to see it run, so this one is built from the instrumented
//! [`OnceCell`] and has the original's rules: the initialiser runs once, and if it panics the value is poisoned for good.

use core::fmt;
use core::ops::Deref;
#[cfg(not(conccheck_before = "1.1.0"))]
use core::ops::DerefMut;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Mutex, PoisonError};

use super::OnceCell;

/// Instrumented [`once_cell::sync::Lazy`](once_cell_orig::sync::Lazy).
pub struct Lazy<T, F = fn() -> T> {
    cell: OnceCell<T>,
    /// Taken when it runs. The lock is held to take it only.
    init: Mutex<Option<F>>,
}

impl<T, F: RefUnwindSafe> RefUnwindSafe for Lazy<T, F> where OnceCell<T>: RefUnwindSafe {}
// The original keeps the initialiser in a `Cell`, which says less than a `Mutex` does.
impl<T, F: UnwindSafe> UnwindSafe for Lazy<T, F> where OnceCell<T>: UnwindSafe {}

#[cold]
fn panic_poisoned() -> ! {
    panic!("Lazy instance has previously been poisoned")
}

impl<T, F> Lazy<T, F> {
    /// See [`once_cell::sync::Lazy::new`](once_cell_orig::sync::Lazy::new).
    #[track_caller]
    pub const fn new(f: F) -> Lazy<T, F> {
        Lazy { cell: OnceCell::new(), init: Mutex::new(Some(f)) }
    }

    /// See [`once_cell::sync::Lazy::into_value`](once_cell_orig::sync::Lazy::into_value).
    pub fn into_value(this: Lazy<T, F>) -> Result<T, F> {
        let Lazy { cell, init } = this;
        let init = init.into_inner().unwrap_or_else(PoisonError::into_inner);
        cell.into_inner().ok_or_else(|| init.unwrap_or_else(|| panic_poisoned()))
    }
}

impl<T, F: FnOnce() -> T> Lazy<T, F> {
    fn initialiser(&self) -> F {
        let init = self.init.lock().unwrap_or_else(PoisonError::into_inner).take();
        init.unwrap_or_else(|| panic_poisoned())
    }

    /// See [`once_cell::sync::Lazy::force`](once_cell_orig::sync::Lazy::force).
    #[track_caller]
    pub fn force(this: &Lazy<T, F>) -> &T {
        this.cell.get_or_init(|| this.initialiser()())
    }

    /// See [`once_cell::sync::Lazy::get`](once_cell_orig::sync::Lazy::get).
    #[track_caller]
    pub fn get(this: &Lazy<T, F>) -> Option<&T> {
        this.cell.get()
    }
}

#[cfg(not(conccheck_before = "1.1.0"))]
impl<T, F: FnOnce() -> T> Lazy<T, F> {
    /// See [`once_cell::sync::Lazy::force_mut`](once_cell_orig::sync::Lazy::force_mut).
    #[track_caller]
    pub fn force_mut(this: &mut Lazy<T, F>) -> &mut T {
        if this.cell.get_mut().is_none() {
            this.cell = OnceCell::from(this.initialiser()());
        }
        this.cell.get_mut().unwrap_or_else(|| panic_poisoned())
    }

    /// See [`once_cell::sync::Lazy::get_mut`](once_cell_orig::sync::Lazy::get_mut).
    pub fn get_mut(this: &mut Lazy<T, F>) -> Option<&mut T> {
        this.cell.get_mut()
    }
}

impl<T, F: FnOnce() -> T> Deref for Lazy<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        Lazy::force(self)
    }
}

#[cfg(not(conccheck_before = "1.1.0"))]
impl<T, F: FnOnce() -> T> DerefMut for Lazy<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Lazy::force_mut(self)
    }
}

impl<T: Default> Default for Lazy<T> {
    #[track_caller]
    fn default() -> Lazy<T> {
        Lazy::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Lazy<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").field("cell", &self.cell).field("init", &"..").finish()
    }
}
