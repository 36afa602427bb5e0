//! The last resort: searches schedules one by one, depth first, within a budget of states.
//!
//! Exact as far as the budget goes, so exact for small traces. Only acquisitions and writes are choices: whatever else can happen
//! takes nothing from anybody, so it happens at once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::closure::{Closure, is_possible};
use super::events::{CLASS_EXCLUDES, NONE, Op};
use super::index::Index;

/// What a search came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// A schedule that ends at the goal.
    Reached(Vec<u32>),
    /// No reordering reaches the goal.
    Unreachable,
    /// The budget ended first.
    Unknown,
}

/// Searches for a schedule that ends at the goal: events of distinct threads. Takes the states it looks at off `budget`.
pub(crate) fn search(closure: &mut Closure<'_, '_>, goal: &[u32], budget: &mut u64) -> Outcome {
    if !is_possible(closure, goal) {
        return Outcome::Unreachable;
    }
    let outcome = Search::new(closure, goal).run(budget);
    closure.work += u64::from(closure.index.trace.threads);
    outcome
}

/// Where the search stands: one schedule, made longer and shorter.
struct Search<'c, 'i, 't> {
    index: &'i Index<'t>,
    /// What must happen in any schedule that reaches the goal.
    demanded: &'c Closure<'i, 't>,
    goal: &'c [u32],
    /// The goal's event of each thread, as its number in the thread: nothing from there on happens.
    stop: Vec<u32>,
    /// Demanded reads by the write that they must see, or by variable where that is the initial value.
    readers: FxHashMap<(u32, u32), Vec<u32>>,
    is_read: Vec<bool>,
    /// Events of each thread that happened.
    at: Vec<u32>,
    last_write: Vec<u32>,
    /// Open sections by lock.
    open: Vec<Vec<u32>>,
    /// What happened, each with the last write that it replaced.
    schedule: Vec<(u32, u32)>,
    /// A fingerprint of `at` and `last_write`.
    state: u128,
}

/// A choice that is being tried.
struct Frame {
    /// Length of the schedule before it.
    length: usize,
    /// Threads that are left to try, the best last.
    threads: Vec<u32>,
}

impl<'c, 'i, 't> Search<'c, 'i, 't> {
    fn new(demanded: &'c Closure<'i, 't>, goal: &'c [u32]) -> Search<'c, 'i, 't> {
        let index = demanded.index;
        let trace = index.trace;
        let mut stop: Vec<u32> = index.by_thread.iter().map(|events| events.len() as u32).collect();
        for event in goal {
            stop[index.thread(*event) as usize] = index.local[*event as usize];
        }
        let mut readers: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        let mut is_read = vec![false; trace.variables as usize];
        for (i, event) in trace.events.iter().enumerate().filter(|(_, event)| event.op == Op::Read) {
            is_read[event.object as usize] = true;
            if demanded.contains(i as u32) {
                readers.entry((event.object, index.source[i])).or_default().push(i as u32);
            }
        }
        Search {
            index,
            demanded,
            goal,
            stop,
            readers,
            is_read,
            at: vec![0; trace.threads as usize],
            last_write: vec![NONE; trace.variables as usize],
            open: vec![Vec::new(); trace.locks as usize],
            schedule: Vec::new(),
            state: 0,
        }
    }

    fn run(mut self, budget: &mut u64) -> Outcome {
        let mut seen: FxHashSet<u128> = FxHashSet::default();
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            self.settle();
            if self.is_at_goal() {
                return Outcome::Reached(self.schedule.into_iter().map(|(event, _)| event).collect());
            }
            if seen.insert(self.state) {
                let Some(left) = budget.checked_sub(1) else { return Outcome::Unknown };
                *budget = left;
                frames.push(Frame { length: self.schedule.len(), threads: self.choices() });
            }
            loop {
                let Some(frame) = frames.last_mut() else { return Outcome::Unreachable };
                let length = frame.length;
                let thread = frame.threads.pop();
                while self.schedule.len() > length {
                    self.undo();
                }
                if let Some(thread) = thread {
                    self.step(thread);
                    break;
                }
                frames.pop();
            }
        }
    }

    /// The threads whose next event can happen: what is demanded first, then in the order of the run. Best last.
    fn choices(&self) -> Vec<u32> {
        let mut choices: Vec<(bool, u32, u32)> = Vec::new();
        for thread in 0..self.at.len() as u32 {
            if let Some(event) = self.next(thread).filter(|event| self.can_happen(*event) && !self.is_fatal(*event)) {
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
            for thread in 0..self.at.len() as u32 {
                while let Some(event) = self.next(thread).filter(|event| self.is_harmless(*event) && self.can_happen(*event)) {
                    debug_assert_eq!(self.index.thread(event), thread);
                    self.step(thread);
                    is_changing = true;
                }
            }
        }
    }

    fn is_at_goal(&self) -> bool {
        self.goal.iter().all(|event| {
            let is_next = self.at[self.index.thread(*event) as usize] == self.index.local[*event as usize];
            is_next && self.index.needed(*event).all(|needed| self.happened(needed))
        })
    }

    fn next(&self, thread: u32) -> Option<u32> {
        let at = self.at[thread as usize];
        (at < self.stop[thread as usize]).then(|| self.index.by_thread[thread as usize][at as usize])
    }

    fn happened(&self, event: u32) -> bool {
        self.at[self.index.thread(event) as usize] > self.index.local[event as usize]
    }

    fn is_harmless(&self, event: u32) -> bool {
        let event = self.index.trace.events[event as usize];
        match event.op {
            Op::Acquire { .. } => self.index.lanes_by_lock[event.object as usize].len() == 1,
            Op::Write => !self.is_read[event.object as usize],
            _ => true,
        }
    }

    fn can_happen(&self, i: u32) -> bool {
        let event = self.index.trace.events[i as usize];
        let is_ready = self.index.before(i).all(|needed| self.happened(needed));
        is_ready
            && (self.index.trace.fences.binary_search(&i).is_err() || (0..i).all(|earlier| self.happened(earlier)))
            && match event.op {
                Op::Acquire { .. } => {
                    let class = self.index.sections[self.index.section_of[i as usize] as usize].class;
                    let excludes =
                        |other: &u32| CLASS_EXCLUDES[class as usize][self.index.sections[*other as usize].class as usize];
                    !self.open[event.object as usize].iter().any(excludes)
                }
                Op::Read => self.last_write[event.object as usize] == self.index.source[i as usize],
                Op::Request { .. } | Op::Unknown => false,
                _ => true,
            }
    }

    /// Whether the goal is out of reach once this event happened: a write over a value that must still be read, or a lock taken to
    /// the goal while others must still have it.
    fn is_fatal(&self, i: u32) -> bool {
        let event = self.index.trace.events[i as usize];
        match event.op {
            Op::Write => {
                let readers = self.readers.get(&(event.object, self.last_write[event.object as usize]));
                readers.is_some_and(|readers| readers.iter().any(|read| !self.happened(*read)))
            }
            Op::Acquire { .. } => {
                let section = self.index.section_of[i as usize];
                let class = self.index.sections[section as usize].class;
                self.demanded.is_held_at_goal(section)
                    && self.index.lanes_by_lock[event.object as usize].iter().any(|lane| {
                        let top = self.demanded.top[*lane as usize];
                        top != section
                            && self.index.sections.get(top as usize).is_some_and(|other| {
                                CLASS_EXCLUDES[class as usize][other.class as usize] && !self.happened(other.release)
                            })
                    })
            }
            _ => false,
        }
    }

    fn step(&mut self, thread: u32) {
        let i = self.index.by_thread[thread as usize][self.at[thread as usize] as usize];
        let event = self.index.trace.events[i as usize];
        let mut replaced = NONE;
        match event.op {
            Op::Acquire { .. } => self.open[event.object as usize].push(self.index.section_of[i as usize]),
            Op::Release => {
                let section = self.index.section_of[i as usize];
                self.open[event.object as usize].retain(|other| *other != section);
            }
            Op::Write => {
                replaced = std::mem::replace(&mut self.last_write[event.object as usize], i);
                self.mix_write(event.object, replaced);
                self.mix_write(event.object, i);
            }
            _ => {}
        }
        self.mix_at(thread);
        self.at[thread as usize] += 1;
        self.mix_at(thread);
        self.schedule.push((i, replaced));
    }

    fn undo(&mut self) {
        let Some((i, replaced)) = self.schedule.pop() else { return };
        let event = self.index.trace.events[i as usize];
        self.mix_at(event.thread);
        self.at[event.thread as usize] -= 1;
        self.mix_at(event.thread);
        match event.op {
            Op::Acquire { .. } => {
                let section = self.index.section_of[i as usize];
                self.open[event.object as usize].retain(|other| *other != section);
            }
            Op::Release => self.open[event.object as usize].push(self.index.section_of[i as usize]),
            Op::Write => {
                self.last_write[event.object as usize] = replaced;
                self.mix_write(event.object, replaced);
                self.mix_write(event.object, i);
            }
            _ => {}
        }
    }

    fn mix_at(&mut self, thread: u32) {
        self.state ^= mix(u64::from(thread) << 33 | u64::from(self.at[thread as usize]));
    }

    /// Variables that nobody reads are no part of the state.
    fn mix_write(&mut self, variable: u32, write: u32) {
        if self.is_read[variable as usize] {
            self.state ^= mix(u64::from(variable) << 33 | 1 << 32 | u64::from(write));
        }
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
