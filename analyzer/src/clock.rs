//! Vector clocks: which event must have come before which.
//!
//! A component counts the events of one thread that are known to have come before. So an event's place is its number within its
//! thread, nothing has to be counted up when something is published, and clocks are shared until they change.

use std::rc::Rc;

/// For each thread (by dense index) how many of its events came before.
#[derive(Clone, Default, Debug)]
pub struct Clock(Option<Rc<Vec<u32>>>);

impl Clock {
    /// How many events of `thread` came before.
    #[inline]
    pub fn get(&self, thread: usize) -> u32 {
        self.0.as_ref().and_then(|counts| counts.get(thread)).copied().unwrap_or(0)
    }

    /// Whether they are one in memory, and so the same.
    #[inline]
    pub fn is_same(&self, other: &Clock) -> bool {
        match (&self.0, &other.0) {
            (Some(ours), Some(theirs)) => Rc::ptr_eq(ours, theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        }
    }

    /// The first `count` events of `thread` came before.
    pub fn raise(&mut self, thread: usize, count: u32) {
        if self.get(thread) >= count {
            return;
        }
        let counts = Rc::make_mut(self.0.get_or_insert_default());
        if counts.len() <= thread {
            counts.resize(thread + 1, 0);
        }
        counts[thread] = count;
    }

    /// All that came before `other` came before.
    pub fn join(&mut self, other: &Clock) {
        let Some(theirs) = &other.0 else { return };
        match &mut self.0 {
            None => self.0 = Some(Rc::clone(theirs)),
            Some(ours) if Rc::ptr_eq(ours, theirs) => {}
            Some(ours) => {
                if theirs.iter().enumerate().all(|(i, count)| ours.get(i).copied().unwrap_or(0) >= *count) {
                    return;
                }
                let ours = Rc::make_mut(ours);
                if ours.len() < theirs.len() {
                    ours.resize(theirs.len(), 0);
                }
                for (our, their) in ours.iter_mut().zip(theirs.iter()) {
                    *our = (*our).max(*their);
                }
            }
        }
    }
}

/// An event with all that came before it.
#[derive(Clone, Default, Debug)]
pub struct Moment {
    /// Dense index of its thread.
    pub thread: usize,
    /// Its number among the events of its thread, from 0.
    pub index: u32,
    /// What came before it in other threads.
    pub clock: Clock,
}

impl Moment {
    /// Whether this came before `other` in every run that passes on the same messages.
    #[inline]
    pub fn is_before(&self, other: &Moment) -> bool {
        if self.thread == other.thread { self.index < other.index } else { other.clock.get(self.thread) > self.index }
    }

    /// Whether neither must come before the other.
    pub fn is_concurrent(&self, other: &Moment) -> bool {
        !self.is_before(other) && !other.is_before(self)
    }
}

impl Clock {
    /// `moment` and all before it came before.
    pub fn join_moment(&mut self, moment: &Moment) {
        // Clocks are transitively closed: who knows the event knows all that it knew.
        if self.get(moment.thread) > moment.index {
            return;
        }
        self.join(&moment.clock);
        self.raise(moment.thread, moment.index.saturating_add(1));
    }
}
