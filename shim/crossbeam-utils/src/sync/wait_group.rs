//! Instrumented [`WaitGroup`](real::WaitGroup).
//!
//! Recorded as a channel of its own kind, without messages: each member of the group is a sender, and who waits for the group receives
//! until all senders are gone.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use conccheck_rt::mpsc::{self as rt, Handle};
use crossbeam_utils_orig::sync as real;

/// Instrumented [`crossbeam_utils::sync::WaitGroup`](real::WaitGroup).
// Fields drop in this order, so that the member's end is recorded before it can end a wait.
pub struct WaitGroup {
    member: Handle,
    /// What all members share, the end that waits.
    end: Arc<Handle>,
    inner: real::WaitGroup,
}

impl WaitGroup {
    /// See [`crossbeam_utils::sync::WaitGroup::new`](real::WaitGroup::new).
    #[track_caller]
    pub fn new() -> Self {
        let (member, end) = rt::new_wait_group();
        WaitGroup { member, end: Arc::new(end), inner: real::WaitGroup::new() }
    }

    /// See [`crossbeam_utils::sync::WaitGroup::wait`](real::WaitGroup::wait).
    #[track_caller]
    pub fn wait(self) {
        let place = Location::caller();
        let WaitGroup { member, end, inner } = self;
        drop(member);
        if Arc::strong_count(&end) > 1 {
            end.recv_request(false, place);
        }
        inner.wait();
        end.recv_failed(true, place);
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> Self {
        WaitGroup::new()
    }
}

impl Clone for WaitGroup {
    #[track_caller]
    fn clone(&self) -> WaitGroup {
        WaitGroup { member: self.member.clone(), end: Arc::clone(&self.end), inner: self.inner.clone() }
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
