//! What orders threads besides locks: messages, notifications, tokens, one-time initialisations and barriers.
//!
//! Each is reduced to pairs "this cannot happen before that". Where a trace does not tell what an event depended on, the event is
//! fenced: it needs everything before it.

use std::collections::VecDeque;

use conccheck_trace::{Event, ObjectId, Order, Side, Stamp, ThreadId};
use rustc_hash::FxHashMap;

use super::builder::Builder;

/// The state of everything that signals.
#[derive(Default, Debug)]
pub(crate) struct Signals {
    channels: FxHashMap<ObjectId, Channel>,
    messages: FxHashMap<Stamp, u32>,
    condvars: FxHashMap<ObjectId, Vec<(Order, u32)>>,
    waits: FxHashMap<ThreadId, (Order, u32)>,
    tokens: FxHashMap<ThreadId, Token>,
    onces: FxHashMap<ObjectId, u32>,
    cancelled: FxHashMap<ObjectId, u32>,
    barriers: FxHashMap<ObjectId, Barrier>,
    /// Whether those who arrive at a barrier may arrive in another order, so that who comes last has an event of its own for that.
    opens: bool,
}

#[derive(Default, Debug)]
struct Channel {
    capacity: Option<u64>,
    queue: VecDeque<Stamp>,
    sends: u64,
    /// The receives, where the channel is bounded: each makes room for one message.
    receives: Vec<u32>,
    last_send: Option<u32>,
    last_receive: Option<u32>,
    /// The latest attempt that found it empty, and the latest that found it full.
    was_empty: Option<u32>,
    was_full: Option<u32>,
    senders_dropped: Vec<u32>,
    receivers_dropped: Vec<u32>,
}

/// A thread's park token.
#[derive(Default, Debug)]
struct Token {
    given: Option<u32>,
    last_taken: Option<u32>,
    is_timed: bool,
}

#[derive(Default, Debug)]
struct Barrier {
    arrivals: FxHashMap<u64, u32>,
    last: Option<u32>,
    /// The events by which it was opened, by the number of the last arrival, and the latest of them.
    openings: FxHashMap<u64, u32>,
    opened: Option<u32>,
    /// The last arrival that lets each thread pass.
    wanted: FxHashMap<ThreadId, u64>,
}

impl Signals {
    /// Signals among which barriers are opened by an event of their own: see [`open`](Signals::open).
    pub(crate) fn with_openings() -> Signals {
        Signals { opens: true, ..Signals::default() }
    }

    /// Whether an event is one of these.
    pub(crate) fn concerns(event: &Event) -> bool {
        matches!(
            event,
            Event::ChannelNew { .. }
                | Event::HandleDrop { .. }
                | Event::Send { .. }
                | Event::SendFail { .. }
                | Event::Recv { .. }
                | Event::RecvFail { .. }
                | Event::Wait { .. }
                | Event::Wake { .. }
                | Event::Notify { .. }
                | Event::Park { .. }
                | Event::Unparked
                | Event::Unpark { .. }
                | Event::OnceBegin { .. }
                | Event::OnceEnd { .. }
                | Event::OnceGet { .. }
                | Event::BarrierWait { .. }
                | Event::BarrierPass { .. }
                | Event::Cancel { .. }
                | Event::CancelLook { .. }
        )
    }

    /// Orders `mark`, which stands for `event`, behind what it depends on.
    pub(crate) fn order(&mut self, builder: &mut Builder, thread: ThreadId, event: &Event, mark: u32) {
        match *event {
            Event::ChannelNew { channel, capacity, .. } => self.channels.entry(channel).or_default().capacity = capacity,
            Event::HandleDrop { channel, side, .. } => {
                let channel = self.channels.entry(channel).or_default();
                match side {
                    Side::Sender => channel.senders_dropped.push(mark),
                    Side::Receiver => {
                        after(builder, mark, channel.last_send);
                        channel.receivers_dropped.push(mark);
                    }
                }
            }
            Event::Send { channel, stamp, .. } => {
                self.messages.insert(stamp, mark);
                self.channels.entry(channel).or_default().send(builder, stamp, mark);
            }
            Event::SendFail { channel, closed, .. } => {
                let channel = self.channels.entry(channel).or_default();
                after(builder, mark, channel.last_send);
                if closed {
                    after(builder, mark, channel.receivers_dropped.iter().copied());
                } else {
                    channel.was_full = Some(mark);
                }
            }
            Event::Recv { channel, stamp, .. } => {
                let sent = self.messages.remove(&stamp);
                self.channels.entry(channel).or_default().receive(builder, stamp, sent, mark);
            }
            Event::RecvFail { channel, closed, .. } => {
                let channel = self.channels.entry(channel).or_default();
                after(builder, mark, channel.last_receive);
                if closed {
                    after(builder, mark, channel.senders_dropped.iter().copied());
                } else {
                    channel.was_empty = Some(mark);
                }
            }
            Event::Wait { order, .. } => _ = self.waits.insert(thread, (order, mark)),
            Event::Wake { condvar, timed_out, order } => {
                let wait = self.waits.remove(&thread);
                if !timed_out {
                    let notifications = self.condvars.get(&condvar).map_or(&[][..], |all| all);
                    wake(builder, mark, wait, notifications, order);
                }
            }
            Event::Notify { condvar, order, .. } => self.condvars.entry(condvar).or_default().push((order, mark)),
            Event::Park { timed, .. } => self.tokens.entry(thread).or_default().is_timed = timed,
            Event::Unparked => {
                let token = self.tokens.entry(thread).or_default();
                match token.given.take() {
                    Some(given) => builder.order(given, mark),
                    None if token.is_timed => {}
                    None => builder.fence(mark),
                }
                token.last_taken = Some(mark);
            }
            Event::Unpark { thread: parked, .. } => {
                let token = self.tokens.entry(parked).or_default();
                // Given earlier it would be one with the token before it.
                after(builder, mark, token.last_taken);
                token.given.get_or_insert(mark);
            }
            Event::OnceBegin { once, .. } => after(builder, mark, self.onces.get(&once).copied()),
            Event::OnceEnd { once, .. } => _ = self.onces.insert(once, mark),
            Event::OnceGet { once, .. } => known(builder, mark, self.onces.get(&once).copied()),
            Event::Cancel { token, .. } => _ = self.cancelled.insert(token, mark),
            Event::CancelLook { token, cancelled: true, .. } => after(builder, mark, self.cancelled.get(&token).copied()),
            Event::BarrierWait { barrier, parties, order, .. } => {
                let barrier = self.barriers.entry(barrier).or_default();
                if self.opens {
                    after(builder, mark, barrier.opened);
                } else {
                    // Who arrives last is told so: arrivals keep their order.
                    after(builder, mark, barrier.last.replace(mark));
                }
                barrier.arrivals.insert(order.0, mark);
                let parties = u64::from(parties.max(1));
                barrier.wanted.insert(thread, order.0.saturating_sub(1) / parties * parties + parties);
            }
            Event::BarrierPass { barrier } => {
                let barrier = self.barriers.entry(barrier).or_default();
                let opened_by = if self.opens { &barrier.openings } else { &barrier.arrivals };
                let last = barrier.wanted.remove(&thread).and_then(|wanted| opened_by.get(&wanted));
                known(builder, mark, last.copied());
            }
            _ => {}
        }
    }

    /// Whether the barrier that a thread waits at is open, so that it only has yet to pass it.
    pub(crate) fn is_open(&self, thread: ThreadId, barrier: ObjectId) -> bool {
        let barrier = self.barriers.get(&barrier);
        barrier.is_some_and(|barrier| barrier.wanted.get(&thread).is_some_and(|last| barrier.openings.contains_key(last)))
    }

    /// `mark` is where the last to arrive opens the barrier: behind the arrivals of all.
    pub(crate) fn open(&mut self, builder: &mut Builder, thread: ThreadId, barrier: ObjectId, mark: u32) {
        let barrier = self.barriers.entry(barrier).or_default();
        let Some(last) = barrier.wanted.remove(&thread) else { return };
        let mut arrivals: Vec<(u64, u32)> = barrier.arrivals.drain().collect();
        arrivals.sort_unstable();
        after(builder, mark, arrivals.into_iter().map(|(_, arrival)| arrival));
        barrier.openings.insert(last, mark);
        barrier.opened = Some(mark);
    }
}

fn after(builder: &mut Builder, mark: u32, before: impl IntoIterator<Item = u32>) {
    for before in before {
        builder.order(before, mark);
    }
}

/// Orders `mark` behind the event that let it happen, if that is known.
fn known(builder: &mut Builder, mark: u32, before: Option<u32>) {
    match before {
        Some(before) => builder.order(before, mark),
        None => builder.fence(mark),
    }
}

/// A wait ended by a notification that came after it began.
fn wake(builder: &mut Builder, mark: u32, wait: Option<(Order, u32)>, notifications: &[(Order, u32)], order: Order) {
    let Some((since, waits)) = wait else { return builder.fence(mark) };
    match notifications.iter().rev().find(|(number, _)| *number > since && *number <= order) {
        Some((_, notified)) if waits < *notified => {
            builder.order(waits, *notified);
            builder.order(*notified, mark);
        }
        _ => builder.fence(mark),
    }
}

impl Channel {
    fn send(&mut self, builder: &mut Builder, stamp: Stamp, mark: u32) {
        after(builder, mark, self.last_send.replace(mark));
        after(builder, mark, self.was_empty);
        match self.capacity {
            None => {}
            // The receiver must be there.
            Some(0) => builder.fence(mark),
            Some(capacity) => {
                if let Some(made_room) = self.sends.checked_sub(capacity) {
                    known(builder, mark, self.receives.get(made_room as usize).copied());
                }
            }
        }
        self.sends += 1;
        self.queue.push_back(stamp);
    }

    fn receive(&mut self, builder: &mut Builder, stamp: Stamp, sent: Option<u32>, mark: u32) {
        after(builder, mark, self.last_receive.replace(mark));
        after(builder, mark, self.was_full);
        known(builder, mark, sent);
        if self.queue.front() == Some(&stamp) {
            self.queue.pop_front();
        } else {
            // Sends of several threads stand in another order than their messages were in.
            builder.fence(mark);
            self.queue.retain(|other| *other != stamp);
        }
        if self.capacity.is_some() {
            self.receives.push(mark);
        }
    }
}
