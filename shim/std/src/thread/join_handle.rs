//! Instrumented [`JoinHandle`](real::JoinHandle).

use core::fmt;
use core::panic::Location;

use conccheck_rt::thread::{Child, JoinRight};
use real_std::thread as real;

use super::{Result, Thread};

/// Instrumented [`std::thread::JoinHandle`](real::JoinHandle).
pub struct JoinHandle<T> {
    right: JoinRight,
    thread: Thread,
    inner: real::JoinHandle<T>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(child: Child, inner: real::JoinHandle<T>) -> JoinHandle<T> {
        let thread = Thread::conccheck_new(inner.thread().clone(), child.number());
        JoinHandle { right: JoinRight::new(child), thread, inner }
    }

    /// See [`std::thread::JoinHandle::thread`](real::JoinHandle::thread).
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// See [`std::thread::JoinHandle::join`](real::JoinHandle::join).
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let place = Location::caller();
        if !self.inner.is_finished() {
            self.right.child().join_request(place);
        }
        let result = self.inner.join();
        self.right.child().joined(place);
        result
    }

    /// See [`std::thread::JoinHandle::is_finished`](real::JoinHandle::is_finished).
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let finished = self.inner.is_finished();
        if finished {
            self.right.child().found_ended(Location::caller());
        }
        finished
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(unix)]
impl<T> real_std::os::unix::thread::JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> real_std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> real_std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}

#[cfg(windows)]
mod windows {
    use real_std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle};

    use super::JoinHandle;

    impl<T> AsRawHandle for JoinHandle<T> {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl<T> IntoRawHandle for JoinHandle<T> {
        fn into_raw_handle(self) -> RawHandle {
            self.inner.into_raw_handle()
        }
    }

    impl<T> AsHandle for JoinHandle<T> {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl<T> From<JoinHandle<T>> for OwnedHandle {
        fn from(handle: JoinHandle<T>) -> OwnedHandle {
            handle.inner.into()
        }
    }
}
