//! Fills the model from the merged events.

mod cancel;
mod channels;
mod contexts;
mod locks;
mod order;
mod threads;
mod waits;

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, VecDeque};

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, How, Mode, ObjectId, Record, Side, SiteId, Stamp, Step, ThreadId, Ticks};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Model;
use super::context::Held;
use super::lock::Hold;
use super::mixed::{MixedKey, Sent, Taken};
use super::thread::{Pending, Thread};
use crate::beside::merge_beside;
use crate::clock::{Clock, Moment};
use crate::handshake::Files;
use crate::table::Table;
use crate::{Config, Sources};
use contexts::{ContextIds, Way};

/// Sites at which a thread read lately that are remembered: a power of two, so that a site's place is a part of its number.
const PASSED: usize = 16;

/// A request of a lock: when it was, and how long the lock's holder had been blocked by then.
struct Asked {
    lock: ObjectId,
    since: Ticks,
    before: Option<(Hold, u64)>,
}

/// What only the pass itself needs to know of a thread.
#[derive(Default)]
struct Track {
    /// Changes whenever the thread learns of others or tells them something, but for what all are told of (see [`Builder::told`]).
    version: u32,
    /// Whether it did something since a poller learnt of all that was done.
    is_stirred: bool,
    /// The lock that it waits for.
    request: Option<Asked>,
    /// The read-only section that it ended last, if nothing but sleep followed: lock, site, writes of that lock.
    poll: Option<(ObjectId, SiteId, u64)>,
    /// Sections that only read and ended lately, each in the place of its site: site and lock.
    passed: [(SiteId, ObjectId); PASSED],
    /// The section that wrote and ended last, and as which event.
    wrote: Option<(ObjectId, u32)>,
    /// What its unparkers had done.
    unparked: Clock,
    /// The first of them since it was unparked.
    token: Option<Moment>,
    /// The wait on a condition variable that it is in: notifications before it.
    wait_order: u64,
    /// Where it began.
    wait_site: Option<SiteId>,
    /// Where it slept last.
    slept: SiteId,
    /// Whether it polls something that is not recorded.
    polls: bool,
    /// Waits that ended, and sleeps, by site.
    waits: FxHashMap<SiteId, u64>,
    /// Bounded channels that it receives from: the number of messages so far, and as which event it took the latest.
    receives: FxHashMap<ObjectId, (u64, u32)>,
    /// The event at which it received anything last, and the locks that it took lately.
    received_at: u32,
    taken: VecDeque<Taken>,
    /// The operation that it blocks in while it holds locks.
    op: Option<u32>,
    /// What it is about to select from.
    cases: Vec<(ObjectId, Side)>,
    /// Whether what it does next was selected, where it might as well have done something else.
    selected: bool,
    /// The selection without limit, all of whose operations are known, that its wait for has just ended.
    selected_after: Option<(Event, SiteId)>,
    /// The generation of the barrier that it waits at.
    generation: u64,
    /// Handles of tokens that it cloned lately.
    cloned: cancel::Cloned,
    /// Scopes that it is in, by index.
    scopes: Vec<u32>,
    /// Locks held when it started a child, for the children that were not joined yet.
    children: Vec<(usize, Vec<super::context::Holding>)>,
}

struct Builder<'a> {
    model: Model<'a>,
    tracks: Vec<Track>,
    chain_ids: FxHashMap<Held, u32>,
    context_ids: ContextIds,
    op_ids: FxHashMap<(u32, u32, SiteId, u8, u32), u32>,
    stale_ids: FxHashMap<(ObjectId, usize, SiteId, SiteId), u32>,
    /// Messages on their way: when each was sent, and at which event its sender had received from the same channel last.
    messages: FxHashMap<Stamp, (Moment, u32)>,
    tests: BTreeMap<String, usize>,
    mixed_ids: FxHashMap<MixedKey, usize>,
    /// By receiver, lock and bounded channel: what was taken when so many messages had been received.
    between: FxHashMap<(usize, ObjectId, ObjectId), Vec<(u64, Taken)>>,
    /// By sender, lock and bounded channel.
    full_sends: FxHashMap<(usize, ObjectId, ObjectId), Vec<Sent>>,
    long_hold: u64,
    announced: FxHashSet<SiteId>,
    /// What the source says of places: whether who idles there may poll, and whether who takes a lock there may wait for a condition.
    polled_at: FxHashMap<SiteId, bool>,
    awaited_at: FxHashMap<SiteId, bool>,
    /// All that was done when a poller learnt of it latest, the threads that did something since, and how often that was.
    done: Clock,
    /// All that those had done who gave a token to whoever would park first.
    early: Clock,
    stirred: Vec<usize>,
    told: u32,
}

pub(super) fn build<'a>(trace: &'a ProcessTrace, sources: &'a dyn Sources, config: &'a Config) -> Model<'a> {
    let mut builder = Builder {
        model: Model {
            trace,
            sources,
            config,
            threads: Vec::new(),
            locks: Table::default(),
            contended: Vec::new(),
            channels: Table::default(),
            condvars: Table::default(),
            onces: Table::default(),
            barriers: Table::default(),
            tokens: Table::default(),
            scopes: Vec::new(),
            sites: Table::default(),
            chains: vec![Held { parent: 0, lock: ObjectId::NONE, mode: Mode::Exclusive, how: How::Blocking, site: SiteId::NONE }],
            contexts: Vec::new(),
            ops: Vec::new(),
            mixed: Vec::new(),
            gives_up: FxHashSet::default(),
            timed_locks: BTreeMap::new(),
            timed_selections: BTreeMap::new(),
            stale: Vec::new(),
            tests: Vec::new(),
            events: 0,
            forced: 0,
            summarised: 0,
            lost: trace.header.lost.as_ref().map_or(0, |(count, _)| *count),
            end: trace.header.end_ticks,
            index: FxHashMap::default(),
            names: OnceCell::new(),
            stuck: OnceCell::new(),
            rings: OnceCell::new(),
            untried: Cell::new(0),
            files: Files::default(),
            predicted: OnceCell::new(),
        },
        tracks: Vec::new(),
        chain_ids: FxHashMap::default(),
        context_ids: ContextIds::default(),
        op_ids: FxHashMap::default(),
        stale_ids: FxHashMap::default(),
        messages: FxHashMap::default(),
        tests: BTreeMap::new(),
        mixed_ids: FxHashMap::default(),
        between: FxHashMap::default(),
        full_sends: FxHashMap::default(),
        long_hold: ticks(trace, config.long_hold.0),
        announced: order::announced_classes(trace),
        polled_at: FxHashMap::default(),
        awaited_at: FxHashMap::default(),
        done: Clock::default(),
        early: Clock::default(),
        stirred: Vec::new(),
        told: 0,
    };
    for id in trace.threads() {
        builder.thread(id);
    }
    let merged = merge_beside(trace, |thread, index, step| builder.step(thread, index, step));
    builder.finish(merged.events, merged.forced)
}

/// A thread's index in fewer bytes.
fn number(thread: usize) -> u32 {
    u32::try_from(thread).unwrap_or(u32::MAX)
}

/// Nanoseconds in ticks of the trace's clock.
fn ticks(trace: &ProcessTrace, nanos: u64) -> u64 {
    let rate = trace.header.ticks_per_second;
    if rate <= 0.0 { nanos } else { (nanos as f64 * rate / 1e9) as u64 }
}

impl Builder<'_> {
    /// Dense index of a thread, also of one that is only mentioned.
    fn thread(&mut self, id: ThreadId) -> usize {
        if let Some(index) = self.model.index.get(&id) {
            return *index;
        }
        let index = self.model.threads.len();
        self.model.index.insert(id, index);
        self.model.threads.push(Thread { id, ..Thread::default() });
        self.tracks.push(Track::default());
        index
    }

    fn moment(&self, thread: usize, index: u32) -> Moment {
        Moment { thread, index, clock: self.model.threads[thread].clock.clone() }
    }

    /// A moment that others may learn of.
    fn publish(&mut self, thread: usize, index: u32) -> Moment {
        self.tracks[thread].version += 1;
        self.moment(thread, index)
    }

    fn learn(&mut self, thread: usize, moment: &Moment) {
        if moment.thread != thread && self.model.threads[thread].clock.get(moment.thread) <= moment.index {
            self.tracks[thread].version += 1;
            // What it told is told now: not everything that can be learnt is published with a new version.
            self.tracks[moment.thread].version += 1;
            self.model.threads[thread].clock.join_moment(moment);
        }
    }

    #[inline]
    fn step(&mut self, t: usize, index: u32, step: &Step) {
        match step {
            Step::Event(record) => self.event(t, index, record),
            Step::Section(section) if self.is_simple(t, section.lock) => self.section(t, index, section),
            Step::Section(section) => {
                self.event(t, index, &section.acquisition());
                self.event(t, index.saturating_add(1), &section.release());
            }
        }
    }

    fn event(&mut self, t: usize, index: u32, record: &Record) {
        let Record { time, event } = *record;
        self.watch_polling(t, &event);
        self.stir(t);
        let thread = &mut self.model.threads[t];
        thread.last = time;
        thread.events = index.saturating_add(1);
        self.model.end = self.model.end.max(time);
        let mut ended = if thread.pending.is_some() { thread.pending.take() } else { None };
        if let Some(pending) = &ended
            && let Some(site) = pending.event.site()
            && !matches!(pending.event, Event::Request { .. })
        {
            *self.tracks[t].waits.entry(site).or_default() += 1;
        }
        thread.sleeps = matches!(event, Event::Sleep { .. });
        if let Event::Sleep { site, .. } = event {
            self.tracks[t].slept = site;
            *self.tracks[t].waits.entry(site).or_default() += 1;
        }
        if let Event::RecvRequest { timed: false, site, .. }
        | Event::Wait { timed: false, site, .. }
        | Event::Park { timed: false, site } = event
        {
            thread.idled = Some((index, site));
        }
        if event.can_block() {
            let cases = self.tracks[t].cases.clone();
            let mut joins = Vec::new();
            if let Event::JoinRequest { child, .. } = event {
                // Only the end of a scope asks for several, and waits for them all.
                joins = ended.as_mut().map(|pending| std::mem::take(&mut pending.joins)).unwrap_or_default();
                joins.push(child);
            }
            thread.pending = Some(Pending { event, since: time, index, cases, joins });
        }
        if !matches!(event, Event::SelectCase { .. }) {
            self.tracks[t].cases.clear();
        }
        match event {
            Event::Acquire { .. } | Event::Release { .. } | Event::Sleep { .. } | Event::Request { .. } | Event::Stack { .. } => {
            }
            _ => self.tracks[t].poll = None,
        }
        match event {
            Event::Acquire { lock, site, mode, how, .. } => self.acquire(t, index, time, Way { lock, site, mode, how }),
            Event::Release { lock, wrote, unwinding } => self.release(t, index, time, lock, wrote, unwinding),
            Event::Request { lock, site, how, .. } => {
                if how == How::Timed {
                    let (begun, _, who) = self.model.timed_locks.entry((lock, site)).or_default();
                    (*begun, *who) = (*begun + 1, t);
                }
                self.request(t, time, lock);
            }
            Event::TryFail { lock, site, .. } | Event::TimeOut { lock, site, .. } => {
                if let Some((_, expired, _)) = self.model.timed_locks.get_mut(&(lock, site))
                    && matches!(event, Event::TimeOut { .. })
                {
                    *expired += 1;
                }
                let state = self.model.locks.at(lock.0);
                (state.is_used, state.is_entangled) = (true, true);
                self.tracks[t].request = None;
            }
            Event::Convert { lock, site, from, to, .. } => self.convert(t, lock, site, from, to),
            Event::PoisonSeen { lock, site } => self.model.locks.at(lock.0).meet_poison((t, site)),
            Event::PoisonCleared { lock, .. } => self.model.locks.at(lock.0).forget_poison(|(who, _)| who == t),
            Event::Summary { lock, site, count, .. } => self.summary(lock, site, count),
            Event::Stack { frame } => self.stack(t, frame),
            Event::Lost { count } => {
                self.model.lost += count;
                self.model.threads[t].lost += count;
            }
            Event::Start { parent, name } => self.start(t, time, parent, name),
            Event::Spawn { child, site, scoped } => self.spawn(t, index, time, child, site, scoped),
            Event::End { panicked } => self.end(t, index, time, panicked),
            Event::Exit { .. } => self.model.threads[t].exits = true,
            Event::JoinRequest { .. } | Event::Sleep { .. } => self.begin_op(t, time, event),
            Event::Join { child, took, .. } => self.join(t, index, time, event, child, took),
            Event::Detach { child } => {
                let child = self.thread(child);
                self.model.threads[child].is_detached = true;
            }
            Event::Park { .. } => self.begin_op(t, time, event),
            Event::Unparked => {
                self.end_op(t, time);
                let clock = std::mem::take(&mut self.tracks[t].unparked);
                self.tracks[t].version += 1;
                self.model.threads[t].clock.join(&clock);
                self.model.threads[t].has_token = false;
            }
            Event::Unpark { thread, .. } => self.unpark(t, index, thread),
            Event::Wait { .. }
            | Event::Wake { .. }
            | Event::Notify { .. }
            | Event::OnceRequest { .. }
            | Event::OnceBegin { .. }
            | Event::OnceEnd { .. }
            | Event::OnceGet { .. }
            | Event::BarrierWait { .. }
            | Event::BarrierPass { .. } => self.wait_event(t, index, time, event),
            Event::TokenClone { .. }
            | Event::Cancel { .. }
            | Event::CancelWait { .. }
            | Event::CancelLook { .. }
            | Event::ScopeBegin { .. }
            | Event::ScopeEnd { .. } => self.cancel_event(t, index, time, event),
            Event::ChannelNew { .. }
            | Event::HandleClone { .. }
            | Event::HandleMade { .. }
            | Event::HandleDrop { .. }
            | Event::SendRequest { .. }
            | Event::Send { .. }
            | Event::SendFail { .. }
            | Event::RecvRequest { .. }
            | Event::Recv { .. }
            | Event::RecvFail { .. }
            | Event::SelectCase { .. }
            | Event::SelectRequest { .. } => self.channel_event(t, index, time, event),
            Event::Selected { .. } => self.end_op(t, time),
            _ => {}
        }
        self.tracks[t].selected = matches!(event, Event::Selected { others: true, .. });
        if let Some(pending) = ended {
            self.wait_ended(t, index, &pending, event);
        } else {
            self.tracks[t].selected_after = None;
        }
    }
}

impl<'a> Builder<'a> {
    fn finish(mut self, events: u64, forced: u64) -> Model<'a> {
        self.model.events = events;
        self.model.forced = forced;
        self.model.contended.sort_unstable();
        self.number_tests();
        self.close_threads();
        for (t, thread) in self.model.threads.iter().enumerate() {
            for held in &thread.held {
                self.model.locks.at(held.lock.0).holders.push(t);
            }
        }
        self.model
    }
}
