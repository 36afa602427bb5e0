//! Who may hold a handle of a channel: moves are not recorded.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use conccheck_trace::{Event, ObjectId, Side};
use rustc_hash::FxHashMap;

use super::wakers::Wakers;
use crate::model::Model;
use crate::model::channel::Handle;
use crate::model::thread::{Pending, State};

/// What threads passed on is looked for in traces of at most so many events, and in so many steps for all handles: parts of a second.
const MOST_EVENTS: u64 = 5_000_000;
const MOST_STEPS: usize = 20_000_000;

/// By which a thread may pass something on, with its latest event that did: channels that it sent to, and locks that it wrote under.
type Ways = Vec<(ObjectId, u32)>;

/// The channels that whoever had the handle last sent messages to since, perhaps with the handle in one of them.
pub(crate) fn sent_since(model: &Model<'_>, handle: &Handle) -> Vec<ObjectId> {
    let mut channels = Vec::new();
    let since = usize::try_from(handle.touched).unwrap_or(usize::MAX).saturating_add(1);
    for record in model.trace.events(model.threads[handle.toucher].id).skip(since) {
        if let Event::Send { channel, .. } = record.event
            && !channels.contains(&channel)
        {
            channels.push(channel);
        }
    }
    channels
}

/// Tells who may hold what.
pub(super) struct Holders<'m> {
    pub(super) model: &'m Model<'m>,
    pub(super) states: &'m [State],
    /// Whether any thread can go on by itself. If none can, it does not matter to whom something was passed on.
    some_live: bool,
    ways: RefCell<FxHashMap<usize, Rc<Ways>>>,
    steps: Cell<usize>,
}

impl<'m> Holders<'m> {
    pub(super) fn new(model: &'m Model<'m>, states: &'m [State]) -> Holders<'m> {
        let some_live = states.iter().any(|state| matches!(state, State::Running | State::Timed));
        Holders { model, states, some_live, ways: RefCell::default(), steps: Cell::default() }
    }

    /// Adds the threads that may hold a handle: who touched it last, whom that thread started since, and whom it gave something since.
    pub(super) fn add(&self, handle: &Handle, waiter: usize, wakers: &mut Wakers) {
        let toucher = handle.toucher;
        // Who waits for the other end of its own channel may have given that end away.
        let is_sure = handle.is_used && toucher != waiter;
        if self.states[toucher] == State::Ended {
            wakers.strayed = true;
        } else {
            wakers.threads.push((toucher, is_sure));
        }
        let heirs = self.heirs(toucher, handle.touched).into_iter().filter(|heir| self.states[*heir] != State::Ended);
        wakers.threads.extend(heirs.map(|heir| (heir, false)));
        if !self.some_live {
            return;
        }
        match self.reached(toucher, handle.touched) {
            Some(reached) => {
                wakers.passed_to.extend(reached);
                wakers.strayed |= !is_sure && self.ways(toucher).iter().any(|(_, latest)| *latest > handle.touched);
            }
            None => wakers.unknown = true,
        }
    }

    /// The threads that a thread started after its event `since`, and those that they started.
    fn heirs(&self, from: usize, since: u32) -> Vec<usize> {
        let threads = &self.model.threads;
        let mut is_heir = vec![false; threads.len()];
        // Parents have smaller indices than the threads that they start, but for damaged traces: then some heirs are missed.
        for (t, thread) in threads.iter().enumerate() {
            if let (Some(parent), Some(spawn)) = (thread.parent, thread.spawn) {
                is_heir[t] = parent == from && spawn.index > since || is_heir[parent];
            }
        }
        (0..threads.len()).filter(|t| is_heir[*t]).collect()
    }

    /// The threads to which a thread may have passed something on after its event `since`, at first or second hand. `None` where that
    /// would take too long to tell.
    fn reached(&self, from: usize, since: u32) -> Option<Vec<usize>> {
        if self.model.events > MOST_EVENTS {
            return None;
        }
        let mut is_seen = vec![false; self.model.threads.len()];
        is_seen[from] = true;
        let mut reached = Vec::new();
        let mut todo = vec![(from, Some(since))];
        while let Some((t, since)) = todo.pop() {
            // Who got it did so at a time that is not known.
            let is_since = |index: u32| since.is_none_or(|since| index > since);
            let mut next = self.heirs(t, since.unwrap_or(0));
            for (object, _) in self.ways(t).iter().filter(|(_, latest)| is_since(*latest)) {
                let takers = self.takers(*object);
                self.steps.update(|steps| steps + is_seen.len() + takers.len());
                if self.steps.get() > MOST_STEPS {
                    return None;
                }
                next.extend(takers);
            }
            for taker in next {
                if !std::mem::replace(&mut is_seen[taker], true) {
                    reached.push(taker);
                    todo.push((taker, None));
                }
            }
        }
        Some(reached)
    }

    fn ways(&self, t: usize) -> Rc<Ways> {
        if let Some(known) = self.ways.borrow().get(&t) {
            return Rc::clone(known);
        }
        let mut latest: FxHashMap<ObjectId, u32> = FxHashMap::default();
        for (record, index) in self.model.trace.events(self.model.threads[t].id).zip(0..) {
            if let Event::Send { channel: object, .. } | Event::Release { lock: object, wrote: true, .. } = record.event {
                latest.insert(object, index);
            }
        }
        let ways = Rc::new(latest.into_iter().collect::<Ways>());
        self.ways.borrow_mut().insert(t, Rc::clone(&ways));
        ways
    }

    /// The threads that take messages from a channel or may do so later, or look at what a lock guards.
    fn takers(&self, object: ObjectId) -> Vec<usize> {
        let Model { channels, locks, contexts, threads, .. } = self.model;
        let receives = |t: &usize| {
            let operations = threads[*t].pending.as_ref().and_then(Pending::operations);
            operations.is_some_and(|operations| operations.contains(&(object, Side::Receiver)))
        };
        let channel = || channels.get(object.0).into_iter();
        let received = channel().flat_map(|channel| channel.receivers.keys().copied());
        let may_receive = channel()
            .flat_map(|channel| channel.alive(Side::Receiver))
            .flat_map(|handle| self.heirs(handle.toucher, handle.touched).into_iter().chain([handle.toucher]));
        let looked =
            locks.get(object.0).into_iter().flat_map(|lock| lock.contexts.iter().map(|id| contexts[*id as usize].thread()));
        received.chain((0..threads.len()).filter(receives)).chain(may_receive).chain(looked).collect()
    }
}
