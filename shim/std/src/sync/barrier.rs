//! Instrumented [`Barrier`](real::Barrier).
//!
//! The original does not say which arrivals belong together, so this one counts by itself, in the original's way: a generation is
//! complete with its last arrival, which lets the others go.

use core::fmt;
use core::panic::{Location, RefUnwindSafe};

use conccheck_rt::barrier as rt;
use real_std::sync as real;

use super::PoisonError;

/// Instrumented [`std::sync::Barrier`](real::Barrier).
pub struct Barrier {
    record: rt::Barrier,
    state: real::Mutex<State>,
    complete: real::Condvar,
    parties: usize,
}

struct State {
    /// Arrivals of this generation.
    arrived: usize,
    generation: usize,
    /// Arrivals of all generations.
    total: u64,
}

/// Stands for [`std::sync::BarrierWaitResult`](real::BarrierWaitResult), which only std can make.
pub struct BarrierWaitResult(bool);

impl RefUnwindSafe for Barrier {}

impl Barrier {
    /// See [`std::sync::Barrier::new`](real::Barrier::new).
    #[track_caller]
    #[must_use]
    #[inline]
    pub const fn new(n: usize) -> Barrier {
        let state = State { arrived: 0, generation: 0, total: 0 };
        Barrier { record: rt::Barrier::new(), state: real::Mutex::new(state), complete: real::Condvar::new(), parties: n }
    }

    /// See [`std::sync::Barrier::wait`](real::Barrier::wait).
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let place = Location::caller();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = state.generation;
        state.arrived += 1;
        state.total += 1;
        self.record.arrive(self.parties, state.total, place);
        let is_leader = state.arrived >= self.parties;
        if is_leader {
            state.arrived = 0;
            state.generation = generation.wrapping_add(1);
            self.complete.notify_all();
        } else {
            state =
                self.complete.wait_while(state, |state| state.generation == generation).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.record.pass();
        BarrierWaitResult(is_leader)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl BarrierWaitResult {
    /// See [`std::sync::BarrierWaitResult::is_leader`](real::BarrierWaitResult::is_leader).
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.is_leader()).finish()
    }
}
