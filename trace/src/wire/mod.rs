//! The binary encoding of a thread's events.
//!
//! A thread's log is a series of *chunks*, each decodable without the others (see [`layout`](crate::layout) for how chunks lie in a
//! file). A chunk is a series of entries: a tag byte and fields. Every number is a *prefix varint*: the count of trailing zero bits of
//! the first byte says how many bytes follow, so that both sides work without a loop. Times are differences to the entry before.
//!
//! Acquisitions are most of a trace and have tags of their own (bit 7 set): tag, time, lock, site, and an order only where it does
//! not follow from the entry before of the same lock in the same chunk. A release that directly follows its acquisition is folded
//! into it: a bit of the tag, and a hold time where the recorder's clock was seen to move.

use crate::event::{Event, How, Mode, ObjectKind};
use crate::ids::{FrameId, ObjectId, Order, SiteId, StringId};
pub use decode::{Decoder, Definition, Fault, Item, Malformed, Sink};
use field::Field;
use table::event_table;
pub use varint::{get, put};

mod decode;
pub(crate) mod field;
pub(crate) mod orders;
pub(crate) mod table;
mod varint;

/// Most bytes that one entry without a string takes.
pub const MAX_ENTRY: usize = 128;

/// Most bytes that one prefix varint takes. Writing one touches this many bytes of the buffer, whatever it takes.
pub const MAX_VARINT: usize = 9;

/// Longest string that is recorded; longer ones are cut at a character.
pub const MAX_STRING: usize = 1024;

/// Bits of the tag byte of an acquisition.
pub mod acquire {
    /// Marks an acquisition.
    pub const MARK: u8 = 0x80;
    /// The release followed directly: the entry is a whole critical section.
    pub const RELEASED: u8 = 0x40;
    /// The released guard was dereferenced mutably.
    pub const WROTE: u8 = 0x20;
    /// An order follows the site. Without it: for an exclusive acquisition one more than the thread's entry before for this lock in
    /// this chunk, for a read the same.
    pub const ORDER: u8 = 0x10;
    /// A hold time in ticks follows at the end. Without it, the clock had not moved.
    pub const HOLD: u8 = 0x08;
    /// Low bits: how and in which mode, by [`code`].
    pub const KIND: u8 = 0x07;
    /// In the low bits: a byte with mode and how follows the tag.
    pub const OTHER: u8 = 7;
}

/// The low bits of an acquisition's tag for a mode and a way of asking; [`acquire::OTHER`] where there is none.
pub const fn code(mode: Mode, how: How) -> u8 {
    match (mode, how) {
        (Mode::Exclusive, How::Blocking) => 0,
        (Mode::Shared, How::Blocking) => 1,
        (Mode::Exclusive, How::Try) => 2,
        (Mode::Shared, How::Try) => 3,
        (Mode::RecursiveShared, How::Blocking) => 4,
        (Mode::Upgradable, How::Blocking) => 5,
        (Mode::Reentrant, How::Blocking) => 6,
        _ => acquire::OTHER,
    }
}

/// Tags of entries that are not acquisitions and not in the table.
mod tag {
    pub(super) const RELEASE: u8 = 0x60; // low two bits: wrote, unwinding
    pub(super) const SITE: u8 = 0x70;
    pub(super) const STRING: u8 = 0x71;
    pub(super) const OBJECT: u8 = 0x72;
    pub(super) const FRAME: u8 = 0x73;
}

macro_rules! put_table {
    ($($tag:literal $name:ident $json:literal { $($field:ident)* })*) => {
        /// Writes the tag, the time and the fields of an event of the table; `None` for the two kinds that are not in it.
        fn put_event(buf: &mut [u8], at: usize, time: u64, event: Event) -> Option<usize> {
            match event {
                $(Event::$name { $($field),* } => {
                    buf[at] = $tag;
                    #[allow(unused_mut, reason = "some events have no field")]
                    let mut at = put(buf, at + 1, time);
                    $(at = put(buf, at, Field::to_wire($field));)*
                    Some(at)
                })*
                Event::Acquire { .. } | Event::Release { .. } => None,
            }
        }
    };
}
event_table!(put_table);

/// Writes an event that is not folded with another; returns the position behind it. An order is always written out.
///
/// `elapsed`: ticks since the entry before in this chunk (since the chunk's start for the first).
///
/// # Panics
/// If fewer than [`MAX_ENTRY`] bytes are left.
pub fn put_record(buf: &mut [u8], at: usize, elapsed: u64, event: Event) -> usize {
    match event {
        Event::Acquire { lock, site, mode, how, order } => {
            put_acquisition(buf, at, elapsed, (lock, site), (mode, how), Some(order), None)
        }
        Event::Release { lock, wrote, unwinding } => {
            buf[at] = tag::RELEASE | u8::from(wrote) | (u8::from(unwinding) << 1);
            let at = put(buf, at + 1, elapsed);
            put(buf, at, lock.to_wire())
        }
        event => put_event(buf, at, elapsed, event).unwrap_or(at),
    }
}

/// Writes an acquisition; returns the position behind it.
///
/// `order`: left out only where a decoder knows it (see [`acquire::ORDER`]). `released`: the release that directly follows, as whether
/// the section wrote and the ticks it took.
///
/// # Panics
/// If fewer than [`MAX_ENTRY`] bytes are left.
pub fn put_acquisition(
    buf: &mut [u8],
    at: usize,
    elapsed: u64,
    (lock, site): (ObjectId, SiteId),
    (mode, how): (Mode, How),
    order: Option<Order>,
    released: Option<(bool, u64)>,
) -> usize {
    let kind = code(mode, how);
    let mut tag = acquire::MARK | kind;
    tag |= if order.is_some() { acquire::ORDER } else { 0 };
    tag |= match released {
        None => 0,
        Some((wrote, hold)) => {
            acquire::RELEASED | if wrote { acquire::WROTE } else { 0 } | if hold > 0 { acquire::HOLD } else { 0 }
        }
    };
    buf[at] = tag;
    let mut at = at + 1;
    if kind == acquire::OTHER {
        buf[at] = other(mode, how);
        at += 1;
    }
    at = put(buf, at, elapsed);
    at = put(buf, at, lock.to_wire());
    at = put(buf, at, site.to_wire());
    if let Some(order) = order {
        at = put(buf, at, order.to_wire());
    }
    match released {
        Some((_, hold)) if hold > 0 => put(buf, at, hold),
        _ => at,
    }
}

/// The byte that follows the tag of an acquisition whose mode and way have no code of their own.
pub const fn other(mode: Mode, how: How) -> u8 {
    ((mode as u8) << 2) | how as u8
}

/// The most bytes that [`put_site`] or [`put_string`] take for a string of `len` bytes.
pub const fn string_room(len: usize) -> usize {
    let len = if len > MAX_STRING { MAX_STRING } else { len };
    len + MAX_ENTRY
}

/// Writes what a site id means.
///
/// # Panics
/// If fewer than [`string_room`] bytes are left.
pub fn put_site(buf: &mut [u8], at: usize, id: SiteId, file: &str, line: u32, column: u32) -> usize {
    buf[at] = tag::SITE;
    let at = put(buf, at + 1, id.to_wire());
    let at = put(buf, at, u64::from(line));
    let at = put(buf, at, u64::from(column));
    put_text(buf, at, file)
}

/// Writes what a string id means.
///
/// # Panics
/// If fewer than [`string_room`] bytes are left.
pub fn put_string(buf: &mut [u8], at: usize, id: StringId, text: &str) -> usize {
    buf[at] = tag::STRING;
    let at = put(buf, at + 1, id.to_wire());
    put_text(buf, at, text)
}

/// Writes what an object id means.
///
/// # Panics
/// If fewer than [`MAX_ENTRY`] bytes are left.
pub fn put_object(buf: &mut [u8], at: usize, id: ObjectId, kind: ObjectKind, created: SiteId, type_name: StringId) -> usize {
    buf[at] = tag::OBJECT;
    let at = put(buf, at + 1, id.to_wire());
    let at = put(buf, at, kind.to_wire());
    let at = put(buf, at, created.to_wire());
    put(buf, at, type_name.to_wire())
}

/// Writes what a frame's id means: see [`Definition::Frame`].
///
/// # Panics
/// If fewer than [`MAX_ENTRY`] bytes are left.
pub fn put_frame(buf: &mut [u8], at: usize, id: FrameId, caller: FrameId, module: StringId, address: u64) -> usize {
    buf[at] = tag::FRAME;
    let at = put(buf, at + 1, id.to_wire());
    let at = put(buf, at, caller.to_wire());
    let at = put(buf, at, module.to_wire());
    put(buf, at, address)
}

fn put_text(buf: &mut [u8], at: usize, text: &str) -> usize {
    let mut len = text.len().min(MAX_STRING);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    let at = put(buf, at, len as u64);
    buf[at..at + len].copy_from_slice(&text.as_bytes()[..len]);
    at + len
}
