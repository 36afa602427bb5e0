//! Merges the threads' events into one order that could have been.
//!
//! Each thread's events are in its program order; times order the threads roughly. What must be exact is exact: an event waits at
//! the head of its thread until what it depends on has been passed. Where all heads wait (events are missing), the earliest goes on.

mod head;
mod lock;
mod needs;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, Mode, ObjectId, ObjectKind, Record, Section, Step, ThreadId};
use rustc_hash::FxHashMap;

use crate::table::Table;
use head::Head;
use lock::{Lock, is_read};
use needs::{Bounded, Need, Object, Task, acquired};

/// What the merge met.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Merged {
    /// Events.
    pub(crate) events: u64,
    /// How often all threads waited for something that is not in the trace.
    pub(crate) forced: u64,
}

struct Merge<'a, R> {
    trace: &'a ProcessTrace,
    heads: Vec<Head<R>>,
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// All waiting heads, also some that no longer wait, so many at most that they don't matter.
    stuck: BinaryHeap<Reverse<(u64, u32)>>,
    waiting: FxHashMap<Need, Vec<u32>>,
    locks: Table<Lock>,
    objects: Table<Object>,
    tasks: Table<Task>,
    bounded: FxHashMap<ObjectId, Bounded>,
    /// Most steps that a thread may go ahead.
    leash: u32,
}

/// In a trace of at least this many events threads may go ahead of others, for speed.
const MANY_EVENTS: u64 = 200_000;
/// Most steps that a thread may go ahead: enough for what it uses to be at hand.
const LEASH: u32 = 512;

/// Calls `each` with every event of `trace`: the thread's index in [`ProcessTrace::threads`], the event's number in that thread, from
/// 0, and the event; `each` says whether to go on. Events that nothing else orders come in the order of their times.
pub(crate) fn merge(trace: &ProcessTrace, mut each: impl FnMut(usize, u32, &Record) -> bool) -> Merged {
    let threads = trace.threads().into_iter().map(|id| {
        let mut events = trace.events(id).map(Step::Event);
        (id, move |block: &mut Vec<Step>, most| block.extend(events.by_ref().take(most)))
    });
    Merge::new(trace, threads, 0).run(|thread, index, step| match step {
        Step::Event(record) => each(thread, index, record),
        Step::Section(_) => true,
    })
}

/// The same in larger steps. `each` is given the number of a step's first event. Of a large trace in which no thread polls, the
/// sections come in the order that the locks' own numbers give, and only roughly in that of their times.
pub(crate) fn merge_steps(trace: &ProcessTrace, mut each: impl FnMut(usize, u32, &Step)) -> Merged {
    let threads = trace.threads().into_iter().map(|id| {
        let mut steps = trace.steps(id);
        (id, move |block: &mut Vec<Step>, most| steps.read(block, most))
    });
    let leash = if trace.event_count() >= MANY_EVENTS && !trace.census.pauses { LEASH } else { 0 };
    Merge::new(trace, threads, leash).run(|thread, index, step| {
        each(thread, index, step);
        true
    })
}

impl<'a, R: FnMut(&mut Vec<Step>, usize)> Merge<'a, R> {
    fn new(trace: &'a ProcessTrace, threads: impl Iterator<Item = (ThreadId, R)>, leash: u32) -> Merge<'a, R> {
        let heads = threads.map(|(id, read)| Head::new(id, read));
        let mut merge = Merge {
            trace,
            heads: heads.collect(),
            ready: BinaryHeap::new(),
            stuck: BinaryHeap::new(),
            waiting: FxHashMap::default(),
            locks: Table::default(),
            objects: Table::default(),
            tasks: Table::default(),
            bounded: FxHashMap::default(),
            leash,
        };
        for (lock, count) in &trace.census.counted {
            merge.locks.at(lock.0).count(*count);
        }
        for thread in 0..u32::try_from(merge.heads.len()).unwrap_or(u32::MAX) {
            merge.tasks.at(merge.heads[thread as usize].id.0).head = thread;
            merge.advance(thread);
            if let Some(time) = merge.time(thread) {
                merge.ready.push(Reverse((time, thread)));
            }
        }
        merge
    }

    fn run(mut self, mut each: impl FnMut(usize, u32, &Step) -> bool) -> Merged {
        let mut merged = Merged::default();
        let mut running: Option<u32> = None;
        loop {
            let (thread, is_forced) = match running.take().or_else(|| self.ready.pop().map(|Reverse((_, thread))| thread)) {
                Some(thread) => (thread, false),
                None => match self.force() {
                    Some(thread) => (thread, true),
                    None => return merged,
                },
            };
            merged.forced += u64::from(is_forced && !self.lacks_receives(thread) && !self.lacks_counts(thread));
            let need = match self.heads[thread as usize].next() {
                None => continue,
                Some(Step::Section(section)) => {
                    let Section { lock, mode, order, .. } = *section;
                    let state = self.locks.at(lock.0);
                    let is_ready = is_forced || state.is_ready(thread, mode, order.0, false);
                    if is_ready {
                        state.acquire(thread, mode, order.0);
                        state.release(mode);
                        self.wake_lock(lock);
                    }
                    (!is_ready).then_some(Need::Lock(lock))
                }
                Some(&Step::Event(Record { event, .. })) => {
                    let need = if is_forced { None } else { self.need(thread, &event) };
                    if need.is_none() {
                        self.pass(thread, &event);
                    }
                    need
                }
            };
            if let Some(need) = need {
                self.wait(thread, need);
                continue;
            }
            let head = &self.heads[thread as usize];
            let Some(step) = head.next() else { continue };
            merged.events += u64::from(step.events());
            if !each(thread as usize, head.index, step) {
                return merged;
            }
            self.advance(thread);
            running = self.keep(thread);
        }
    }

    /// Takes the thread's next step to its head.
    fn advance(&mut self, thread: u32) {
        let head = &mut self.heads[thread as usize];
        head.advance();
        if let Some((lock, mode, number)) = head.next().and_then(acquired)
            && (is_read(mode) || !self.trace.census.counted.is_empty())
        {
            self.locks.at(lock.0).add_head(thread, mode, number);
        }
    }

    /// The time of the thread's next step.
    fn time(&self, thread: u32) -> Option<u64> {
        Some(self.heads[thread as usize].next()?.time().0)
    }

    /// The thread goes on if its next step is the earliest, or need not be; else it queues.
    fn keep(&mut self, thread: u32) -> Option<u32> {
        let time = self.time(thread)?;
        let is_first = self.ready.peek().is_none_or(|Reverse(first)| *first >= (time, thread));
        let may_go = is_first || self.heads[thread as usize].ahead < self.leash && self.is_placed(thread);
        let head = &mut self.heads[thread as usize];
        head.ahead = if is_first { 0 } else { head.ahead + 1 };
        if may_go {
            return Some(thread);
        }
        head.ahead = 0;
        self.ready.push(Reverse((time, thread)));
        None
    }

    /// Whether the step has its place by the lock's numbers alone: of a lock that also has readers, a write is placed after the reads
    /// before it, for which these must be at hand; of one whose acquisitions were partly counted, what is at hand comes in order.
    fn is_placed(&mut self, thread: u32) -> bool {
        let next = self.heads[thread as usize].next();
        if let Some(Step::Event(Record { event: Event::Release { .. }, .. })) = next {
            return true;
        }
        let Some((lock, mode, number)) = next.and_then(acquired) else { return false };
        let tables = &self.trace.tables;
        let is_mutex = || matches!(tables.object(lock)?.kind, ObjectKind::Mutex | ObjectKind::ReentrantMutex).then_some(());
        matches!(mode, Mode::Exclusive | Mode::Reentrant)
            && number != 0
            && *self.locks.at(lock.0).is_ordered.get_or_insert_with(|| is_mutex().is_some())
    }

    fn wait(&mut self, thread: u32, need: Need) {
        self.heads[thread as usize].waits = true;
        self.stuck.extend(self.time(thread).map(|time| Reverse((time, thread))));
        if self.stuck.len() > 4 * self.heads.len() + 64 {
            let waiting = (0..).zip(&self.heads).filter(|(_, head)| head.waits);
            self.stuck = waiting.filter_map(|(thread, head)| Some(Reverse((head.next()?.time().0, thread)))).collect();
        }
        if let Need::Sent(sender) = need {
            self.wake_sender(sender);
        }
        match need {
            Need::Lock(lock) => self.locks.at(lock.0).add_waiter(thread),
            need => self.waiting.entry(need).or_default().push(thread),
        }
    }

    fn wake(&mut self, need: Need) {
        if self.waiting.is_empty() {
            return;
        }
        for thread in self.waiting.remove(&need).into_iter().flatten() {
            self.wake_thread(thread);
        }
    }

    fn wake_lock(&mut self, lock: ObjectId) {
        while let Some(thread) = self.locks.at(lock.0).take_waiter() {
            self.wake_thread(thread);
        }
    }

    fn wake_thread(&mut self, thread: u32) {
        let time = self.time(thread);
        let head = &mut self.heads[thread as usize];
        if let Some(time) = time
            && head.waits
        {
            head.waits = false;
            self.ready.push(Reverse((time, thread)));
        }
    }

    /// A receive waits for a message of the thread: it was put in before others, which may have been passed on instead.
    fn wake_sender(&mut self, sender: ThreadId) {
        if self.bounded.is_empty() {
            return;
        }
        let head = self.tasks.at(sender.0).head;
        let is_sender = self.heads.get(head as usize).is_some_and(|head| {
            let next = head.next();
            head.id == sender && matches!(next, Some(Step::Event(Record { event: Event::Send { .. }, .. })))
        });
        if is_sender {
            self.wake_thread(head);
        }
    }

    /// All threads wait: the one with the earliest event goes on regardless.
    fn force(&mut self) -> Option<u32> {
        while let Some(Reverse((_, thread))) = self.stuck.pop() {
            let head = &mut self.heads[thread as usize];
            if head.waits && head.next().is_some() {
                head.waits = false;
                // Its entry in `waiting` stays: to be woken for nothing does no harm.
                return Some(thread);
            }
        }
        None
    }
}
