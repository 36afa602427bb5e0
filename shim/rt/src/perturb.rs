//! Perturbed schedules, where `CONCCHECK_PERTURB` gives a seed: threads yield or sleep for a moment around what they record, so that
//! orders come about which the scheduler alone would rarely choose.
//!
//! Off, nothing asks for it: a thread that may write its next entry right away does. On, no thread may ([`Writer::make_room`]), and
//! whoever writes slowly pauses.
//!
//! [`Writer::make_room`]: crate::writer::Writer::make_room

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::local;

/// What is asked for by, and what the trace's header says.
pub(crate) const VARIABLE: &str = "CONCCHECK_PERTURB";
pub(crate) const FACT: &str = "perturb_seed";

/// Set where schedules are perturbed, beside the seed.
const ON: u64 = 1 << 63;
/// The seed, with [`ON`]; 0: schedules are left alone.
static SEED: AtomicU64 = AtomicU64::new(0);

/// Of so many pauses one is a sleep, and so many are yields.
const IN: u64 = 16;
const YIELDS: u64 = 4;
/// Sleeps of one thread, so that long runs end.
const MOST_SLEEPS: u32 = 1000;
/// Longest sleep.
const LONGEST: u64 = 400_000;

thread_local! {
    /// What the next pause follows from, and how often the thread slept.
    static STATE: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
}

/// Looks at the environment, before the first event.
pub(crate) fn start() {
    let seed = std::env::var(VARIABLE).ok().and_then(|text| text.trim().parse::<u64>().ok());
    SEED.store(seed.map_or(0, |seed| seed | ON), Ordering::Relaxed);
}

/// The seed by which schedules are perturbed.
pub(crate) fn seed() -> Option<u64> {
    Some(SEED.load(Ordering::Relaxed)).filter(|seed| *seed != 0).map(|seed| seed & !ON)
}

/// Whether schedules are perturbed.
pub(crate) fn is_on() -> bool {
    SEED.load(Ordering::Relaxed) != 0
}

/// What a thread does at a point where it pauses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pause {
    No,
    Yield,
    Sleep(Duration),
}

/// Lets the calling thread pause, or not, if schedules are perturbed.
#[cold]
#[inline(never)]
pub(crate) fn pause() {
    let seed = SEED.load(Ordering::Relaxed);
    if seed == 0 {
        return;
    }
    let (state, sleeps) = STATE.get();
    let (state, pause) = next(if state == 0 { first(seed, local::with(local::Local::number).0) } else { state });
    STATE.set((state, sleeps + u32::from(matches!(pause, Pause::Sleep(_)))));
    match pause {
        Pause::No => {}
        Pause::Sleep(time) if sleeps < MOST_SLEEPS => thread::sleep(time),
        Pause::Yield | Pause::Sleep(_) => thread::yield_now(),
    }
}

/// Where a thread's pauses start from.
fn first(seed: u64, thread: u32) -> u64 {
    mix(seed ^ mix(u64::from(thread)))
}

/// The next pause, and what follows it. Never 0.
fn next(state: u64) -> (u64, Pause) {
    let state = mix(state);
    let pause = match state % IN {
        0 => Pause::Sleep(Duration::from_nanos(1 + (state >> 32) % LONGEST)),
        1..=YIELDS => Pause::Yield,
        _ => Pause::No,
    };
    (state.max(1), pause)
}

/// The step and the finaliser of splitmix64.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(seed: u64, thread: u32) -> Vec<Pause> {
        let mut state = first(seed | ON, thread);
        (0..1000)
            .map(|_| {
                let (after, pause) = next(state);
                state = after;
                pause
            })
            .collect()
    }

    #[test]
    fn a_seed_and_a_thread_decide_the_pauses() {
        assert_eq!(pauses(1, 1), pauses(1, 1));
        assert_ne!(pauses(1, 1), pauses(2, 1));
        assert_ne!(pauses(1, 1), pauses(1, 2));
        let all = pauses(7, 3);
        let sleeps = all.iter().filter(|pause| matches!(pause, Pause::Sleep(_))).count();
        let yields = all.iter().filter(|pause| **pause == Pause::Yield).count();
        assert!((30..100).contains(&sleeps) && (150..350).contains(&yields), "{sleeps} {yields}");
    }
}
