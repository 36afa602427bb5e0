//! Times an operation of an original and of its facade while that records, in turns in one process.
//!
//! Prints the median and the lowest tenth of many short rounds: on a busy machine the latter says more.

use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 101;

/// Nanoseconds an operation takes: `operations` of them in one call of `body`.
fn time(operations: u32, body: &mut dyn FnMut(u32)) -> f64 {
    let start = Instant::now();
    body(operations);
    start.elapsed().as_nanos() as f64 / f64::from(operations)
}

/// Compares `operations` of each in every round, and prints how they did.
pub(crate) fn compare(name: &str, operations: u32, raw: &mut dyn FnMut(u32), recorded: &mut dyn FnMut(u32)) {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        times.0.push(time(operations, raw));
        times.1.push(time(operations, recorded));
    }
    times.0.sort_by(f64::total_cmp);
    times.1.sort_by(f64::total_cmp);
    let at = |index: usize| (times.0[index], times.1[index], times.1[index] / times.0[index]);
    let (median, low) = (at(ROUNDS / 2), at(ROUNDS / 10));
    println!("{name:<34} {:>9.1} {:>9.1} {:>6.2}   {:>9.1} {:>9.1} {:>6.2}", median.0, median.1, median.2, low.0, low.1, low.2);
}

/// Runs `comparisons` in a process that records.
pub(crate) fn while_recording(comparisons: impl FnOnce()) {
    if std::env::var_os("CONCCHECK_TRACE").is_none() {
        // Once more, with a trace to write to.
        let folder = tempfile::tempdir().expect("a folder for the trace");
        let program = std::env::current_exe().expect("the path of this program");
        let status = Command::new(program).env("CONCCHECK_TRACE", folder.path()).status().expect("it starts");
        assert!(status.success());
        return;
    }
    println!("{:<34} {:>27}   {:>27}", "", "median: raw, recorded, ratio", "lowest tenth");
    comparisons();
}
