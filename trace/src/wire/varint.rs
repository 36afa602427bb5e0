//! The prefix varint: the count of trailing zero bits of the first byte says how many bytes follow.

use super::MAX_VARINT;

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
    // One slice of nine bytes and one load: indexing the bytes one by one would load them one by one.
    if let Some(&[ref low @ .., high]) = buf.get(at..).and_then(<[u8]>::first_chunk::<MAX_VARINT>) {
        let word = u64::from_le_bytes(*low);
        let len = (word | 0x100).trailing_zeros(); // 8 for a zero byte
        if len < 8 {
            // The upper bits belong to the bytes behind: they are shifted out.
            return Some(((word << (56 - 8 * len)) >> (57 - 7 * len), at + len as usize + 1));
        }
        return Some(((word >> 8) | (u64::from(high) << 56), at + MAX_VARINT));
    }
    get_at_end(buf, at)
}

#[cold]
fn get_at_end(buf: &[u8], at: usize) -> Option<(u64, usize)> {
    let len = buf.get(at)?.trailing_zeros() as usize;
    let mut bytes = [0_u8; MAX_VARINT];
    let rest = buf.get(at..at + len + 1)?;
    bytes[..rest.len()].copy_from_slice(rest);
    get(&bytes, 0).map(|(value, used)| (value, at + used))
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
}
