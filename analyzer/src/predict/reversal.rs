//! Reorderings that also change the order of critical sections, where keeping it reaches nothing.
//!
//! Optimistic: assume that sections which do not end before the goal come last on their locks, and that all else keeps its order. If
//! those assumptions contradict each other, let one such section end after all, and try again. What comes out is a schedule, so it
//! proves itself; what is not found may still exist. The idea of optimistic lock-order reversal is that of OSR (Shi, Mathur and
//! Pavlogiannis, ICSE 2024).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::closure::{Closure, Rule};
use super::events::{NONE, Op, class};

/// Looks for a schedule that ends at the goal: events of distinct threads.
pub(crate) fn reverse(closure: &mut Closure<'_, '_>, scratch: &mut Scratch, goal: &[u32]) -> Option<Vec<u32>> {
    closure.clear();
    for event in goal {
        closure.aim(*event);
    }
    loop {
        if !closure.settle(Rule::OneOpen) || !goal.iter().all(|event| closure.is_ahead(*event)) {
            return None;
        }
        scratch.build(closure);
        match scratch.linearise() {
            Ok(schedule) => return Some(schedule),
            Err(stuck) => {
                let section = stuck.into_iter().min()?;
                closure.include(closure.index.sections[section as usize].release);
            }
        }
    }
}

/// The graph of what must come before what, and its buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The events of the set, in the order of the run. Nodes from 0; above are nodes that stand for "all reads of one write".
    events: Vec<u32>,
    /// Event to node, for events of the set.
    node: Vec<u32>,
    edges: Vec<(u32, u32)>,
    nodes: u32,
    /// Sections that were put last on their lock although another of the set came later in the run, and that could end instead.
    moved: Vec<u32>,
    variables: Vec<Variable>,
    locks: Vec<Lock>,
    is_observed: Vec<bool>,
}

/// How far the chain of a variable's writes is.
#[derive(Clone, Default, Debug)]
struct Variable {
    /// Node of the reads of the latest write that is read in the set (or of the initial value).
    readers: Option<u32>,
    /// Writes since then.
    unread: Vec<u32>,
}

/// How far the chain of a lock's ended sections is: nodes of releases.
#[derive(Clone, Default, Debug)]
struct Lock {
    exclusive: Option<u32>,
    upgradable: Option<u32>,
    readers: Vec<u32>,
    /// Section, node of its acquisition.
    open: Vec<(u32, u32)>,
    /// The latest acquisition among the ended ones, by class.
    latest: [u32; 3],
}

impl Scratch {
    /// Builds the graph of a settled set.
    pub(crate) fn build(&mut self, closure: &mut Closure<'_, '_>) {
        let index = closure.index;
        let trace = index.trace;
        self.edges.clear();
        self.moved.clear();
        self.node.resize(trace.events.len(), NONE);
        self.events = closure.events();
        self.nodes = self.events.len() as u32;
        closure.work += 4 * u64::from(self.nodes);
        self.variables.clear();
        self.variables.resize(trace.variables as usize, Variable::default());
        self.locks.clear();
        self.locks.resize(trace.locks as usize, Lock::default());
        self.is_observed.clear();
        self.is_observed.resize(self.events.len(), false);
        for (node, event) in self.events.iter().enumerate() {
            self.node[*event as usize] = node as u32;
        }
        for event in &self.events {
            let source = index.source[*event as usize];
            if source != NONE {
                self.is_observed[self.node[source as usize] as usize] = true;
            }
        }
        let mut orders = index.orders.iter().peekable();
        for node in 0..self.events.len() as u32 {
            let event = self.events[node as usize];
            if let Some(previous) = index.previous(event) {
                self.edges.push((self.node[previous as usize], node));
            }
            while let Some(order) = orders.next_if(|order| order.after <= event) {
                if order.after == event {
                    self.edges.push((self.node[order.before as usize], node));
                }
            }
            if trace.fences.binary_search(&event).is_ok() {
                for events in index.by_thread {
                    let before = events.partition_point(|other| *other < event);
                    self.edges.extend(before.checked_sub(1).map(|last| (self.node[events[last] as usize], node)));
                }
            }
            match (trace.read_by(event), trace.written_by(event)) {
                (Some(_), Some(variable)) => self.change(variable as usize, node, index.source[event as usize]),
                (Some(variable), None) => self.read(variable as usize, node, index.source[event as usize]),
                (None, Some(variable)) => self.write(variable as usize, node),
                (None, None) => {}
            }
            let object = trace.events[event as usize].object as usize;
            match trace.events[event as usize].op {
                Op::Section { mode, .. } => self.ended(object, class(mode) as u8, node, node),
                Op::Acquire { .. } => {
                    let id = index.section_of[event as usize];
                    let section = &index.sections[id as usize];
                    if closure.contains(section.release) {
                        self.ended(object, section.class, node, self.node[section.release as usize]);
                    } else {
                        self.locks[object].open.push((id, node));
                    }
                }
                _ => {}
            }
        }
        for lock in &self.locks {
            for (id, node) in &lock.open {
                let section = &index.sections[*id as usize];
                self.edges.extend(lock.before(section.class).map(|before| (before, *node)));
                let excludes = &super::events::CLASS_EXCLUDES[section.class as usize];
                let was_moved = (0..3).any(|c| excludes[c] && lock.latest[c] > *node + 1);
                if was_moved && section.release != NONE && !closure.is_held_at_goal(*id) {
                    self.moved.push(*id);
                }
            }
        }
    }

    fn read(&mut self, variable: usize, node: u32, source: u32) {
        if source != NONE {
            self.edges.push((self.node[source as usize], node));
        }
        let readers = *self.variables[variable].readers.get_or_insert_with(|| {
            self.nodes += 1;
            self.nodes - 1
        });
        self.edges.push((node, readers));
    }

    /// A write by what read the same variable before: it comes behind the other reads of what it read.
    fn change(&mut self, variable: usize, node: u32, source: u32) {
        if source != NONE {
            self.edges.push((self.node[source as usize], node));
        }
        self.write(variable, node);
    }

    fn write(&mut self, variable: usize, node: u32) {
        let state = &mut self.variables[variable];
        self.edges.extend(state.readers.map(|readers| (readers, node)));
        if self.is_observed[node as usize] {
            self.edges.extend(state.unread.drain(..).map(|unread| (unread, node)));
            state.readers = Some(self.nodes);
            self.nodes += 1;
        } else {
            state.unread.push(node);
        }
    }

    fn ended(&mut self, lock: usize, class: u8, acquire: u32, release: u32) {
        let lock = &mut self.locks[lock];
        self.edges.extend(lock.before(class).map(|before| (before, acquire)));
        lock.latest[class as usize] = acquire + 1;
        match class {
            0 => lock.readers.push(release),
            1 => lock.upgradable = Some(release),
            _ => {
                lock.exclusive = Some(release);
                lock.upgradable = None;
                lock.readers.clear();
            }
        }
    }

    /// The schedule, earliest events of the run first. Else the moved sections whose acquisition is never reached.
    pub(crate) fn linearise(&mut self) -> Result<Vec<u32>, Vec<u32>> {
        let nodes = self.nodes as usize;
        let mut waits_for = vec![0u32; nodes];
        let mut first = vec![0u32; nodes + 1];
        for (from, to) in &self.edges {
            waits_for[*to as usize] += 1;
            first[*from as usize + 1] += 1;
        }
        for i in 0..nodes {
            first[i + 1] += first[i];
        }
        let mut fill = first.clone();
        let mut targets = vec![0u32; self.edges.len()];
        for (from, to) in &self.edges {
            targets[fill[*from as usize] as usize] = *to;
            fill[*from as usize] += 1;
        }
        // The earliest event that can happen is one that had to wait for its turn, or else the next of the run.
        let mut late: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
        let mut aside: Vec<u32> = Vec::new();
        let mut next = 0;
        let mut schedule = Vec::with_capacity(self.events.len());
        loop {
            let node = if let Some(node) = aside.pop().or_else(|| late.pop().map(|Reverse(node)| node)) {
                node
            } else if (next as usize) < self.events.len() {
                next += 1;
                if waits_for[next as usize - 1] > 0 {
                    continue;
                }
                next - 1
            } else {
                break;
            };
            schedule.extend(self.events.get(node as usize));
            for target in &targets[first[node as usize] as usize..first[node as usize + 1] as usize] {
                waits_for[*target as usize] -= 1;
                if waits_for[*target as usize] == 0 {
                    if *target as usize >= self.events.len() {
                        aside.push(*target);
                    } else if *target < next {
                        late.push(Reverse(*target));
                    }
                }
            }
        }
        if schedule.len() == self.events.len() {
            return Ok(schedule);
        }
        let stuck = self.locks.iter().flat_map(|lock| &lock.open).filter(|(_, node)| waits_for[*node as usize] > 0);
        Err(stuck.map(|(id, _)| *id).filter(|id| self.moved.contains(id)).collect())
    }
}

impl Lock {
    /// The releases that an acquisition of this class must come after.
    fn before(&self, class: u8) -> impl Iterator<Item = u32> + '_ {
        let readers = if class == 2 { &self.readers[..] } else { &[] };
        let upgradable = if class == 0 { None } else { self.upgradable };
        readers.iter().copied().chain(upgradable).chain(self.exclusive)
    }
}
