//! How the types of fields become numbers on the wire and values in JSON.

use crate::event::{How, Mode, ObjectKind, Side};
use crate::ids::{FrameId, HandleId, Nanos, ObjectId, Order, SiteId, Stamp, StringId, ThreadId};

/// What a field is in JSON.
#[derive(Clone, Copy)]
pub(crate) enum Plain {
    Number(u64),
    Bool(bool),
    Name(&'static str),
    Null,
}

/// A field's type. `from_wire` is `None` for a number that the type can't have.
pub(crate) trait Field: Sized {
    fn to_wire(self) -> u64;
    fn from_wire(value: u64) -> Option<Self>;
    fn plain(self) -> Plain;
}

macro_rules! number_fields {
    ($($name:ident($inner:ty))*) => {$(
        impl Field for $name {
            #[inline]
            fn to_wire(self) -> u64 {
                u64::from(self.0)
            }
            #[inline]
            fn from_wire(value: u64) -> Option<Self> {
                <$inner>::try_from(value).ok().map($name)
            }
            fn plain(self) -> Plain {
                Plain::Number(u64::from(self.0))
            }
        }
    )*};
}
number_fields! { ThreadId(u32) ObjectId(u32) SiteId(u32) StringId(u32) HandleId(u32) FrameId(u32) Stamp(u64) Order(u64) Nanos(u64) }

macro_rules! choice_fields {
    ($($name:ident { $($choice:ident $text:literal)* })*) => {$(
        impl Field for $name {
            #[inline]
            fn to_wire(self) -> u64 {
                self as u64
            }
            #[inline]
            fn from_wire(value: u64) -> Option<Self> {
                $(if value == $name::$choice as u64 {
                    return Some($name::$choice);
                })*
                None
            }
            fn plain(self) -> Plain {
                Plain::Name(match self {
                    $($name::$choice => $text,)*
                })
            }
        }
    )*};
}
choice_fields! {
    Mode { Exclusive "exclusive" Shared "shared" RecursiveShared "recursive-shared" Upgradable "upgradable" Reentrant "reentrant" }
    How { Blocking "blocking" Try "try" Timed "timed" }
    Side { Sender "sender" Receiver "receiver" }
    ObjectKind {
        Mutex "mutex" RwLock "rw-lock" Condvar "condvar" Channel "channel" Once "once" Barrier "barrier" Cell "cell"
        ReentrantMutex "reentrant-mutex" Token "token" Scope "scope" WaitGroup "wait-group"
    }
}

impl Field for bool {
    #[inline]
    fn to_wire(self) -> u64 {
        u64::from(self)
    }
    #[inline]
    fn from_wire(value: u64) -> Option<Self> {
        (value < 2).then_some(value == 1)
    }
    fn plain(self) -> Plain {
        Plain::Bool(self)
    }
}

impl Field for u32 {
    #[inline]
    fn to_wire(self) -> u64 {
        u64::from(self)
    }
    #[inline]
    fn from_wire(value: u64) -> Option<Self> {
        u32::try_from(value).ok()
    }
    fn plain(self) -> Plain {
        Plain::Number(u64::from(self))
    }
}

impl Field for u64 {
    #[inline]
    fn to_wire(self) -> u64 {
        self
    }
    #[inline]
    fn from_wire(value: u64) -> Option<Self> {
        Some(value)
    }
    fn plain(self) -> Plain {
        Plain::Number(self)
    }
}

impl Field for Option<u64> {
    #[inline]
    fn to_wire(self) -> u64 {
        self.map_or(0, |v| v.saturating_add(1))
    }
    #[inline]
    fn from_wire(value: u64) -> Option<Self> {
        Some(value.checked_sub(1))
    }
    fn plain(self) -> Plain {
        self.map_or(Plain::Null, Plain::Number)
    }
}
