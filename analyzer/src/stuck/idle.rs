//! Who waits for work that a part of the program still reaches which is no thread: a static.

use conccheck_trace::{Event, ObjectId, Side, SiteId};
use rustc_hash::FxHashSet;

use crate::model::Model;
use crate::model::channel::Channel;
use crate::model::thread::State;
use crate::rules::statement;

/// Methods of a once that are handed its value, which was made before.
const GIVES: [&str; 2] = ["set", "try_insert"];

/// Tells which blocked threads wait for work.
pub(super) struct Idle<'m> {
    model: &'m Model<'m>,
    states: &'m [State],
    /// Where channels are made of which one was sent to by several tests: these share nothing but statics.
    shared: FxHashSet<SiteId>,
    /// Who gave a static its value, as which of its events.
    gifts: Vec<(usize, u32)>,
    /// Whose end others wait for.
    awaited: FxHashSet<usize>,
}

impl<'m> Idle<'m> {
    pub(super) fn new(model: &'m Model<'m>, states: &'m [State]) -> Idle<'m> {
        let joins = model.threads.iter().filter_map(|thread| thread.pending.as_ref()).flat_map(|pending| &pending.joins);
        let awaited = joins.filter_map(|child| model.thread_index(*child)).collect();
        Idle { model, states, shared: shared_by_tests(model), gifts: gifts(model), awaited }
    }

    /// Whether a blocked thread waits for work that may come by way of a static.
    pub(super) fn is_idle(&self, t: usize) -> bool {
        let Idle { model, states, .. } = *self;
        let thread = &model.threads[t];
        let Some(pending) = &thread.pending else { return false };
        match pending.event {
            // Whoever unparked it before has a handle, and handles are not recorded. One that waits itself is no help.
            Event::Park { .. } => {
                let can_unpark =
                    !thread.unparkers.is_empty() && thread.unparkers.iter().all(|other| states[*other] != State::Blocked);
                can_unpark || self.serves(t) || model.static_holds("Thread")
            }
            Event::RecvRequest { .. } | Event::SelectRequest { .. } => {
                let operations = pending.operations().unwrap_or_default();
                operations.into_iter().any(|(channel, side)| side == Side::Receiver && self.is_fed(channel))
            }
            Event::Wait { .. } if self.serves(t) => true,
            Event::Wait { condvar, .. } => {
                thread.earlier_waits > 0
                    && model.trace.tables.object(condvar).is_some_and(|object| model.is_static(object.created))
            }
            Event::OnceRequest { once, .. } => {
                let runs = model.onces.get(once.0).is_some_and(|state| state.running.is_some());
                !runs && model.trace.tables.object(once).is_some_and(|object| model.is_static(object.created))
            }
            _ => false,
        }
    }

    /// Whether a static may hold a sender of the channel.
    fn is_fed(&self, channel: ObjectId) -> bool {
        let Idle { model, .. } = *self;
        model.channels.get(channel.0).is_some_and(|channel| {
            channel.in_static
                || channel.made.is_some_and(|(maker, index)| self.is_given(maker, index))
                || self.shared.contains(&channel.created)
                || model.is_static(channel.created)
                || model.static_holds("Sender")
        })
    }

    /// Whether the thread serves whoever reaches a static, as a global pool does: an initialiser that has ended started it, or what its
    /// starter made was given to a static. One whose end is waited for serves no more.
    fn serves(&self, t: usize) -> bool {
        let thread = &self.model.threads[t];
        let initialised = |parent: usize| thread.in_static && self.model.threads[parent].initialising.is_empty();
        let given = |parent: usize| thread.spawn.is_some_and(|spawn| self.is_given(parent, spawn.index));
        !self.awaited.contains(&t) && thread.parent.is_some_and(|parent| initialised(parent) || given(parent))
    }

    /// Whether what thread `maker` made as its event `index` may be in a static: the thread gave one a value later, or whoever started
    /// the thread did so after that.
    fn is_given(&self, maker: usize, index: u32) -> bool {
        let (mut at, mut since) = (maker, index);
        loop {
            if self.gifts.iter().any(|(giver, index)| *giver == at && *index > since) {
                return true;
            }
            let thread = &self.model.threads[at];
            match (thread.parent, thread.spawn) {
                // Parents have smaller indices than the threads that they start, but for damaged traces.
                (Some(parent), Some(spawn)) if parent < at => (at, since) = (parent, spawn.index),
                _ => return false,
            }
        }
    }
}

/// Where channels are made of which one was sent to by several tests.
fn shared_by_tests(model: &Model<'_>) -> FxHashSet<SiteId> {
    let test = |t: &usize| model.threads[*t].test.filter(|_| model.threads[*t].parent.is_none());
    let is_shared = |channel: &Channel| {
        let mut tests = channel.senders.keys().filter_map(test);
        let first = tests.next();
        tests.any(|other| Some(other) != first)
    };
    model
        .channels
        .iter()
        .map(|(_, channel)| channel)
        .filter(|channel| is_shared(channel))
        .map(|channel| channel.created)
        .collect()
}

/// Who gave statics values that were made before, and may hold anything.
fn gifts(model: &Model<'_>) -> Vec<(usize, u32)> {
    let given = model.onces.iter().filter_map(|(id, once)| {
        let done = once.done.as_ref()?;
        let object = model.trace.tables.object(ObjectId(id))?;
        let is_data = model.trace.tables.string(object.type_name).is_some_and(is_data);
        let is_gift = || statement::called(model, once.set_site).is_some_and(|method| GIVES.contains(&method.as_str()));
        (!is_data && model.is_static(object.created) && is_gift()).then_some((done.thread, done.index))
    });
    given.collect()
}

/// Whether a value of the type is nothing but data: it is made of std's types, and of those neither that synchronise nor that run code.
fn is_data(type_name: &str) -> bool {
    let of_std = |path: &str| {
        let is_primitive = !path.contains("::") && !matches!(path, "dyn" | "fn");
        let is_std = ["core::", "alloc::", "std::"].iter().any(|name| path.starts_with(name));
        is_primitive || is_std && !["std::sync::", "std::thread::", "core::task::"].iter().any(|name| path.starts_with(name))
    };
    let mut paths = type_name.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))).filter(|path| !path.is_empty());
    paths.all(of_std)
}
