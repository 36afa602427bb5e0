//! What an event waits for, and what is there once it was passed on.

use std::collections::VecDeque;

use conccheck_trace::{Event, Mode, ObjectId, Record, Section, Stamp, Step, ThreadId};

use super::Merge;

/// What an event can wait for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Need {
    Lock(ObjectId),
    Sent(ThreadId),
    Room(ObjectId),
    Spawned(ThreadId),
    Ended(ThreadId),
    Object(ObjectId),
}

/// Condition variables, onces and barriers.
#[derive(Default)]
pub(super) struct Object {
    notified: u64,
    once_ended: bool,
    once_running: bool,
    arrived: u64,
}

/// What other threads wait for of a thread.
#[derive(Default)]
pub(super) struct Task {
    spawned: bool,
    ended: bool,
    sent: u32,
    /// For each barrier that the thread waits at, how many arrivals let it pass.
    barrier: u64,
    /// Its place among the heads.
    pub(super) head: u32,
}

/// A bounded channel.
pub(super) struct Bounded {
    /// How many messages it holds at most. One that holds none passes them one by one.
    capacity: u64,
    queued: VecDeque<Stamp>,
}

/// The lock that a step acquires, how, and as which of its acquisitions.
pub(super) fn acquired(step: &Step) -> Option<(ObjectId, Mode, u64)> {
    match *step {
        Step::Event(Record { event: Event::Acquire { lock, mode, order, .. }, .. })
        | Step::Section(Section { lock, mode, order, .. }) => Some((lock, mode, order.0)),
        Step::Event(_) => None,
    }
}

impl<R: FnMut(&mut Vec<Step>, usize)> Merge<'_, R> {
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
    pub(super) fn lacks_receives(&mut self, thread: u32) -> bool {
        let Some(&Step::Event(Record { event, .. })) = self.heads[thread as usize].next() else { return false };
        let Some(Need::Room(channel)) = self.need(thread, &event) else { return false };
        self.bounded.remove(&channel).is_some()
    }

    /// Whether a thread waits for acquisitions that were counted, and the counts are not in the trace: so no longer waited for.
    pub(super) fn lacks_counts(&mut self, thread: u32) -> bool {
        match self.heads[thread as usize].next().and_then(acquired) {
            Some((lock, mode, number)) => self.locks.at(lock.0).lacks_counts(mode, number),
            None => false,
        }
    }

    /// What the thread's next event, which is this one, has to wait for.
    pub(super) fn need(&mut self, thread: u32, event: &Event) -> Option<Need> {
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
    pub(super) fn pass(&mut self, thread: u32, event: &Event) {
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
