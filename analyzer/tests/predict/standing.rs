//! The truth for waits in small traces: every reordering, searched one by one, and in each state who waits for ever.
//!
//! Shares no code with prediction beyond the shape of a trace.

use std::collections::{BTreeSet, HashSet};

use conccheck_analyzer::predict::{Await, Op, Trace, excludes};
use conccheck_trace::Mode;

/// How far each thread is; and whether what it waits for came since it does, or since it took the last: notifications and tokens.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    at: Vec<usize>,
    told: Vec<bool>,
    /// The thread that arrived last at the barrier, while it does not open it.
    last: Option<u32>,
}

struct World<'t> {
    trace: &'t Trace,
    threads: Vec<Vec<u32>>,
    needs: Vec<Vec<u32>>,
}

/// Pairs of a wait and an acquisition whose threads wait for ever in some state.
pub(crate) fn pairs(trace: &Trace, most: usize) -> Option<BTreeSet<(u32, u32)>> {
    explore(trace, most, |world, state, found| {
        let stuck = world.stuck(state);
        let next: Vec<u32> = stuck.iter().filter_map(|t| world.next(state, *t)).collect();
        let op = |event: u32| trace.events[event as usize].op;
        for wait in next.iter().filter(|event| is_wait(op(**event))) {
            let takes = next.iter().filter(|event| matches!(op(**event), Op::Acquire { .. }));
            found.extend(takes.filter(|take| *take != wait).map(|take| (*wait, *take)));
        }
    })
}

/// Pairs of an event that comes next and another thread's write that waits for what the first thread holds.
pub(crate) fn before_writers(trace: &Trace, most: usize) -> Option<BTreeSet<(u32, u32)>> {
    explore(trace, most, |world, state, found| {
        let next: Vec<u32> = (0..world.threads.len()).filter_map(|t| world.next(state, t)).collect();
        for write in &next {
            let Op::Acquire { mode: Mode::Exclusive, waits: true, .. } = trace.events[*write as usize].op else { continue };
            for stands in next.iter().filter(|stands| *stands != write) {
                let thread = trace.events[*stands as usize].thread as usize;
                let is_there = world.needs[*stands as usize].iter().all(|needed| world.happened(state, *needed));
                if is_there && world.keepers(state, *write).contains(&thread) {
                    found.insert((*stands, *write));
                }
            }
        }
    })
}

fn is_wait(op: Op) -> bool {
    matches!(op, Op::Await { waits: true, .. } | Op::Join { waits: true })
}

fn explore(
    trace: &Trace,
    most: usize,
    collect: impl Fn(&World<'_>, &State, &mut BTreeSet<(u32, u32)>),
) -> Option<BTreeSet<(u32, u32)>> {
    let world = World::new(trace);
    let threads = world.threads.len();
    let start = State { at: vec![0; threads], told: vec![false; threads], last: None };
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
        for (i, event) in (0..).zip(&trace.events) {
            let earlier = || (0..i).rev();
            let of = |event: u32| trace.events[event as usize];
            if threads[event.thread as usize].is_empty() {
                needs[i as usize].extend(earlier().find(|e| of(*e).op == Op::Fork && of(*e).object == event.thread));
            }
            if matches!(event.op, Op::Join { .. }) {
                needs[i as usize].extend(earlier().find(|e| of(*e).thread == event.object));
            }
            if trace.fences.contains(&i) {
                needs[i as usize].extend(0..i);
            }
            needs[i as usize].extend(trace.orders.iter().filter(|order| order.after == i).map(|order| order.before));
            threads[event.thread as usize].push(i);
        }
        World { trace, threads, needs }
    }

    fn next(&self, state: &State, thread: usize) -> Option<u32> {
        self.threads[thread].get(state.at[thread]).copied()
    }

    fn happened(&self, state: &State, event: u32) -> bool {
        let thread = self.trace.events[event as usize].thread as usize;
        self.threads[thread][..state.at[thread]].contains(&event)
    }

    /// The threads that keep an acquisition from going on.
    fn keepers(&self, state: &State, take: u32) -> Vec<usize> {
        let event = self.trace.events[take as usize];
        let (Op::Acquire { mode, .. } | Op::Request { mode }) = event.op else { return Vec::new() };
        let holds = |thread: &usize| {
            let mut held = None;
            for i in &self.threads[*thread][..state.at[*thread]] {
                match self.trace.events[*i as usize] {
                    other if other.object != event.object => {}
                    other => match other.op {
                        Op::Acquire { mode, .. } => held = Some(mode),
                        Op::Release => held = None,
                        _ => {}
                    },
                }
            }
            *thread != event.thread as usize && held.is_some_and(|held| excludes(held, mode))
        };
        (0..self.threads.len()).filter(holds).collect()
    }

    fn step(&self, state: &State, thread: usize) -> Option<State> {
        let i = self.next(state, thread)?;
        let event = self.trace.events[i as usize];
        let is_ready = self.needs[i as usize].iter().all(|needed| self.happened(state, *needed));
        if !is_ready || matches!(event.op, Op::Request { .. } | Op::Unknown) || !self.keepers(state, i).is_empty() {
            return None;
        }
        let mut next = state.clone();
        next.at[thread] += 1;
        if let Op::Await { what: Await::Notification | Await::Token, .. } = event.op {
            next.told[thread] = false;
        }
        for (id, resource) in (0..).zip(&self.trace.resources) {
            if !resource.gives.contains(&i) {
                continue;
            }
            for other in 0..self.threads.len() {
                let waits_next = self.next(state, other).is_some_and(|event| {
                    let event = self.trace.events[event as usize];
                    event.object == id && matches!(event.op, Op::Await { what: Await::Notification, .. })
                });
                let mut awaited = self.threads[other].iter().map(|event| self.trace.events[*event as usize]);
                let is_token = awaited.any(|e| e.object == id && matches!(e.op, Op::Await { what: Await::Token, .. }));
                next.told[other] |= waits_next || is_token;
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
            event.object == resource && matches!(event.op, Op::Await { what: Await::Barrier, .. })
        };
        self.trace.events.iter().any(awaits)
    }

    fn is_opening(&self, event: u32) -> bool {
        matches!(self.trace.events[event as usize].op, Op::Await { what: Await::Barrier, .. })
    }

    /// Whether a thread's next event is a wait for what is not there.
    fn waits(&self, state: &State, thread: usize) -> bool {
        let Some(i) = self.next(state, thread) else { return false };
        let event = self.trace.events[i as usize];
        let count = |events: &[u32]| events.iter().filter(|event| self.happened(state, **event)).count() as u64;
        match event.op {
            Op::Acquire { waits: true, .. } => !self.keepers(state, i).is_empty(),
            Op::Join { waits: true } => {
                let last = self.trace.events[..i as usize].iter().rposition(|e| e.thread == event.object);
                last.is_some_and(|last| !self.happened(state, last as u32))
            }
            Op::Await { what, waits: true } => {
                let resource = &self.trace.resources[event.object as usize];
                match what {
                    Await::Message => count(&resource.gives) <= count(&resource.takes),
                    Await::Room => resource.capacity.is_some_and(|room| count(&resource.gives) >= count(&resource.takes) + room),
                    Await::Notification | Await::Token => !state.told[thread],
                    Await::Once => count(&resource.takes) > count(&resource.gives),
                    Await::Barrier => {
                        let opening = self.needs[i as usize].iter().copied().find(|e| self.is_opening(*e)).unwrap_or(i);
                        let own = self.threads[self.trace.events[opening as usize].thread as usize].iter();
                        let arrival = own.take_while(|e| **e < opening).last().copied();
                        let mut all = self.needs[opening as usize].iter().copied().chain(arrival);
                        all.any(|arrival| !self.happened(state, arrival))
                    }
                }
            }
            _ => false,
        }
    }

    /// The threads that could let a thread's next event happen.
    fn helpers(&self, state: &State, thread: usize) -> Vec<usize> {
        let i = self.next(state, thread).expect("it waits");
        let event = self.trace.events[i as usize];
        match event.op {
            Op::Acquire { .. } => self.keepers(state, i),
            Op::Join { .. } => vec![event.object as usize],
            Op::Await { what, .. } => {
                let resource = &self.trace.resources[event.object as usize];
                let left = resource.helpers(what).filter(|helper| !self.happened(state, *helper));
                left.map(|helper| self.trace.events[helper as usize].thread as usize).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The threads that wait for ever: nobody who could end their waits can go on.
    fn stuck(&self, state: &State) -> Vec<usize> {
        let mut stuck: Vec<usize> = (0..self.threads.len()).filter(|t| self.waits(state, *t)).collect();
        loop {
            let stays = |t: &usize| {
                let helpers = self.helpers(state, *t);
                let is_lock =
                    matches!(self.trace.events[self.next(state, *t).expect("it waits") as usize].op, Op::Acquire { .. });
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
