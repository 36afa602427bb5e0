//! Which handles of channels were last tried in vain: a polling loop's repeats are not recorded, or they would fill the trace.
//!
//! That is not noted in the handle itself: the originals hold pointers only, so a constant may refer to one, and not to what has
//! interior mutability. Nor behind a pointer, for which a handle would need memory of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use conccheck_trace::HandleId;

const BITS: u32 = 12;

/// For each place the handle that was tried in vain last. Where two that are polled share one, some repeats are recorded.
static POLLED: [AtomicU32; 1 << BITS] = [const { AtomicU32::new(0) }; 1 << BITS];

/// The handle's place. Handles with near numbers lie far apart: no two of them share a cache line, and hardly any of the same thousand
/// a place.
#[inline(always)]
fn place(handle: HandleId) -> &'static AtomicU32 {
    &POLLED[(handle.0.wrapping_mul(0x9e37_79b9) >> (u32::BITS - BITS)) as usize]
}

/// Notes a try in vain. Whether it only repeats the one before it.
#[inline]
pub(crate) fn repeats(handle: HandleId) -> bool {
    let place = place(handle);
    place.load(Ordering::Relaxed) == handle.0 || place.swap(handle.0, Ordering::Relaxed) == handle.0
}

/// Notes that the handle was used otherwise.
#[inline(always)]
pub(crate) fn ends(handle: HandleId) {
    let place = place(handle);
    if handle.is_some() && place.load(Ordering::Relaxed) == handle.0 {
        place.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_try_repeats_another_only_if_the_handle_was_not_used_meanwhile() {
        let (one, other) = (HandleId(1), HandleId(2));
        assert!(!repeats(one));
        assert!(!repeats(other));
        assert!(repeats(one));
        ends(one);
        assert!(!repeats(one));
        assert!(repeats(other));
    }

    #[test]
    fn handles_that_were_made_together_have_places_of_their_own() {
        for step in [1, 2] {
            let places: BTreeSet<_> = (0..1000).map(|n| std::ptr::from_ref(place(HandleId(100_000 + n * step)))).collect();
            assert_eq!(places.len(), 1000);
        }
    }
}
