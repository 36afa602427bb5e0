//! Instrumented [`ScopedThreadBuilder`](real::ScopedThreadBuilder).

use std::fmt;
use std::io;
use std::panic::Location;
use std::string::String;
use std::sync::Arc;

use conccheck_rt::thread::Child;
use crossbeam_utils_orig::thread as real;

use super::{Scope, ScopedJoinHandle};

/// Instrumented [`crossbeam_utils::thread::ScopedThreadBuilder`](real::ScopedThreadBuilder).
pub struct ScopedThreadBuilder<'scope, 'env> {
    scope: &'scope Scope<'env>,
    inner: real::ScopedThreadBuilder<'scope, 'env>,
}

impl<'scope, 'env> ScopedThreadBuilder<'scope, 'env> {
    pub(super) fn new(scope: &'scope Scope<'env>) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder { scope, inner: scope.inner().builder() }
    }

    /// See [`crossbeam_utils::thread::ScopedThreadBuilder::name`](real::ScopedThreadBuilder::name).
    #[must_use]
    pub fn name(self, name: String) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder { inner: self.inner.name(name), ..self }
    }

    /// See [`crossbeam_utils::thread::ScopedThreadBuilder::stack_size`](real::ScopedThreadBuilder::stack_size).
    #[must_use]
    pub fn stack_size(self, size: usize) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder { inner: self.inner.stack_size(size), ..self }
    }

    /// See [`crossbeam_utils::thread::ScopedThreadBuilder::spawn`](real::ScopedThreadBuilder::spawn).
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce(&Scope<'env>) -> T,
        F: Send + 'env,
        T: Send + 'env,
    {
        let place = Location::caller();
        let child = Child::spawn(true, place);
        let children = Arc::clone(self.scope.children());
        let started = self.inner.spawn({
            let child = child.clone();
            move |inner| {
                let _running = child.run();
                Scope::within(inner, children, f)
            }
        });
        match started {
            Ok(inner) => {
                self.scope.children().add(child.clone());
                Ok(ScopedJoinHandle::new(child, inner))
            }
            Err(error) => {
                child.found_ended(place);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for ScopedThreadBuilder<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
