//! Instrumented [`scope`](real::scope), [`Scope`](real::Scope) and [`ScopedJoinHandle`](real::ScopedJoinHandle).

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr;

use conccheck_rt::thread::{Child, Children};
use real_std::boxed::Box;
use real_std::thread as real;

use super::{Builder, Result, Thread};

/// Instrumented [`std::thread::Scope`](real::Scope).
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope real::Scope<'scope, 'env>,
    children: Children,
    // The original is not `UnwindSafe`.
    env: PhantomData<&'env mut &'env ()>,
}

/// Instrumented [`std::thread::ScopedJoinHandle`](real::ScopedJoinHandle).
pub struct ScopedJoinHandle<'scope, T> {
    child: Child,
    thread: Thread,
    inner: real::ScopedJoinHandle<'scope, T>,
}

/// See [`std::thread::scope`](real::scope).
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let home = Home { scope: Cell::new(ptr::null_mut()), place: Location::caller() };
    real::scope(|inner| {
        let scope = home.settle(inner);
        let _requests = RequestsAtEnd { scope, place: home.place };
        f(scope)
    })
}

/// Owns a [`Scope`] from before the original's scope begins until after it ended, which is when its last thread ended.
struct Home<'env> {
    scope: Cell<*mut Scope<'env, 'env>>,
    place: &'static Location<'static>,
}

impl<'env> Home<'env> {
    #[expect(unsafe_code, reason = "'scope ends when the original's scope ends, which no owner but this can be told")]
    fn settle<'scope>(&self, inner: &'scope real::Scope<'scope, 'env>) -> &'scope Scope<'scope, 'env> {
        let scope = Box::into_raw(Box::new(Scope { inner, children: Children::new(), env: PhantomData }));
        self.scope.set(scope.cast());
        // SAFETY: `scope` is initialised, is only ever lent shared, and is freed after the original's scope, hence after 'scope.
        unsafe { &*scope }
    }
}

impl Drop for Home<'_> {
    #[expect(unsafe_code, reason = "frees what `settle` allocated")]
    fn drop(&mut self) {
        if !self.scope.get().is_null() {
            // SAFETY: `settle` made it by `Box::into_raw`. The original's scope is over, so nobody holds a reference to it, and the
            // lifetimes that its type has here are not relied on: `inner`, which may dangle now, is not looked at.
            let scope = unsafe { Box::from_raw(self.scope.get()) };
            scope.children.joined(self.place);
        }
    }
}

/// Records what the scope's end waits for, also where the scope's closure panics.
struct RequestsAtEnd<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    place: &'static Location<'static>,
}

impl Drop for RequestsAtEnd<'_, '_> {
    fn drop(&mut self) {
        self.scope.children.join_request(self.place);
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    pub(super) fn inner(&self) -> &'scope real::Scope<'scope, 'env> {
        self.inner
    }

    pub(super) fn adopt<T>(&self, child: Child, inner: real::ScopedJoinHandle<'scope, T>) -> ScopedJoinHandle<'scope, T> {
        self.children.add(child.clone());
        let thread = Thread::conccheck_new(inner.thread().clone(), child.number());
        ScopedJoinHandle { child, thread, inner }
    }

    /// See [`std::thread::Scope::spawn`](real::Scope::spawn).
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    /// See [`std::thread::ScopedJoinHandle::thread`](real::ScopedJoinHandle::thread).
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// See [`std::thread::ScopedJoinHandle::join`](real::ScopedJoinHandle::join).
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let place = Location::caller();
        if !self.inner.is_finished() {
            self.child.join_request(place);
        }
        let result = self.inner.join();
        self.child.joined(place);
        result
    }

    /// See [`std::thread::ScopedJoinHandle::is_finished`](real::ScopedJoinHandle::is_finished).
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let finished = self.inner.is_finished();
        if finished {
            self.child.found_ended(Location::caller());
        }
        finished
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
