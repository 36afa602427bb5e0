//! Makes traces for prediction.

use conccheck_trace::Mode;
use rustc_hash::FxHashMap;

use super::events::{Await, NONE, Op, Order, PEvent, Resource, Trace};

/// Makes a [`Trace`], event by event. Names of threads, locks and variables are any numbers.
///
/// ```
/// use conccheck_analyzer::predict::{Builder, Op};
/// use conccheck_trace::Mode;
///
/// let mut builder = Builder::default();
/// let lock = Op::Acquire { mode: Mode::Exclusive, waits: true, steady: true };
/// builder.push(7, lock, 100, 1);
/// builder.push(7, lock, 100, 2); // Re-entrant: left out.
/// builder.push(7, Op::Release, 100, 3); // So is its release.
/// builder.push(7, Op::Release, 100, 4);
/// assert_eq!(builder.finish().events.len(), 2);
/// ```
#[derive(Default, Debug)]
pub struct Builder {
    trace: Trace,
    threads: FxHashMap<u64, u32>,
    locks: FxHashMap<u64, u32>,
    variables: FxHashMap<u64, u32>,
    depth: FxHashMap<(u32, u32), u32>,
}

fn intern(table: &mut FxHashMap<u64, u32>, name: u64) -> u32 {
    let next = table.len() as u32;
    *table.entry(name).or_insert(next)
}

fn names(table: &FxHashMap<u64, u32>) -> Vec<u64> {
    let mut names = vec![0; table.len()];
    table.iter().for_each(|(name, number)| names[*number as usize] = *name);
    names
}

impl Builder {
    /// Adds an event and says its index. `None`: it was left out, as the inner part of a re-entrant section, or as the release of a
    /// lock that the thread does not hold.
    ///
    /// # Panics
    /// At the 2^32-1st event.
    pub fn push(&mut self, thread: u64, op: Op, object: u64, location: u32) -> Option<u32> {
        let thread = intern(&mut self.threads, thread);
        let object = match op {
            Op::Acquire { .. } | Op::Section { .. } | Op::Request { .. } | Op::Release => intern(&mut self.locks, object),
            Op::Read | Op::Write => intern(&mut self.variables, object),
            Op::Fork | Op::Join { .. } | Op::Stalled { what: Await::End } => intern(&mut self.threads, object),
            Op::Await { .. } | Op::Stalled { .. } | Op::Signal => u32::try_from(object).unwrap_or(NONE),
            Op::Unknown | Op::Mark => 0,
        };
        match op {
            Op::Acquire { .. } => {
                let depth = self.depth.entry((thread, object)).or_default();
                *depth += 1;
                if *depth > 1 {
                    return None;
                }
            }
            Op::Section { .. } if self.depth.get(&(thread, object)).is_some_and(|depth| *depth > 0) => return None,
            Op::Release => {
                let depth = self.depth.entry((thread, object)).or_default();
                *depth = depth.checked_sub(1)?;
                if *depth > 0 {
                    return None;
                }
            }
            _ => {}
        }
        let index = u32::try_from(self.trace.events.len()).ok().filter(|index| *index < NONE).expect("fewer than 2^32-1 events");
        self.trace.events.push(PEvent { thread, op, object, location });
        Some(index)
    }

    /// Keeps `before` before `after`. Both are indices that [`push`](Builder::push) gave; an order against the run's own is ignored.
    pub fn order(&mut self, before: u32, after: u32) {
        if before < after {
            self.trace.orders.push(Order { after, before });
        }
    }

    /// Lets `event` depend on everything before it in the run.
    pub fn fence(&mut self, event: u32) {
        self.trace.fences.push(event);
    }

    /// Changes what an event does, its kind and object aside: the mode of a section is known when it ends.
    pub fn set_op(&mut self, event: u32, op: Op) {
        let slot = &mut self.trace.events[event as usize].op;
        debug_assert_eq!(std::mem::discriminant(slot), std::mem::discriminant(&op));
        *slot = op;
    }

    /// Ends the section that an acquisition began: its thread did nothing since.
    pub fn whole_section(&mut self, acquire: u32, mode: Mode, waits: bool, wrote: bool) {
        let PEvent { thread, op, object, .. } = &mut self.trace.events[acquire as usize];
        debug_assert!(matches!(op, Op::Acquire { .. }));
        *op = Op::Section { mode, waits, wrote };
        self.depth.remove(&(*thread, *object));
    }

    /// Says what an event, a `Mark` so far, waited for.
    pub fn awaits(&mut self, event: u32, what: Await, waits: bool, resource: u32) {
        self.concerns(event, Op::Await { what, waits }, resource);
    }

    /// Says that an event, a `Mark` so far, is one that ends waits for a resource.
    pub fn signals(&mut self, event: u32, resource: u32) {
        self.resource(resource).gives.push(event);
        self.concerns(event, Op::Signal, resource);
    }

    fn concerns(&mut self, event: u32, op: Op, resource: u32) {
        let slot = &mut self.trace.events[event as usize];
        debug_assert_eq!(slot.op, Op::Mark);
        (slot.op, slot.object) = (op, resource);
    }

    /// Says that a thread's end is not in the trace: `event`, which never happens, is its last.
    pub fn unended(&mut self, event: u32) {
        self.trace.unended.push(event);
    }

    /// Says what else would have ended the wait for `event`.
    pub fn or_awaits(&mut self, event: u32, what: Await, resource: u32) {
        self.trace.alternatives.push((event, what, resource));
    }

    /// A resource, with those below its number.
    pub fn resource(&mut self, resource: u32) -> &mut Resource {
        let resources = &mut self.trace.resources;
        if resources.len() <= resource as usize {
            resources.resize_with(resource as usize + 1, Resource::default);
        }
        &mut resources[resource as usize]
    }

    /// The number by which [`Trace`] knows a thread.
    pub fn thread(&mut self, name: u64) -> u32 {
        intern(&mut self.threads, name)
    }

    /// The thread of an event, by the number by which [`Trace`] knows it.
    pub fn thread_of(&self, event: u32) -> u32 {
        self.trace.events[event as usize].thread
    }

    /// The number by which [`Trace`] knows a lock that was used.
    pub fn lock(&self, name: u64) -> Option<u32> {
        self.locks.get(&name).copied()
    }

    /// The names of the locks, by the numbers by which [`Trace`] knows them.
    pub fn lock_names(&self) -> Vec<u64> {
        names(&self.locks)
    }

    /// The names of the threads, by the numbers by which [`Trace`] knows them.
    pub fn thread_names(&self) -> Vec<u64> {
        names(&self.threads)
    }

    /// Events so far: the index of the next one.
    pub fn len(&self) -> u32 {
        self.trace.events.len() as u32
    }

    /// Whether there is no event yet.
    pub fn is_empty(&self) -> bool {
        self.trace.events.is_empty()
    }

    /// The trace.
    pub fn finish(mut self) -> Trace {
        let mut trace = self.trace;
        trace.orders.sort_unstable();
        trace.orders.dedup();
        trace.fences.sort_unstable();
        trace.fences.dedup();
        trace.alternatives.sort_unstable_by_key(|(event, _, resource)| (*event, *resource));
        trace.threads = self.threads.len() as u32;
        trace.by_thread = vec![Vec::new(); self.threads.len()];
        for (i, event) in (0..).zip(&trace.events) {
            trace.by_thread[event.thread as usize].push(i);
        }
        trace.locks = self.locks.len() as u32;
        if trace.events.iter().any(|event| matches!(event.op, Op::Section { .. })) {
            trace.data = names(&self.locks).into_iter().map(|name| intern(&mut self.variables, name)).collect();
        }
        trace.variables = self.variables.len() as u32;
        trace
    }
}
