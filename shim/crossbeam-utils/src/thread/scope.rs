//! Instrumented [`scope`](real::scope) and [`Scope`](real::Scope).

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::thread;

use conccheck_rt::thread::Children;
use crossbeam_utils_orig::thread as real;

use super::{ScopedJoinHandle, ScopedThreadBuilder};

/// Instrumented [`crossbeam_utils::thread::Scope`](real::Scope).
pub struct Scope<'env> {
    /// The original, which outlives this one: it is lent to the closure in which this one lives. Its lifetime has no name here.
    inner: *const real::Scope<'env>,
    children: Arc<Children>,
    env: PhantomData<&'env mut &'env ()>,
}

#[expect(unsafe_code, reason = "the pointer is a reference without a lifetime")]
// SAFETY: as `&real::Scope`, which is `Send`, since the original is `Sync`.
unsafe impl Send for Scope<'_> {}
#[expect(unsafe_code, reason = "the pointer is a reference without a lifetime")]
// SAFETY: as `&real::Scope`, which is `Sync`, since the original is.
unsafe impl Sync for Scope<'_> {}

/// See [`crossbeam_utils::thread::scope`](real::scope).
#[track_caller]
pub fn scope<'env, F, R>(f: F) -> thread::Result<R>
where
    F: FnOnce(&Scope<'env>) -> R,
{
    let end = End { children: Arc::new(Children::new()), place: Location::caller() };
    real::scope(|inner| {
        let _requests = RequestsAtEnd(&end);
        Scope::within(inner, Arc::clone(&end.children), f)
    })
}

/// The end of a scope, which is when its last thread ended: records that, also where the scope's closure panics.
struct End {
    children: Arc<Children>,
    place: &'static Location<'static>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.children.joined(self.place);
    }
}

/// Records what the scope's end waits for, also where the scope's closure panics.
struct RequestsAtEnd<'a>(&'a End);

impl Drop for RequestsAtEnd<'_> {
    fn drop(&mut self) {
        self.0.children.join_request(self.0.place);
    }
}

impl<'env> Scope<'env> {
    /// Runs `f` with the scope that stands for `inner`.
    pub(super) fn within<R>(inner: &real::Scope<'env>, children: Arc<Children>, f: impl FnOnce(&Scope<'env>) -> R) -> R {
        f(&Scope { inner, children, env: PhantomData })
    }

    #[expect(unsafe_code, reason = "the pointer is a reference without a lifetime")]
    pub(super) fn inner(&self) -> &real::Scope<'env> {
        // SAFETY: `within` made it from a reference that is good for as long as this lives.
        unsafe { &*self.inner }
    }

    pub(super) fn children(&self) -> &Arc<Children> {
        &self.children
    }

    /// See [`crossbeam_utils::thread::Scope::spawn`](real::Scope::spawn).
    #[track_caller]
    pub fn spawn<'scope, F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Scope<'env>) -> T,
        F: Send + 'env,
        T: Send + 'env,
    {
        self.builder().spawn(f).expect("failed to spawn scoped thread")
    }

    /// See [`crossbeam_utils::thread::Scope::builder`](real::Scope::builder).
    pub fn builder<'scope>(&'scope self) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder::new(self)
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}
