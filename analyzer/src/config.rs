//! What a user can set.

use conccheck_trace::Nanos;

/// Thresholds of the rules, and which rules run.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Names of rules that don't run.
    pub disabled: Vec<String>,
    /// `long-critical-section`: hold time from which a critical section is long.
    pub long_hold: Nanos,
    /// `unbounded-backlog`: queued messages of an unbounded channel from which its backlog counts as growing.
    pub backlog: u64,
    /// `undersized-buffer`: share of a channel's sends that waited for room from which its buffer is too small.
    pub blocked_sends: f64,
    /// `oversized-buffer`: how many times larger than the fullest queue a capacity may be.
    pub oversize: u64,
    /// `timeout-fallback`: share of timed operations that ran into their limit from which the fallback is the rule.
    pub timeouts: f64,
    /// `lock-contention`: share of the lives of the threads that wait for a lock from which it is contended.
    pub contention: f64,
    /// `lock-contention`: time that all waits for the lock must have taken together.
    pub contended_for: Nanos,
    /// `spawn-burst`: threads from one place, alive at once and never joined, from which they are a burst.
    pub burst: u64,
    /// `read-mostly-mutex`: reads per write above which a contended mutex is mostly read.
    pub reads_per_write: f64,
    /// `write-heavy-rwlock`: share of acquisitions for writing above which a contended lock is written too often.
    pub writes: f64,
    /// `ignored-cancellation`: how long a thread may go on after it was told to end.
    pub grace: Nanos,
    /// Longest lock-order cycle that is looked for, in locks.
    pub longest_cycle: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            disabled: Vec::new(),
            long_hold: Nanos(10_000_000),
            backlog: 1000,
            blocked_sends: 0.5,
            oversize: 16,
            timeouts: 0.5,
            contention: 0.25,
            contended_for: Nanos(100_000_000),
            burst: 16,
            reads_per_write: 3.0,
            writes: 0.25,
            grace: Nanos(1_000_000_000),
            longest_cycle: 64,
        }
    }
}
