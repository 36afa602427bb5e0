//! What each thread did when: the stretches in which it held something or waited. For tables and for timelines; the rules have
//! their own model.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, Mode, Nanos, ObjectId, Order, Record, SiteId, ThreadId, Ticks};

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
    /// It waited for an initialisation, or at a barrier.
    WaitOthers { object: ObjectId },
    /// It slept.
    Sleep,
    /// It was parked.
    Park,
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
            _ => waiting = wait(&record),
        }
    }
    for stretch in held.into_iter().chain(waiting) {
        emit(stretch, end, true);
    }
}

/// When the last event of any thread was.
pub(crate) fn end(trace: &ProcessTrace) -> Ticks {
    let last = |thread| trace.events(thread).last().map(|record| record.time);
    trace.threads().into_iter().filter_map(last).max().unwrap_or(trace.header.start_ticks)
}

fn latest(held: &[(Doing, SiteId, Ticks)], wanted: ObjectId) -> Option<usize> {
    held.iter().rposition(|(doing, _, _)| matches!(doing, Doing::Hold { lock, .. } if *lock == wanted))
}

fn wait(record: &Record) -> Option<(Doing, SiteId, Ticks)> {
    let doing = match record.event {
        Event::Request { lock, .. } => Doing::Wait { lock },
        Event::Wait { condvar, .. } => Doing::WaitNotified { condvar },
        Event::SendRequest { channel, .. } => Doing::WaitRoom { channel },
        Event::RecvRequest { channel, .. } => Doing::WaitMessage { channel },
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
