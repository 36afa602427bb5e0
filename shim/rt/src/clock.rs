//! The two clocks: the true one, and the coarse tick that the runtime's thread advances.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What the header says the clock is.
pub(crate) const NAME: &str = if cfg!(target_arch = "x86_64") { "tsc" } else { "nanos" };

/// Reads the true clock, in ticks.
#[inline]
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the time-stamp counter is read by an intrinsic")]
pub(crate) fn now() -> u64 {
    // SAFETY: every x86-64 processor has this instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Reads the true clock, in ticks.
#[inline]
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn now() -> u64 {
    nanos_since_first_call()
}

/// Nanoseconds since the first call in this process: what ticks are calibrated against.
pub(crate) fn nanos_since_first_call() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The tick stands still: nobody advances it.
const STILL: u64 = 1 << 63;

/// A tick that is older than this says nothing: its thread was kept from running. In ticks: some milliseconds.
const STALE: u64 = 1 << 24;

/// On a cache line of its own: every thread reads it, the runtime's thread writes it.
#[repr(align(128))]
struct Coarse(AtomicU64);

static COARSE: Coarse = Coarse(AtomicU64::new(STILL));

/// Advances the tick.
pub(crate) fn tick(now: u64) {
    COARSE.0.store(now, Ordering::Relaxed);
}

/// Says that the tick is not advanced from now on.
pub(crate) fn stop_ticking() {
    COARSE.0.store(STILL, Ordering::Relaxed);
}

/// Whether the tick is known not to have moved since the true clock read `time`.
#[inline]
pub(crate) fn still_at(time: u64) -> bool {
    time.wrapping_sub(COARSE.0.load(Ordering::Relaxed)) < STALE
}

/// Whether anybody advances the tick.
#[inline(always)]
pub(crate) fn is_ticking() -> bool {
    COARSE.0.load(Ordering::Relaxed) != STILL
}

/// A pair of readings that were taken together: the ratio of the two clocks so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) ticks: u64,
    pub(crate) nanos: u64,
}

impl Pair {
    pub(crate) fn now() -> Pair {
        Pair { ticks: now(), nanos: nanos_since_first_call() }
    }

    /// Nanoseconds for a duration in ticks, by the two clocks' progress from `self` to `later`. 0 if there is none.
    pub(crate) fn nanos(self, later: Pair, ticks: u64) -> u64 {
        let by_ticks = u128::from(later.ticks.saturating_sub(self.ticks));
        let by_nanos = u128::from(later.nanos.saturating_sub(self.nanos));
        (u128::from(ticks) * by_nanos).checked_div(by_ticks).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
    }
}
