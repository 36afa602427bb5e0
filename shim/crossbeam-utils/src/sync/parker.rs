//! Instrumented [`Parker`](real::Parker) and [`Unparker`](real::Unparker).
//!
//! Recorded as the parking of the thread that uses the parker: the one that parked by it last. A token that is given before is one for
//! whoever will, since a parker is often made by another thread.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use conccheck_rt::{ThreadId, recorder, thread as rt};
use crossbeam_utils_orig::sync as real;

/// Instrumented [`crossbeam_utils::sync::Parker`](real::Parker).
pub struct Parker {
    unparker: Unparker,
    // As in the original: only one thread at a time may park.
    _not_sync: PhantomData<*const ()>,
}

/// Instrumented [`crossbeam_utils::sync::Unparker`](real::Unparker).
pub struct Unparker {
    shared: Arc<Shared>,
}

/// What a parker and its unparkers share. It lies in one allocation, since all of them can become a raw pointer and be made from one.
struct Shared {
    parker: real::Parker,
    /// The number of the thread that parked last; none yet: [`ThreadId::NONE`].
    user: AtomicU32,
}

#[expect(unsafe_code, reason = "the original promises the same for its parker")]
// SAFETY: the original parker may be sent, and nothing in `Shared` belongs to a thread.
unsafe impl Send for Shared {}
#[expect(unsafe_code, reason = "the original's parker is not `Sync`, its unparker is")]
// SAFETY: of the original parker only the `Parker` calls what is not the unparker's, and it is neither `Sync` nor `Clone`.
unsafe impl Sync for Shared {}
#[expect(unsafe_code, reason = "as in the original")]
// SAFETY: as the original's; its marker is there for `Sync` alone.
unsafe impl Send for Parker {}

fn current() -> u32 {
    if recorder::is_on() { recorder::thread().0 } else { ThreadId::NONE.0 }
}

impl Parker {
    /// See [`crossbeam_utils::sync::Parker::new`](real::Parker::new).
    pub fn new() -> Parker {
        let shared = Arc::new(Shared { parker: real::Parker::new(), user: AtomicU32::new(ThreadId::NONE.0) });
        Parker { unparker: Unparker { shared }, _not_sync: PhantomData }
    }

    fn park_by(&self, timed: bool, place: &'static Location<'static>, park: impl FnOnce(&real::Parker)) {
        let shared = &self.unparker.shared;
        shared.user.store(current(), Ordering::Relaxed);
        rt::parking(timed, place);
        park(&shared.parker);
        rt::unparked();
    }

    /// See [`crossbeam_utils::sync::Parker::park`](real::Parker::park).
    #[track_caller]
    pub fn park(&self) {
        self.park_by(false, Location::caller(), real::Parker::park);
    }

    /// See [`crossbeam_utils::sync::Parker::park_timeout`](real::Parker::park_timeout).
    #[track_caller]
    pub fn park_timeout(&self, timeout: Duration) {
        self.park_by(true, Location::caller(), |parker| parker.park_timeout(timeout));
    }

    /// See [`crossbeam_utils::sync::Parker::park_deadline`](real::Parker::park_deadline).
    #[cfg(not(conccheck_before = "0.8.0"))]
    #[track_caller]
    pub fn park_deadline(&self, deadline: Instant) {
        self.park_by(true, Location::caller(), |parker| parker.park_deadline(deadline));
    }

    /// See [`crossbeam_utils::sync::Parker::unparker`](real::Parker::unparker).
    pub fn unparker(&self) -> &Unparker {
        &self.unparker
    }

    /// See [`crossbeam_utils::sync::Parker::into_raw`](real::Parker::into_raw).
    pub fn into_raw(this: Parker) -> *const () {
        Unparker::into_raw(this.unparker)
    }

    /// See [`crossbeam_utils::sync::Parker::from_raw`](real::Parker::from_raw).
    ///
    /// # Safety
    /// As the original's.
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn from_raw(ptr: *const ()) -> Parker {
        // SAFETY: as the caller promises.
        Parker { unparker: unsafe { Unparker::from_raw(ptr) }, _not_sync: PhantomData }
    }
}

impl Unparker {
    /// See [`crossbeam_utils::sync::Unparker::unpark`](real::Unparker::unpark).
    #[track_caller]
    pub fn unpark(&self) {
        rt::unpark(ThreadId(self.shared.user.load(Ordering::Relaxed)), Location::caller());
        self.shared.parker.unparker().unpark();
    }

    /// See [`crossbeam_utils::sync::Unparker::into_raw`](real::Unparker::into_raw).
    pub fn into_raw(this: Unparker) -> *const () {
        Arc::into_raw(this.shared).cast()
    }

    /// See [`crossbeam_utils::sync::Unparker::from_raw`](real::Unparker::from_raw).
    ///
    /// # Safety
    /// As the original's.
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn from_raw(ptr: *const ()) -> Unparker {
        // SAFETY: the caller promises that it is from `into_raw`, so from `Arc::into_raw`.
        Unparker { shared: unsafe { Arc::from_raw(ptr.cast()) } }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Parker::new()
    }
}

impl Clone for Unparker {
    fn clone(&self) -> Unparker {
        Unparker { shared: Arc::clone(&self.shared) }
    }
}

impl fmt::Debug for Parker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unparker.shared.parker.fmt(f)
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.parker.unparker().fmt(f)
    }
}
