//! The way into the trace: one call records one event of the calling thread.

use std::panic::Location;

use conccheck_trace::{Event, SiteId, StringId, ThreadId};

/// Whether anything is recorded at all. Constant after the first event of the process (but for a failure).
pub fn is_on() -> bool {
    false
}

/// Records an event of the calling thread, now.
pub fn emit(event: Event) {
    let _ = event;
}

/// The calling thread's number; given out at the first call. `NONE` where nothing is recorded.
pub fn thread() -> ThreadId {
    ThreadId::NONE
}

/// A number for a thread that is about to be started, to be adopted by it with [`adopt`].
pub fn new_thread() -> ThreadId {
    ThreadId::NONE
}

/// Makes the calling thread, which has recorded nothing yet, the one that [`new_thread`] numbered, and records its `Start`.
pub fn adopt(thread: ThreadId, parent: ThreadId, name: Option<&str>) {
    let _ = (thread, parent, name);
}

/// The number of a place in the source.
pub fn site(place: &'static Location<'static>) -> SiteId {
    let _ = place;
    SiteId::NONE
}

/// The number of a string that lives as long as the program, such as a type's name.
pub fn string(text: &'static str) -> StringId {
    let _ = text;
    StringId::NONE
}

/// A fresh number for a channel's handle.
pub fn new_handle() -> conccheck_trace::HandleId {
    conccheck_trace::HandleId::NONE
}
