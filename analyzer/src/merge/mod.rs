//! Merges the threads' events into one order that could have been.
//!
//! Each thread's events are in its program order; times order the threads roughly. What must be exact is exact: an event waits at
//! the head of its thread until what it depends on has been passed. Where all heads wait (events are missing), the earliest goes on.

mod lock;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, Mode, ObjectId, ObjectKind, Record, Section, Stamp, Step, ThreadId};
use rustc_hash::FxHashMap;

use crate::table::Table;
use lock::{Lock, is_read};

/// What an event can wait for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Need {
    Lock(ObjectId),
    Sent(ThreadId),
    Room(ObjectId),
    Spawned(ThreadId),
    Ended(ThreadId),
    Object(ObjectId),
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
    /// Its place among the heads.
    head: u32,
}

/// A bounded channel.
struct Bounded {
    /// How many messages it holds at most. One that holds none passes them one by one.
    capacity: u64,
    queued: VecDeque<Stamp>,
}

struct Head<R> {
    id: ThreadId,
    /// Reads what is not decoded yet: so many steps at most. None at its end.
    read: Option<R>,
    /// What comes next, from `at` on: decoded some steps at a time, since threads by the thousand don't stay in the caches together.
    block: Vec<Step>,
    at: usize,
    index: u32,
    waits: bool,
    /// Steps that it went on with although another thread's next one is earlier.
    ahead: u32,
}

/// Most steps that are decoded at a time.
const BLOCK: usize = 64;

impl<R: FnMut(&mut Vec<Step>, usize)> Head<R> {
    fn new(id: ThreadId, read: R) -> Head<R> {
        Head { id, read: Some(read), block: Vec::new(), at: 0, index: 0, waits: false, ahead: 0 }
    }

    fn next(&self) -> Option<&Step> {
        self.block.get(self.at)
    }

    /// Goes on to the next step. The first blocks are short: threads by the thousand may come and go.
    #[inline]
    fn advance(&mut self) {
        self.at += 1;
        if self.at >= self.block.len() {
            self.decode();
        }
    }

    fn decode(&mut self) {
        let count = (2 * self.block.len()).clamp(1, BLOCK);
        self.block.clear();
        self.at = 0;
        if let Some(read) = &mut self.read {
            read(&mut self.block, count);
        }
        if self.block.is_empty() {
            (self.read, self.block) = (None, Vec::new());
        }
    }
}

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
            merged.forced += u64::from(is_forced && !self.lacks_receives(thread));
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
            let head = &mut self.heads[thread as usize];
            let Some(step) = head.block.get(head.at) else { continue };
            let index = head.index;
            head.index = index.saturating_add(step.events());
            merged.events += u64::from(step.events());
            if !each(thread as usize, index, step) {
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
        match head.next() {
            Some(
                &(Step::Event(Record { event: Event::Acquire { lock, mode, order, .. }, .. })
                | Step::Section(Section { lock, mode, order, .. })),
            ) if is_read(mode) => self.locks.at(lock.0).add_reader_head(thread, order.0),
            _ => {}
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
    /// before it, for which these must be at hand.
    fn is_placed(&mut self, thread: u32) -> bool {
        let (lock, mode, order) = match self.heads[thread as usize].next() {
            Some(&Step::Section(Section { lock, mode, order, .. })) => (lock, mode, order),
            Some(&Step::Event(Record { event: Event::Acquire { lock, mode, order, .. }, .. })) => (lock, mode, order),
            Some(Step::Event(Record { event: Event::Release { .. }, .. })) => return true,
            _ => return false,
        };
        let tables = &self.trace.tables;
        let is_mutex = || matches!(tables.object(lock)?.kind, ObjectKind::Mutex | ObjectKind::ReentrantMutex).then_some(());
        matches!(mode, Mode::Exclusive | Mode::Reentrant)
            && order.0 != 0
            && *self.locks.at(lock.0).is_mutex.get_or_insert_with(|| is_mutex().is_some())
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

    /// Whether there is room for a message of the thread, as far as is known; or a receive waits for it, and none of its own is before it.
    fn has_room(&self, id: ThreadId, channel: ObjectId, stamp: Stamp) -> bool {
        let Some(channel) = self.bounded.get(&channel) else { return true };
        let awaits = |head: &u32| match self.heads[*head as usize].next() {
            Some(Step::Event(Record { event: Event::Recv { stamp: awaited, .. }, .. })) => {
                awaited.thread() == id && awaited.number() >= stamp.number()
            }
            _ => false,
        };
        (channel.queued.len() as u64) < channel.capacity
            || channel.queued.iter().all(|other| other.thread() != id)
                && self.waiting.get(&Need::Sent(id)).is_some_and(|heads| heads.iter().any(awaits))
    }

    /// Whether a thread waits for room and nothing else could go on: receives are not in the trace, so no longer counted.
    fn lacks_receives(&mut self, thread: u32) -> bool {
        let Some(&Step::Event(Record { event, .. })) = self.heads[thread as usize].next() else { return false };
        let Some(Need::Room(channel)) = self.need(thread, &event) else { return false };
        self.bounded.remove(&channel).is_some()
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

    /// What the thread's next event, which is this one, has to wait for.
    fn need(&mut self, thread: u32, event: &Event) -> Option<Need> {
        let id = self.heads[thread as usize].id;
        let waits = |unmet: bool, need: Need| unmet.then_some(need);
        match *event {
            Event::Acquire { lock, mode, order, .. } | Event::Convert { lock, to: mode, order, .. } => {
                let converts = matches!(event, Event::Convert { .. });
                waits(!self.locks.at(lock.0).is_ready(thread, mode, order.0, converts), Need::Lock(lock))
            }
            Event::Recv { stamp, .. } if stamp != Stamp::default() => {
                let sent = self.tasks.at(stamp.thread().0).sent;
                waits(sent < stamp.number() && stamp.thread() != id, Need::Sent(stamp.thread()))
            }
            Event::Send { channel, stamp, .. } if !self.bounded.is_empty() => {
                waits(!self.has_room(id, channel, stamp), Need::Room(channel))
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
                self.wake_lock(lock);
            }
            Event::Convert { lock, from, to, order, .. } => {
                let state = self.locks.at(lock.0);
                state.release(from);
                state.acquire(thread, to, order.0);
                self.wake_lock(lock);
            }
            Event::Release { lock, .. } => {
                let state = self.locks.at(lock.0);
                state.release_by(thread);
                self.wake_lock(lock);
            }
            Event::Summary { lock, count, .. } => {
                self.locks.at(lock.0).skip(count);
                self.wake_lock(lock);
            }
            Event::ChannelNew { channel, capacity: Some(capacity), .. } => {
                self.bounded.insert(channel, Bounded { capacity: capacity.max(1), queued: VecDeque::new() });
            }
            Event::Recv { channel, stamp, .. } if !self.bounded.is_empty() => {
                if let Some(Bounded { queued, .. }) = self.bounded.get_mut(&channel)
                    && let Some(at) = queued.iter().position(|other| *other == stamp)
                {
                    queued.remove(at);
                }
                self.wake(Need::Room(channel));
            }
            Event::Send { channel, stamp, .. } => {
                if let Some(channel) = self.bounded.get_mut(&channel) {
                    channel.queued.push_back(stamp);
                }
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
