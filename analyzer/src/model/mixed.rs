//! A lock held across a wait, where who would end the wait takes that lock first.

use conccheck_trace::{Event, Mode, ObjectId, SiteId};

use crate::clock::Moment;

/// What the holder of the lock waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum MixedKind {
    /// The end of a thread that takes the lock.
    Join,
    /// A message from a thread that takes the lock before it sends.
    Recv,
    /// The end of a channel, of which a thread drops a sender after it takes the lock; or that of a group, of which it is a member.
    Close,
    /// Room in a bounded channel, whose receiver takes the lock between receives.
    Send,
    /// A notification by a thread that takes the lock before it notifies.
    Wait,
    /// The token of a thread that takes the lock before it gives it.
    Park,
    /// The arrival of a thread that takes the lock before it arrives.
    Barrier,
    /// The end of an initialiser that takes the lock.
    Once,
    /// Any operation of a selection; this one was done by a thread that takes the lock before.
    Select,
}

/// A lock held across a wait whose end needs the lock. It did not block in this run.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// What is waited for.
    pub kind: MixedKind,
    /// The lock.
    pub lock: ObjectId,
    /// Who holds it (dense index).
    pub holder: usize,
    /// Where it was acquired.
    pub hold_site: SiteId,
    /// How it is held.
    pub hold_mode: Mode,
    /// The wait.
    pub event: Event,
    /// Where.
    pub wait_site: SiteId,
    /// Who would end the wait (dense index).
    pub other: usize,
    /// Where that thread takes the lock.
    pub other_site: SiteId,
    /// How often.
    pub count: u64,
    /// The events at which it ended, by their numbers in the holder's thread: the first ones.
    pub ends: Vec<u32>,
}

/// Ends remembered for each.
pub(super) const ENDS: usize = 16;

/// What tells one [`Mixed`] from another: holder, lock, wait site, other thread.
pub(super) type MixedKey = (usize, ObjectId, SiteId, usize);

/// An acquisition of a lock by a receiver of a bounded channel.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) lock: ObjectId,
    pub(super) moment: Moment,
    pub(super) site: SiteId,
    pub(super) mode: Mode,
}

/// A send into a bounded channel while the lock was held.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Number of the message in its channel.
    pub(super) number: u64,
    /// The acquisition of the lock.
    pub(super) held: Moment,
    pub(super) hold_site: SiteId,
    pub(super) hold_mode: Mode,
    pub(super) event: Event,
    pub(super) site: SiteId,
    /// Which event of the sender's it was.
    pub(super) index: u32,
}
