//! Where a run stands that is tried out event by event: which events happened, who holds what, and what else decides how it goes on.

use super::events::{Await, CLASS_EXCLUDES, NONE, Op, class};
use super::index::Index;

/// A prefix of a reordering of the run. It can be made longer and shorter.
pub(crate) struct State<'i, 't> {
    pub(crate) index: &'i Index<'t>,
    /// Events of each thread that happened.
    pub(crate) at: Vec<u32>,
    /// Open sections by lock.
    pub(crate) open: Vec<Vec<u32>>,
    /// The events, in the order in which they happened.
    pub(crate) schedule: Vec<u32>,
    /// A fingerprint of `at` and `memory`.
    pub(crate) fingerprint: u128,
    /// What the past leaves behind: of each variable the last write (if anybody ever reads it); of each thread whether it was notified
    /// since it waits, and whether it has a token; of each barrier the thread that arrived last. [`NONE`]: nothing.
    memory: Vec<u32>,
    /// What was changed in `memory`, to be taken back; and where the changes of each event begin.
    changes: Vec<(u32, u32)>,
    changes_from: Vec<u32>,
}

impl<'i, 't> State<'i, 't> {
    /// Before the first event.
    pub(crate) fn new(index: &'i Index<'t>) -> State<'i, 't> {
        let trace = index.trace;
        let slots = trace.variables as usize + 2 * trace.threads as usize + trace.resources.len();
        State {
            index,
            at: vec![0; trace.threads as usize],
            open: vec![Vec::new(); trace.locks as usize],
            schedule: Vec::new(),
            fingerprint: 0,
            memory: vec![NONE; slots],
            changes: Vec::new(),
            changes_from: Vec::new(),
        }
    }

    /// The thread's next event.
    pub(crate) fn next(&self, thread: u32) -> Option<u32> {
        self.index.by_thread[thread as usize].get(self.at[thread as usize] as usize).copied()
    }

    pub(crate) fn happened(&self, event: u32) -> bool {
        self.at[self.index.thread(event) as usize] > self.index.local[event as usize]
    }

    /// The last write to a variable that is read by anybody.
    pub(crate) fn last_write(&self, variable: u32) -> u32 {
        self.memory[variable as usize]
    }

    /// Whether the thread was notified since it waits.
    pub(crate) fn is_notified(&self, thread: u32) -> bool {
        self.memory[self.notified(thread)] != NONE
    }

    /// Whether the thread was given a token since it took the last.
    pub(crate) fn has_token(&self, thread: u32) -> bool {
        self.memory[self.token(thread)] != NONE
    }

    fn notified(&self, thread: u32) -> usize {
        (self.index.trace.variables + thread) as usize
    }

    fn token(&self, thread: u32) -> usize {
        (self.index.trace.variables + self.index.trace.threads + thread) as usize
    }

    fn last_arrival(&self, barrier: u32) -> usize {
        (self.index.trace.variables + 2 * self.index.trace.threads + barrier) as usize
    }

    /// Whether the next event of a thread can happen now, and is the same that it was in the run.
    pub(crate) fn can_happen(&self, i: u32) -> bool {
        let event = self.index.trace.events[i as usize];
        let is_free = match event.op {
            Op::Acquire { .. } | Op::Section { .. } => self.keepers(i).next().is_none(),
            // Who arrives last is told so, and opens the barrier.
            Op::Await { what: Await::Barrier, .. } if self.index.opens(i) => {
                self.memory[self.last_arrival(event.object)] == event.thread
            }
            op => !op.never_happens(),
        };
        let sees_the_same = |variable| self.last_write(variable) == self.index.source[i as usize];
        is_free
            && self.index.trace.read_by(i).is_none_or(sees_the_same)
            && self.index.before(i).all(|needed| self.happened(needed))
            && self.is_past_fence(i)
    }

    /// Whether all that came before an event in the run happened, if it needs that.
    fn is_past_fence(&self, i: u32) -> bool {
        let mut threads = self.index.by_thread.iter().zip(&self.at);
        self.index.trace.fences.binary_search(&i).is_err()
            || threads.all(|(events, at)| events.get(*at as usize).is_none_or(|next| *next >= i))
    }

    /// The open sections that keep an acquisition from going on.
    pub(crate) fn keepers(&self, i: u32) -> impl Iterator<Item = u32> + '_ {
        let event = self.index.trace.events[i as usize];
        let asked = match event.op {
            Op::Acquire { mode, .. } | Op::Section { mode, .. } | Op::Request { mode } => Some(class(mode)),
            _ => None,
        };
        let excludes =
            move |id: &u32| asked.is_some_and(|asked| CLASS_EXCLUDES[self.index.sections[*id as usize].class as usize][asked]);
        asked.into_iter().flat_map(move |_| &self.open[event.object as usize]).copied().filter(excludes)
    }

    /// Lets the next event of a thread happen.
    pub(crate) fn step(&mut self, thread: u32) {
        let Some(i) = self.next(thread) else { return };
        self.changes_from.push(self.changes.len() as u32);
        let event = self.index.trace.events[i as usize];
        match event.op {
            Op::Acquire { .. } => self.open[event.object as usize].push(self.index.section_of[i as usize]),
            Op::Release => self.close(event.object, self.index.section_of[i as usize]),
            Op::Signal => self.signal(event.object, thread),
            Op::Await { what: Await::Notification, .. } => self.set(self.notified(thread), NONE),
            Op::Await { what: Await::Token, .. } => self.set(self.token(thread), NONE),
            _ => {}
        }
        if let Some(variable) = self.index.trace.written_by(i).filter(|variable| self.index.is_read[*variable as usize]) {
            self.set(variable as usize, i);
        }
        self.mix_at(thread);
        self.at[thread as usize] += 1;
        self.mix_at(thread);
        self.schedule.push(i);
    }

    /// A notification, a token, or an arrival: by what the resource is waited for.
    fn signal(&mut self, resource: u32, by: u32) {
        for (what, thread) in &self.index.resources[resource as usize].waiters {
            match what {
                Await::Notification => {
                    let waits = |next: u32| {
                        let event = self.index.trace.events[next as usize];
                        event.object == resource
                            && matches!(
                                event.op,
                                Op::Await { what: Await::Notification, .. } | Op::Stalled { what: Await::Notification }
                            )
                    };
                    if self.next(*thread).is_some_and(waits) {
                        self.set(self.notified(*thread), 0);
                    }
                }
                Await::Token => self.set(self.token(*thread), 0),
                Await::Barrier => self.set(self.last_arrival(resource), by),
                Await::Message | Await::Room | Await::Once | Await::End => {}
            }
        }
    }

    /// Takes the last event back.
    pub(crate) fn undo(&mut self) {
        let (Some(i), Some(from)) = (self.schedule.pop(), self.changes_from.pop()) else { return };
        let event = self.index.trace.events[i as usize];
        self.mix_at(event.thread);
        self.at[event.thread as usize] -= 1;
        self.mix_at(event.thread);
        while self.changes.len() > from as usize {
            let Some((slot, old)) = self.changes.pop() else { break };
            self.put(slot, old);
        }
        match event.op {
            Op::Acquire { .. } => self.close(event.object, self.index.section_of[i as usize]),
            Op::Release => self.open[event.object as usize].push(self.index.section_of[i as usize]),
            _ => {}
        }
    }

    fn close(&mut self, lock: u32, section: u32) {
        self.open[lock as usize].retain(|other| *other != section);
    }

    fn set(&mut self, slot: usize, value: u32) {
        let old = self.memory[slot];
        if old != value {
            self.changes.push((slot as u32, old));
            self.put(slot as u32, value);
        }
    }

    fn put(&mut self, slot: u32, value: u32) {
        let old = std::mem::replace(&mut self.memory[slot as usize], value);
        for value in [old, value] {
            self.fingerprint ^= mix(u64::from(slot) << 33 | 1 << 32 | u64::from(value));
        }
    }

    fn mix_at(&mut self, thread: u32) {
        self.fingerprint ^= mix(u64::from(thread) << 33 | u64::from(self.at[thread as usize]));
    }
}

/// Spreads a number over 128 bits (the finaliser of splitmix64, twice).
fn mix(number: u64) -> u128 {
    let half = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let low = half(number.wrapping_add(0x9e37_79b9_7f4a_7c15));
    u128::from(low) << 64 | u128::from(half(low ^ number))
}
