//! Decodes the entries of one chunk.

use core::fmt;

use super::field::Field;
use super::orders::Orders;
use super::table::event_table;
use super::{MAX_STRING, acquire, get, tag};
use crate::event::{Event, How, Mode, ObjectKind, Record, SiteDef};
use crate::ids::{FrameId, ObjectId, Order, SiteId, StringId, Ticks};
use crate::step::Section;

/// What an id means, as it stands in the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields are described in `Item`")]
pub enum Definition<'a> {
    /// A site.
    Site { id: SiteId, file: &'a str, line: u32, column: u32 },
    /// A string.
    String { id: StringId, text: &'a str },
    /// An object.
    Object { id: ObjectId, kind: ObjectKind, created: SiteId, type_name: StringId },
    /// A call.
    Frame { id: FrameId, caller: FrameId, module: StringId, address: u64 },
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
    /// What a frame's id means.
    Frame {
        /// The frame.
        id: FrameId,
        /// The frame that called it; none for a thread's first, and where no more is known.
        caller: FrameId,
        /// Path of the file that the code was loaded from; empty for the program itself.
        module: StringId,
        /// The address to which the call returns, as the file has it: less where the file was loaded.
        address: u64,
    },
}

impl From<Definition<'_>> for Item {
    fn from(definition: Definition<'_>) -> Item {
        match definition {
            Definition::Site { id, file, line, column } => Item::Site(id, SiteDef { file: file.to_owned(), line, column }),
            Definition::String { id, text } => Item::String(id, text.to_owned()),
            Definition::Object { id, kind, created, type_name } => Item::Object { id, kind, created, type_name },
            Definition::Frame { id, caller, module, address } => Item::Frame { id, caller, module, address },
        }
    }
}

/// Takes what is decoded, entry by entry. It is handed over where it is made: to pass entries on by value took longer than to decode
/// them.
pub trait Sink<'a> {
    /// An event.
    fn record(&mut self, record: Record);
    /// A folded entry: two events.
    fn section(&mut self, section: Section);
    /// What an id means.
    fn definition(&mut self, definition: Definition<'a>);
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Cut => f.write_str("the data end within an entry"),
            Fault::Tag(tag) => write!(f, "no entry begins with {tag:#04x}"),
            Fault::Field(name) => write!(f, "field `{name}` has an impossible value"),
            Fault::Order(lock) => write!(f, "the order of an acquisition of lock {} is missing", lock.0),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

macro_rules! get_table {
    ($($tag:literal $name:ident $json:literal { $($field:ident)* })*) => {
        /// Reads the fields of the event with this tag.
        fn get_event(tag: u8, input: &mut Input<'_>) -> Result<Event, Fault> {
            match tag {
                $($tag => Ok(Event::$name { $($field: input.field(stringify!($field))?),* }),)*
                _ => Err(Fault::Tag(tag)),
            }
        }
    };
}
event_table!(get_table);

/// Decodes one chunk. After an error it ends.
pub struct Decoder<'a> {
    input: Input<'a>,
    time: u64,
    /// The release that a folded entry still owes.
    owed: Option<Record>,
    orders: Orders,
}

impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("offset", &self.input.at).field("len", &self.input.bytes.len()).finish_non_exhaustive()
    }
}

impl<'a> Decoder<'a> {
    /// Decodes the entries of a chunk that began at time `start`.
    pub fn new(bytes: &'a [u8], start: Ticks) -> Decoder<'a> {
        Decoder { input: Input { bytes, at: 0 }, time: start.0, owed: None, orders: Orders::default() }
    }

    /// Goes on with another chunk, as a new decoder would, but with the memory of this one.
    pub fn restart(&mut self, bytes: &'a [u8], start: Ticks) {
        self.input = Input { bytes, at: 0 };
        self.time = start.0;
        self.owed = None;
        self.orders.clear();
    }

    /// Offset of the next entry, in bytes from the chunk's first.
    pub fn offset(&self) -> usize {
        self.input.at
    }

    /// Decodes the next entry into `sink`; `None` at the end.
    #[inline]
    pub fn next_entry(&mut self, sink: &mut impl Sink<'a>) -> Option<Result<(), Malformed>> {
        let offset = self.input.at;
        if offset >= self.input.bytes.len() {
            return None;
        }
        Some(self.entry(sink).map_err(|fault| self.fail(offset, fault)))
    }

    /// The next event; definitions before it go to `define`.
    #[inline]
    pub fn next_record(&mut self, define: impl FnMut(Definition<'a>)) -> Option<Result<Record, Malformed>> {
        if let Some(release) = self.owed.take() {
            return Some(Ok(release));
        }
        let mut one = One { record: None, owed: None, define };
        while one.record.is_none() {
            if let Err(malformed) = self.next_entry(&mut one)? {
                return Some(Err(malformed));
            }
        }
        self.owed = one.owed;
        one.record.map(Ok)
    }

    #[cold]
    fn fail(&mut self, offset: usize, fault: Fault) -> Malformed {
        self.input.at = self.input.bytes.len();
        Malformed { offset, fault }
    }

    #[inline]
    fn entry(&mut self, sink: &mut impl Sink<'a>) -> Result<(), Fault> {
        let tag = self.input.byte()?;
        if tag & acquire::MARK != 0 {
            return self.acquisition(tag, sink);
        }
        if tag >= tag::SITE {
            sink.definition(self.definition(tag)?);
            return Ok(());
        }
        self.time = self.time.wrapping_add(self.input.number()?);
        let event = if tag & !3 == tag::RELEASE {
            Event::Release { lock: self.input.field("lock")?, wrote: tag & 1 != 0, unwinding: tag & 2 != 0 }
        } else {
            get_event(tag, &mut self.input)?
        };
        if let Event::Convert { lock, order, .. } = event {
            self.orders.replace(lock.0, order.0);
        }
        sink.record(Record { time: Ticks(self.time), event });
        Ok(())
    }

    fn definition(&mut self, tag: u8) -> Result<Definition<'a>, Fault> {
        match tag {
            tag::SITE => {
                let id = self.input.field("site")?;
                let line = self.input.field("line")?;
                let column = self.input.field("column")?;
                Ok(Definition::Site { id, file: self.input.text()?, line, column })
            }
            tag::STRING => {
                let id = self.input.field("string")?;
                Ok(Definition::String { id, text: self.input.text()? })
            }
            tag::OBJECT => {
                let id = self.input.field("object")?;
                let kind = self.input.field("kind")?;
                let created = self.input.field("created")?;
                let type_name = self.input.field("type_name")?;
                Ok(Definition::Object { id, kind, created, type_name })
            }
            tag::FRAME => {
                let id = self.input.field("frame")?;
                let caller = self.input.field("caller")?;
                let module = self.input.field("module")?;
                Ok(Definition::Frame { id, caller, module, address: self.input.number()? })
            }
            _ => Err(Fault::Tag(tag)),
        }
    }

    #[inline]
    fn acquisition(&mut self, tag: u8, sink: &mut impl Sink<'a>) -> Result<(), Fault> {
        let (mode, how) = match CODES.get(usize::from(tag & acquire::KIND)) {
            Some(code) => *code,
            None => {
                let byte = u64::from(self.input.byte()?);
                let mode = Mode::from_wire(byte >> 2).ok_or(Fault::Field("mode"))?;
                (mode, How::from_wire(byte & 3).ok_or(Fault::Field("how"))?)
            }
        };
        let time = self.time.wrapping_add(self.input.number()?);
        let lock: ObjectId = self.input.field("lock")?;
        let site = self.input.field("site")?;
        let input = &mut self.input;
        let order = self.orders.update(lock.0, |before| {
            if tag & acquire::ORDER != 0 {
                return input.number();
            }
            let step = u64::from(!matches!(mode, Mode::Shared | Mode::RecursiveShared));
            before.map(|before| before.wrapping_add(step)).ok_or(Fault::Order(lock))
        })?;
        let (order, wrote) = (Order(order), tag & acquire::WROTE != 0);
        self.time = time;
        if tag & acquire::RELEASED == 0 {
            sink.record(Record { time: Ticks(time), event: Event::Acquire { lock, site, mode, how, order } });
            return Ok(());
        }
        let hold = if tag & acquire::HOLD != 0 { self.input.number()? } else { 0 };
        let end = Ticks(time.wrapping_add(hold));
        sink.section(Section { time: Ticks(time), end, lock, site, order, mode, how, wrote });
        Ok(())
    }
}

/// Mode and way of asking by the low bits of an acquisition's tag: what [`code`](super::code) writes.
const CODES: [(Mode, How); acquire::OTHER as usize] = [
    (Mode::Exclusive, How::Blocking),
    (Mode::Shared, How::Blocking),
    (Mode::Exclusive, How::Try),
    (Mode::Shared, How::Try),
    (Mode::RecursiveShared, How::Blocking),
    (Mode::Upgradable, How::Blocking),
    (Mode::Reentrant, How::Blocking),
];

/// One event, and the release that a folded entry still owes after it.
struct One<D> {
    record: Option<Record>,
    owed: Option<Record>,
    define: D,
}

impl<'a, D: FnMut(Definition<'a>)> Sink<'a> for One<D> {
    #[inline]
    fn record(&mut self, record: Record) {
        self.record = Some(record);
    }

    #[inline]
    fn section(&mut self, section: Section) {
        (self.record, self.owed) = (Some(section.acquisition()), Some(section.release()));
    }

    fn definition(&mut self, definition: Definition<'a>) {
        (self.define)(definition);
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(release) = self.owed.take() {
            return Some(Ok(Item::Record(release)));
        }
        let mut definition = None;
        let mut one = One { record: None, owed: None, define: |given: Definition<'_>| definition = Some(Item::from(given)) };
        if let Err(malformed) = self.next_entry(&mut one)? {
            return Some(Err(malformed));
        }
        self.owed = one.owed;
        one.record.map(Item::Record).or(definition).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{put, put_record};
    use super::*;
    use crate::ids::Nanos;

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
