//! What each thread did when: the stretches in which it held something or waited. For tables and for timelines; the rules have
//! their own model.

use std::collections::HashMap;

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, Mode, Nanos, ObjectId, ObjectKind, Order, Record, SiteId, Stamp, ThreadId, Ticks};

/// What a thread did in a stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Doing {
    /// It held a lock; `order` as in [`Event::Acquire`].
    Hold { lock: ObjectId, mode: Mode, order: Order },
    /// It waited for a lock.
    Wait { lock: ObjectId },
    /// It waited for a notification.
    WaitNotified { condvar: ObjectId },
    /// It waited for room in a channel.
    WaitRoom { channel: ObjectId },
    /// It waited for a message.
    WaitMessage { channel: ObjectId },
    /// It waited for a thread's end.
    Join { child: ThreadId },
    /// It waited for an initialisation, at a barrier, or for the members of a group.
    WaitOthers { object: ObjectId },
    /// It slept.
    Sleep,
    /// It was parked.
    Park,
    /// It put a message into a channel, at one moment.
    Send { channel: ObjectId, stamp: Stamp },
    /// It took a message out of a channel, at one moment.
    Receive { channel: ObjectId, stamp: Stamp },
}

impl Doing {
    /// What it does, with names.
    pub(crate) fn describe(self, name: &dyn Fn(ObjectId) -> String, thread: &dyn Fn(ThreadId) -> String) -> String {
        match self {
            Doing::Hold { lock, mode: Mode::Shared | Mode::RecursiveShared, .. } => format!("reads {}", name(lock)),
            Doing::Hold { lock, .. } => format!("holds {}", name(lock)),
            Doing::Wait { lock } => format!("waits for {}", name(lock)),
            Doing::WaitNotified { condvar } => format!("waits on {}", name(condvar)),
            Doing::WaitRoom { channel } => format!("waits for room in {}", name(channel)),
            Doing::WaitMessage { channel } => format!("waits for a message of {}", name(channel)),
            Doing::Join { child } => format!("joins {}", thread(child)),
            Doing::WaitOthers { object } => format!("waits at {}", name(object)),
            Doing::Sleep => "sleeps".to_owned(),
            Doing::Park => "is parked".to_owned(),
            Doing::Send { channel, .. } => format!("sends to {}", name(channel)),
            Doing::Receive { channel, .. } => format!("receives from {}", name(channel)),
        }
    }
}

/// A stretch of time of one thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    pub(crate) doing: Doing,
    pub(crate) site: SiteId,
    /// Since the start of the recording.
    pub(crate) start: Nanos,
    /// Since the start of the recording; not before `start`.
    pub(crate) end: Nanos,
    /// Whether it had not ended when the trace did.
    pub(crate) is_open: bool,
}

impl Stretch {
    /// How long it was.
    pub(crate) fn length(&self) -> Nanos {
        Nanos(self.end.0 - self.start.0)
    }
}

/// The stretches of one thread, in order of their ends. `end` is when those end that are open.
pub(crate) fn stretches(trace: &ProcessTrace, thread: ThreadId, end: Ticks, mut visit: impl FnMut(Stretch)) {
    let mut held: Vec<(Doing, SiteId, Ticks)> = Vec::new();
    let mut waiting: Option<(Doing, SiteId, Ticks)> = None;
    let mut emit = |(doing, site, start): (Doing, SiteId, Ticks), end: Ticks, is_open| {
        let start = trace.header.nanos(start);
        visit(Stretch { doing, site, start, end: trace.header.nanos(end).max(start), is_open });
    };
    for record in trace.events(thread) {
        // Whatever comes next says that the wait is over.
        if let Some(wait) = waiting.take() {
            emit(wait, record.time, false);
        }
        match record.event {
            Event::Acquire { lock, site, mode, order, .. } => held.push((Doing::Hold { lock, mode, order }, site, record.time)),
            Event::Release { lock, .. } => {
                if let Some(at) = latest(&held, lock) {
                    emit(held.remove(at), record.time, false);
                }
            }
            Event::Convert { lock, site, to, order, .. } => {
                if let Some(at) = latest(&held, lock) {
                    emit(held.remove(at), record.time, false);
                }
                held.push((Doing::Hold { lock, mode: to, order }, site, record.time));
            }
            Event::Send { channel, site, stamp, .. } => {
                emit((Doing::Send { channel, stamp }, site, record.time), record.time, false);
            }
            Event::Recv { channel, site, stamp, .. } => {
                emit((Doing::Receive { channel, stamp }, site, record.time), record.time, false);
            }
            _ => waiting = wait(trace, &record),
        }
    }
    for stretch in held.into_iter().chain(waiting) {
        emit(stretch, end, true);
    }
}

/// What one thread did and another could only go on after: the release of a lock and its next acquisition, a message's sending and
/// its receipt. Pairs of indices into `all`, the stretches of one process.
pub(crate) fn hand_overs(all: &[(ThreadId, Stretch)]) -> Vec<(usize, usize)> {
    let is_exclusive = |mode| !matches!(mode, Mode::Shared | Mode::RecursiveShared);
    let mut released: HashMap<(ObjectId, u64), usize> = HashMap::new();
    let mut sent: HashMap<(ObjectId, Stamp), usize> = HashMap::new();
    for (index, (_, stretch)) in all.iter().enumerate() {
        match stretch.doing {
            Doing::Hold { lock, mode, order } if order.0 > 0 && is_exclusive(mode) => _ = released.insert((lock, order.0), index),
            Doing::Send { channel, stamp } => _ = sent.insert((channel, stamp), index),
            _ => {}
        }
    }
    let mut pairs = Vec::new();
    for (index, (thread, stretch)) in all.iter().enumerate() {
        let giver = match stretch.doing {
            Doing::Hold { lock, mode, order } if order.0 > 0 => {
                released.get(&(lock, if is_exclusive(mode) { order.0 - 1 } else { order.0 }))
            }
            Doing::Receive { channel, stamp } => sent.get(&(channel, stamp)),
            _ => None,
        };
        let Some(&giver) = giver else { continue };
        let (from, given) = &all[giver];
        // Clocks of different processors differ by less than what matters; an arrow to the left would only confuse.
        if from != thread && !given.is_open && given.end <= stretch.start {
            pairs.push((giver, index));
        }
    }
    pairs
}

/// When the last event of any thread was.
pub(crate) fn end(trace: &ProcessTrace) -> Ticks {
    let last = |thread| trace.events(thread).last().map(|record| record.time);
    trace.threads().into_iter().filter_map(last).max().unwrap_or(trace.header.start_ticks)
}

fn latest(held: &[(Doing, SiteId, Ticks)], wanted: ObjectId) -> Option<usize> {
    held.iter().rposition(|(doing, _, _)| matches!(doing, Doing::Hold { lock, .. } if *lock == wanted))
}

fn wait(trace: &ProcessTrace, record: &Record) -> Option<(Doing, SiteId, Ticks)> {
    let doing = match record.event {
        Event::Request { lock, .. } => Doing::Wait { lock },
        Event::Wait { condvar, .. } => Doing::WaitNotified { condvar },
        Event::SendRequest { channel, .. } => Doing::WaitRoom { channel },
        Event::RecvRequest { channel, .. } => match trace.tables.object(channel) {
            Some(group) if group.kind == ObjectKind::WaitGroup => Doing::WaitOthers { object: channel },
            _ => Doing::WaitMessage { channel },
        },
        Event::JoinRequest { child, .. } => Doing::Join { child },
        Event::OnceRequest { once, .. } => Doing::WaitOthers { object: once },
        Event::BarrierWait { barrier, .. } => Doing::WaitOthers { object: barrier },
        Event::Sleep { .. } => Doing::Sleep,
        Event::Park { .. } => Doing::Park,
        _ => return None,
    };
    Some((doing, record.event.site().unwrap_or(SiteId::NONE), record.time))
}

#[cfg(test)]
mod tests {
    use conccheck_trace::text;

    use super::*;

    #[test]
    fn locks_and_messages_go_from_thread_to_thread() {
        let trace =
            text::parse("a channel c; a lock x; a unlock x +1us; b lock x +1us; b send c +1us; b unlock x; a recv c +1us")
                .expect("a trace");
        let mut all = Vec::new();
        for thread in trace.threads() {
            stretches(&trace, thread, end(&trace), |stretch| all.push((thread, stretch)));
        }
        let shown = |index: usize| (all[index].0.0, std::mem::discriminant(&all[index].1.doing));
        let pairs: Vec<_> = hand_overs(&all).into_iter().map(|(from, to)| (shown(from).0, shown(to).0)).collect();
        assert_eq!(pairs, [(2, 1), (1, 2)], "the message, then the lock");
    }

    #[test]
    fn holds_and_waits_end_where_the_next_event_says_so() {
        let trace = text::parse("a lock x; b request x +1us; a unlock x +3us; b lock x; b sleep 1ms; b unlock x +1ms; b park")
            .expect("a trace");
        let collect = |thread: u32| {
            let mut all = Vec::new();
            stretches(&trace, ThreadId(thread), end(&trace), |stretch| {
                all.push((stretch.doing, stretch.length().0, stretch.is_open));
            });
            all
        };
        let hold = |order| Doing::Hold { lock: ObjectId(1), mode: Mode::Exclusive, order: Order(order) };
        assert_eq!(collect(1), [(hold(1), 4_000, false)]);
        let wait = Doing::Wait { lock: ObjectId(1) };
        let expected =
            [(wait, 4_000, false), (Doing::Sleep, 1_000_000, false), (hold(2), 1_001_000, false), (Doing::Park, 0, true)];
        assert_eq!(collect(2), expected);
    }
}
