//! The encoding of frequent entries: what `wire::put` writes, but every number of a fixed length, so that an entry is one or two
//! stores without a branch.
#![expect(unsafe_code, reason = "writes raw parts of a slot")]

use conccheck_trace::wire::acquire;
use conccheck_trace::{HandleId, ObjectId, Order, SiteId, Stamp};

/// The tag of a release that is an entry of its own; its low bits say how.
pub(crate) const RELEASE: u8 = 0x60;
/// The tag of a message put in.
pub(crate) const SEND: u8 = 0x14;
/// The tag of a message taken out.
pub(crate) const RECV: u8 = 0x17;

/// A number that takes two bytes, or none that does.
#[inline(always)]
const fn two(value: u32) -> u32 {
    value << 2 | 0b10
}

/// Numbers below this one take two bytes.
const TWO: u32 = 1 << 14;

/// Times below this one take three bytes.
const THREE: u64 = 1 << 21;

/// The numbers of a lock and a site, as they follow an acquisition's time.
#[inline(always)]
pub(crate) fn pair(lock: ObjectId, site: SiteId) -> Option<u32> {
    (lock.0 | site.0 < TWO).then_some(two(lock.0) | two(site.0) << 16)
}

/// The number of a lock, as it follows a release's time.
#[inline(always)]
pub(crate) fn lone(lock: ObjectId) -> Option<u32> {
    (lock.0 < TWO).then_some(two(lock.0))
}

/// The numbers of a channel and one of its handles, and of a site, as they follow a message's time.
#[inline(always)]
pub(crate) fn ends(channel: ObjectId, handle: HandleId, site: SiteId) -> Option<(u32, u32)> {
    (channel.0 | handle.0 | site.0 < TWO).then_some((two(channel.0) | two(handle.0) << 16, two(site.0)))
}

/// Where an entry stands in the slot.
pub(crate) struct Place(*mut u8);

impl Place {
    /// # Safety
    /// [`wire::MAX_ENTRY`](conccheck_trace::wire::MAX_ENTRY) bytes from `place` on are the caller's to write to.
    #[inline(always)]
    pub(crate) unsafe fn at(place: *mut u8) -> Place {
        Place(place)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, at: u32, bytes: [u8; N]) {
        // SAFETY: by the contract of `at` there is room for an entry, of which this is a part.
        unsafe { self.0.add(at as usize).cast::<[u8; N]>().write_unaligned(bytes) };
    }

    /// What an entry begins with: the tag, the ticks since the last one, and four bytes of fields. Returns the length so far.
    #[inline(always)]
    fn begin(&mut self, tag: u8, elapsed: u64, fields: u32) -> u32 {
        if elapsed < THREE {
            let word = u64::from(tag) | elapsed << 11 | 0b100 << 8 | u64::from(fields) << 32;
            self.store(0, word.to_le_bytes());
            8
        } else {
            self.store(0, [tag, 0]);
            self.store(2, elapsed.to_le_bytes());
            self.store(10, fields.to_le_bytes());
            14
        }
    }

    /// An acquisition, of [`pair`]'s lock and site; the order where it does not follow. Returns its length.
    #[inline(always)]
    pub(crate) fn acquisition(mut self, tag: u8, elapsed: u64, pair: u32, order: Option<Order>) -> u32 {
        let Some(Order(order)) = order else { return self.begin(tag, elapsed, pair) };
        let length = self.begin(tag | acquire::ORDER, elapsed, pair);
        if order < 1 << 28 {
            self.store(length, ((order as u32) << 4 | 0b1000).to_le_bytes());
            length + 4
        } else {
            self.store(length, [0]);
            self.store(length + 1, order.to_le_bytes());
            length + 9
        }
    }

    /// A release of [`lone`]'s lock. Returns its length.
    #[inline(always)]
    pub(crate) fn release(mut self, tag: u8, elapsed: u64, lone: u32) -> u32 {
        self.begin(tag, elapsed, lone) - 2
    }

    /// A message put in or taken out at [`ends`]. Returns its length.
    #[inline(always)]
    pub(crate) fn message(mut self, tag: u8, elapsed: u64, (ends, site): (u32, u32), stamp: Stamp) -> u32 {
        let length = self.begin(tag, elapsed, ends);
        // The stamp takes all of nine bytes, the first of which is 0.
        self.store(length, site.to_le_bytes());
        self.store(length + 3, stamp.0.to_le_bytes());
        length + 11
    }

    /// Whether an acquisition of this length can be looked at by [`open_acquisition`](Self::open_acquisition).
    #[inline(always)]
    pub(crate) fn is_short(length: u32) -> bool {
        length < 14
    }

    /// The tag of the acquisition that stands here, if it is one of this lock that has not ended.
    #[inline(always)]
    pub(crate) fn open_acquisition(&self, lock: ObjectId) -> Option<u8> {
        // SAFETY: by the contract of `at`, and an entry is shorter than what lies behind it in a slot's header and entries.
        let word = u64::from_le_bytes(unsafe { self.0.cast::<[u8; 8]>().read_unaligned() });
        const TAG: u64 = (acquire::MARK | acquire::RELEASED) as u64;
        const LOCK: u64 = 0xffff << 32;
        let open = u64::from(acquire::MARK) | u64::from(two(lock.0)) << 32;
        ((word ^ open) & (TAG | LOCK) == 0).then_some(word as u8)
    }

    /// Replaces the entry's tag.
    #[inline(always)]
    pub(crate) fn set_tag(&mut self, tag: u8) {
        self.store(0, [tag]);
    }
}

#[cfg(test)]
mod tests {
    use conccheck_trace::wire::{self, MAX_ENTRY};
    use conccheck_trace::{Event, How, Mode, Ticks};

    use super::*;

    fn written(expected: Event, elapsed: u64, write: impl FnOnce(Place) -> u32) {
        let mut buf = [0xff; 2 * MAX_ENTRY];
        let end = write(Place(buf.as_mut_ptr())) as usize;
        let mut decoder = wire::Decoder::new(&buf[..end], Ticks(0));
        let record = decoder.next_record(|_| {}).expect("an event").expect("well-formed");
        assert_eq!((record.event, record.time), (expected, Ticks(elapsed)));
        assert!(decoder.next_record(|_| {}).is_none());
    }

    const ELAPSED: [u64; 7] = [0, 1, 12_345, THREE - 1, THREE, 1 << 40, u64::MAX];

    #[test]
    fn frequent_entries_are_written_as_the_format_says() {
        for (shift, elapsed) in (0..14).zip(ELAPSED.into_iter().cycle()) {
            let (lock, site, handle) = (ObjectId(1 << shift), SiteId(TWO - 1), HandleId((1 << shift) + 1));
            for order in [1, (1 << 28) - 1, 1 << 28, u64::MAX] {
                let order = Order(order);
                let expected = Event::Acquire { lock, site, mode: Mode::Shared, how: How::Try, order };
                let tag = acquire::MARK | wire::code(Mode::Shared, How::Try);
                let fields = pair(lock, site).expect("small");
                written(expected, elapsed, |place| place.acquisition(tag, elapsed, fields, Some(order)));
            }
            let expected = Event::Release { lock, wrote: true, unwinding: false };
            written(expected, elapsed, |place| place.release(RELEASE | 1, elapsed, lone(lock).expect("small")));
            for stamp in [Stamp(0), Stamp(1), Stamp(u64::MAX)] {
                let fields = ends(lock, handle, site).expect("small");
                for (tag, event) in [
                    (SEND, Event::Send { channel: lock, handle, site, stamp }),
                    (RECV, Event::Recv { channel: lock, handle, site, stamp }),
                ] {
                    written(event, elapsed, |place| place.message(tag, elapsed, fields, stamp));
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_none_of_the_frequent_entries() {
        assert_eq!(pair(ObjectId(TWO), SiteId(1)), None);
        assert_eq!(pair(ObjectId(1), SiteId(TWO)), None);
        assert_eq!(lone(ObjectId(TWO)), None);
        assert_eq!(ends(ObjectId(1), HandleId(TWO), SiteId(1)), None);
    }

    #[test]
    fn an_acquisition_is_open_until_its_tag_says_that_it_ended() {
        let mut buf = [0; MAX_ENTRY];
        let mut place = Place(buf.as_mut_ptr());
        let fields = pair(ObjectId(7), SiteId(9)).expect("small");
        let length = Place(buf.as_mut_ptr()).acquisition(acquire::MARK, 77, fields, None);
        assert!(Place::is_short(length));
        assert_eq!(place.open_acquisition(ObjectId(7)), Some(acquire::MARK));
        assert_eq!(place.open_acquisition(ObjectId(8)), None);
        place.set_tag(acquire::MARK | acquire::RELEASED);
        assert_eq!(place.open_acquisition(ObjectId(7)), None);
    }
}
