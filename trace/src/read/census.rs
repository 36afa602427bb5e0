//! What is found out of the events as a trace is opened, since all of them are passed anyway.

use std::collections::BTreeSet;

use crate::event::Event;
use crate::ids::ObjectId;

/// What kinds of events there are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Census {
    /// The locks that a condition variable was waited for with.
    pub waited_with: BTreeSet<ObjectId>,
    /// Whether a thread ever gave up its turn or slept, as one does that polls something that is not recorded.
    pub pauses: bool,
}

impl Census {
    #[inline]
    pub(crate) fn note(&mut self, event: &Event) {
        match *event {
            Event::Wait { lock, .. } => {
                self.waited_with.insert(lock);
            }
            Event::Yield { .. } | Event::Sleep { .. } => self.pauses = true,
            _ => {}
        }
    }
}
