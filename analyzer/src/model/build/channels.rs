//! Channels: handles, queue, and the order that messages make.

use conccheck_trace::{Event, HandleId, ObjectId, Side, SiteId, Ticks};

use super::super::channel::{Channel, Handle, LateSend, TimedSelection};
use super::super::mixed::{Mixed, MixedKind, Sent, Taken};
use super::super::thread::Pending;
use super::contexts::Way;
use super::{Builder, Track};
use crate::clock::Moment;

/// Receives remembered for each bounded channel, so larger capacities give no order from receiver to sender.
const RECENT: usize = 1024;
/// Sends remembered for each receiver, lock and channel.
const SENDS: usize = 16;
/// Acquisitions remembered for each thread that receives from bounded channels, and for each receiver, lock and channel.
const TAKEN: usize = 256;
const BETWEEN: usize = 16;
/// Ends remembered for each side of a channel.
const ENDS: usize = 16;
/// Failed sends remembered for each channel.
const LATE: usize = 64;
/// Points of a backlog curve.
const SAMPLES: usize = 64;

impl Builder<'_> {
    pub(super) fn channel_event(&mut self, t: usize, index: u32, time: Ticks, event: Event) {
        match event {
            Event::ChannelNew { channel, site, capacity, sender, receiver } => {
                let in_static = !self.model.threads[t].initialising.is_empty();
                let state = self.model.channels.at(channel.0);
                state.is_known = true;
                state.created = site;
                state.made = Some((t, index));
                state.capacity = capacity;
                state.in_static = in_static;
                touch(state, sender, Side::Sender, t, index, false);
                touch(state, receiver, Side::Receiver, t, index, false);
            }
            Event::HandleClone { channel, side, from, handle } => {
                self.note_clone(t, index);
                let state = self.model.channels.at(channel.0);
                touch(state, from, side, t, index, false);
                touch(state, handle, side, t, index, false);
            }
            Event::HandleMade { channel, handle, site } => {
                if let Some(handle) = self.model.channels.at(channel.0).handles.get_mut(&handle) {
                    handle.made = Some((t, site));
                }
            }
            Event::HandleDrop { channel, side, handle } => {
                let moment = self.publish(t, index);
                let state = self.model.channels.at(channel.0);
                let received = state.receivers.get(&t).copied().unwrap_or_default();
                let gone = &mut state.gone[side as usize];
                gone.clock.join_moment(&moment);
                if gone.ends.len() < ENDS {
                    gone.ends.push((moment, received));
                }
                touch(state, handle, side, t, index, false);
                if let Some(handle) = state.handles.get_mut(&handle) {
                    handle.is_dropped = true;
                }
                if side == Side::Receiver && state.is_known && state.alive(Side::Receiver).next().is_none() {
                    (state.closed_by, state.closed_index) = (Some(t), index);
                    if state.queued() > 0 {
                        state.dropped.get_or_insert((state.queued(), t));
                    }
                }
            }
            Event::SendRequest { channel, handle, site, timed } => {
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Sender, t, index, true);
                state.send_waits += 1;
                if timed {
                    let (begun, _, who) = state.timed.entry((Side::Sender, site)).or_default();
                    (*begun, *who) = (*begun + 1, t);
                }
                self.begin_op(t, time, event);
            }
            Event::RecvRequest { channel, handle, site, timed } => {
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Receiver, t, index, true);
                if timed {
                    let (begun, _, who) = state.timed.entry((Side::Receiver, site)).or_default();
                    (*begun, *who) = (*begun + 1, t);
                }
                self.begin_op(t, time, event);
            }
            Event::SelectCase { channel, handle, side } => {
                touch(self.model.channels.at(channel.0), handle, side, t, index, true);
                self.tracks[t].cases.push((channel, side));
            }
            Event::SelectRequest { site, timed, .. } => {
                if timed {
                    let operations = self.model.threads[t].pending.as_ref().and_then(Pending::operations);
                    let channels = || operations.into_iter().flatten().map(|(channel, _)| channel).collect();
                    let new = || TimedSelection { channels: channels(), ..TimedSelection::default() };
                    let selection = self.model.timed_selections.entry(site).or_insert_with(new);
                    (selection.begun, selection.thread) = (selection.begun + 1, t);
                }
                self.begin_op(t, time, event);
            }
            Event::Send { channel, handle, site, stamp } => {
                self.end_op(t, time);
                let moment = self.publish(t, index);
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Sender, t, index, true);
                state.sent += 1;
                *state.senders.entry(t).or_default() += 1;
                state.last_send = Some((t, site));
                state.note_queue(time);
                let (capacity, sent) = (state.capacity, state.sent);
                let received = state.receivers.get(&t).copied().unwrap_or_default();
                self.messages.insert(stamp, (moment, received));
                if let Some(capacity) = capacity {
                    self.note_bounded_send(t, index, channel, event, capacity, sent);
                }
            }
            Event::Recv { channel, handle, site, stamp } => {
                self.end_op(t, time);
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Receiver, t, index, true);
                state.received += 1;
                self.model.threads[t].received = Some((time, channel, false));
                state.receivers.insert(t, index);
                state.last_recv = Some((t, site));
                let capacity = state.capacity;
                if let Some((sent, received)) = self.messages.remove(&stamp) {
                    // Blocked before it received from here itself, the sender leaves the message that it received to this thread.
                    if let Some(request) = self.tracks[t].selected_after {
                        self.mixed_with(t, index, MixedKind::Select, request, &sent, received);
                    } else if !self.tracks[t].selected {
                        self.mixed_with(t, index, MixedKind::Recv, (event, site), &sent, received);
                    }
                    self.learn(t, &sent);
                    self.model.threads[t].heard = Some(sent);
                }
                if let Some(capacity) = capacity {
                    let moment = self.publish(t, index);
                    self.note_bounded_receive(t, index, channel);
                    let state = self.model.channels.at(channel.0);
                    if capacity <= RECENT as u64 {
                        state.recent.push_back(moment);
                        while state.recent.len() as u64 > capacity.max(1) {
                            state.recent.pop_front();
                        }
                    }
                }
            }
            Event::SendFail { channel, handle, site, closed } => {
                self.end_op(t, time);
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Sender, t, index, true);
                if closed {
                    let (count, latest) = state.closed_sends.entry(t).or_default();
                    *count += 1;
                    *latest = site;
                    if state.late_sends.len() < LATE {
                        state.late_sends.push(LateSend { thread: t, site, after: self.model.threads[t].received });
                    }
                    self.learn_end(t, channel, Side::Receiver);
                } else {
                    self.gave_up(t, channel, Side::Sender, site);
                }
            }
            Event::RecvFail { channel, handle, site, closed } => {
                self.end_op(t, time);
                let state = self.model.channels.at(channel.0);
                touch(state, handle, Side::Receiver, t, index, true);
                if closed {
                    let (count, _) = state.closed_recvs.entry((t, site)).or_insert((0, time));
                    *count += 1;
                    self.model.threads[t].received = Some((time, channel, true));
                    if !self.tracks[t].selected && !self.model.threads[t].held.is_empty() {
                        for (moment, received) in self.model.channels.at(channel.0).gone[Side::Sender as usize].ends.clone() {
                            let asked = Event::RecvRequest { channel, handle, site, timed: false };
                            self.mixed_with(t, index, MixedKind::Close, (asked, site), &moment, received);
                        }
                    }
                    self.learn_end(t, channel, Side::Sender);
                    let gone = &self.model.channels.at(channel.0).gone[Side::Sender as usize];
                    let last = gone.ends.last().map(|(moment, _)| Moment { clock: gone.clock.clone(), ..*moment });
                    self.model.threads[t].heard = last;
                } else {
                    self.gave_up(t, channel, Side::Receiver, site);
                }
            }
            _ => {}
        }
    }

    /// The thread found that all handles of one side are gone: whoever dropped one did so before.
    fn learn_end(&mut self, t: usize, channel: ObjectId, side: Side) {
        self.tracks[t].version += 1;
        let gone = &self.model.channels.at(channel.0).gone[side as usize].clock;
        self.model.threads[t].clock.join(gone);
    }

    /// An operation that gave up, at once or at its limit: one by itself, or the first of those of a selection, which all do.
    fn gave_up(&mut self, t: usize, channel: ObjectId, side: Side, site: SiteId) {
        let of_selection = self.model.timed_selections.get_mut(&site).filter(|_| self.tracks[t].selected);
        if let Some(selection) = of_selection {
            selection.expired += 1;
        } else if let Some((_, expired, _)) = self.model.channels.at(channel.0).timed.get_mut(&(side, site)) {
            *expired += 1;
        }
        self.model.gives_up.insert(site);
    }

    /// Notes an acquisition by a thread that receives from bounded channels: the first of the lock since whatever it received last.
    pub(super) fn note_taken(&mut self, t: usize, index: u32, Way { lock, site, mode, .. }: Way) {
        let moment = self.moment(t, index);
        let Track { taken, received_at, .. } = &mut self.tracks[t];
        let is_since = |other: &&Taken| other.moment.index > *received_at;
        if taken.iter().rev().take_while(is_since).any(|other| other.lock == lock) {
            return;
        }
        if taken.len() >= TAKEN {
            taken.pop_front();
        }
        taken.push_back(Taken { lock, moment, site, mode });
    }

    /// Notes which locks a bounded channel's only receiver took since the receive before.
    fn note_bounded_receive(&mut self, t: usize, index: u32, channel: ObjectId) {
        let Track { taken, received_at, receives, .. } = &mut self.tracks[t];
        let (count, latest) = receives.entry(channel).or_default();
        if *count > 0 && self.model.channels.at(channel.0).receivers.len() == 1 {
            for taken in taken.iter().filter(|taken| taken.moment.index > *latest) {
                let between = self.between.entry((t, taken.lock, channel)).or_default();
                if between.len() < BETWEEN && between.last().is_none_or(|(received, _)| received < count) {
                    between.push((*count, taken.clone()));
                }
            }
        }
        (*count, *latest) = (*count + 1, index);
        *received_at = index;
    }

    /// A send into a bounded channel comes after the receive that made room for it; and it may have found no room in another run.
    fn note_bounded_send(&mut self, t: usize, index: u32, channel: ObjectId, event: Event, capacity: u64, number: u64) {
        let site = event.site().unwrap_or_default();
        let held = if self.tracks[t].selected { &[][..] } else { &self.model.threads[t].held };
        let holdings: Vec<_> = held.iter().map(|held| (held.lock, held.moment.clone(), held.site, held.mode)).collect();
        for (lock, held, hold_site, hold_mode) in holdings {
            let sends = self.full_sends.entry((t, lock, channel)).or_default();
            if sends.len() > SENDS {
                sends.pop();
            }
            sends.push(Sent { number, held, hold_site, hold_mode, event, site, index });
        }
        let state = self.model.channels.at(channel.0);
        // With the receives numbered from 1, room for message `number` was made by receive `number - capacity`.
        let first_kept = state.received.saturating_sub(state.recent.len() as u64) + 1;
        if number > capacity
            && capacity > 0
            && let Some(at) = (number - capacity).checked_sub(first_kept)
            && let Some(moment) = usize::try_from(at).ok().and_then(|at| state.recent.get(at)).cloned()
        {
            self.learn(t, &moment);
        }
    }

    /// Sends under a lock that a channel's only receiver takes between receives: with the buffer full, each waits for the other.
    pub(super) fn find_full_sends(&mut self) {
        let mut keys: Vec<_> = self.full_sends.keys().copied().collect();
        keys.sort_unstable();
        for (t, lock, channel) in keys {
            let state = self.model.channels.at(channel.0);
            let receivers: Vec<usize> = state.receivers.keys().copied().collect();
            let (&[receiver], Some(capacity)) = (receivers.as_slice(), state.capacity) else { continue };
            let (Some(between), Some(sends)) =
                (self.between.get(&(receiver, lock, channel)), self.full_sends.get(&(t, lock, channel)))
            else {
                continue;
            };
            let pair = sends.iter().find_map(|sent| {
                let mut taken = between.iter().filter(|(_, taken)| crate::modes::blocks(sent.hold_mode, taken.mode));
                let is_stuck =
                    |(received, taken): &&(u64, Taken)| sent.number > *received + capacity && !taken.moment.is_before(&sent.held);
                let (_, taken) = taken.find(is_stuck)?;
                Some((sent.clone(), taken.site))
            });
            let Some((sent, other_site)) = pair.filter(|_| receiver != t) else { continue };
            self.add_mixed(Mixed {
                kind: MixedKind::Send,
                lock,
                holder: t,
                hold_site: sent.hold_site,
                hold_mode: sent.hold_mode,
                event: sent.event,
                wait_site: sent.site,
                other: receiver,
                other_site,
                count: 1,
                ends: vec![sent.index],
            });
        }
    }
}

fn touch(channel: &mut Channel, id: HandleId, side: Side, thread: usize, index: u32, uses: bool) {
    let new = Handle { side, is_dropped: false, made: None, toucher: thread, touched: index, is_used: false };
    let handle = channel.handles.entry(id).or_insert(new);
    handle.toucher = thread;
    handle.touched = index;
    handle.is_used |= uses;
}

impl Channel {
    fn note_queue(&mut self, time: Ticks) {
        let queued = self.queued();
        self.fullest = self.fullest.max(queued);
        if self.sent.is_power_of_two() || self.sent.is_multiple_of(1 << (self.sent.ilog2().saturating_sub(3))) {
            if self.samples.len() >= SAMPLES {
                let mut keep = false;
                self.samples.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
            self.samples.push((time, queued));
        }
    }
}
