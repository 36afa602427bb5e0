//! Deadlock prediction: which deadlocks does one run imply that it did not have?
//!
//! 1. [`patterns`](mod@patterns): cycles among nested acquisitions, by thread, lock and held set.
//! 2. [`closure`]: what must happen before a pattern is reached, if each lock's sections keep their order.
//! 3. [`reversal`]: the same where they need not.
//! 4. [`search`]: the same by trying schedules one after the other, as far as a budget goes.
//! 5. [`knot`]: where threads wait for more than locks, who else could end the waits, and whether all of those wait for ever.
//! 6. [`witness`]: replays every schedule that 2 to 5 give, and has the last word.
//!
//! What is assumed of the program: given the same values read, the same messages and the same order of notifications, a thread does
//! the same again. What the trace does not record (plain atomics, clocks, input) is assumed not to matter.

mod builder;
mod closure;
mod events;
mod from_trace;
mod index;
mod knot;
mod obligations;
mod patterns;
mod prover;
mod recorded;
mod reversal;
mod search;
mod signals;
mod state;
#[cfg(test)]
mod tests;
mod waiting;
mod witness;

pub use builder::Builder;
pub use events::{Await, Op, Order, PEvent, Resource, Trace, excludes};
pub use from_trace::FromTrace;
pub use index::{Index, TooManyClocks};
pub use patterns::{AbstractAcquire, Held, Pattern};
pub use prover::{Counts, Cut, Deadlock, How, Limits, Prediction, Prover, Verdict, predict, prove};
pub use recorded::{Reading, Recorded};
pub use witness::{Checker, Flaw, Goal, Witness};
