//! The schema: everything that a trace can say, in one place.
//!
//! A thread's events stand in its program order. Across threads the order is given by [`Order`] numbers (advanced while the lock is
//! held), [`Stamp`]s of messages and thread ids of spawn and join; a reader rebuilds the partial order from those. Times measure
//! durations and break ties; they decide no order that matters.
//!
//! A thread is **blocked** at the end of a trace if its last event is one of those for which [`Event::can_block`] holds: each such
//! event is recorded before the call that may block and is followed by the event that says how the call ended.

use crate::ids::{FrameId, HandleId, Nanos, ObjectId, Order, SiteId, Stamp, StringId, ThreadId, Ticks};

/// One event of one thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// When, on the recorder's clock. For a release it may be the time of the latest clock tick (see `layout`): at most the true
    /// time, and at least that of the acquisition.
    pub time: Ticks,
    /// What.
    #[cfg_attr(feature = "read", serde(flatten))]
    pub event: Event,
}

/// How a lock is held or asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[repr(u8)]
pub enum Mode {
    /// A mutex, or the write side of a reader-writer lock.
    Exclusive = 0,
    /// The read side; waits behind a queued writer.
    Shared = 1,
    /// A read that never waits for a queued writer (`read_recursive` of parking_lot).
    RecursiveShared = 2,
    /// An upgradable read: one at a time, beside plain reads.
    Upgradable = 3,
    /// A lock that its holder may take again (`ReentrantMutex`): excludes other threads only.
    Reentrant = 4,
}

/// How an acquisition was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[repr(u8)]
pub enum How {
    /// Waits without limit.
    Blocking = 0,
    /// Never waits.
    Try = 1,
    /// Waits up to a limit.
    Timed = 2,
}

/// One side of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[repr(u8)]
pub enum Side {
    /// Puts messages in.
    Sender = 0,
    /// Takes messages out.
    Receiver = 1,
}

/// What kind of synchronisation object an [`ObjectId`] names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[repr(u8)]
pub enum ObjectKind {
    /// Mutual exclusion.
    Mutex = 0,
    /// Readers or one writer.
    RwLock = 1,
    /// Condition variable.
    Condvar = 2,
    /// Channel.
    Channel = 3,
    /// One-time initialisation: `Once`, `OnceLock`, `LazyLock`.
    Once = 4,
    /// Barrier.
    Barrier = 5,
    /// A tracked memory cell.
    Cell = 6,
    /// A mutex that its holder may take again.
    ReentrantMutex = 7,
    /// A cancellation token, or a flag by which threads are told to end.
    Token = 8,
    /// A part of the program within which the threads started in it are to end. Its name is its type.
    Scope = 9,
    /// A group whose members' ends are waited for (crossbeam's `WaitGroup`): a channel without messages, whose senders are the members.
    /// Who waits for the group receives until all senders are gone.
    WaitGroup = 10,
}

impl ObjectKind {
    /// What people call it: the type's name where it has one of its own.
    pub const fn noun(self) -> &'static str {
        match self {
            ObjectKind::Mutex => "Mutex",
            ObjectKind::RwLock => "RwLock",
            ObjectKind::Condvar => "Condvar",
            ObjectKind::Channel => "channel",
            ObjectKind::Once => "Once",
            ObjectKind::Barrier => "Barrier",
            ObjectKind::Cell => "cell",
            ObjectKind::ReentrantMutex => "ReentrantMutex",
            ObjectKind::Token => "cancellation token",
            ObjectKind::Scope => "scope",
            ObjectKind::WaitGroup => "WaitGroup",
        }
    }
}

/// Where a site is. Paths are as the compiler wrote them (`file!()`), so relative to the crate that was compiled or absolute.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize))]
pub struct SiteDef {
    /// Source file.
    pub file: String,
    /// Line, from 1; 0 when not known.
    pub line: u32,
    /// Column in characters, from 1; 0 when not known.
    pub column: u32,
}

/// What happened. Fields are described with their event. Field `site` is the place in the user's code that called the operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case", tag = "event"))]
#[expect(missing_docs, reason = "fields are described in the doc of their event")]
#[non_exhaustive]
pub enum Event {
    // ---- locks ----
    /// A thread is about to wait for a lock: the first, non-waiting try failed. Ends in `Acquire`, `TimeOut`, or never.
    Request { lock: ObjectId, site: SiteId, mode: Mode, how: How },
    /// A thread got a lock. `order`: for an exclusive (or upgradable, reentrant) acquisition its number among the lock's exclusive
    /// acquisitions, from 1; for a read the number of the last exclusive acquisition before it (0: none). A number of 0 on an
    /// exclusive acquisition means "not known": it is placed by time.
    Acquire { lock: ObjectId, site: SiteId, mode: Mode, how: How, order: Order },
    /// A thread released a lock. `wrote`: the guard was dereferenced mutably at least once (always true where that can't be seen).
    /// `unwinding`: it was dropped by a panic that began while it was held, and so poisoned the lock where the lock has poison.
    Release { lock: ObjectId, wrote: bool, unwinding: bool },
    /// A try that never waits found the lock taken.
    TryFail { lock: ObjectId, site: SiteId, mode: Mode },
    /// A wait with a limit ended without the lock.
    TimeOut { lock: ObjectId, site: SiteId, mode: Mode },
    /// A held lock changed its mode without being released (downgrade, upgrade). `order` as for `Acquire` in the new mode.
    Convert { lock: ObjectId, site: SiteId, from: Mode, to: Mode, order: Order },
    /// An acquisition (the thread's latest of this lock) found the lock poisoned.
    PoisonSeen { lock: ObjectId, site: SiteId },
    /// The poison was cleared.
    PoisonCleared { lock: ObjectId, site: SiteId },

    // ---- condition variables ----
    /// A thread is about to wait. Its `Release` of `lock` stands directly before. `order`: notifications so far. Ends in `Wake`.
    Wait { condvar: ObjectId, lock: ObjectId, site: SiteId, timed: bool, order: Order },
    /// The wait ended and the lock was taken again: the `Acquire` of `lock` stands directly after. `order`: notifications so far.
    Wake { condvar: ObjectId, timed_out: bool, order: Order },
    /// A notification, the `order`-th of this condition variable (from 1); `waiting` threads waited at that moment.
    Notify { condvar: ObjectId, site: SiteId, all: bool, waiting: u32, order: Order },

    // ---- channels ----
    /// A channel was made. `capacity`: `None` for unbounded, 0 for rendezvous.
    ChannelNew { channel: ObjectId, site: SiteId, capacity: Option<u64>, sender: HandleId, receiver: HandleId },
    /// A handle was cloned from `from`.
    HandleClone { channel: ObjectId, side: Side, from: HandleId, handle: HandleId },
    /// Where the handle was cloned. Stands directly behind its `HandleClone`.
    HandleMade { channel: ObjectId, handle: HandleId, site: SiteId },
    /// A handle was dropped.
    HandleDrop { channel: ObjectId, side: Side, handle: HandleId },
    /// A thread is about to wait for room. Ends in `Send` or `SendFail`.
    SendRequest { channel: ObjectId, handle: HandleId, site: SiteId, timed: bool },
    /// A message was put in. Recorded after the fact, so its receiver may have recorded the receive already.
    Send { channel: ObjectId, handle: HandleId, site: SiteId, stamp: Stamp },
    /// A send that put nothing in: all receivers are gone (`closed`), or it was full when tried, or until its limit.
    SendFail { channel: ObjectId, handle: HandleId, site: SiteId, closed: bool },
    /// A thread is about to wait for a message. Ends in `Recv` or `RecvFail`.
    RecvRequest { channel: ObjectId, handle: HandleId, site: SiteId, timed: bool },
    /// A message was taken out.
    Recv { channel: ObjectId, handle: HandleId, site: SiteId, stamp: Stamp },
    /// A receive that got nothing: empty and all senders gone (`closed`), or empty when tried, or until its limit.
    RecvFail { channel: ObjectId, handle: HandleId, site: SiteId, closed: bool },
    /// One of the operations that the thread is about to select from: a send or a receive by this handle.
    SelectCase { channel: ObjectId, handle: HandleId, side: Side },
    /// A thread is about to wait until any one of `cases` operations can be done: the `SelectCase`s directly before, of which some are
    /// missing if they are fewer. Without a case it waits for nothing but the limit or the timer (`timed`). Ends in `Selected`.
    SelectRequest { site: SiteId, cases: u32, timed: bool },
    /// A selection ended. What was selected, if anything, follows. `others`: it might have ended otherwise as well, by another
    /// operation, a limit or a timer.
    Selected { site: SiteId, others: bool },

    // ---- threads ----
    /// The first event of a thread. `parent` is `NONE` for the main thread and for threads that were not started through the facade.
    /// The thread's name, if it has one, is `name`.
    Start { parent: ThreadId, name: StringId },
    /// This thread started `child`. `scoped`: within `thread::scope`, so joined at the scope's end at the latest.
    Spawn { child: ThreadId, site: SiteId, scoped: bool },
    /// The thread's closure ended. Events of thread-local destructors may follow.
    End { panicked: bool },
    /// A thread is about to wait for `child` to end. Ends in `Join`.
    JoinRequest { child: ThreadId, site: SiteId },
    /// `child` ended and this thread knows it: by `join` (then `took` says that its result, a panic perhaps, was taken), by the end
    /// of its scope, or by `is_finished`.
    Join { child: ThreadId, site: SiteId, took: bool },
    /// The handle was dropped without a join.
    Detach { child: ThreadId },
    /// About to sleep for `nanos`.
    Sleep { site: SiteId, nanos: Nanos },
    /// Gives up its turn (`yield_now`, `spin_loop`), as a loop does that polls something that is not recorded, an atomic flag
    /// perhaps. Recorded once until the thread records something else.
    Yield { site: SiteId },
    /// The thread ends the process (`process::exit`) while it holds locks, whose guards are not dropped. Events of thread-local
    /// destructors may follow.
    Exit { site: SiteId },
    /// About to park. Ends in `Unparked`.
    Park { site: SiteId, timed: bool },
    /// A park ended.
    Unparked,
    /// Gave `thread` its token. (In JSON the field is called `target`, since `thread` says there who acts.)
    Unpark {
        #[cfg_attr(feature = "read", serde(rename = "target"))]
        thread: ThreadId,
        site: SiteId,
    },

    // ---- once, barrier ----
    /// A thread is about to wait for another's initialisation, or to run its own: not yet done. Ends in `OnceBegin` or `OnceGet`.
    OnceRequest { once: ObjectId, site: SiteId },
    /// This thread runs the initialiser.
    OnceBegin { once: ObjectId, site: SiteId },
    /// The initialiser ended.
    OnceEnd { once: ObjectId, panicked: bool },
    /// Found it done, after waiting or for the first time in this thread. Later finds are not recorded.
    OnceGet { once: ObjectId, site: SiteId },
    /// Arrives at a barrier for `parties`, as number `order` since its creation (from 1). Ends in `BarrierPass`.
    BarrierWait { barrier: ObjectId, site: SiteId, parties: u32, order: Order },
    /// Left the barrier.
    BarrierPass { barrier: ObjectId },

    // ---- cancellation, scopes ----
    /// A handle of a cancellation token was cloned, perhaps for a thread that is started next.
    TokenClone { token: ObjectId, site: SiteId },
    /// Tells those who listen to `token` to end. Recorded before it can be seen, each time that it changes something.
    Cancel { token: ObjectId, site: SiteId },
    /// A thread is about to wait for the cancellation. Ends in `CancelLook`.
    CancelWait { token: ObjectId, site: SiteId, timed: bool },
    /// A thread looked whether it is to end. Looks that find what the one before found are recorded a few times only.
    CancelLook { token: ObjectId, site: SiteId, cancelled: bool },
    /// A scope begins: the threads that this thread starts until its end belong to it, and those that they start.
    ScopeBegin { scope: ObjectId, site: SiteId },
    /// The thread leaves the scope.
    ScopeEnd { scope: ObjectId },

    // ---- memory cells ----
    /// A tracked cell was read.
    Read { cell: ObjectId, site: SiteId },
    /// A tracked cell was written.
    Write { cell: ObjectId, site: SiteId },

    // ---- calls ----
    /// The calls that led to the thread's latest acquisition, which stands directly before; `frame` is the innermost. Recorded where
    /// an acquisition is the first of its context, as far as the recorder is told to.
    Stack { frame: FrameId },

    // ---- what is missing ----
    /// `count` acquisitions of `lock` at `site` by this thread that were seen often before in the same context were counted, not
    /// recorded, since the previous `Summary` of that context.
    Summary { lock: ObjectId, site: SiteId, count: u64, hold: Nanos },
    /// `count` events of this thread were lost here.
    Lost { count: u64 },
}

impl Event {
    /// Whether the thread may be blocked for good after this event, so that it is blocked if this is its last one.
    pub fn can_block(&self) -> bool {
        matches!(
            self,
            Event::Request { .. }
                | Event::Wait { .. }
                | Event::SendRequest { .. }
                | Event::RecvRequest { .. }
                | Event::SelectRequest { .. }
                | Event::JoinRequest { .. }
                | Event::Park { .. }
                | Event::OnceRequest { .. }
                | Event::BarrierWait { .. }
                | Event::CancelWait { .. }
        )
    }

    /// Whether the wait that this event begins has a limit.
    pub fn is_timed(&self) -> bool {
        matches!(
            self,
            Event::Request { how: How::Timed, .. }
                | Event::Wait { timed: true, .. }
                | Event::SendRequest { timed: true, .. }
                | Event::RecvRequest { timed: true, .. }
                | Event::SelectRequest { timed: true, .. }
                | Event::Park { timed: true, .. }
                | Event::CancelWait { timed: true, .. }
        )
    }

    /// The place in the source, where the event has one.
    pub fn site(&self) -> Option<SiteId> {
        match *self {
            Event::Request { site, .. }
            | Event::Acquire { site, .. }
            | Event::TryFail { site, .. }
            | Event::TimeOut { site, .. }
            | Event::Convert { site, .. }
            | Event::PoisonSeen { site, .. }
            | Event::PoisonCleared { site, .. }
            | Event::Wait { site, .. }
            | Event::Notify { site, .. }
            | Event::ChannelNew { site, .. }
            | Event::HandleMade { site, .. }
            | Event::SendRequest { site, .. }
            | Event::Send { site, .. }
            | Event::SendFail { site, .. }
            | Event::RecvRequest { site, .. }
            | Event::Recv { site, .. }
            | Event::RecvFail { site, .. }
            | Event::SelectRequest { site, .. }
            | Event::Selected { site, .. }
            | Event::Spawn { site, .. }
            | Event::JoinRequest { site, .. }
            | Event::Join { site, .. }
            | Event::Sleep { site, .. }
            | Event::Yield { site }
            | Event::Exit { site }
            | Event::Park { site, .. }
            | Event::Unpark { site, .. }
            | Event::OnceRequest { site, .. }
            | Event::OnceBegin { site, .. }
            | Event::OnceGet { site, .. }
            | Event::BarrierWait { site, .. }
            | Event::TokenClone { site, .. }
            | Event::Cancel { site, .. }
            | Event::CancelWait { site, .. }
            | Event::CancelLook { site, .. }
            | Event::ScopeBegin { site, .. }
            | Event::Read { site, .. }
            | Event::Write { site, .. }
            | Event::Summary { site, .. } => Some(site),
            Event::Release { .. }
            | Event::Wake { .. }
            | Event::HandleClone { .. }
            | Event::HandleDrop { .. }
            | Event::SelectCase { .. }
            | Event::Start { .. }
            | Event::End { .. }
            | Event::Detach { .. }
            | Event::Unparked
            | Event::OnceEnd { .. }
            | Event::BarrierPass { .. }
            | Event::ScopeEnd { .. }
            | Event::Stack { .. }
            | Event::Lost { .. } => None,
        }
    }
}
