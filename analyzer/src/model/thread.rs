//! A thread: where it came from, what it holds, how it ended.

use conccheck_trace::{Event, ObjectId, Side, SiteId, ThreadId, Ticks};

use super::context::Holding;
use crate::clock::{Clock, Moment};

/// A thread of the recorded process.
#[derive(Default, Debug)]
pub struct Thread {
    /// Its number in the trace.
    pub id: ThreadId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Who started it (dense index).
    pub parent: Option<usize>,
    /// Where it was started, and as which event of its parent.
    pub spawn: Option<Spawn>,
    /// Whether it was started while its parent ran an initialiser: what that makes can be reached without a handle.
    pub in_static: bool,
    /// Whether it recorded its start.
    pub has_started: bool,
    /// When it recorded its start.
    pub started: Ticks,
    /// Whether it is the main thread.
    pub is_main: bool,
    /// When its closure ended.
    pub ended: Option<Ticks>,
    /// Number of the event at which it ended.
    pub end_index: u32,
    /// Whether it has its token: a park ends at once. One is enough for several that were given before it parked.
    pub has_token: bool,
    /// Whether it ended the process while it held locks, which it had no time to release.
    pub exits: bool,
    /// Whether its closure ended by a panic.
    pub panicked: bool,
    /// Who knows that it ended (dense index).
    pub joined_by: Option<usize>,
    /// Since when, and from where.
    pub joined_at: Option<(Ticks, SiteId)>,
    /// The latest message that it received, or end of a channel that it was told of: when, which, and whether it was the end.
    pub received: Option<(Ticks, ObjectId, bool)>,
    /// When that was sent, or the last sender of that channel dropped.
    pub heard: Option<Moment>,
    /// Whether somebody took its result.
    pub result_taken: bool,
    /// Whether its handle was dropped without a join.
    pub is_detached: bool,
    /// Index into [`Model::tests`](super::Model::tests) of the test that it belongs to.
    pub test: Option<usize>,
    /// The locks that it holds at the end, outermost first.
    pub held: Vec<Holding>,
    /// What it waits for at the end, if its last event can block.
    pub pending: Option<Pending>,
    /// Whether its last event was the begin of a sleep.
    pub sleeps: bool,
    /// When it recorded its last event.
    pub last: Ticks,
    /// Events so far.
    pub events: u32,
    /// What is known to have come before its next event.
    pub clock: Clock,
    /// Locks that its parent held from before its start until after its end, with the parent's index and acquisition.
    pub inherited: Vec<(usize, Holding)>,
    /// Who unparked it (dense indices).
    pub unparkers: Vec<usize>,
    /// How many waits at the site where it waits at the end ended before; where it sleeps, how often it slept there.
    pub earlier_waits: u64,
    /// The latest wait without limit for a message, a notification or a token: number of the event, and where.
    pub idled: Option<Idled>,
    /// Scopes that it was started in, by index, also those of its ancestors.
    pub scopes: Vec<u32>,
    /// Events that it lost.
    pub lost: u64,
    /// Onces whose initialiser it runs.
    pub initialising: Vec<(ObjectId, SiteId)>,
}

/// A wait for work: number of the event, and where.
pub type Idled = (u32, SiteId);

/// The start of a thread, in its parent.
#[derive(Clone, Copy, Debug)]
pub struct Spawn {
    /// Where.
    pub site: SiteId,
    /// When.
    pub time: Ticks,
    /// Number of the event in the parent.
    pub index: u32,
    /// Whether it is joined at the end of a `thread::scope` at the latest.
    pub is_scoped: bool,
}

/// A wait that had not ended.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The event that began it.
    pub event: Event,
    /// When.
    pub since: Ticks,
    /// Number of the event in its thread.
    pub index: u32,
    /// For a selection: its operations, as channels and sides.
    pub cases: Vec<(ObjectId, Side)>,
    /// For the end of a scope: the threads that it waits for. For a join: the one.
    pub joins: Vec<ThreadId>,
}

impl Pending {
    /// The operations on channels any one of which would end the wait; `None` if not all of them are known.
    pub fn operations(&self) -> Option<Vec<(ObjectId, Side)>> {
        match self.event {
            Event::RecvRequest { channel, .. } => Some(vec![(channel, Side::Receiver)]),
            Event::SendRequest { channel, .. } => Some(vec![(channel, Side::Sender)]),
            Event::SelectRequest { cases, .. } => {
                let known = usize::try_from(cases).ok().and_then(|cases| self.cases.len().checked_sub(cases))?;
                Some(self.cases[known..].to_vec())
            }
            _ => Some(Vec::new()),
        }
    }
}

/// How a thread stands at the end of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its closure ended, or the program did with it as the main thread.
    Ended,
    /// It waits without limit.
    Blocked,
    /// It waits up to a limit, or sleeps.
    Timed,
    /// It ran.
    Running,
}
