//! The binary encoding of a thread's events.
//!
//! A thread's log is a series of *chunks*, each decodable without the others (see [`layout`](crate::layout) for how chunks lie in a
//! file). A chunk is a series of entries: a tag byte and fields. Every number is a *prefix varint*: the count of trailing zero bits of
//! the first byte says how many bytes follow, so that both sides work without a loop. Times are differences to the entry before.
//!
//! Acquisitions are most of a trace and have tags of their own (bit 7 set): tag, time, lock, site, and an order only where it does
//! not follow from the entry before of the same lock in the same chunk. A release that directly follows its acquisition is folded
//! into it: a bit of the tag, and a hold time where the recorder's clock was seen to move.

use crate::event::{Event, How, Mode, ObjectKind, Record, Side, SiteDef};
use crate::ids::{HandleId, Nanos, ObjectId, Order, SiteId, Stamp, StringId, ThreadId, Ticks};

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

/// Tags of entries that are not acquisitions and not in the table of [`events`].
mod tag {
    pub(super) const RELEASE: u8 = 0x60; // low two bits: wrote, unwinding
    pub(super) const SITE: u8 = 0x70;
    pub(super) const STRING: u8 = 0x71;
    pub(super) const OBJECT: u8 = 0x72;
}

/// One decoded entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An event.
    Record(Record),
    /// What a site id means.
    Site(SiteId, SiteDef),
    /// What a string id means.
    String(StringId, String),
    /// What an object id means: what it is, where it was created, and the type of what it protects or carries.
    Object {
        /// The object.
        id: ObjectId,
        /// What it is.
        kind: ObjectKind,
        /// Where it was created.
        created: SiteId,
        /// The type within: `u32` for a `Mutex<u32>`.
        type_name: StringId,
    },
}

/// Writes `value` at `at` and returns the position behind it.
///
/// # Panics
/// If fewer than [`MAX_VARINT`] bytes are left.
#[inline]
pub fn put(buf: &mut [u8], at: usize, value: u64) -> usize {
    // Bytes behind the first: 7 bits of value fit into each byte, up to 56 bits.
    let len = ((63 - (value | 1).leading_zeros()) / 7) as usize;
    if len < 8 {
        let word = (value << (len + 1)) | (1 << len);
        buf[at..at + 8].copy_from_slice(&word.to_le_bytes());
        at + len + 1
    } else {
        buf[at] = 0;
        buf[at + 1..at + 9].copy_from_slice(&value.to_le_bytes());
        at + 9
    }
}

/// Reads a prefix varint at `at`; returns the value and the position behind it, or `None` if the bytes end before.
#[inline]
pub fn get(buf: &[u8], at: usize) -> Option<(u64, usize)> {
    let len = buf.get(at)?.trailing_zeros() as usize; // 8 for a zero byte
    if let Some(window) = buf.get(at..at + 9) {
        let word = u64::from_le_bytes(window[..8].try_into().ok()?);
        if len < 8 {
            // The top bits belong to the bytes behind.
            let keep = 7 * (len + 1);
            return Some(((word >> (len + 1)) & (u64::MAX >> (64 - keep)), at + len + 1));
        }
        return Some((u64::from_le_bytes(window[1..].try_into().ok()?), at + 9));
    }
    let mut bytes = [0_u8; 9];
    let rest = buf.get(at..at + len + 1)?;
    bytes[..rest.len()].copy_from_slice(rest);
    get(&bytes, 0).map(|(value, used)| (value, at + used))
}

/// How a field's type becomes a number on the wire.
trait Field: Sized {
    fn to_wire(self) -> u64;
    fn from_wire(value: u64) -> Option<Self>;
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
        }
    )*};
}
number_fields! { ThreadId(u32) ObjectId(u32) SiteId(u32) StringId(u32) HandleId(u32) Stamp(u64) Order(u64) Nanos(u64) }

macro_rules! choice_fields {
    ($($name:ident { $($choice:ident)* })*) => {$(
        impl Field for $name {
            fn to_wire(self) -> u64 {
                self as u64
            }
            fn from_wire(value: u64) -> Option<Self> {
                $(if value == $name::$choice as u64 {
                    return Some($name::$choice);
                })*
                None
            }
        }
    )*};
}
choice_fields! {
    Mode { Exclusive Shared RecursiveShared Upgradable Reentrant }
    How { Blocking Try Timed }
    Side { Sender Receiver }
    ObjectKind { Mutex RwLock Condvar Channel Once Barrier Cell ReentrantMutex }
}

impl Field for bool {
    fn to_wire(self) -> u64 {
        u64::from(self)
    }
    fn from_wire(value: u64) -> Option<Self> {
        (value < 2).then_some(value == 1)
    }
}

impl Field for u32 {
    fn to_wire(self) -> u64 {
        u64::from(self)
    }
    fn from_wire(value: u64) -> Option<Self> {
        u32::try_from(value).ok()
    }
}

impl Field for u64 {
    fn to_wire(self) -> u64 {
        self
    }
    fn from_wire(value: u64) -> Option<Self> {
        Some(value)
    }
}

impl Field for Option<u64> {
    fn to_wire(self) -> u64 {
        self.map_or(0, |v| v.saturating_add(1))
    }
    fn from_wire(value: u64) -> Option<Self> {
        Some(value.checked_sub(1))
    }
}

/// The table of events on the wire: tag, name, fields in order. Acquisitions and releases have tags of their own.
macro_rules! events {
    ($($tag:literal $name:ident { $($field:ident)* })*) => {
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

        /// Reads the fields of the event with this tag.
        fn get_event(tag: u8, input: &mut Input<'_>) -> Result<Event, Fault> {
            match tag {
                $($tag => Ok(Event::$name { $($field: input.field(stringify!($field))?),* }),)*
                _ => Err(Fault::Tag(tag)),
            }
        }
    };
}

events! {
    0x01 Request { lock site mode how }
    0x02 TryFail { lock site mode }
    0x03 TimeOut { lock site mode }
    0x04 Convert { lock site from to order }
    0x05 PoisonSeen { lock site }
    0x06 PoisonCleared { lock site }
    0x08 Wait { condvar lock site timed order }
    0x09 Wake { condvar timed_out order }
    0x0a Notify { condvar site all waiting order }
    0x10 ChannelNew { channel site capacity sender receiver }
    0x11 HandleClone { channel side from handle }
    0x12 HandleDrop { channel side handle }
    0x13 SendRequest { channel handle site timed }
    0x14 Send { channel handle site stamp }
    0x15 SendFail { channel handle site closed }
    0x16 RecvRequest { channel handle site timed }
    0x17 Recv { channel handle site stamp }
    0x18 RecvFail { channel handle site closed }
    0x20 Start { parent name }
    0x21 Spawn { child site scoped }
    0x22 End { panicked }
    0x23 JoinRequest { child site }
    0x24 Join { child site took }
    0x25 Detach { child }
    0x26 Sleep { site nanos }
    0x27 Park { site timed }
    0x28 Unparked { }
    0x29 Unpark { thread site }
    0x30 OnceRequest { once site }
    0x31 OnceBegin { once site }
    0x32 OnceEnd { once panicked }
    0x33 OnceGet { once site }
    0x34 BarrierWait { barrier site parties order }
    0x35 BarrierPass { barrier }
    0x40 Read { cell site }
    0x41 Write { cell site }
    0x50 Summary { lock site count hold }
    0x51 Lost { count }
}

/// Writes an event that is not folded with another; returns the position behind it. An order is always written out.
///
/// `elapsed`: ticks since the entry before in this chunk (since the chunk's start for the first).
///
/// # Panics
/// If fewer than [`MAX_ENTRY`] bytes are left.
pub fn put_record(buf: &mut [u8], at: usize, elapsed: u64, event: Event) -> usize {
    match event {
        Event::Acquire { lock, site, mode, how, order } => {
            let kind = code(mode, how);
            buf[at] = acquire::MARK | acquire::ORDER | kind;
            let mut at = at + 1;
            if kind == acquire::OTHER {
                buf[at] = other(mode, how);
                at += 1;
            }
            at = put(buf, at, elapsed);
            at = put(buf, at, lock.to_wire());
            at = put(buf, at, site.to_wire());
            put(buf, at, order.to_wire())
        }
        Event::Release { lock, wrote, unwinding } => {
            buf[at] = tag::RELEASE | u8::from(wrote) | (u8::from(unwinding) << 1);
            let at = put(buf, at + 1, elapsed);
            put(buf, at, lock.to_wire())
        }
        event => put_event(buf, at, elapsed, event).unwrap_or(at),
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

fn put_text(buf: &mut [u8], at: usize, text: &str) -> usize {
    let mut len = text.len().min(MAX_STRING);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    let at = put(buf, at, len as u64);
    buf[at..at + len].copy_from_slice(&text.as_bytes()[..len]);
    at + len
}

/// What is wrong with a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The bytes end within an entry.
    Cut,
    /// No entry has this tag.
    Tag(u8),
    /// A field has a value that it can't have.
    Field(&'static str),
    /// An order is left out although no entry before says it.
    Order(ObjectId),
}

/// Where a chunk is not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// Offset of the entry, in bytes from the chunk's first entry.
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Fault::Cut => f.write_str("the data end within an entry"),
            Fault::Tag(tag) => write!(f, "no entry begins with {tag:#04x}"),
            Fault::Field(name) => write!(f, "field `{name}` has an impossible value"),
            Fault::Order(lock) => write!(f, "the order of an acquisition of lock {} is missing", lock.0),
        }
    }
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} (at byte {} of the chunk)", self.fault, self.offset)
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    #[inline]
    fn number(&mut self) -> Result<u64, Fault> {
        let (value, at) = get(self.bytes, self.at).ok_or(Fault::Cut)?;
        self.at = at;
        Ok(value)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.at).ok_or(Fault::Cut)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn field<F: Field>(&mut self, name: &'static str) -> Result<F, Fault> {
        F::from_wire(self.number()?).ok_or(Fault::Field(name))
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let len = usize::try_from(self.number()?).ok().filter(|&len| len <= MAX_STRING).ok_or(Fault::Field("length"))?;
        let bytes = self.bytes.get(self.at..self.at + len).ok_or(Fault::Cut)?;
        self.at += len;
        core::str::from_utf8(bytes).map_err(|_| Fault::Field("text"))
    }
}

/// Decodes one chunk. After an error it ends.
pub struct Decoder<'a> {
    input: Input<'a>,
    time: u64,
    /// The release that a folded entry still owes.
    owed: Option<Record>,
    orders: Orders,
}

/// The order that a thread saw last, by lock, within a chunk: a small open-addressed table.
#[derive(Default)]
struct Orders {
    slots: Vec<(u32, u64)>,
    used: usize,
}

impl Orders {
    fn slot(&self, lock: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut i = (lock.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        while self.slots[i].0 != 0 && self.slots[i].0 != lock {
            i = (i + 1) & mask;
        }
        i
    }

    #[inline]
    fn get(&self, lock: u32) -> Option<u64> {
        if self.slots.is_empty() {
            return None;
        }
        let (key, order) = self.slots[self.slot(lock)];
        (key == lock && key != 0).then_some(order)
    }

    #[inline]
    fn set(&mut self, lock: u32, order: u64) {
        if self.used * 2 >= self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![(0, 0); (old.len() * 2).max(16)];
            for (key, order) in old {
                if key != 0 {
                    let i = self.slot(key);
                    self.slots[i] = (key, order);
                }
            }
        }
        let i = self.slot(lock);
        self.used += usize::from(self.slots[i].0 == 0);
        self.slots[i] = (lock, order);
    }
}

impl<'a> Decoder<'a> {
    /// Decodes the entries of a chunk that began at time `start`.
    pub fn new(bytes: &'a [u8], start: Ticks) -> Decoder<'a> {
        Decoder { input: Input { bytes, at: 0 }, time: start.0, owed: None, orders: Orders::default() }
    }

    /// Offset of the next entry, in bytes from the chunk's first.
    pub fn offset(&self) -> usize {
        self.input.at
    }

    fn entry(&mut self) -> Result<Item, Fault> {
        let tag = self.input.byte()?;
        if tag & acquire::MARK != 0 {
            return self.acquisition(tag);
        }
        match tag {
            tag::SITE => {
                let id = self.input.field("site")?;
                let line = self.input.field("line")?;
                let column = self.input.field("column")?;
                let file = self.input.text()?.to_owned();
                return Ok(Item::Site(id, SiteDef { file, line, column }));
            }
            tag::STRING => {
                let id = self.input.field("string")?;
                return Ok(Item::String(id, self.input.text()?.to_owned()));
            }
            tag::OBJECT => {
                let id = self.input.field("object")?;
                let kind = self.input.field("kind")?;
                let created = self.input.field("created")?;
                let type_name = self.input.field("type_name")?;
                return Ok(Item::Object { id, kind, created, type_name });
            }
            _ => {}
        }
        self.time = self.time.wrapping_add(self.input.number()?);
        let event = if tag & !3 == tag::RELEASE {
            Event::Release { lock: self.input.field("lock")?, wrote: tag & 1 != 0, unwinding: tag & 2 != 0 }
        } else {
            get_event(tag, &mut self.input)?
        };
        if let Event::Convert { lock, order, .. } = event {
            self.orders.set(lock.0, order.0);
        }
        Ok(Item::Record(Record { time: Ticks(self.time), event }))
    }

    #[inline]
    fn acquisition(&mut self, tag: u8) -> Result<Item, Fault> {
        let (mode, how) = match tag & acquire::KIND {
            0 => (Mode::Exclusive, How::Blocking),
            1 => (Mode::Shared, How::Blocking),
            2 => (Mode::Exclusive, How::Try),
            3 => (Mode::Shared, How::Try),
            4 => (Mode::RecursiveShared, How::Blocking),
            5 => (Mode::Upgradable, How::Blocking),
            6 => (Mode::Reentrant, How::Blocking),
            _ => {
                let byte = u64::from(self.input.byte()?);
                let mode = Mode::from_wire(byte >> 2).ok_or(Fault::Field("mode"))?;
                (mode, How::from_wire(byte & 3).ok_or(Fault::Field("how"))?)
            }
        };
        self.time = self.time.wrapping_add(self.input.number()?);
        let lock: ObjectId = self.input.field("lock")?;
        let site = self.input.field("site")?;
        let order = if tag & acquire::ORDER != 0 {
            self.input.number()?
        } else {
            let before = self.orders.get(lock.0).ok_or(Fault::Order(lock))?;
            before + u64::from(!matches!(mode, Mode::Shared | Mode::RecursiveShared))
        };
        self.orders.set(lock.0, order);
        if tag & acquire::RELEASED != 0 {
            let hold = if tag & acquire::HOLD != 0 { self.input.number()? } else { 0 };
            let event = Event::Release { lock, wrote: tag & acquire::WROTE != 0, unwinding: false };
            self.owed = Some(Record { time: Ticks(self.time.wrapping_add(hold)), event });
        }
        let event = Event::Acquire { lock, site, mode, how, order: Order(order) };
        Ok(Item::Record(Record { time: Ticks(self.time), event }))
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Item, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(release) = self.owed.take() {
            return Some(Ok(Item::Record(release)));
        }
        let offset = self.input.at;
        if offset >= self.input.bytes.len() {
            return None;
        }
        match self.entry() {
            Ok(item) => Some(Ok(item)),
            Err(fault) => {
                self.input.at = self.input.bytes.len();
                Some(Err(Malformed { offset, fault }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_every_length_come_back() {
        let mut buf = [0_u8; 16];
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, (1 << shift) | 1, u64::MAX >> shift] {
                let end = put(&mut buf, 3, value);
                assert_eq!(get(&buf, 3), Some((value, end)), "{value:#x}");
                assert_eq!(get(&buf[..end], 3), Some((value, end)), "{value:#x} at the end of the data");
                assert_eq!(get(&buf[..end - 1], 3), None, "{value:#x} cut");
                let bits = 64 - (value | 1).leading_zeros() as usize;
                assert_eq!(end - 3, if bits > 56 { 9 } else { bits.div_ceil(7) }, "{value:#x}");
            }
        }
    }

    #[test]
    fn a_folded_section_is_two_events_and_at_most_ten_bytes() {
        let mut buf = [0; 64];
        buf[0] = acquire::MARK | acquire::RELEASED | acquire::WROTE | acquire::ORDER | acquire::HOLD;
        let mut at = put(&mut buf, 1, 40);
        for field in [7, 3, 9, 100] {
            at = put(&mut buf, at, field);
        }
        let first = at;
        buf[at] = acquire::MARK | acquire::RELEASED;
        at += 1;
        for field in [200, 7, 3] {
            at = put(&mut buf, at, field);
        }
        assert!(at - first <= 10);
        let events: Vec<_> = Decoder::new(&buf[..at], Ticks(1000)).map(|item| item.expect("well-formed")).collect();
        let record = |time, event| Item::Record(Record { time: Ticks(time), event });
        let acquire = |order| Event::Acquire {
            lock: ObjectId(7),
            site: SiteId(3),
            mode: Mode::Exclusive,
            how: How::Blocking,
            order: Order(order),
        };
        let release = |wrote| Event::Release { lock: ObjectId(7), wrote, unwinding: false };
        assert_eq!(
            events,
            [record(1040, acquire(9)), record(1140, release(true)), record(1240, acquire(10)), record(1240, release(false))]
        );
    }

    #[test]
    fn a_cut_entry_is_an_error_with_its_offset() {
        let mut buf = [0; 64];
        let first = put_record(&mut buf, 0, 5, Event::Unparked);
        let end = put_record(&mut buf, first, 5, Event::Sleep { site: SiteId(1), nanos: Nanos(1_000_000) });
        let items: Vec<_> = Decoder::new(&buf[..end - 1], Ticks(0)).collect();
        assert_eq!(items.len(), 2);
        assert_eq!(items[1], Err(Malformed { offset: first, fault: Fault::Cut }));
    }
}
