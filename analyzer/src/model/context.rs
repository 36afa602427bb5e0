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

/// About this many moments of a context are kept, besides the first and the latest of the time that is now.
const MOMENTS: usize = 16;

/// How often a thread did something, and some of the moments: enough to tell whether all of them came before something else.
///
/// Kept are the first moments, and for each time between two changes of what the thread and others know of each other the first and the
/// latest. Most contexts know one such time, so that one lies at hand.
#[derive(Clone, Debug)]
pub struct Moments {
    /// What came before those of the time that is now.
    clock: Clock,
    /// Numbers of the first and the latest of that time among the thread's events.
    first: u32,
    latest: u32,
    version: u32,
    /// All that there were, as far as this number goes.
    count: u32,
    /// Those of the times before, with what came before them.
    #[expect(clippy::box_collection, reason = "most have none, and there are millions: a pointer is less than a vector")]
    earlier: Option<Box<Vec<(u32, Clock)>>>,
}

impl Moments {
    /// A first moment: the thread's event `index`.
    pub(super) fn new(version: u32, index: u32, clock: &Clock) -> Moments {
        Moments { clock: clock.clone(), first: index, latest: index, version, count: 1, earlier: None }
    }

    /// Adds a moment: the thread's event `index`. `version` changes when the thread learnt of others or others learnt of it since.
    #[inline]
    pub(super) fn add(&mut self, version: u32, index: u32, clock: &Clock) {
        if self.version != version {
            self.begin(version, index, clock);
        }
        self.latest = index;
        self.count = self.count.saturating_add(1);
    }

    /// Begins another time.
    fn begin(&mut self, version: u32, index: u32, clock: &Clock) {
        let Moments { clock: before, first, latest, count, earlier, .. } =
            std::mem::replace(self, Moments::new(version, index, clock));
        let mut earlier = earlier.unwrap_or_default();
        let latest = (latest != first).then_some(latest);
        let left = MOMENTS - earlier.len();
        earlier.extend([first].into_iter().chain(latest).take(left).map(|index| (index, before.clone())));
        (self.count, self.earlier) = (count, Some(earlier));
    }

    /// Those that are kept, in the order of the thread: the number of the event, and what came before it.
    pub fn kept(&self) -> impl Iterator<Item = (u32, &Clock)> {
        let earlier = self.earlier.iter().flat_map(|earlier| earlier.iter().map(|(index, clock)| (*index, clock)));
        let latest = (self.latest != self.first).then_some(self.latest);
        earlier.chain([self.first].into_iter().chain(latest).map(|index| (index, &self.clock)))
    }
}

/// A way in which a lock was acquired or asked for. A cache line: each acquisition looks one up, and there are millions.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Context {
    /// Which thread (dense index).
    pub(super) thread: u32,
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
    /// How often and when.
    pub moments: Moments,
    /// The calls that led to it, if they were recorded.
    pub stack: FrameId,
    /// The held stack after it, once it was acquired; 0 before.
    pub(super) after: u32,
}

impl Context {
    /// Which thread (dense index).
    pub fn thread(&self) -> usize {
        self.thread as usize
    }

    /// How often.
    pub fn count(&self) -> u64 {
        u64::from(self.moments.count)
    }

    /// Whether the thread could have waited for ever here.
    pub fn can_wait(&self) -> bool {
        self.how == How::Blocking
    }

    /// The moments that are kept of it.
    pub fn moments(&self) -> impl Iterator<Item = Moment> {
        self.moments.kept().map(|(index, clock)| Moment { thread: self.thread(), index, clock: clock.clone() })
    }

    /// Whether it may have been at the same time as the other, at any of the moments that are kept.
    pub fn is_concurrent(&self, other: &Context) -> bool {
        let is_before = |thread: usize, index: u32, other: usize, (number, clock): (u32, &Clock)| {
            if thread == other { index < number } else { clock.get(thread) > index }
        };
        self.moments.kept().any(|ours| {
            other.moments.kept().any(|theirs| {
                !is_before(self.thread(), ours.0, other.thread(), theirs)
                    && !is_before(other.thread(), theirs.0, self.thread(), ours)
            })
        })
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
    /// The longest time of another thread's wait for one of the held locks that fell into this and the other operations of one hold,
    /// in ticks.
    pub others_waited: u64,
    /// Who waited: thread, site and lock.
    pub waiter: Option<(usize, SiteId, ObjectId)>,
}
