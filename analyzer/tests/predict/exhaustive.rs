//! The truth for small traces: every reordering that a program could have run, searched one by one.
//!
//! Shares no code with prediction beyond the shape of a trace.

use std::collections::{BTreeSet, HashSet};

use conccheck_analyzer::predict::{Op, Trace, excludes};
use conccheck_trace::Mode;

/// A deadlock by thread, lock, mode asked for, and locks held: sorted.
pub(crate) type Shape = Vec<(u32, u32, Mode, Vec<(u32, Mode)>)>;

/// What each event needs, and where the threads stand.
struct World<'t> {
    trace: &'t Trace,
    threads: Vec<Vec<usize>>,
    needs: Vec<Vec<usize>>,
    saw: Vec<Option<usize>>,
    is_read: Vec<bool>,
}

/// Position of each thread, and the last write to each variable that is read somewhere.
type State = (Vec<u16>, Vec<u16>);

const NO_WRITE: u16 = u16::MAX;

/// All deadlocks that some reordering reaches; `None`: more than `max_states` states.
pub(crate) fn deadlocks(trace: &Trace, max_states: usize) -> Option<BTreeSet<Shape>> {
    let world = World::new(trace);
    let start: State = (vec![0; world.threads.len()], vec![NO_WRITE; trace.variables as usize]);
    let mut seen = HashSet::from([start.clone()]);
    let mut todo = vec![start];
    let mut found = BTreeSet::new();
    while let Some(state) = todo.pop() {
        world.collect_cycles(&state, &mut found);
        for thread in 0..world.threads.len() {
            if let Some(next) = world.step(&state, thread).filter(|next| !seen.contains(next)) {
                if seen.len() == max_states {
                    return None;
                }
                seen.insert(next.clone());
                todo.push(next);
            }
        }
    }
    Some(found)
}

impl<'t> World<'t> {
    fn new(trace: &'t Trace) -> World<'t> {
        let mut threads = vec![Vec::new(); trace.threads as usize];
        let mut needs = vec![Vec::new(); trace.events.len()];
        let mut saw = vec![None; trace.events.len()];
        let mut is_read = vec![false; trace.variables as usize];
        for (i, event) in trace.events.iter().enumerate() {
            let earlier = || trace.events[..i].iter().enumerate();
            // The first event after a fork waits for it.
            let own_last = threads[event.thread as usize].last().copied().unwrap_or(0);
            let fork = earlier().rfind(|(_, e)| e.op == Op::Fork && e.object == event.thread).map(|(f, _)| f);
            needs[i].extend(fork.filter(|f| threads[event.thread as usize].is_empty() || *f > own_last));
            match event.op {
                Op::Join { .. } => needs[i].extend(earlier().rfind(|(_, e)| e.thread == event.object).map(|(e, _)| e)),
                Op::Read => {
                    saw[i] = earlier().rfind(|(_, e)| e.op == Op::Write && e.object == event.object).map(|(w, _)| w);
                    is_read[event.object as usize] = true;
                }
                _ => {}
            }
            if trace.fences.contains(&(i as u32)) {
                needs[i].extend(0..i);
            }
            needs[i].extend(trace.orders.iter().filter(|order| order.after as usize == i).map(|order| order.before as usize));
            threads[event.thread as usize].push(i);
        }
        World { trace, threads, needs, saw, is_read }
    }

    fn next(&self, state: &State, thread: usize) -> Option<usize> {
        self.threads[thread].get(state.0[thread] as usize).copied()
    }

    fn happened(&self, state: &State, event: usize) -> bool {
        let thread = self.trace.events[event].thread as usize;
        self.threads[thread][..state.0[thread] as usize].contains(&event)
    }

    /// What a thread holds: lock, mode, whether it is sure to block.
    fn held(&self, state: &State, thread: usize) -> Vec<(u32, Mode, bool)> {
        let mut held = Vec::new();
        for i in &self.threads[thread][..state.0[thread] as usize] {
            let event = self.trace.events[*i];
            match event.op {
                Op::Acquire { mode, steady, .. } => held.push((event.object, mode, steady)),
                Op::Release => held.retain(|(lock, ..)| *lock != event.object),
                _ => {}
            }
        }
        held
    }

    /// The threads that keep `thread` from a lock.
    fn holders(&self, state: &State, thread: usize, lock: u32, mode: Mode, only_steady: bool) -> Vec<usize> {
        let blocks = |other: &usize| {
            let held = self.held(state, *other);
            *other != thread && held.iter().any(|(l, m, steady)| *l == lock && excludes(*m, mode) && (*steady || !only_steady))
        };
        (0..self.threads.len()).filter(blocks).collect()
    }

    fn step(&self, state: &State, thread: usize) -> Option<State> {
        let i = self.next(state, thread)?;
        let event = self.trace.events[i];
        if !self.needs[i].iter().all(|needed| self.happened(state, *needed)) {
            return None;
        }
        let mut next = state.clone();
        next.0[thread] += 1;
        match event.op {
            Op::Acquire { mode, .. } if !self.holders(state, thread, event.object, mode, false).is_empty() => return None,
            Op::Request { .. } => return None,
            Op::Read if state.1[event.object as usize] != self.saw[i].map_or(NO_WRITE, |w| w as u16) => return None,
            Op::Write if self.is_read[event.object as usize] => next.1[event.object as usize] = i as u16,
            _ => {}
        }
        Some(next)
    }

    fn collect_cycles(&self, state: &State, found: &mut BTreeSet<Shape>) {
        let asked: Vec<Option<(u32, Mode)>> = (0..self.threads.len())
            .map(|thread| {
                let i = self.next(state, thread)?;
                let is_there = self.needs[i].iter().all(|needed| self.happened(state, *needed) || self.is_fence_only(i, *needed));
                match self.trace.events[i].op {
                    Op::Acquire { mode, waits: true, .. } | Op::Request { mode } if is_there => {
                        Some((self.trace.events[i].object, mode))
                    }
                    _ => None,
                }
            })
            .collect();
        let waits: Vec<Vec<usize>> = asked
            .iter()
            .enumerate()
            .map(|(thread, asked)| asked.map_or(Vec::new(), |(lock, mode)| self.holders(state, thread, lock, mode, true)))
            .collect();
        for start in 0..waits.len() {
            self.cycles(&waits, &mut vec![start], &mut |cycle| {
                let mut shape: Shape = cycle
                    .iter()
                    .map(|thread| {
                        let (lock, mode) = asked[*thread].expect("a waiting thread asks");
                        let mut held: Vec<(u32, Mode)> = self.held(state, *thread).iter().map(|(l, m, _)| (*l, *m)).collect();
                        held.sort_unstable();
                        (*thread as u32, lock, mode, held)
                    })
                    .collect();
                shape.sort_unstable();
                let locks: HashSet<u32> = shape.iter().map(|(_, lock, ..)| *lock).collect();
                if locks.len() == shape.len() {
                    found.insert(shape);
                }
            });
        }
    }

    /// A fence keeps an acquisition from succeeding before all else, not from being asked for.
    fn is_fence_only(&self, event: usize, needed: usize) -> bool {
        self.trace.fences.contains(&(event as u32))
            && !self.trace.orders.iter().any(|o| o.after as usize == event && o.before as usize == needed)
    }

    fn cycles(&self, waits: &[Vec<usize>], path: &mut Vec<usize>, report: &mut dyn FnMut(&[usize])) {
        for next in &waits[path[path.len() - 1]] {
            if *next == path[0] && path.len() > 1 {
                report(path);
            } else if *next > path[0] && !path.contains(next) {
                path.push(*next);
                self.cycles(waits, path, report);
                path.pop();
            }
        }
    }
}
