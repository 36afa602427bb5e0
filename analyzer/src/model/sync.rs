//! Condition variables, onces and barriers.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

use crate::clock::Clock;
use crate::clock::Moment;

/// A condition variable.
#[derive(Default, Debug)]
pub struct Condvar {
    /// The locks that were waited with.
    pub locks: Vec<ObjectId>,
    /// Notifications so far.
    pub notified: u64,
    /// The latest notifications: number, thread, site, all, waiting threads at that moment.
    pub notifications: Vec<Notification>,
    /// Waits that its notifications should have ended.
    pub delivered: u64,
    /// Waits that were ended by a notification, by thread.
    pub woken: BTreeMap<usize, u64>,
    /// Threads that waited.
    pub waiters: Vec<usize>,
    /// Where they did.
    pub wait_sites: Vec<SiteId>,
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Its number.
    pub order: u64,
    /// What came before it.
    pub moment: Moment,
    /// Where.
    pub site: SiteId,
    /// Whether it was for all waiters.
    pub all: bool,
    /// Threads that waited.
    pub waiting: u32,
}

/// A one-time initialisation.
#[derive(Default, Debug)]
pub struct Once {
    /// Who runs its initialiser, and where it was called.
    pub running: Option<(usize, SiteId)>,
    /// What its initialiser did.
    pub done: Option<Moment>,
    /// Where it was initialised.
    pub set_site: SiteId,
    /// As which event of its thread that began.
    pub begun: u32,
    /// Whether nothing was recorded within the initialiser.
    pub did_nothing: bool,
    /// Looks that found it done although nothing made them wait for that, by threads that had done nothing but sleep.
    pub lucky: Vec<EarlyGet>,
}

/// A look at a once that found it done by luck.
#[derive(Clone, Copy, Debug)]
pub struct EarlyGet {
    /// Who looked (dense index).
    pub thread: usize,
    /// Where.
    pub site: SiteId,
    /// Who had initialised it.
    pub setter: usize,
    /// Where.
    pub set_site: SiteId,
}

/// A barrier.
#[derive(Default, Debug)]
pub struct Barrier {
    /// Threads that it waits for.
    pub parties: u32,
    /// Arrivals.
    pub arrived: u64,
    /// The latest generations.
    pub generations: BTreeMap<u64, Generation>,
}

/// Those that arrive at a barrier to leave it together.
#[derive(Default, Debug)]
pub struct Generation {
    /// What all of them had done.
    pub clock: Clock,
    /// The arrivals: the first ones.
    pub arrivals: Vec<Moment>,
}
