//! From a recorded run to the events that prediction looks at.
//!
//! A lock's data is a variable (but see [`Reading::Apart`]): every section reads it, and writes it if its guard was dereferenced
//! mutably. So a section sees, in every reordering, what it saw in the run, and its thread does the same again. A section in which
//! nothing else happens is one event: [`Op::Section`].

use conccheck_trace::{Event, How, Mode, ObjectId, Record, SiteId, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::builder::Builder;
use super::events::{Op, excludes};
use super::obligations::Obligations;
use super::recorded::{Reading, Recorded};
use super::signals::Signals;

/// Builds a [`Recorded`] from records in an order that could have been.
#[derive(Default, Debug)]
pub struct FromTrace {
    builder: Builder,
    reading: Reading,
    /// As in [`Recorded`].
    numbers: Vec<u32>,
    foreign: FxHashMap<u32, (ThreadId, u32)>,
    holds: FxHashMap<ObjectId, Vec<Hold>>,
    /// Locks of which some sections are counted, not recorded.
    summarised: FxHashSet<ObjectId>,
    /// The lock that each thread took with its last event, as which record and where. What it read then is still to be noted.
    taken: FxHashMap<ThreadId, (ObjectId, u32, u32)>,
    /// What each thread asked for with its last record.
    asks: FxHashMap<ThreadId, (u32, Record)>,
    signals: Signals,
    obligations: Option<Obligations>,
    /// The starts of threads.
    forks: Vec<(u32, ThreadId)>,
    ended: FxHashSet<ThreadId>,
    /// Whether the process ended by itself.
    pub(super) ends_in_order: bool,
    /// Threads that passed a barrier with the record before.
    passed: FxHashSet<ThreadId>,
}

/// A lock that is held.
#[derive(Debug)]
struct Hold {
    thread: ThreadId,
    acquire: u32,
    mode: Mode,
    how: How,
    depth: u32,
    /// Attempts that found the lock taken.
    seen_by: Vec<u32>,
}

impl FromTrace {
    /// With nothing in it.
    pub fn new(reading: Reading) -> FromTrace {
        FromTrace { reading, ..FromTrace::default() }
    }

    /// The same, with what is waited for besides locks: see [`Recorded::with_waits`].
    pub(super) fn with_waits(reading: Reading, waits_at: FxHashSet<SiteId>) -> FromTrace {
        FromTrace { obligations: Some(Obligations::new(waits_at)), signals: Signals::with_openings(), ..FromTrace::new(reading) }
    }

    /// Events so far.
    pub(super) fn len(&self) -> u32 {
        self.builder.len()
    }

    /// Adds the next record: the `number`-th of its thread, from 0.
    ///
    /// # Panics
    /// At about the 2^32nd.
    pub fn push(&mut self, thread: ThreadId, number: u32, record: &Record) {
        let asked = self.asks.remove(&thread);
        let origin = (thread, number);
        let event = &record.event;
        let is_for_all = matches!(event, Event::Request { .. } | Event::JoinRequest { .. });
        if (is_for_all || self.obligations.is_some()) && event.can_block() && !event.is_timed() {
            self.asks.insert(thread, (number, *record));
        }
        if let Some(obligations) = &mut self.obligations {
            obligations.select(thread, event, asked.as_ref().map(|(_, record)| record));
        }
        match *event {
            Event::Acquire { lock, mode, how, site, .. } => self.acquire(origin, lock, mode, how, site.0),
            Event::Release { lock, wrote, unwinding } => self.release(origin, lock, wrote || unwinding),
            Event::Convert { lock, to, .. } => self.convert(thread, lock, to),
            Event::TryFail { lock, mode, .. } | Event::TimeOut { lock, mode, .. } => self.found_taken(origin, lock, mode),
            // A poison is state of the lock that nothing else here tells of.
            Event::PoisonCleared { .. } | Event::Lost { .. } => {
                let mark = self.add(origin, thread, Op::Mark, 0, 0);
                self.builder.fence(mark);
            }
            Event::Summary { lock, .. } => _ = self.summarised.insert(lock),
            Event::Spawn { child, site, .. } => {
                let fork = self.add(origin, thread, Op::Fork, u64::from(child.0), site.0);
                self.forks.push((fork, child));
            }
            Event::Join { child, site, .. } => {
                let waits = asked
                    .is_some_and(|(_, record)| matches!(record.event, Event::JoinRequest { child: other, .. } if other == child));
                self.add(origin, thread, Op::Join { waits }, u64::from(child.0), site.0);
            }
            Event::Start { parent: ThreadId::NONE, .. } if self.reading != Reading::Apart => {
                // Nobody knows who started it.
                let mark = self.add(origin, thread, Op::Mark, 0, 0);
                self.builder.fence(mark);
            }
            Event::Start { .. } => _ = self.add(origin, thread, Op::Mark, 0, 0),
            Event::End { .. } => {
                self.add(origin, thread, Op::Mark, 0, 0);
                self.ended.insert(thread);
            }
            Event::Read { cell, site } => _ = self.add(origin, thread, Op::Read, u64::from(cell.0), site.0),
            Event::Write { cell, site } => _ = self.add(origin, thread, Op::Write, u64::from(cell.0), site.0),
            _ if Signals::concerns(event) || self.obligations.is_some() && Obligations::concerns(event) => {
                if self.passed.remove(&thread) {
                    return;
                }
                let mark = self.add(origin, thread, Op::Mark, 0, event.site().unwrap_or_default().0);
                self.signals.order(&mut self.builder, thread, event, mark);
                let Some(obligations) = &mut self.obligations else { return };
                obligations.note(&mut self.builder, thread, event, mark, asked.as_ref().map(|(_, record)| record));
                if let Event::BarrierWait { barrier, parties, order, .. } = *event
                    && order.0.is_multiple_of(u64::from(parties.max(1)))
                {
                    self.open(thread, number, record, barrier);
                }
            }
            _ => {}
        }
    }

    /// The last to arrive at a barrier passes it as soon as all are there: its next record stands for that.
    fn open(&mut self, thread: ThreadId, number: u32, arrival: &Record, barrier: ObjectId) {
        let mark = self.add((thread, number + 1), thread, Op::Mark, 0, 0);
        self.signals.open(&mut self.builder, thread, barrier, mark);
        if let Some(obligations) = &mut self.obligations {
            obligations.note(&mut self.builder, thread, &Event::BarrierPass { barrier }, mark, Some(arrival));
        }
        self.asks.remove(&thread);
        self.passed.insert(thread);
    }

    /// All records were added.
    pub fn finish(mut self) -> Recorded {
        let mut asks: Vec<(ThreadId, (u32, Record))> = self.asks.drain().collect();
        asks.sort_unstable_by_key(|(thread, _)| *thread);
        let mut last: FxHashMap<ThreadId, u32> = FxHashMap::default();
        for (thread, (number, record)) in asks {
            if let Event::Request { lock, site, mode, .. } = record.event {
                last.insert(thread, self.add((thread, number), thread, Op::Request { mode }, u64::from(lock.0), site.0));
            } else if let Event::BarrierWait { barrier, .. } = record.event
                && self.signals.is_open(thread, barrier)
            {
                continue;
            } else if let Some(obligations) = &mut self.obligations
                && let Some(awaited) = obligations.stalled(&mut self.builder, thread, &record.event)
            {
                let site = record.event.site().unwrap_or_default();
                let (what, object) = awaited[0];
                let stalled = self.add((thread, number), thread, Op::Stalled { what }, u64::from(object), site.0);
                awaited[1..].iter().for_each(|(what, object)| self.builder.or_awaits(stalled, *what, *object));
                last.insert(thread, stalled);
            }
        }
        if let Some(mut obligations) = self.obligations.take() {
            for thread in self.unended(&last) {
                let event = self.last_of(thread, &mut last);
                self.builder.unended(event);
            }
            for (channel, side, touched) in obligations.left() {
                // Nobody knows what becomes of it, nor whether one that was started since has it.
                for thread in self.heirs(touched) {
                    let event = self.last_of(thread, &mut last);
                    obligations.may_use(&mut self.builder, channel, side, event);
                }
            }
        }
        let summarised: FxHashSet<u32> = self.summarised.iter().filter_map(|lock| self.builder.lock(u64::from(lock.0))).collect();
        let locks = self.builder.lock_names().into_iter().map(|name| ObjectId(name as u32)).collect();
        let threads = self.threads();
        let mut trace = self.builder.finish();
        if !summarised.is_empty() {
            let acquires = trace.events.iter().enumerate().filter(|(_, event)| {
                matches!(event.op, Op::Acquire { .. } | Op::Section { .. }) && summarised.contains(&event.object)
            });
            trace.fences.extend(acquires.map(|(i, _)| i as u32));
            trace.fences.sort_unstable();
            trace.fences.dedup();
        }
        let (mut numbers, foreign) = (self.numbers, self.foreign);
        if !foreign.is_empty() {
            for events in &trace.by_thread {
                for pair in events.windows(2).filter(|pair| foreign.contains_key(&pair[1])) {
                    numbers[pair[1] as usize] = numbers[pair[0] as usize];
                }
            }
        }
        let thread_of = (0..).zip(&threads).map(|(number, thread)| (*thread, number)).collect();
        Recorded { trace, is_cut: false, numbers, foreign, threads, thread_of, locks }
    }

    /// The threads of which it is not known how they would have gone on. The main thread records no end, nor does one that was not
    /// started by what is recorded: they are at theirs when the process ends in order, unless they wait.
    fn unended(&self, waiting: &FxHashMap<ThreadId, u32>) -> Vec<ThreadId> {
        let started: FxHashSet<ThreadId> = self.forks.iter().map(|(_, child)| *child).collect();
        let mut threads: Vec<ThreadId> = self.threads();
        threads.extend(started.iter().copied());
        threads.sort_unstable();
        threads.dedup();
        threads.retain(|thread| {
            let is_cut_off = !self.ends_in_order || started.contains(thread) || waiting.contains_key(thread);
            is_cut_off && !self.ended.contains(thread)
        });
        threads
    }

    /// The event at which a thread stands when the trace ends: it never happens.
    fn last_of(&mut self, thread: ThreadId, known: &mut FxHashMap<ThreadId, u32>) -> u32 {
        *known.entry(thread).or_insert_with(|| self.add((thread, u32::MAX), thread, Op::Unknown, 0, 0))
    }

    /// The threads so far, by the numbers by which the builder knows them.
    fn threads(&self) -> Vec<ThreadId> {
        self.builder.thread_names().into_iter().map(|name| ThreadId(name as u32)).collect()
    }

    /// The thread of an event, and those that it started since, and those that they did.
    fn heirs(&self, event: u32) -> Vec<ThreadId> {
        let threads = self.threads();
        let thread = |event: u32| threads[self.builder.thread_of(event) as usize];
        let mut heirs = vec![thread(event)];
        for (fork, child) in self.forks.iter().filter(|(fork, _)| *fork > event) {
            if heirs.contains(&thread(*fork)) && !heirs.contains(child) {
                heirs.push(*child);
            }
        }
        heirs
    }

    /// Adds an event that the caller knows not to be re-entrant.
    fn add(&mut self, origin: (ThreadId, u32), thread: ThreadId, op: Op, object: u64, location: u32) -> u32 {
        self.goes_on(thread);
        self.put(origin, thread, op, object, location)
    }

    /// A section of the thread is more than an acquisition and its release.
    fn goes_on(&mut self, thread: ThreadId) {
        if let Some((lock, number, location)) = self.taken.remove(&thread)
            && self.reading == Reading::FromTheStart
        {
            self.put((thread, number), thread, Op::Read, u64::from(lock.0), location);
        }
    }

    fn put(&mut self, origin: (ThreadId, u32), thread: ThreadId, op: Op, object: u64, location: u32) -> u32 {
        let event = self.builder.push(u64::from(thread.0), op, object, location).expect("sections are kept well formed");
        self.numbers.push(origin.1);
        if origin.0 != thread {
            self.foreign.insert(event, origin);
        }
        event
    }

    fn acquire(&mut self, origin: (ThreadId, u32), lock: ObjectId, mode: Mode, how: How, location: u32) {
        let thread = origin.0;
        let holds = self.holds.entry(lock).or_default();
        if let Some(hold) = holds.iter_mut().find(|hold| hold.thread == thread) {
            hold.depth += 1;
            // It may come to stand there.
            return self.goes_on(thread);
        }
        let is_taken = holds.iter().any(|hold| excludes(hold.mode, mode));
        let name = u64::from(lock.0);
        let acquire = self.add(origin, thread, Op::Acquire { mode, waits: how == How::Blocking, steady: true }, name, location);
        if is_taken {
            // Something is missing in the trace.
            self.builder.fence(acquire);
        }
        self.holds.entry(lock).or_default().push(Hold { thread, acquire, mode, how, depth: 1, seen_by: Vec::new() });
        if self.reading != Reading::Apart {
            self.taken.insert(thread, (lock, origin.1, location));
        }
    }

    fn release(&mut self, origin: (ThreadId, u32), lock: ObjectId, wrote: bool) {
        let Some(holds) = self.holds.get_mut(&lock) else { return };
        // A guard may have been sent to another thread: then the section ends there, in its own thread's name.
        let own = holds.iter().position(|hold| hold.thread == origin.0);
        let Some(at) = own.or((!holds.is_empty()).then_some(0)) else { return };
        holds[at].depth -= 1;
        if holds[at].depth > 0 {
            return;
        }
        let hold = holds.swap_remove(at);
        let is_whole = self.taken.get(&origin.0).is_some_and(|(taken, ..)| *taken == lock) && hold.seen_by.is_empty();
        if own.is_some() && is_whole {
            self.taken.remove(&origin.0);
            return self.builder.whole_section(hold.acquire, hold.mode, hold.how == How::Blocking, wrote);
        }
        self.goes_on(hold.thread);
        let sent_by = own.is_none().then(|| self.add(origin, origin.0, Op::Mark, 0, 0));
        let name = u64::from(lock.0);
        let first = self.builder.len();
        if self.reading == Reading::AtTheEnd {
            self.add(origin, hold.thread, Op::Read, name, 0);
        }
        if wrote && self.reading != Reading::Apart {
            self.add(origin, hold.thread, Op::Write, name, 0);
        }
        let release = self.add(origin, hold.thread, Op::Release, name, 0);
        for attempt in hold.seen_by {
            self.builder.order(attempt, release);
        }
        if let Some(mark) = sent_by {
            self.builder.order(mark, first);
            self.builder.set_op(hold.acquire, Op::Acquire { mode: hold.mode, waits: hold.how == How::Blocking, steady: false });
        }
    }

    fn convert(&mut self, thread: ThreadId, lock: ObjectId, to: Mode) {
        let Some(hold) = self.holds.entry(lock).or_default().iter_mut().find(|hold| hold.thread == thread) else { return };
        if excludes(to, Mode::Shared) || !excludes(hold.mode, Mode::Shared) {
            hold.mode = to;
        }
        self.builder.set_op(hold.acquire, Op::Acquire { mode: hold.mode, waits: hold.how == How::Blocking, steady: false });
    }

    /// An attempt that found the lock taken: it needs somebody who holds it.
    fn found_taken(&mut self, origin: (ThreadId, u32), lock: ObjectId, mode: Mode) {
        let mark = self.add(origin, origin.0, Op::Mark, 0, 0);
        let mut is_explained = false;
        for hold in self.holds.entry(lock).or_default() {
            if excludes(hold.mode, mode) {
                is_explained = true;
                hold.seen_by.push(mark);
                self.builder.order(hold.acquire, mark);
            }
        }
        if !is_explained {
            self.builder.fence(mark);
        }
    }
}
