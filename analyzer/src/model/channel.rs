//! A channel, its handles and its queue.

use std::collections::{BTreeMap, VecDeque};

use conccheck_trace::{HandleId, ObjectId, Side, SiteId, Ticks};
use rustc_hash::FxHashMap;

use crate::clock::{Clock, Moment};

/// A channel.
#[derive(Default, Debug)]
pub struct Channel {
    /// Whether its creation was seen.
    pub is_known: bool,
    /// Where it was made.
    pub created: SiteId,
    /// By whom (dense index), as which event.
    pub made: Option<(usize, u32)>,
    /// `None`: unbounded. 0: rendezvous.
    pub capacity: Option<u64>,
    /// Its handles, also dropped ones.
    pub handles: BTreeMap<HandleId, Handle>,
    /// Messages put in.
    pub sent: u64,
    /// Messages taken out.
    pub received: u64,
    /// Most messages that were in it at once.
    pub fullest: u64,
    /// Messages in it, at the ends of four equal stretches of the sends so far (coarse).
    pub samples: Vec<(Ticks, u64)>,
    /// Sends that had to wait for room.
    pub send_waits: u64,
    /// Sends that failed since the receivers were gone, by thread: how often, and the site of the latest.
    pub closed_sends: BTreeMap<usize, (u64, SiteId)>,
    /// For each thread and site that went on asking when the senders were gone: how often it was told, and when first.
    pub closed_recvs: BTreeMap<(usize, SiteId), (u64, Ticks)>,
    /// The latest sends that failed since the receivers were gone: thread, site, and what the thread had received last.
    pub late_sends: Vec<LateSend>,
    /// Who dropped the last receiver.
    pub closed_by: Option<usize>,
    /// As which of its events.
    pub closed_index: u32,
    /// Timed operations that began, and that ran into their limit, by (side, site); and who was last.
    pub timed: FxHashMap<(Side, SiteId), (u64, u64, usize)>,
    /// Messages that were in it when its last receiver was dropped, and by whom.
    pub dropped: Option<(u64, usize)>,
    /// The latest send (thread, site).
    pub last_send: Option<(usize, SiteId)>,
    /// The latest receive (thread, site).
    pub last_recv: Option<(usize, SiteId)>,
    /// Threads that received, with the event at which each did last.
    pub receivers: BTreeMap<usize, u32>,
    /// Threads that sent, with the number sent by each.
    pub senders: BTreeMap<usize, u64>,
    /// The latest receives of a bounded channel: what they know, their senders know that waited for the room.
    pub(super) recent: VecDeque<Moment>,
    /// Whether it was made while a once was initialised.
    pub in_static: bool,
    /// The ends of its senders so far, and of its receivers.
    pub(super) gone: [Gone; 2],
}

/// The ends of the handles of one side, so far.
#[derive(Default, Debug)]
pub(super) struct Gone {
    /// What came before them: who finds that all are gone knows it.
    pub(super) clock: Clock,
    /// The first of them, each with the event at which its thread had received from the channel last.
    pub(super) ends: Vec<(Moment, u32)>,
}

/// The selections with a limit at one place.
#[derive(Default, Debug)]
pub struct TimedSelection {
    /// Selections that had to wait.
    pub begun: u64,
    /// Selections that ran into their limit. One that a timer ended did not.
    pub expired: u64,
    /// Who selected last (dense index).
    pub thread: usize,
    /// What the first of them was to select from.
    pub channels: Vec<ObjectId>,
}

/// A send into a closed channel.
#[derive(Clone, Copy, Debug)]
pub struct LateSend {
    /// Who sent (dense index).
    pub thread: usize,
    /// Where.
    pub site: SiteId,
    /// What it had received last: when, from which channel, and whether it was the end of that channel.
    pub after: Option<(Ticks, ObjectId, bool)>,
}

/// One end of a channel.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Which.
    pub side: Side,
    /// Whether it was dropped.
    pub is_dropped: bool,
    /// Who cloned it (dense index), and where; `None` where it came with the channel.
    pub made: Option<(usize, SiteId)>,
    /// Who made, used, cloned or dropped it last (dense index).
    pub toucher: usize,
    /// As which of its events.
    pub touched: u32,
    /// Whether it was ever used to send or receive.
    pub is_used: bool,
}

impl Channel {
    /// Handles of one side that were not dropped.
    pub fn alive(&self, side: Side) -> impl Iterator<Item = &Handle> {
        self.handles.values().filter(move |handle| handle.side == side && !handle.is_dropped)
    }

    /// Messages in it.
    pub fn queued(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}
