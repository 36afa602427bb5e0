//! What is found out of the events as a trace is opened, since all of them are passed anyway.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Event;
use crate::ids::ObjectId;

/// What kinds of events there are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Census {
    /// The locks that a condition variable was waited for with.
    pub waited_with: BTreeSet<ObjectId>,
    /// Whether a thread ever gave up its turn or slept, as one does that polls something that is not recorded.
    pub pauses: bool,
    /// The locks of which acquisitions were only counted, and how many.
    pub counted: BTreeMap<ObjectId, u64>,
}

impl Census {
    #[inline]
    pub(crate) fn note(&mut self, event: &Event) {
        match *event {
            Event::Wait { lock, .. } => {
                self.waited_with.insert(lock);
            }
            Event::Summary { lock, count, .. } => {
                let sum = self.counted.entry(lock).or_default();
                *sum = sum.saturating_add(count);
            }
            Event::Yield { .. } | Event::Sleep { .. } => self.pauses = true,
            _ => {}
        }
    }
}
