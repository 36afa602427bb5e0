//! The least set of events that must happen before a goal is reached.
//!
//! A set is kept as one prefix length per thread. It is closed under the clocks of [`Index`], and under one of two rules for locks:
//! see [`Rule`]. The goal is *d₁ … dₖ*, events of distinct threads, each the next event of its thread: none may be in the set.

use super::events::{CLASS_EXCLUDES, CLASSES, NONE};
use super::index::{Contended, Index};

/// What becomes of sections of one lock that exclude each other and are both begun in the set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// The one that came first in the run comes first: it must end. Exact for reorderings that keep the order of each lock's
    /// sections (SPDOffline, Tunç et al., PLDI 2023).
    KeepOrder,
    /// Only sections that do not end in the set matter: of two such sections one must end, if possible the one that came first in
    /// the run. Which of the ended sections comes first is left open.
    OneOpen,
    /// Of the same, only what no choice can spare: a section that excludes one which stays open must end.
    Forced,
}

/// A closed set under construction. Reused from goal to goal.
#[derive(Debug)]
pub(crate) struct Closure<'i, 't> {
    pub(crate) index: &'i Index<'t>,
    /// Events of each thread that are in the set.
    pub(crate) upto: Vec<u32>,
    /// The latest section of each lane that began in the set, whole ones aside, for locks that several threads use.
    pub(crate) top: Vec<u32>,
    /// One more than the latest acquisition of each class in each lane in the set, those of whole sections with them; 0: none.
    pub(crate) latest: Vec<[u32; CLASSES]>,
    /// The lanes of which something is in the set.
    pub(crate) touched: Vec<u32>,
    /// The goal's event in each thread, as its number in the thread; [`NONE`]: none.
    goal: Vec<u32>,
    scanned: Vec<u32>,
    grown: Vec<u32>,
    is_grown: Vec<bool>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    /// Steps taken since it was made: the measure of its cost.
    pub(crate) work: u64,
}

impl<'i, 't> Closure<'i, 't> {
    pub(crate) fn new(index: &'i Index<'t>) -> Closure<'i, 't> {
        let threads = index.trace.threads as usize;
        Closure {
            index,
            upto: vec![0; threads],
            top: vec![NONE; index.lanes.len()],
            latest: vec![[0; CLASSES]; index.lanes.len()],
            touched: Vec::new(),
            goal: vec![NONE; threads],
            scanned: vec![0; threads],
            grown: Vec::new(),
            is_grown: vec![false; threads],
            dirty: Vec::new(),
            is_dirty: vec![false; index.lanes_by_lock.len()],
            work: 0,
        }
    }

    /// Empties the set and forgets the goal.
    pub(crate) fn clear(&mut self) {
        self.upto.fill(0);
        self.goal.fill(NONE);
        self.scanned.fill(0);
        for lane in self.touched.drain(..) {
            self.top[lane as usize] = NONE;
            self.latest[lane as usize] = [0; CLASSES];
        }
        for thread in self.grown.drain(..) {
            self.is_grown[thread as usize] = false;
        }
        for lock in self.dirty.drain(..) {
            self.is_dirty[lock as usize] = false;
        }
    }

    /// Makes `event` its thread's part of the goal: all that comes before it is in the set from now on.
    pub(crate) fn aim(&mut self, event: u32) {
        let index = self.index;
        self.goal[index.thread(event) as usize] = index.local[event as usize];
        for before in index.needed(event) {
            self.include(before);
        }
    }

    /// Puts `event` and all that it needs into the set.
    pub(crate) fn include(&mut self, event: u32) {
        let index = self.index;
        let thread = index.thread(event);
        if self.upto[thread as usize] > index.local[event as usize] {
            return;
        }
        self.work += u64::from(index.trace.threads);
        self.raise(thread, index.local[event as usize] + 1);
        for (other, needed) in index.clock(event).iter().enumerate() {
            if *needed > self.upto[other] {
                self.raise(other as u32, *needed);
            }
        }
    }

    fn raise(&mut self, thread: u32, upto: u32) {
        self.upto[thread as usize] = upto;
        if !std::mem::replace(&mut self.is_grown[thread as usize], true) {
            self.grown.push(thread);
        }
    }

    /// Whether the goal's event of a thread is not in the set.
    pub(crate) fn is_ahead(&self, event: u32) -> bool {
        self.upto[self.index.thread(event) as usize] <= self.index.local[event as usize]
    }

    /// Whether the set holds an event.
    pub(crate) fn contains(&self, event: u32) -> bool {
        event != NONE && !self.is_ahead(event)
    }

    /// The set, in the order of the run.
    pub(crate) fn events(&self) -> Vec<u32> {
        let mut events = Vec::with_capacity(self.upto.iter().map(|upto| *upto as usize).sum());
        if events.capacity() > self.index.local.len() / 16 {
            events.extend((0..self.index.local.len() as u32).filter(|event| self.contains(*event)));
        } else {
            for (thread, upto) in self.index.by_thread.iter().zip(&self.upto) {
                events.extend(&thread[..*upto as usize]);
            }
            events.sort_unstable();
        }
        events
    }

    /// Grows the set until the rule holds for every lock. `false`: it cannot hold, now or for any larger set (for
    /// [`Rule::OneOpen`]: or for the goal as it is).
    pub(crate) fn settle(&mut self, rule: Rule) -> bool {
        let index = self.index;
        loop {
            while let Some(thread) = self.grown.pop() {
                let thread = thread as usize;
                self.is_grown[thread] = false;
                let Some(last) = self.upto[thread].checked_sub(1) else { continue };
                let last = index.by_thread[thread][last as usize];
                let behind = &index.contended[thread][self.scanned[thread] as usize..];
                for acquisition in behind.iter().take_while(|acquisition| acquisition.event <= last) {
                    self.scanned[thread] += 1;
                    self.begin(*acquisition);
                }
            }
            let Some(lock) = self.dirty.pop() else { return true };
            self.is_dirty[lock as usize] = false;
            self.work += index.lanes_by_lock[lock as usize].len() as u64;
            let holds = match rule {
                Rule::KeepOrder => self.keep_order(lock),
                Rule::OneOpen => self.one_open(lock),
                Rule::Forced => self.forced(lock),
            };
            if !holds {
                return false;
            }
        }
    }

    /// Notes an acquisition.
    fn begin(&mut self, acquisition: Contended) {
        let index = self.index;
        self.work += 1;
        let lane = acquisition.lane();
        if !acquisition.is_whole() {
            self.top[lane] = index.section_of[acquisition.event as usize];
        }
        if self.latest[lane] == [0; CLASSES] {
            self.touched.push(lane as u32);
        }
        self.latest[lane][acquisition.class()] = acquisition.event + 1;
        let lock = index.lanes[lane].lock;
        if !std::mem::replace(&mut self.is_dirty[lock as usize], true) {
            self.dirty.push(lock);
        }
    }

    /// Ends every section of `lock` that a later acquisition in the set excludes. Earlier sections of a lane have ended by program
    /// order, so only the latest of each lane is looked at.
    fn keep_order(&mut self, lock: u32) -> bool {
        let index = self.index;
        let lanes = &index.lanes_by_lock[lock as usize];
        let mut latest = [0; CLASSES];
        for lane in lanes {
            for (all, own) in latest.iter_mut().zip(self.latest[*lane as usize]) {
                *all = own.max(*all);
            }
        }
        for lane in lanes {
            let Some(section) = index.sections.get(self.top[*lane as usize] as usize) else { continue };
            let excluded = (0..CLASSES).any(|c| CLASS_EXCLUDES[section.class as usize][c] && latest[c] > section.acquire + 1);
            if excluded {
                if section.release == NONE {
                    return false;
                }
                self.include(section.release);
            }
        }
        true
    }

    /// Ends open sections of `lock` until no two of them exclude each other. Sections that the goal's threads hold at the goal stay.
    fn one_open(&mut self, lock: u32) -> bool {
        let index = self.index;
        let mut open: Vec<u32> = self.open_sections(lock).collect();
        if open.len() < 2 {
            return true;
        }
        open.sort_unstable_by_key(|id| (!self.is_held_at_goal(*id), std::cmp::Reverse(*id)));
        let mut kept: Vec<u32> = Vec::new();
        for id in open {
            let section = &index.sections[id as usize];
            let excludes = &CLASS_EXCLUDES[section.class as usize];
            if !kept.iter().any(|other| excludes[index.sections[*other as usize].class as usize]) {
                kept.push(id);
            } else if section.release == NONE || self.is_held_at_goal(id) {
                return false;
            } else {
                self.include(section.release);
            }
        }
        true
    }

    /// Ends open sections of `lock` that exclude one that stays open.
    fn forced(&mut self, lock: u32) -> bool {
        let index = self.index;
        let stays = |id: &u32| index.sections[*id as usize].release == NONE || self.is_held_at_goal(*id);
        let (staying, others): (Vec<u32>, Vec<u32>) = self.open_sections(lock).partition(stays);
        let excludes = |a: u32, b: u32| {
            let class = |id: u32| index.sections[id as usize].class as usize;
            a != b && CLASS_EXCLUDES[class(a)][class(b)]
        };
        if staying.iter().any(|a| staying.iter().any(|b| excludes(*a, *b))) {
            return false;
        }
        for other in others {
            if staying.iter().any(|id| excludes(*id, other)) {
                self.include(index.sections[other as usize].release);
            }
        }
        true
    }

    /// The sections of `lock` that began but do not end in the set.
    pub(crate) fn open_sections(&self, lock: u32) -> impl Iterator<Item = u32> + '_ {
        self.index.lanes_by_lock[lock as usize]
            .iter()
            .map(|lane| self.top[*lane as usize])
            .filter(|id| self.index.sections.get(*id as usize).is_some_and(|section| !self.contains(section.release)))
    }

    /// Whether a section is held when its thread has come to its part of the goal.
    pub(crate) fn is_held_at_goal(&self, section: u32) -> bool {
        let section = &self.index.sections[section as usize];
        let goal = self.goal[self.index.lanes[section.lane as usize].thread as usize];
        let end = section.release;
        goal != NONE && section.begin < goal && (end == NONE || self.index.local[end as usize] > goal)
    }
}

/// Looks for instances `d` of an abstract pattern that the run reaches in an order that keeps the order of every lock's sections.
/// `candidates[i]` are the events that may be `d[i]`, in the order of the run. The closure only grows, so this is one sweep.
pub(crate) fn sweep(closure: &mut Closure<'_, '_>, candidates: &[&[u32]]) -> Option<Vec<u32>> {
    closure.clear();
    let mut at = vec![0; candidates.len()];
    loop {
        let mut goal = Vec::with_capacity(at.len());
        for (list, at) in candidates.iter().zip(&at) {
            goal.push(*list.get(*at)?);
        }
        for event in &goal {
            closure.aim(*event);
        }
        if !closure.settle(Rule::KeepOrder) {
            return None;
        }
        if goal.iter().all(|event| closure.is_ahead(*event)) {
            return Some(goal);
        }
        for (list, at) in candidates.iter().zip(&mut at) {
            while list.get(*at).is_some_and(|event| !closure.is_ahead(*event)) {
                *at += 1;
            }
        }
    }
}

/// Whether nothing forbids the goal outright. Leaves what must happen before any schedule reaches it.
pub(crate) fn is_possible(closure: &mut Closure<'_, '_>, goal: &[u32]) -> bool {
    closure.clear();
    for event in goal {
        closure.aim(*event);
    }
    closure.settle(Rule::Forced) && goal.iter().all(|event| closure.is_ahead(*event))
}
