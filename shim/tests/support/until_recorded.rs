//! Waiting for an event within a recorded program.

use std::path::Path;

use conccheck_trace::event::Event;
use conccheck_trace::read::{self, ProcessTrace};

/// In a program: goes on when an event of this process is in its trace.
pub(crate) fn until_recorded(is_it: impl Fn(&Event) -> bool) {
    let folder = std::env::var_os("CONCCHECK_TRACE").expect("within a recorded program");
    let seen = |trace: &ProcessTrace| trace.threads().into_iter().any(|id| trace.events(id).any(|record| is_it(&record.event)));
    while !read::open(Path::new(&folder)).is_ok_and(|traces| traces.iter().any(seen)) {
        std::thread::yield_now();
    }
}
