//! The last resort: searches schedules one by one, depth first, within a budget of states.
//!
//! Exact as far as the budget goes, so exact for small traces. Only acquisitions, writes, and who is told what while it waits are
//! choices: whatever else can happen takes nothing from anybody, so it happens at once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::closure::{Closure, is_possible};
use super::events::{Await, CLASS_EXCLUDES, CLASSES, Op, class};
use super::index::{Index, Section};
use super::knot::knot;
use super::state::State;

/// What a search came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// A schedule that ends at the goal; and the goal, with those who could end a wait of it.
    Reached(Vec<u32>, Vec<u32>),
    /// No reordering reaches the goal.
    Unreachable,
    /// The budget ended first.
    Unknown,
}

/// Searches for a schedule that ends at the goal: events of distinct threads, which are `for_good` to wait there for ever. Takes the
/// states it looks at off `budget`.
pub(crate) fn search(closure: &mut Closure<'_, '_>, goal: &[u32], for_good: bool, budget: &mut u64) -> Outcome {
    if !is_possible(closure, goal) {
        return Outcome::Unreachable;
    }
    let outcome = Search::new(closure, goal, for_good).run(budget);
    closure.work += u64::from(closure.index.trace.threads);
    outcome
}

/// Where the search stands: one schedule, made longer and shorter.
struct Search<'c, 'i, 't> {
    index: &'i Index<'t>,
    /// What must happen in any schedule that reaches the goal.
    demanded: &'c Closure<'i, 't>,
    goal: &'c [u32],
    for_good: bool,
    /// The goal's event of each thread, as its number in the thread: nothing from there on happens.
    stop: Vec<u32>,
    /// Demanded reads by the write that they must see, or by variable where that is the initial value.
    readers: FxHashMap<(u32, u32), Vec<u32>>,
    state: State<'i, 't>,
}

/// A choice that is being tried.
struct Frame {
    /// Length of the schedule before it.
    length: usize,
    /// Threads that are left to try, the best last.
    threads: Vec<u32>,
}

impl<'c, 'i, 't> Search<'c, 'i, 't> {
    fn new(demanded: &'c Closure<'i, 't>, goal: &'c [u32], for_good: bool) -> Search<'c, 'i, 't> {
        let index = demanded.index;
        let trace = index.trace;
        let mut stop: Vec<u32> = index.by_thread.iter().map(|events| events.len() as u32).collect();
        for event in goal {
            stop[index.thread(*event) as usize] = index.local[*event as usize];
        }
        let mut readers: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        for event in demanded.events() {
            if let Some(variable) = trace.read_by(event) {
                readers.entry((variable, index.source[event as usize])).or_default().push(event);
            }
        }
        Search { index, demanded, goal, for_good, stop, readers, state: State::new(index) }
    }

    fn run(mut self, budget: &mut u64) -> Outcome {
        let mut seen: FxHashSet<u128> = FxHashSet::default();
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            self.settle();
            if seen.insert(self.state.fingerprint) {
                if let Some(goal) = self.reached() {
                    return Outcome::Reached(self.state.schedule, goal);
                }
                let Some(left) = budget.checked_sub(1) else { return Outcome::Unknown };
                *budget = left;
                frames.push(Frame { length: self.state.schedule.len(), threads: self.choices() });
            }
            loop {
                let Some(frame) = frames.last_mut() else { return Outcome::Unreachable };
                let length = frame.length;
                let thread = frame.threads.pop();
                while self.state.schedule.len() > length {
                    self.state.undo();
                }
                if let Some(thread) = thread {
                    self.state.step(thread);
                    break;
                }
                frames.pop();
            }
        }
    }

    /// The threads whose next event can happen: what is demanded first, then in the order of the run. Best last.
    fn choices(&self) -> Vec<u32> {
        let mut choices: Vec<(bool, u32, u32)> = Vec::new();
        for thread in 0..self.stop.len() as u32 {
            if let Some(event) = self.next(thread).filter(|event| self.state.can_happen(*event) && !self.is_fatal(*event)) {
                choices.push((!self.demanded.contains(event), event, thread));
            }
        }
        choices.sort_unstable_by(|a, b| b.cmp(a));
        choices.into_iter().map(|(.., thread)| thread).collect()
    }

    /// Lets everything happen that takes nothing from anybody.
    fn settle(&mut self) {
        let mut is_changing = true;
        while is_changing {
            is_changing = false;
            for thread in 0..self.stop.len() as u32 {
                while let Some(event) =
                    self.next(thread).filter(|event| self.is_harmless(*event) && self.state.can_happen(*event))
                {
                    debug_assert_eq!(self.index.thread(event), thread);
                    self.state.step(thread);
                    is_changing = true;
                }
            }
        }
    }

    /// The goal, and all that belongs to it, where it is reached.
    fn reached(&self) -> Option<Vec<u32>> {
        let is_at_goal = self.goal.iter().all(|event| {
            let is_next = self.state.at[self.index.thread(*event) as usize] == self.index.local[*event as usize];
            is_next && self.index.needed(*event).all(|needed| self.state.happened(needed))
        });
        match is_at_goal {
            true if self.for_good => knot(&self.state, self.goal),
            true => Some(self.goal.to_vec()),
            false => None,
        }
    }

    fn next(&self, thread: u32) -> Option<u32> {
        self.state.next(thread).filter(|_| self.state.at[thread as usize] < self.stop[thread as usize])
    }

    /// Whether an event takes nothing from anybody, whenever it happens.
    fn is_harmless(&self, i: u32) -> bool {
        let event = self.index.trace.events[i as usize];
        let begins_wait = || {
            let next = self.index.by_thread[event.thread as usize].get(self.index.local[i as usize] as usize + 1);
            let awaits = next.and_then(|next| self.index.trace.events[*next as usize].op.awaits());
            awaits == Some(Await::Notification)
        };
        match event.op {
            Op::Acquire { .. } | Op::Section { .. } => self.index.lanes_by_lock[event.object as usize].len() == 1,
            Op::Write => !self.index.is_read[event.object as usize],
            // Those who wait must be told in time, and not too early.
            Op::Signal => self.index.resources[event.object as usize].waiters.is_empty(),
            Op::Await { what: Await::Token, .. } => false,
            _ => !begins_wait(),
        }
    }

    /// Whether the goal is out of reach once this event happened: a write over a value that must still be read, or a lock taken to
    /// the goal while others must still have it.
    fn is_fatal(&self, i: u32) -> bool {
        let trace = self.index.trace;
        let must = |event: u32| !self.state.happened(event) && event != i;
        let is_to_be_read = |variable| {
            let readers = self.readers.get(&(variable, self.state.last_write(variable)));
            readers.is_some_and(|readers| readers.iter().any(|read| must(*read)))
        };
        if trace.written_by(i).is_some_and(is_to_be_read) {
            return true;
        }
        let event = trace.events[i as usize];
        let Op::Acquire { mode, .. } = event.op else { return false };
        let section = self.index.section_of[i as usize];
        let excludes = &CLASS_EXCLUDES[class(mode)];
        self.demanded.is_held_at_goal(section)
            && self.index.lanes_by_lock[event.object as usize].iter().any(|lane| {
                let (top, latest) = (self.demanded.top[*lane as usize], &self.demanded.latest[*lane as usize]);
                let is_open = |other: &Section| excludes[other.class as usize] && must(other.release);
                top != section && self.index.sections.get(top as usize).is_some_and(is_open)
                    || (0..CLASSES).any(|c| excludes[c] && latest[c] > 0 && must(latest[c] - 1))
            })
    }
}
