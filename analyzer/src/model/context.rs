//! The ways in which locks were acquired and threads blocked, each counted once however often it happened.

use conccheck_trace::{Event, FrameId, How, Mode, ObjectId, SiteId, Ticks};

use crate::clock::{Clock, Moment};

/// An entry of a held stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Held {
    /// The entry below it in [`Model::chains`](super::Model::chains); 0: none.
    pub parent: u32,
    /// The lock.
    pub lock: ObjectId,
    /// How it is held.
    pub mode: Mode,
    /// How it was asked for.
    pub how: How,
    /// Where it was acquired.
    pub site: SiteId,
}

/// A lock that a thread holds now.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The lock.
    pub lock: ObjectId,
    /// How it is held.
    pub mode: Mode,
    /// How it was asked for.
    pub how: How,
    /// Where it was acquired.
    pub site: SiteId,
    /// When.
    pub since: Ticks,
    /// Number of the acquisition among its thread's events.
    pub index: u32,
    /// The held stack up to this entry.
    pub chain: u32,
    /// The context that it was acquired in.
    pub context: u32,
    /// What was done while it was held.
    pub inside: Inside,
    /// The acquisition, with what came before it.
    pub moment: Moment,
}

/// What was done inside a critical section.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Inside {
    /// It slept.
    pub slept: bool,
    /// It waited for another lock.
    pub waited_for_lock: bool,
    /// It waited for a channel, a thread, a condition variable, a once or a barrier.
    pub waited: bool,
}

/// About this many moments of a context are kept, besides the latest.
const MOMENTS: usize = 16;

/// Some of the moments at which something happened: enough to tell whether all of them came before something else.
#[derive(Clone, Default, Debug)]
pub struct Moments {
    /// In the order of the thread: the first, then for each time between two changes of what the thread and others know of each
    /// other the first and the latest. Complete once [`close`](Moments::close) was called.
    pub kept: Vec<(Moment, Ticks)>,
    version: u32,
    /// The latest, if it is not the last of `kept`; then it has the same clock.
    latest: Option<(u32, Ticks)>,
}

impl Moments {
    /// Adds a moment: the thread's event `index`. `version` changes when the thread learnt of others or others learnt of it since.
    #[inline]
    pub fn add(&mut self, version: u32, thread: usize, index: u32, clock: &Clock, time: Ticks) {
        if self.version == version && !self.kept.is_empty() {
            self.latest = Some((index, time));
            return;
        }
        self.version = version;
        self.close();
        if self.kept.len() > MOMENTS {
            self.kept.pop();
        }
        if self.kept.is_empty() {
            self.kept.reserve_exact(2);
        }
        self.kept.push((Moment { thread, index, clock: clock.clone() }, time));
    }

    /// Puts the latest with the others.
    pub fn close(&mut self) {
        if let Some((index, time)) = self.latest.take()
            && let Some((before, _)) = self.kept.last()
        {
            let moment = Moment { index, ..before.clone() };
            if self.kept.len() > MOMENTS {
                self.kept.pop();
            }
            self.kept.push((moment, time));
        }
    }

    /// All that are kept, the latest among them.
    pub fn so_far(&self) -> impl Iterator<Item = Moment> {
        let latest = self.latest.iter().zip(self.kept.last());
        let latest = latest.map(|((index, _), (before, _))| Moment { index: *index, ..before.clone() });
        self.kept.iter().map(|(moment, _)| moment.clone()).chain(latest)
    }

    /// Whether any of these is concurrent with any of those.
    pub fn is_concurrent(&self, other: &Moments) -> bool {
        self.kept.iter().any(|(a, _)| other.kept.iter().any(|(b, _)| a.is_concurrent(b)))
    }

    /// The first.
    pub fn first(&self) -> Option<&(Moment, Ticks)> {
        self.kept.first()
    }
}

/// A way in which a lock was acquired or asked for.
#[derive(Clone, Debug)]
pub struct Context {
    /// Which thread (dense index).
    pub thread: usize,
    /// What it held, as an entry of [`Model::chains`](super::Model::chains).
    pub chain: u32,
    /// The lock.
    pub lock: ObjectId,
    /// How it was to be held.
    pub mode: Mode,
    /// How it was asked for.
    pub how: How,
    /// Where.
    pub site: SiteId,
    /// How often.
    pub count: u64,
    /// When.
    pub moments: Moments,
    /// The calls that led to it, if they were recorded.
    pub stack: FrameId,
    /// The held stack after it, once it was acquired; 0 before.
    pub(super) after: u32,
}

impl Context {
    /// Whether the thread could have waited for ever here.
    pub fn can_wait(&self) -> bool {
        self.how == How::Blocking
    }
}

/// A way in which a thread blocked on something that is no lock, while it held locks.
#[derive(Clone, Debug)]
pub struct BlockingOp {
    /// Which thread (dense index).
    pub thread: usize,
    /// What it held.
    pub chain: u32,
    /// The first such event.
    pub event: Event,
    /// Where.
    pub site: SiteId,
    /// How often.
    pub count: u64,
    /// When it began.
    pub moments: Moments,
    /// Longest wait of another thread for one of the held locks that fell into such an operation, in ticks.
    pub others_waited: u64,
    /// Who waited: thread, site and lock.
    pub waiter: Option<(usize, SiteId, ObjectId)>,
}
