//! Instrumented [`Builder`](real::Builder): every way to start a thread.

use core::fmt;
use core::panic::Location;

use conccheck_rt::thread::Child;
use real_std::io;
use real_std::string::String;
use real_std::thread as real;

use super::{JoinHandle, Scope, ScopedJoinHandle};

/// Instrumented [`std::thread::Builder`](real::Builder).
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    inner: real::Builder,
}

/// What a new thread runs: the user's closure, between the thread's first and last event.
fn recorded<F, T>(child: Child, f: F) -> impl FnOnce() -> T
where
    F: FnOnce() -> T,
{
    move || {
        let _running = child.run();
        f()
    }
}

impl Builder {
    /// See [`std::thread::Builder::new`](real::Builder::new).
    #[expect(clippy::new_without_default, reason = "the original has no Default either")]
    pub fn new() -> Builder {
        Builder { inner: real::Builder::new() }
    }

    /// See [`std::thread::Builder::name`](real::Builder::name).
    pub fn name(self, name: String) -> Builder {
        Builder { inner: self.inner.name(name) }
    }

    /// See [`std::thread::Builder::stack_size`](real::Builder::stack_size).
    pub fn stack_size(self, size: usize) -> Builder {
        Builder { inner: self.inner.stack_size(size) }
    }

    /// See [`std::thread::Builder::spawn`](real::Builder::spawn).
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send + 'static,
    {
        let place = Location::caller();
        let child = Child::spawn(false, place);
        match self.inner.spawn(recorded(child.clone(), f)) {
            Ok(inner) => Ok(JoinHandle::new(child, inner)),
            Err(error) => {
                child.found_ended(place);
                Err(error)
            }
        }
    }

    /// See [`std::thread::Builder::spawn_unchecked`](real::Builder::spawn_unchecked).
    ///
    /// # Safety
    ///
    /// As for the original: the thread must not outlive what its closure and its result borrow.
    #[track_caller]
    #[expect(unsafe_code, reason = "the original is unsafe")]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send,
        T: Send,
    {
        let place = Location::caller();
        let child = Child::spawn(false, place);
        // SAFETY: the caller promises what the original asks for; the recorded closure borrows nothing but what `f` borrows.
        match unsafe { self.inner.spawn_unchecked(recorded(child.clone(), f)) } {
            Ok(inner) => Ok(JoinHandle::new(child, inner)),
            Err(error) => {
                child.found_ended(place);
                Err(error)
            }
        }
    }

    /// See [`std::thread::Builder::spawn_scoped`](real::Builder::spawn_scoped).
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let place = Location::caller();
        let child = Child::spawn(true, place);
        match self.inner.spawn_scoped(scope.inner(), recorded(child.clone(), f)) {
            Ok(inner) => Ok(scope.adopt(child, inner)),
            Err(error) => {
                child.found_ended(place);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
