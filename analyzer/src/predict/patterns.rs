//! Candidates: cycles among nested acquisitions, by thread, lock and held set.
//!
//! An *abstract acquisition* is all acquisitions of one lock in one mode by one thread while it holds one set of locks. Those that no
//! cycle can contain are pruned (Cai and Chan, ICSE 2012), then simple cycles are searched, short ones first, within a budget:
//! there can be exponentially many.

use std::collections::VecDeque;

use conccheck_trace::Mode;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::events::{NONE, Op, Trace, excludes};

/// A lock that is held when another is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Held {
    /// The lock.
    pub lock: u32,
    /// How.
    pub mode: Mode,
    /// Whether it is sure to be held in that mode at that moment (see [`Op::Acquire`]).
    pub steady: bool,
}

/// All acquisitions of one lock in one mode by one thread with one held set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AbstractAcquire {
    /// Who.
    pub thread: u32,
    /// Of which lock.
    pub lock: u32,
    /// How.
    pub mode: Mode,
    /// Holding what; sorted, not empty.
    pub held: Box<[Held]>,
    /// The events, in the order of the run.
    pub events: Vec<u32>,
}

/// A simple cycle: each holds, in a blocking mode, what the one before asks for; distinct threads and locks; no two hold a lock in
/// modes that exclude each other. Indices of [`AbstractAcquire`]s.
pub type Pattern = Vec<u32>;

/// All that nests. Acquisitions that cannot wait, or hold nothing, are left out: no cycle contains them.
pub(crate) fn abstract_acquires(trace: &Trace) -> Vec<AbstractAcquire> {
    let mut acquires: Vec<AbstractAcquire> = Vec::new();
    type Key = (u32, u32, Mode, Box<[Held]>);
    let mut known: FxHashMap<Key, u32> = FxHashMap::default();
    let mut held: Vec<Vec<Held>> = vec![Vec::new(); trace.threads as usize];
    for (i, event) in trace.events.iter().enumerate() {
        let held = &mut held[event.thread as usize];
        if let Some(mode) = event.op.asks().filter(|_| !held.is_empty()) {
            let mut set: Box<[Held]> = held.as_slice().into();
            set.sort_unstable();
            let id = *known.entry((event.thread, event.object, mode, set)).or_insert_with_key(|(.., set)| {
                let (thread, lock, held) = (event.thread, event.object, set.clone());
                acquires.push(AbstractAcquire { thread, lock, mode, held, events: Vec::new() });
                acquires.len() as u32 - 1
            });
            acquires[id as usize].events.push(i as u32);
        }
        match event.op {
            Op::Acquire { mode, steady, .. } => held.push(Held { lock: event.object, mode, steady }),
            Op::Release => held.retain(|other| other.lock != event.object),
            _ => {}
        }
    }
    acquires
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) patterns: Vec<Pattern>,
    /// All cycles up to this length are among them; `None`: all cycles.
    pub(crate) complete_to: Option<usize>,
}

/// Finds the patterns, short ones first: at most `max_patterns`, in at most `max_steps` steps.
pub(crate) fn find(acquires: &[AbstractAcquire], max_patterns: usize, max_steps: u64) -> Found {
    let alive = prune(acquires);
    let mut search = Search::new(acquires, &alive, max_patterns, max_steps);
    let longest = {
        let mut threads: Vec<u32> = search.nodes.iter().map(|i| acquires[*i as usize].thread).collect();
        threads.sort_unstable();
        threads.dedup();
        threads.len()
    };
    let mut done = 1;
    while done < longest {
        // Doubling keeps the repeated work below the work of the last round.
        let limit = if done < 4 { done + 1 } else { (done * 2).min(longest) };
        let before = search.found.len();
        if !search.cycles(done + 1, limit) {
            // A round that was cut short has found some of its lengths: all of them are real patterns, none is a complete set.
            let complete_to = Some(done);
            debug_assert!(search.found.len() >= before);
            return Found { patterns: search.found, complete_to };
        }
        if !search.was_limited {
            break;
        }
        done = limit;
    }
    Found { patterns: search.found, complete_to: None }
}

/// Removes, until nothing changes, acquisitions of locks that nobody holds while asking, and those that hold nothing asked for.
fn prune(acquires: &[AbstractAcquire]) -> Vec<bool> {
    let locks =
        acquires.iter().flat_map(|a| a.held.iter().map(|h| h.lock).chain([a.lock])).max().map_or(0, |max| max as usize + 1);
    let mut asks = vec![0u32; locks];
    let mut holds = vec![0u32; locks];
    let mut askers: Vec<Vec<u32>> = vec![Vec::new(); locks];
    let mut holders: Vec<Vec<u32>> = vec![Vec::new(); locks];
    for (i, acquire) in acquires.iter().enumerate() {
        asks[acquire.lock as usize] += 1;
        askers[acquire.lock as usize].push(i as u32);
        for held in &acquire.held {
            holds[held.lock as usize] += 1;
            holders[held.lock as usize].push(i as u32);
        }
    }
    let mut alive = vec![true; acquires.len()];
    let mut queue: Vec<u32> = (0..acquires.len() as u32).collect();
    while let Some(i) = queue.pop() {
        let acquire = &acquires[i as usize];
        let useful = holds[acquire.lock as usize] > 0 && acquire.held.iter().any(|held| asks[held.lock as usize] > 0);
        if useful || !std::mem::replace(&mut alive[i as usize], false) {
            continue;
        }
        asks[acquire.lock as usize] -= 1;
        if asks[acquire.lock as usize] == 0 {
            queue.extend(&holders[acquire.lock as usize]);
        }
        for held in &acquire.held {
            holds[held.lock as usize] -= 1;
            if holds[held.lock as usize] == 0 {
                queue.extend(&askers[held.lock as usize]);
            }
        }
    }
    alive
}

/// The strongly connected component of each lock in the graph of what is asked for while it is held.
fn components(acquires: &[AbstractAcquire], alive: &[bool]) -> Vec<usize> {
    let mut graph = DiGraph::<(), ()>::new();
    for (acquire, _) in acquires.iter().zip(alive).filter(|(_, alive)| **alive) {
        graph.extend_with_edges(acquire.held.iter().map(|held| (held.lock, acquire.lock)));
    }
    let mut component = vec![usize::MAX; graph.node_count()];
    for (number, locks) in kosaraju_scc(&graph).into_iter().enumerate() {
        for lock in locks {
            component[lock.index()] = number;
        }
    }
    component
}

/// Where the search stands. Nodes are the acquisitions that are left, renumbered.
struct Search<'a> {
    acquires: &'a [AbstractAcquire],
    /// Node to acquisition.
    nodes: Vec<u32>,
    /// Nodes that hold a lock.
    holders: FxHashMap<u32, Vec<u32>>,
    /// Nodes that ask for a lock.
    askers: FxHashMap<u32, Vec<u32>>,
    /// Steps to the start of the round, and the start for which that holds.
    distance: Vec<(u32, u32)>,
    found: Vec<Pattern>,
    max_patterns: usize,
    steps: u64,
    /// Whether the length limit of the round kept any path from going on.
    was_limited: bool,
}

impl<'a> Search<'a> {
    fn new(acquires: &'a [AbstractAcquire], alive: &[bool], max_patterns: usize, steps: u64) -> Search<'a> {
        let component = components(acquires, alive);
        let is_inside =
            |acquire: &AbstractAcquire, held: &Held| component.get(held.lock as usize) == component.get(acquire.lock as usize);
        let can_close = |acquire: &AbstractAcquire| acquire.held.iter().any(|held| is_inside(acquire, held));
        let nodes: Vec<u32> =
            (0..acquires.len() as u32).filter(|i| alive[*i as usize] && can_close(&acquires[*i as usize])).collect();
        let mut holders: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let mut askers: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (node, i) in nodes.iter().enumerate() {
            let acquire = &acquires[*i as usize];
            askers.entry(acquire.lock).or_default().push(node as u32);
            for held in acquire.held.iter().filter(|held| is_inside(acquire, held)) {
                holders.entry(held.lock).or_default().push(node as u32);
            }
        }
        let distance = vec![(NONE, 0); nodes.len()];
        Search { acquires, nodes, holders, askers, distance, found: Vec::new(), max_patterns, steps, was_limited: false }
    }

    fn node(&self, node: u32) -> &'a AbstractAcquire {
        &self.acquires[self.nodes[node as usize] as usize]
    }

    /// All cycles of `min` to `max` acquisitions. `false`: the budget ended first.
    fn cycles(&mut self, min: usize, max: usize) -> bool {
        self.was_limited = false;
        (0..self.nodes.len() as u32).all(|start| self.cycles_from(start, min, max))
    }

    /// Those whose smallest node is `start`: a depth-first search that only follows nodes from which the start is near enough.
    fn cycles_from(&mut self, start: u32, min: usize, max: usize) -> bool {
        if !self.measure(start, max) {
            return false;
        }
        let mut path = vec![start];
        // One iterator over the holders of the last lock per node of the path.
        let mut next = vec![0usize];
        while let (Some(last), Some(position)) = (path.last().copied(), next.last_mut()) {
            let asked = self.node(last);
            let candidate = self.holders.get(&asked.lock).and_then(|holders| holders.get(*position)).copied();
            let Some(candidate) = candidate else {
                path.pop();
                next.pop();
                continue;
            };
            *position += 1;
            let Some(steps) = self.steps.checked_sub(1) else { return false };
            self.steps = steps;
            if candidate < start || !self.blocks(last, candidate) {
                continue;
            }
            if candidate == start {
                if path.len() >= min {
                    if self.found.len() == self.max_patterns {
                        return false;
                    }
                    self.found.push(path.iter().map(|node| self.nodes[*node as usize]).collect());
                }
                continue;
            }
            let (from, distance) = self.distance[candidate as usize];
            if from != start {
                continue;
            }
            if path.len() + distance as usize > max {
                self.was_limited = true;
                continue;
            }
            if path.iter().all(|other| self.can_stand_together(*other, candidate)) {
                path.push(candidate);
                next.push(0);
            }
        }
        true
    }

    /// Breadth first, against the edges, over nodes from `start` on. `false`: the budget ended.
    fn measure(&mut self, start: u32, max: usize) -> bool {
        self.distance[start as usize] = (start, 0);
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            let distance = self.distance[node as usize].1 + 1;
            for held in self.node(node).held.iter().filter(|held| self.holders.contains_key(&held.lock)) {
                for i in 0..self.askers.get(&held.lock).map_or(0, Vec::len) {
                    let Some(steps) = self.steps.checked_sub(1) else { return false };
                    self.steps = steps;
                    let asker = self.askers[&held.lock][i];
                    if asker < start || self.distance[asker as usize].0 == start || !self.blocks(asker, node) {
                        continue;
                    }
                    if distance as usize >= max {
                        self.was_limited = true;
                        continue;
                    }
                    self.distance[asker as usize] = (start, distance);
                    queue.push_back(asker);
                }
            }
        }
        true
    }

    /// Whether `holder` holds what `asker` asks for, so that it waits, and another thread does.
    fn blocks(&self, asker: u32, holder: u32) -> bool {
        let (asker, holder) = (self.node(asker), self.node(holder));
        asker.thread != holder.thread
            && holder.held.iter().any(|held| held.lock == asker.lock && held.steady && excludes(held.mode, asker.mode))
    }

    /// Whether two nodes may be in one pattern: distinct threads and locks, and no gate lock.
    fn can_stand_together(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.node(a), self.node(b));
        a.thread != b.thread && a.lock != b.lock && !has_gate(&a.held, &b.held)
    }
}

/// Whether two sorted held sets have a lock in common, in modes that exclude each other.
fn has_gate(a: &[Held], b: &[Held]) -> bool {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.lock.cmp(&y.lock) {
            std::cmp::Ordering::Less => _ = a.next(),
            std::cmp::Ordering::Greater => _ = b.next(),
            std::cmp::Ordering::Equal if excludes(x.mode, y.mode) => return true,
            std::cmp::Ordering::Equal => _ = a.next(),
        }
    }
    false
}
