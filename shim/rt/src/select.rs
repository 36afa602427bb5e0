//! What a selection among several operations on channels records: what it waits for, and that it ended.

use std::panic::Location;

use conccheck_trace::Event;

use crate::mpsc::Handle;
use crate::recorder;

/// Records that the thread is about to wait until one of the handles can be used. `timed`: a limit or a timer ends the wait. Without
/// a handle and a limit it never ends.
pub fn request<'a>(handles: impl Iterator<Item = &'a Handle>, timed: bool, place: &'static Location<'static>) {
    if recorder::is_on() {
        let site = recorder::site(place);
        let mut cases = 0;
        for handle in handles {
            handle.select_case();
            cases += 1;
        }
        recorder::emit(Event::SelectRequest { site, cases, timed });
    }
}

/// Records that the limit of a selection from these handles ended it. Call it behind [`selected`].
pub fn expired<'a>(handles: impl Iterator<Item = &'a Handle>, place: &'static Location<'static>) {
    handles.for_each(|handle| handle.gave_up(place));
}

/// Records that a selection ended. The operation that was selected, if any, is to be recorded next. `others`: the selection might have
/// ended in another way.
pub fn selected(others: bool, place: &'static Location<'static>) {
    if recorder::is_on() {
        recorder::emit(Event::Selected { site: recorder::site(place), others });
    }
}
