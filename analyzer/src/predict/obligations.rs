//! What each wait that is not for a lock is for, and by which events others end such waits.
//!
//! Only asked for where a thread is to be proven to wait for ever; the order that these make otherwise is that of
//! [`signals`](super::signals).

use conccheck_trace::{Event, HandleId, ObjectId, Record, Side, SiteId, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::builder::Builder;
use super::events::Await;

/// The waits and resources so far.
#[derive(Debug)]
pub(crate) struct Obligations {
    /// Places that wait without limit: also where what they wait for was there already, so that no record says so.
    waits_at: FxHashSet<SiteId>,
    resources: FxHashMap<Key, u32>,
    /// Handles of channels that were not dropped yet: side, and the last event that had to do with them.
    handles: FxHashMap<HandleId, (ObjectId, Side, u32)>,
    /// The operations of a selection that each thread is about to wait for.
    cases: FxHashMap<ThreadId, Vec<(ObjectId, Side)>>,
    /// The operations of a wait that has just ended.
    selected: FxHashMap<ThreadId, Vec<(ObjectId, Side)>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Object(ObjectId),
    Token(ThreadId),
}

impl Obligations {
    pub(crate) fn new(waits_at: FxHashSet<SiteId>) -> Obligations {
        Obligations {
            waits_at,
            resources: FxHashMap::default(),
            handles: FxHashMap::default(),
            cases: FxHashMap::default(),
            selected: FxHashMap::default(),
        }
    }

    /// Whether an event bears on this and on nothing else that prediction looks at.
    pub(crate) fn concerns(event: &Event) -> bool {
        matches!(event, Event::HandleClone { .. })
    }

    /// What a selection is about, which has no event of its own.
    pub(crate) fn select(&mut self, thread: ThreadId, event: &Event, asked: Option<&Record>) {
        match *event {
            Event::SelectCase { channel, side, .. } => {
                self.cases.entry(thread).or_default().push((channel, side));
                return;
            }
            Event::SelectRequest { cases, timed: false, .. } => {
                // Where some are missing, others might end it.
                let all = self.cases.remove(&thread).filter(|all| all.len() == cases as usize);
                self.selected.remove(&thread);
                self.selected.extend(all.map(|all| (thread, all)));
                return;
            }
            Event::Selected { .. } if asked.is_some() => return,
            Event::Send { .. } | Event::Recv { .. } => return,
            _ => {}
        }
        if !self.cases.is_empty() {
            self.cases.remove(&thread);
        }
        if !self.selected.is_empty() {
            self.selected.remove(&thread);
        }
    }

    /// Notes what `mark`, which stands for `event`, waited for and brought about. `asked` is the record of the request before it, if
    /// it is one without limit.
    pub(crate) fn note(&mut self, builder: &mut Builder, thread: ThreadId, event: &Event, mark: u32, asked: Option<&Record>) {
        let selected = if self.selected.is_empty() { None } else { self.selected.remove(&thread) };
        let waited = asked.is_some();
        if let Some(site) = asked.and_then(|record| record.event.site()) {
            self.waits_at.insert(site);
        }
        match *event {
            Event::ChannelNew { channel, capacity, sender, receiver, .. } => {
                self.resource(builder, Key::Object(channel), |resource| resource.capacity = capacity);
                self.touch(builder, channel, Side::Sender, sender, mark);
                self.touch(builder, channel, Side::Receiver, receiver, mark);
            }
            Event::HandleClone { channel, side, from, handle } => {
                self.touch(builder, channel, side, from, mark);
                self.touch(builder, channel, side, handle, mark);
            }
            Event::HandleDrop { channel, side, handle } => {
                self.touch(builder, channel, side, handle, mark);
                self.handles.remove(&handle);
            }
            Event::SendFail { channel, handle, .. } => self.touch(builder, channel, Side::Sender, handle, mark),
            Event::RecvFail { channel, handle, .. } => self.touch(builder, channel, Side::Receiver, handle, mark),
            Event::Send { channel, handle, site, .. } => {
                self.handles.insert(handle, (channel, Side::Sender, mark));
                let mut is_bounded = false;
                self.resource(builder, Key::Object(channel), |resource| {
                    resource.gives.push(mark);
                    is_bounded = resource.capacity.is_some_and(|capacity| capacity > 0);
                });
                if is_bounded {
                    let waits = waited || selected.is_some() || self.waits_at.contains(&site);
                    self.awaits(builder, mark, waits, selected, (channel, Side::Sender));
                }
            }
            Event::Recv { channel, handle, site, .. } => {
                self.handles.insert(handle, (channel, Side::Receiver, mark));
                self.resource(builder, Key::Object(channel), |resource| resource.takes.push(mark));
                let waits = waited || selected.is_some() || self.waits_at.contains(&site);
                self.awaits(builder, mark, waits, selected, (channel, Side::Receiver));
            }
            Event::Wake { condvar, timed_out: false, .. } => {
                let id = self.resource(builder, Key::Object(condvar), |_| {});
                builder.awaits(mark, Await::Notification, waited, id);
            }
            Event::Notify { condvar, .. } => {
                let id = self.resource(builder, Key::Object(condvar), |_| {});
                builder.signals(mark, id);
            }
            Event::Unparked => {
                let id = self.resource(builder, Key::Token(thread), |_| {});
                builder.awaits(mark, Await::Token, waited, id);
            }
            Event::Unpark { thread: parked, .. } => {
                let id = self.resource(builder, Key::Token(parked), |_| {});
                builder.signals(mark, id);
            }
            Event::OnceBegin { once, .. } => {
                self.resource(builder, Key::Object(once), |resource| resource.takes.push(mark));
            }
            Event::OnceEnd { once, .. } => {
                self.resource(builder, Key::Object(once), |resource| resource.gives.push(mark));
            }
            Event::OnceGet { once, site } => {
                let id = self.resource(builder, Key::Object(once), |_| {});
                builder.awaits(mark, Await::Once, waited || self.waits_at.contains(&site), id);
            }
            Event::BarrierWait { barrier, .. } => {
                let id = self.resource(builder, Key::Object(barrier), |_| {});
                builder.signals(mark, id);
            }
            Event::BarrierPass { barrier } => {
                let id = self.resource(builder, Key::Object(barrier), |_| {});
                builder.awaits(mark, Await::Barrier, waited, id);
            }
            _ => {}
        }
    }

    /// What would have ended a wait without limit that never did, by the objects of their kind. `None`: that is not known.
    pub(crate) fn stalled(&mut self, builder: &mut Builder, thread: ThreadId, asked: &Event) -> Option<Vec<(Await, u32)>> {
        let (what, key) = match *asked {
            Event::JoinRequest { child, .. } => return Some(vec![(Await::End, child.0)]),
            Event::SelectRequest { .. } => {
                let mut awaited = Vec::new();
                for (channel, side) in self.selected.remove(&thread)? {
                    awaited.push(self.operation(builder, channel, side)?);
                }
                return Some(awaited).filter(|awaited| !awaited.is_empty());
            }
            Event::RecvRequest { channel, .. } => return Some(vec![self.operation(builder, channel, Side::Receiver)?]),
            Event::SendRequest { channel, .. } => return Some(vec![self.operation(builder, channel, Side::Sender)?]),
            Event::Wait { condvar, .. } => (Await::Notification, Key::Object(condvar)),
            Event::Park { .. } => (Await::Token, Key::Token(thread)),
            Event::OnceRequest { once, .. } => (Await::Once, Key::Object(once)),
            Event::BarrierWait { barrier, .. } => (Await::Barrier, Key::Object(barrier)),
            _ => return None,
        };
        Some(vec![(what, self.resource(builder, key, |_| {}))])
    }

    /// What an operation on a channel waits for. `None`: for whoever comes to meet it, which no count tells.
    fn operation(&mut self, builder: &mut Builder, channel: ObjectId, side: Side) -> Option<(Await, u32)> {
        let mut meets = false;
        let id = self.resource(builder, Key::Object(channel), |resource| meets = resource.capacity == Some(0));
        match side {
            Side::Sender => (!meets).then_some((Await::Room, id)),
            Side::Receiver => Some((Await::Message, id)),
        }
    }

    /// The handles that were never dropped: channel, side, and the last event that had to do with it.
    pub(crate) fn left(&self) -> Vec<(ObjectId, Side, u32)> {
        let mut left: Vec<_> = self.handles.values().copied().collect();
        left.sort_unstable();
        left.dedup();
        left
    }

    /// Whoever does this has a handle to that side of the channel.
    pub(crate) fn touch(&mut self, builder: &mut Builder, channel: ObjectId, side: Side, handle: HandleId, mark: u32) {
        self.handles.insert(handle, (channel, side, mark));
        self.may_use(builder, channel, side, mark);
    }

    /// Notes an event that shows that its thread may use this side of the channel.
    pub(crate) fn may_use(&mut self, builder: &mut Builder, channel: ObjectId, side: Side, mark: u32) {
        self.resource(builder, Key::Object(channel), |resource| match side {
            Side::Sender => resource.senders.push(mark),
            Side::Receiver => resource.receivers.push(mark),
        });
    }

    fn resource(&mut self, builder: &mut Builder, key: Key, note: impl FnOnce(&mut super::events::Resource)) -> u32 {
        let next = self.resources.len() as u32;
        let id = *self.resources.entry(key).or_insert(next);
        note(builder.resource(id));
        id
    }

    /// Says that `mark` is the end of a wait for an operation, or for any of a selection.
    fn awaits(
        &mut self,
        builder: &mut Builder,
        mark: u32,
        waits: bool,
        selected: Option<Vec<(ObjectId, Side)>>,
        (channel, side): (ObjectId, Side),
    ) {
        let id = self.resource(builder, Key::Object(channel), |_| {});
        let others = selected.into_iter().flatten().filter(|operation| *operation != (channel, side));
        let others: Option<Vec<(Await, u32)>> = others.map(|(channel, side)| self.operation(builder, channel, side)).collect();
        let what = if side == Side::Sender { Await::Room } else { Await::Message };
        builder.awaits(mark, what, waits && others.is_some(), id);
        for (what, id) in others.into_iter().flatten() {
            builder.or_awaits(mark, what, id);
        }
    }
}
