//! The truth for waits in small traces: every reordering, searched one by one, and in each state who waits for ever.
//!
//! Shares no code with prediction beyond the shape of a trace.

use std::collections::{BTreeSet, HashSet};

use conccheck_analyzer::predict::{Await, Op, Trace, excludes};
use conccheck_trace::Mode;

/// How far each thread is; the last write to each variable; whether each thread was notified since it waits; and whether it has a token.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    at: Vec<usize>,
    written: Vec<Option<u32>>,
    told: Vec<bool>,
    tokens: Vec<bool>,
    /// The thread that arrived last at the barrier, while it does not open it.
    last: Option<u32>,
}

struct World<'t> {
    trace: &'t Trace,
    threads: Vec<Vec<u32>>,
    needs: Vec<Vec<u32>>,
    /// The write that each read saw.
    saw: Vec<Option<u32>>,
}

/// Pairs of a wait and an acquisition whose threads wait for ever in some state.
pub(crate) fn pairs(trace: &Trace, most: usize) -> Option<BTreeSet<(u32, u32)>> {
    explore(trace, most, |world, state, found| {
        let stuck = world.stuck(state);
        let next: Vec<u32> = stuck.iter().filter_map(|t| world.next(state, *t)).collect();
        let op = |event: u32| trace.events[event as usize].op;
        for wait in next.iter().filter(|event| op(**event).awaits().is_some()) {
            let takes = next.iter().filter(|event| op(**event).asks().is_some());
            found.extend(takes.filter(|take| *take != wait).map(|take| (*wait, *take)));
        }
    })
}

/// Pairs of an event that comes next and another thread's write that waits for what the first thread holds.
pub(crate) fn before_writers(trace: &Trace, most: usize) -> Option<BTreeSet<(u32, u32)>> {
    explore(trace, most, |world, state, found| {
        let next: Vec<u32> = (0..world.threads.len()).filter_map(|t| world.next(state, t)).collect();
        for write in &next {
            if trace.events[*write as usize].op.asks() != Some(Mode::Exclusive) {
                continue;
            }
            for stands in next.iter().filter(|stands| *stands != write) {
                let thread = trace.events[*stands as usize].thread as usize;
                let is_there = world.needs[*stands as usize].iter().all(|needed| world.happened(state, *needed));
                if is_there && world.keepers(state, *write, true).contains(&thread) {
                    found.insert((*stands, *write));
                }
            }
        }
    })
}

fn explore(
    trace: &Trace,
    most: usize,
    collect: impl Fn(&World<'_>, &State, &mut BTreeSet<(u32, u32)>),
) -> Option<BTreeSet<(u32, u32)>> {
    let world = World::new(trace);
    let threads = world.threads.len();
    let start = State {
        at: vec![0; threads],
        written: vec![None; trace.variables as usize],
        told: vec![false; threads],
        tokens: vec![false; threads],
        last: None,
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut todo = vec![start];
    let mut found = BTreeSet::new();
    while let Some(state) = todo.pop() {
        collect(&world, &state, &mut found);
        for thread in 0..threads {
            if let Some(next) = world.step(&state, thread)
                && seen.insert(next.clone())
            {
                if seen.len() > most {
                    return None;
                }
                todo.push(next);
            }
        }
    }
    Some(found)
}

impl<'t> World<'t> {
    fn new(trace: &'t Trace) -> World<'t> {
        let mut threads = vec![Vec::new(); trace.threads as usize];
        let mut needs: Vec<Vec<u32>> = vec![Vec::new(); trace.events.len()];
        let mut saw = vec![None; trace.events.len()];
        for (i, event) in (0..).zip(&trace.events) {
            let earlier = || (0..i).rev();
            let of = |event: u32| trace.events[event as usize];
            if threads[event.thread as usize].is_empty() {
                needs[i as usize].extend(earlier().find(|e| of(*e).op == Op::Fork && of(*e).object == event.thread));
            }
            if matches!(event.op, Op::Join { .. }) {
                needs[i as usize].extend(earlier().find(|e| of(*e).thread == event.object));
            }
            if let Some(variable) = trace.read_by(i) {
                saw[i as usize] = earlier().find(|e| trace.written_by(*e) == Some(variable));
            }
            if trace.fences.contains(&i) {
                needs[i as usize].extend(0..i);
            }
            needs[i as usize].extend(trace.orders.iter().filter(|order| order.after == i).map(|order| order.before));
            threads[event.thread as usize].push(i);
        }
        World { trace, threads, needs, saw }
    }

    fn next(&self, state: &State, thread: usize) -> Option<u32> {
        self.threads[thread].get(state.at[thread]).copied()
    }

    fn happened(&self, state: &State, event: u32) -> bool {
        let thread = self.trace.events[event as usize].thread as usize;
        self.threads[thread][..state.at[thread]].contains(&event)
    }

    /// The threads that keep an acquisition from going on; or only those that are sure to.
    fn keepers(&self, state: &State, take: u32, only_sure: bool) -> Vec<usize> {
        let event = self.trace.events[take as usize];
        let (Op::Acquire { mode, .. } | Op::Section { mode, .. } | Op::Request { mode }) = event.op else { return Vec::new() };
        let holds = |thread: &usize| {
            let mut held = None;
            for i in &self.threads[*thread][..state.at[*thread]] {
                match self.trace.events[*i as usize] {
                    other if other.object != event.object => {}
                    other => match other.op {
                        Op::Acquire { mode, steady, .. } => held = Some((mode, steady)),
                        Op::Release => held = None,
                        _ => {}
                    },
                }
            }
            let keeps = |(held, steady): (Mode, bool)| excludes(held, mode) && (steady || !only_sure);
            *thread != event.thread as usize && held.is_some_and(keeps)
        };
        (0..self.threads.len()).filter(holds).collect()
    }

    fn step(&self, state: &State, thread: usize) -> Option<State> {
        let i = self.next(state, thread)?;
        let event = self.trace.events[i as usize];
        let is_ready = self.needs[i as usize].iter().all(|needed| self.happened(state, *needed));
        let never = matches!(event.op, Op::Request { .. } | Op::Stalled { .. } | Op::Unknown);
        if !is_ready || never || !self.keepers(state, i, false).is_empty() {
            return None;
        }
        let mut next = state.clone();
        next.at[thread] += 1;
        if self.trace.read_by(i).is_some_and(|variable| state.written[variable as usize] != self.saw[i as usize]) {
            return None;
        }
        if let Some(variable) = self.trace.written_by(i) {
            next.written[variable as usize] = Some(i);
        }
        match event.op {
            Op::Await { what: Await::Notification, .. } => next.told[thread] = false,
            Op::Await { what: Await::Token, .. } => next.tokens[thread] = false,
            _ => {}
        }
        for (id, resource) in (0..).zip(&self.trace.resources) {
            if !resource.gives.contains(&i) {
                continue;
            }
            for other in 0..self.threads.len() {
                let awaits = |what: Await, event: &u32| {
                    let event = self.trace.events[*event as usize];
                    let is_same = matches!(event.op, Op::Await { what: w, .. } | Op::Stalled { what: w } if w == what);
                    event.object == id && is_same
                };
                next.told[other] |= self.next(state, other).is_some_and(|event| awaits(Await::Notification, &event));
                next.tokens[other] |= self.threads[other].iter().any(|event| awaits(Await::Token, event));
            }
            if self.is_barrier(id) {
                next.last = Some(thread as u32);
            }
        }
        if let Op::Await { what: Await::Barrier, .. } = event.op
            && !self.needs[i as usize].iter().any(|e| self.is_opening(*e))
            && state.last != Some(thread as u32)
        {
            // Who opens a barrier arrived last.
            return None;
        }
        Some(next)
    }

    fn is_barrier(&self, resource: u32) -> bool {
        let awaits = |event: &conccheck_analyzer::predict::PEvent| {
            let is_barrier = matches!(event.op, Op::Await { what: Await::Barrier, .. } | Op::Stalled { what: Await::Barrier });
            event.object == resource && is_barrier
        };
        self.trace.events.iter().any(awaits)
    }

    fn is_opening(&self, event: u32) -> bool {
        matches!(self.trace.events[event as usize].op, Op::Await { what: Await::Barrier, .. })
    }

    /// Whether a thread's next event is a wait for what is not there. `stuck`: who waits for ever, as far as is known.
    fn waits(&self, state: &State, thread: usize, stuck: &[usize]) -> bool {
        let Some(i) = self.next(state, thread) else { return false };
        let event = self.trace.events[i as usize];
        let is_started = state.at[thread] > 0 || self.needs[i as usize].iter().all(|needed| self.happened(state, *needed));
        if event.op.asks().is_some() {
            let is_there = self.needs[i as usize].iter().all(|needed| self.happened(state, *needed));
            return is_there && !self.in_the_way(state, i, stuck).is_empty();
        }
        let is_stalled = matches!(event.op, Op::Stalled { .. });
        let awaited = self.trace.awaited(i).collect::<Vec<_>>();
        is_started && !awaited.is_empty() && awaited.iter().all(|(what, object)| self.lacks(state, i, *what, *object, is_stalled))
    }

    fn lacks(&self, state: &State, i: u32, what: Await, object: u32, is_stalled: bool) -> bool {
        let thread = self.trace.events[i as usize].thread as usize;
        let count = |events: &[u32]| events.iter().filter(|event| self.happened(state, **event)).count() as u64;
        if what == Await::End {
            let last = self.trace.events[..i as usize].iter().rposition(|e| e.thread == object);
            return if is_stalled {
                self.next(state, object as usize).is_some()
            } else {
                last.is_some_and(|last| !self.happened(state, last as u32))
            };
        }
        let resource = &self.trace.resources[object as usize];
        let is_open = || self.trace.helpers(what, object).any(|helper| !self.happened(state, helper));
        match what {
            Await::Message => count(&resource.gives) <= count(&resource.takes) && is_open(),
            Await::Room => {
                resource.capacity.is_some_and(|room| count(&resource.gives) >= count(&resource.takes) + room) && is_open()
            }
            Await::Notification => !state.told[thread],
            Await::Token => !state.tokens[thread],
            Await::Once => count(&resource.takes) > count(&resource.gives),
            Await::Barrier if is_stalled => true,
            Await::Barrier | Await::End => {
                let opening = self.needs[i as usize].iter().copied().find(|e| self.is_opening(*e)).unwrap_or(i);
                let own = self.threads[self.trace.events[opening as usize].thread as usize].iter();
                let arrival = own.take_while(|e| **e < opening).last().copied();
                let mut all = self.needs[opening as usize].iter().copied().chain(arrival);
                all.any(|arrival| !self.happened(state, arrival))
            }
        }
    }

    /// The threads that keep an acquisition from going on: holders, and writers that wait before who wants to read.
    fn in_the_way(&self, state: &State, take: u32, stuck: &[usize]) -> Vec<usize> {
        let mut all = self.keepers(state, take, true);
        let event = self.trace.events[take as usize];
        if event.op.asks() == Some(Mode::Shared) {
            let writes = |other: &usize| {
                let next = self.next(state, *other).map(|next| (next, self.trace.events[next as usize]));
                next.is_some_and(|(next, other)| {
                    other.object == event.object
                        && other.op.asks().is_some_and(|mode| excludes(mode, Mode::Shared))
                        && !self.keepers(state, next, true).is_empty()
                })
            };
            all.extend(stuck.iter().copied().filter(|other| *other != event.thread as usize && writes(other)));
        }
        all
    }

    /// The threads that could let a thread's next event happen.
    fn helpers(&self, state: &State, thread: usize, stuck: &[usize]) -> Vec<usize> {
        let i = self.next(state, thread).expect("it waits");
        if self.trace.events[i as usize].op.asks().is_some() {
            return self.in_the_way(state, i, stuck);
        }
        let mut all = Vec::new();
        for (what, object) in self.trace.awaited(i) {
            if what == Await::End {
                all.push(object as usize);
            } else {
                let left = self.trace.helpers(what, object).filter(|helper| !self.happened(state, *helper));
                all.extend(left.map(|helper| self.trace.events[helper as usize].thread as usize));
            }
        }
        all.into_iter().map(|thread| self.starter(state, thread)).collect()
    }

    /// The thread itself, or who is to start it.
    fn starter(&self, state: &State, thread: usize) -> usize {
        let fork = self.trace.events.iter().position(|e| e.op == Op::Fork && e.object as usize == thread);
        match fork {
            Some(fork) if !self.happened(state, fork as u32) => self.starter(state, self.trace.events[fork].thread as usize),
            _ => thread,
        }
    }

    /// The threads that wait for ever: nobody who could end their waits can go on.
    fn stuck(&self, state: &State) -> Vec<usize> {
        let mut stuck: Vec<usize> = (0..self.threads.len()).collect();
        loop {
            let stays = |t: &usize| {
                if !self.waits(state, *t, &stuck) {
                    return false;
                }
                let helpers = self.helpers(state, *t, &stuck);
                let is_lock = self.trace.events[self.next(state, *t).expect("it waits") as usize].op.asks().is_some();
                if is_lock { helpers.iter().any(|h| stuck.contains(h)) } else { helpers.iter().all(|h| stuck.contains(h)) }
            };
            let next: Vec<usize> = stuck.iter().copied().filter(stays).collect();
            if next.len() == stuck.len() {
                return stuck;
            }
            stuck = next;
        }
    }
}
