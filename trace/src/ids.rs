//! Numbers that name things in a trace, and its units of time.
//!
//! **Scope and reuse.** Every id is given out by one process, counts up from 1, means nothing in another process's trace, and is
//! never reused within its process, also not when the thing is gone. 0 stands for "not known". A reader that joins traces of
//! several processes maps ids by what they were defined as (a site's file, line and column), never by number.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        #[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name(pub $inner);

        impl $name {
            /// Stands for "not known".
            pub const NONE: $name = $name(0);

            /// Whether this names something.
            pub const fn is_some(self) -> bool {
                self.0 != 0
            }
        }
    };
}

id!(
    /// A thread of the recorded process. The thread that recorded the process's first event need not be the main thread.
    ThreadId(u32)
);
id!(
    /// An instance of a synchronisation object: lock, condition variable, channel, once, barrier or cell, in one number space.
    ObjectId(u32)
);
id!(
    /// A place in the source: file, line, column.
    SiteId(u32)
);
id!(
    /// An interned string: a type name.
    StringId(u32)
);
id!(
    /// One end of a channel: a `Sender` or `Receiver` value, clones counted apart.
    HandleId(u32)
);
id!(
    /// A call: an address in the program, and the call that it was reached by.
    FrameId(u32)
);
id!(
    /// A message: the sender's thread and its count of messages sent so far, so that a receive names the very send it got.
    Stamp(u64)
);

impl Stamp {
    /// The stamp of the `number`-th message that `thread` sends. `number` wraps at 2^32.
    pub const fn new(thread: ThreadId, number: u32) -> Stamp {
        Stamp(((thread.0 as u64) << 32) | number as u64)
    }

    /// The sender.
    pub const fn thread(self) -> ThreadId {
        ThreadId((self.0 >> 32) as u32)
    }

    /// The sender's count of messages.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }
}

/// A position in the history of one object: see the event that carries it. Counts from 1, per object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Order(pub u64);

/// A reading of the recorder's clock, in the unit of that clock (processor time-stamp counter, or nanoseconds where there is none).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Ticks(pub u64);

/// Nanoseconds: a duration, or a time since the start of the recording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "read", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Nanos(pub u64);
