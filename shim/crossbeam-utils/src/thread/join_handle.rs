//! Instrumented [`ScopedJoinHandle`](real::ScopedJoinHandle).

use std::fmt;
use std::panic::Location;
use std::thread;

use conccheck_rt::thread::Child;
use conccheck_std::thread::Thread;
use crossbeam_utils_orig::thread as real;

/// Instrumented [`crossbeam_utils::thread::ScopedJoinHandle`](real::ScopedJoinHandle).
pub struct ScopedJoinHandle<'scope, T> {
    child: Child,
    thread: Thread,
    inner: real::ScopedJoinHandle<'scope, T>,
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    pub(super) fn new(child: Child, inner: real::ScopedJoinHandle<'scope, T>) -> Self {
        let thread = Thread::conccheck_new(inner.thread().clone(), child.number());
        ScopedJoinHandle { child, thread, inner }
    }

    /// See [`crossbeam_utils::thread::ScopedJoinHandle::join`](real::ScopedJoinHandle::join).
    #[track_caller]
    pub fn join(self) -> thread::Result<T> {
        let place = Location::caller();
        self.child.join_request(place);
        let result = self.inner.join();
        self.child.joined(place);
        result
    }

    /// See [`crossbeam_utils::thread::ScopedJoinHandle::thread`](real::ScopedJoinHandle::thread).
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(all(unix, not(conccheck_before = "0.8.0")))]
impl<T> std::os::unix::thread::JoinHandleExt for ScopedJoinHandle<'_, T> {
    fn as_pthread_t(&self) -> std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}

#[cfg(all(windows, not(conccheck_before = "0.8.0")))]
impl<T> std::os::windows::io::AsRawHandle for ScopedJoinHandle<'_, T> {
    fn as_raw_handle(&self) -> std::os::windows::io::RawHandle {
        self.inner.as_raw_handle()
    }
}

#[cfg(windows)]
impl<T> std::os::windows::io::IntoRawHandle for ScopedJoinHandle<'_, T> {
    fn into_raw_handle(self) -> std::os::windows::io::RawHandle {
        self.inner.into_raw_handle()
    }
}
