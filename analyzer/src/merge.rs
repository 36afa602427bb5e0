//! Merges the threads' events into one order that could have been.
//!
//! Each thread's events are in its program order; times order the threads roughly. What must be exact is exact: an event waits at
//! the head of its thread until what it depends on has been passed. Where all heads wait (events are missing), the earliest goes on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use conccheck_trace::read::{Events, ProcessTrace};
use conccheck_trace::{Event, Mode, ObjectId, Record, Stamp, ThreadId};
use rustc_hash::FxHashMap;

use crate::table::Table;

/// What an event can wait for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Need {
    Lock(ObjectId),
    Sent(ThreadId),
    Spawned(ThreadId),
    Ended(ThreadId),
    Object(ObjectId),
}

#[derive(Default)]
struct Lock {
    /// Number of the newest exclusive acquisition.
    acquired: u64,
    /// Exclusive acquisitions that were counted, not recorded: gaps in the numbers.
    missing: u64,
    holder: Option<(u32, Mode)>,
    /// How often the holder holds it.
    depth: u32,
    readers: u32,
    /// Threads whose next event is a read acquisition, with its number.
    reader_heads: Vec<(u32, u64)>,
}

/// Condition variables, onces and barriers.
#[derive(Default)]
struct Object {
    notified: u64,
    once_ended: bool,
    once_running: bool,
    arrived: u64,
}

#[derive(Default)]
struct Task {
    spawned: bool,
    ended: bool,
    sent: u32,
    /// For each barrier that the thread waits at, how many arrivals let it pass.
    barrier: u64,
}

struct Head<'a> {
    id: ThreadId,
    events: Events<'a>,
    next: Option<Record>,
    index: u32,
    waits: bool,
}

/// What the merge met.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Merged {
    /// Events.
    pub(crate) events: u64,
    /// How often all threads waited for something that is not in the trace.
    pub(crate) forced: u64,
}

struct Merge<'a> {
    heads: Vec<Head<'a>>,
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// All waiting heads, also some that no longer wait.
    stuck: BinaryHeap<Reverse<(u64, u32)>>,
    waiting: FxHashMap<Need, Vec<u32>>,
    locks: Table<Lock>,
    objects: Table<Object>,
    tasks: Table<Task>,
}

/// Calls `each` with every event of `trace`: the thread's index in [`ProcessTrace::threads`], the event's number in that thread, from
/// 0, and the event.
pub(crate) fn merge(trace: &ProcessTrace, mut each: impl FnMut(usize, u32, &Record)) -> Merged {
    let mut merge = Merge::new(trace);
    let mut merged = Merged::default();
    let mut running: Option<u32> = None;
    loop {
        let thread = match running.take() {
            Some(thread) => thread,
            None => match merge.ready.pop() {
                Some(Reverse((_, thread))) => thread,
                None => match merge.force() {
                    Some(thread) => {
                        merged.forced += 1;
                        each_event(&mut merge, thread, &mut merged, &mut each);
                        running = merge.keep(thread);
                        continue;
                    }
                    None => return merged,
                },
            },
        };
        if let Some(need) = merge.need(thread) {
            merge.wait(thread, need);
            continue;
        }
        each_event(&mut merge, thread, &mut merged, &mut each);
        running = merge.keep(thread);
    }
}

fn each_event(merge: &mut Merge<'_>, thread: u32, merged: &mut Merged, each: &mut impl FnMut(usize, u32, &Record)) {
    let head = &mut merge.heads[thread as usize];
    let Some(record) = head.next.take() else { return };
    let index = head.index;
    head.index = index.saturating_add(1);
    merge.pass(thread, &record.event);
    merged.events += 1;
    each(thread as usize, index, &record);
    let next = merge.heads[thread as usize].events.next();
    merge.set_next(thread, next);
}

fn is_read(mode: Mode) -> bool {
    matches!(mode, Mode::Shared | Mode::RecursiveShared)
}

impl<'a> Merge<'a> {
    fn new(trace: &'a ProcessTrace) -> Merge<'a> {
        let heads =
            trace.threads().into_iter().map(|id| Head { id, events: trace.events(id), next: None, index: 0, waits: false });
        let mut merge = Merge {
            heads: heads.collect(),
            ready: BinaryHeap::new(),
            stuck: BinaryHeap::new(),
            waiting: FxHashMap::default(),
            locks: Table::default(),
            objects: Table::default(),
            tasks: Table::default(),
        };
        for thread in 0..u32::try_from(merge.heads.len()).unwrap_or(u32::MAX) {
            let next = merge.heads[thread as usize].events.next();
            merge.set_next(thread, next);
            if let Some(record) = next {
                merge.ready.push(Reverse((record.time.0, thread)));
            }
        }
        merge
    }

    fn set_next(&mut self, thread: u32, next: Option<Record>) {
        if let Some(Record { event: Event::Acquire { lock, mode, order, .. }, .. }) = next
            && is_read(mode)
        {
            self.locks.at(lock.0).reader_heads.push((thread, order.0));
        }
        self.heads[thread as usize].next = next;
    }

    /// The thread goes on if its next event is the earliest; else it queues.
    fn keep(&mut self, thread: u32) -> Option<u32> {
        let time = self.heads[thread as usize].next?.time.0;
        match self.ready.peek() {
            Some(Reverse(first)) if *first < (time, thread) => {
                self.ready.push(Reverse((time, thread)));
                None
            }
            _ => Some(thread),
        }
    }

    fn wait(&mut self, thread: u32, need: Need) {
        let head = &mut self.heads[thread as usize];
        head.waits = true;
        if let Some(record) = head.next {
            self.stuck.push(Reverse((record.time.0, thread)));
        }
        self.waiting.entry(need).or_default().push(thread);
    }

    fn wake(&mut self, need: Need) {
        if self.waiting.is_empty() {
            return;
        }
        for thread in self.waiting.remove(&need).into_iter().flatten() {
            let head = &mut self.heads[thread as usize];
            if let Some(record) = head.next
                && head.waits
            {
                head.waits = false;
                self.ready.push(Reverse((record.time.0, thread)));
            }
        }
    }

    /// All threads wait: the one with the earliest event goes on regardless.
    fn force(&mut self) -> Option<u32> {
        while let Some(Reverse((_, thread))) = self.stuck.pop() {
            let head = &mut self.heads[thread as usize];
            if head.waits && head.next.is_some() {
                head.waits = false;
                // Its entry in `waiting` stays: to be woken for nothing does no harm.
                return Some(thread);
            }
        }
        None
    }

    /// What the thread's next event has to wait for.
    fn need(&mut self, thread: u32) -> Option<Need> {
        let head = &self.heads[thread as usize];
        let id = head.id;
        let waits = |unmet: bool, need: Need| unmet.then_some(need);
        let event = &head.next.as_ref()?.event;
        match *event {
            Event::Acquire { lock, mode, order, .. } | Event::Convert { lock, to: mode, order, .. } => {
                let converts = matches!(event, Event::Convert { .. });
                waits(!self.locks.at(lock.0).is_ready(thread, mode, order.0, converts), Need::Lock(lock))
            }
            Event::Recv { stamp, .. } if stamp != Stamp::default() => {
                let sent = self.tasks.at(stamp.thread().0).sent;
                waits(sent < stamp.number() && stamp.thread() != id, Need::Sent(stamp.thread()))
            }
            Event::Start { parent, .. } if parent.is_some() => waits(!self.tasks.at(id.0).spawned, Need::Spawned(id)),
            Event::Join { child, .. } => waits(!self.tasks.at(child.0).ended, Need::Ended(child)),
            Event::Wait { condvar, order, .. } | Event::Wake { condvar, order, .. } => {
                waits(self.objects.at(condvar.0).notified < order.0, Need::Object(condvar))
            }
            Event::Notify { condvar, order, .. } => {
                waits(self.objects.at(condvar.0).notified.saturating_add(1) < order.0, Need::Object(condvar))
            }
            Event::OnceGet { once, .. } => {
                let state = self.objects.at(once.0);
                waits(state.once_running && !state.once_ended, Need::Object(once))
            }
            Event::BarrierPass { barrier } => {
                let enough = self.tasks.at(id.0).barrier;
                waits(self.objects.at(barrier.0).arrived < enough, Need::Object(barrier))
            }
            _ => None,
        }
    }

    /// Takes note of an event that is passed on, and wakes what waited for it.
    fn pass(&mut self, thread: u32, event: &Event) {
        let id = self.heads[thread as usize].id;
        match *event {
            Event::Acquire { lock, mode, order, .. } => {
                self.locks.at(lock.0).acquire(thread, mode, order.0);
                self.wake(Need::Lock(lock));
            }
            Event::Convert { lock, from, to, order, .. } => {
                let state = self.locks.at(lock.0);
                state.release(from);
                state.acquire(thread, to, order.0);
                self.wake(Need::Lock(lock));
            }
            Event::Release { lock, .. } => {
                let state = self.locks.at(lock.0);
                // A guard may have been sent to another thread.
                let owns = state.holder.is_some_and(|(holder, _)| holder == thread || state.readers == 0);
                state.release(if owns { Mode::Exclusive } else { Mode::Shared });
                self.wake(Need::Lock(lock));
            }
            Event::Summary { lock, count, .. } => {
                self.locks.at(lock.0).missing += count;
                self.wake(Need::Lock(lock));
            }
            Event::Send { stamp, .. } => {
                let sent = &mut self.tasks.at(id.0).sent;
                *sent = stamp.number().max(*sent);
                self.wake(Need::Sent(id));
            }
            Event::Spawn { child, .. } => {
                self.tasks.at(child.0).spawned = true;
                self.wake(Need::Spawned(child));
            }
            Event::End { .. } => {
                self.tasks.at(id.0).ended = true;
                self.wake(Need::Ended(id));
            }
            Event::Notify { condvar, order, .. } => {
                let notified = &mut self.objects.at(condvar.0).notified;
                *notified = order.0.max(*notified);
                self.wake(Need::Object(condvar));
            }
            Event::OnceBegin { once, .. } => self.objects.at(once.0).once_running = true,
            Event::OnceEnd { once, panicked } => {
                let state = self.objects.at(once.0);
                state.once_running = false;
                state.once_ended |= !panicked;
                self.wake(Need::Object(once));
            }
            Event::BarrierWait { barrier, parties, order, .. } => {
                let parties = u64::from(parties.max(1));
                self.tasks.at(id.0).barrier = order.0.saturating_sub(1) / parties * parties + parties;
                self.objects.at(barrier.0).arrived += 1;
                self.wake(Need::Object(barrier));
            }
            _ => {}
        }
    }
}

impl Lock {
    fn is_ready(&self, thread: u32, mode: Mode, number: u64, converts: bool) -> bool {
        let held_by_other = self.holder.filter(|(holder, _)| *holder != thread);
        let known = self.acquired + self.missing;
        if is_read(mode) {
            return self.acquired > number || known >= number && held_by_other.is_none_or(|(_, mode)| mode == Mode::Upgradable);
        }
        if held_by_other.is_some() {
            return false;
        }
        if self.holder.is_some() && (converts || mode == Mode::Reentrant) {
            return mode != Mode::Exclusive || self.readers == 0;
        }
        let readers = mode == Mode::Exclusive && self.readers > u32::from(converts)
            || number != 0 && self.reader_heads.iter().any(|(head, before)| *before < number && *head != thread);
        known + 1 >= number && !readers
    }

    fn acquire(&mut self, thread: u32, mode: Mode, number: u64) {
        if is_read(mode) {
            self.readers += 1;
            self.reader_heads.retain(|(head, _)| *head != thread);
            return;
        }
        self.depth = if self.holder.is_some_and(|(holder, _)| holder == thread) { self.depth + 1 } else { 1 };
        self.holder = Some((thread, mode));
        // Numbers that were skipped are the summarised ones.
        self.missing = self.missing.saturating_sub(number.saturating_sub(self.acquired + 1));
        self.acquired = self.acquired.max(number);
    }

    fn release(&mut self, mode: Mode) {
        if is_read(mode) {
            self.readers = self.readers.saturating_sub(1);
        } else {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                self.holder = None;
            }
        }
    }
}
