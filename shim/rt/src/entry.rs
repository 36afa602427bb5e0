//! The encoding of frequent entries, without what makes the general encoder slow.
#![expect(unsafe_code, reason = "writes raw parts of a slot")]

use conccheck_trace::wire::{self, acquire};
use conccheck_trace::{ObjectId, Order, SiteId};

/// The tag of a release that is an entry of its own; its low bits say how.
pub(crate) const RELEASE: u8 = 0x60;

/// The numbers of a lock and a site that both take two bytes or less, as they follow an acquisition's time, and how many bytes that is.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    word: u32,
    bytes: u32,
}

/// A number below `1 << 21` as `wire::put` writes it, and its bytes, without a branch.
#[inline(always)]
fn short(value: u32) -> (u32, u32) {
    let more = u32::from(value >= 1 << 7) + u32::from(value >= 1 << 14);
    ((value << (1 + more)) | (1 << more), 1 + more)
}

impl Small {
    #[inline(always)]
    pub(crate) fn new(lock: ObjectId, site: SiteId) -> Option<Small> {
        if (lock.0 | site.0) >= 1 << 14 {
            return None;
        }
        let ((lock, bytes), (site, site_bytes)) = (short(lock.0), short(site.0));
        Some(Small { word: lock | site << (8 * bytes), bytes: bytes + site_bytes })
    }
}

/// Writes an entry that is frequent: at most [`wire::MAX_ENTRY`] bytes in all. What it writes is what `wire::put` does, but for a time of
/// at most three bytes mostly, and without the count of leading zeros that many processors are slow at.
pub(crate) struct Bytes(*mut u8);

impl Bytes {
    /// # Safety
    /// [`wire::MAX_ENTRY`] bytes from `place` on are the caller's to write to.
    #[inline(always)]
    pub(crate) unsafe fn at(place: *mut u8) -> Bytes {
        Bytes(place)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, bytes: [u8; N], advance: usize) {
        // SAFETY: by the contract of `at` there is room for an entry, of which this is a part.
        unsafe {
            self.0.cast::<[u8; N]>().write_unaligned(bytes);
            self.0 = self.0.add(advance);
        }
    }

    /// The tag and the time, which takes three bytes where it can.
    #[inline(always)]
    pub(crate) fn head(&mut self, tag: u8, elapsed: u64) {
        if elapsed < Bytes::SMALL_TIME {
            let word = u32::from(tag) | ((elapsed as u32) << 11) | (0b100 << 8);
            self.store(word.to_le_bytes(), 4);
        } else {
            self.store([tag], 1);
            self.long_number(elapsed);
        }
    }

    /// An elapsed time that fits into three bytes is less than this.
    const SMALL_TIME: u64 = 1 << 21;

    /// An acquisition of four to eight bytes; more if it is long since the last entry, or its order does not follow. Returns its
    /// length.
    #[inline(always)]
    pub(crate) fn small(&mut self, tag: u8, elapsed: u64, small: Small, order: Order, follows: bool) -> u32 {
        let tag = if follows { tag } else { tag | acquire::ORDER };
        let length;
        if elapsed < Bytes::SMALL_TIME {
            let (time, bytes) = short(elapsed as u32);
            let word = u64::from(tag) | u64::from(time) << 8 | u64::from(small.word) << (8 + 8 * bytes);
            length = 1 + bytes + small.bytes;
            self.store(word.to_le_bytes(), length as usize);
        } else {
            self.store([tag, 0], 2);
            self.store(elapsed.to_le_bytes(), 8);
            length = 10 + small.bytes;
            self.store(small.word.to_le_bytes(), small.bytes as usize);
        }
        if follows {
            length
        } else if order.0 < 1 << 28 {
            self.store((((order.0 as u32) << 4) | 0b1000).to_le_bytes(), 4);
            length + 4
        } else {
            self.store([0], 1);
            self.store(order.0.to_le_bytes(), 8);
            length + 9
        }
    }

    /// A number as `wire::put` writes it.
    #[inline]
    pub(crate) fn number(&mut self, value: u32) {
        let longer =
            u32::from(value >= 1 << 7) + u32::from(value >= 1 << 14) + u32::from(value >= 1 << 21) + u32::from(value >= 1 << 28);
        let word = (u64::from(value) << (longer + 1)) | (1 << longer);
        self.store(word.to_le_bytes(), longer as usize + 1);
    }

    /// A number of any size, as `wire::put` writes it.
    #[inline]
    pub(crate) fn long_number(&mut self, value: u64) {
        let mut bytes = [0; wire::MAX_VARINT];
        let length = wire::put(&mut bytes, 0, value);
        self.store(bytes, length);
    }

    /// Where the entry ends, from `base` on.
    #[inline(always)]
    pub(crate) fn end(self, base: *mut u8) -> u32 {
        (self.0 as usize - base as usize) as u32
    }
}

#[cfg(test)]
mod tests {
    use conccheck_trace::wire::MAX_ENTRY;
    use conccheck_trace::{Event, How, Mode, Ticks};

    use super::*;

    fn same(expected: Event, write: impl FnOnce(&mut Bytes)) {
        let mut buf = [0; 2 * MAX_ENTRY];
        let mut bytes = Bytes(buf.as_mut_ptr());
        write(&mut bytes);
        let end = bytes.end(buf.as_mut_ptr()) as usize;
        let mut decoder = wire::Decoder::new(&buf[..end], Ticks(0));
        let record = decoder.next_record(|_| {}).expect("an event").expect("well-formed");
        assert_eq!(record.event, expected);
        assert!(decoder.next_record(|_| {}).is_none());
    }

    #[test]
    fn frequent_entries_are_written_as_the_format_says() {
        for shift in 0..32 {
            for lock in [1_u32 << shift, (1 << shift) - 1, u32::MAX >> shift] {
                let lock = ObjectId(lock);
                same(Event::Release { lock, wrote: true, unwinding: false }, |bytes| {
                    bytes.head(RELEASE | 1, 1 << shift);
                    bytes.number(lock.0);
                });
            }
        }
    }

    #[test]
    fn a_small_acquisition_is_written_as_the_format_says() {
        for shift in 0..14 {
            let (lock, site, order) = (ObjectId(1 << shift), SiteId((1 << 14) - 1), Order((1 << (4 * shift)) + 1));
            let small = Small::new(lock, site).expect("small");
            let expected = Event::Acquire { lock, site, mode: Mode::Shared, how: How::Try, order };
            for elapsed in [0, (1 << 21) - 1, 1 << 21, u64::MAX] {
                same(expected, |bytes| {
                    bytes.small(acquire::MARK | wire::code(Mode::Shared, How::Try), elapsed, small, order, false);
                });
            }
        }
        assert!(Small::new(ObjectId(1 << 14), SiteId(1)).is_none());
        assert!(Small::new(ObjectId(1), SiteId(1 << 14)).is_none());
    }
}
