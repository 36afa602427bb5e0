//! What the other rules cost beside those on deadlocks: `cargo run --release -p conccheck-analyzer --example rules_cost -- TRACE...`
//!
//! Each trace is analysed with all rules and with the deadlock rules alone, in turns, so that what disturbs the machine disturbs both;
//! the medians are compared. Sources are looked for from the working directory.

use std::path::Path;
use std::time::{Duration, Instant};

use conccheck_analyzer::registry::RULES;
use conccheck_analyzer::{Config, Sources, analyze};
use conccheck_trace::SiteDef;
use conccheck_trace::read::{self, ProcessTrace};

const DEADLOCKS: [&str; 7] = [
    "deadlock",
    "double-lock",
    "hold-and-wait-cycle",
    "initialization-cycle",
    "lock-order-cycle",
    "lost-wakeup",
    "recursive-read",
];
const TURNS: usize = 15;

/// Files below the working directory, read anew each time: the worst case.
struct Files;
impl Sources for Files {
    fn line(&self, site: &SiteDef) -> Option<String> {
        let text = std::fs::read_to_string(&site.file).ok()?;
        text.lines().nth(site.line.checked_sub(1)? as usize).map(str::to_owned)
    }
}

fn main() {
    let others = RULES.iter().map(|rule| rule.meta().name).filter(|name| !DEADLOCKS.contains(name));
    let deadlocks_only = Config { disabled: others.map(str::to_owned).collect(), ..Config::default() };
    let all = Config::default();
    println!("| trace | events | deadlock rules, ms | all rules, ms | more |\n|---|---|---|---|---|");
    for path in std::env::args().skip(1) {
        let traces = read::open(Path::new(&path)).expect("a trace");
        let mut times = [Vec::new(), Vec::new()];
        let mut events = 0;
        for _ in 0..TURNS {
            for (config, times) in [&deadlocks_only, &all].into_iter().zip(&mut times) {
                let (time, count) = once(&traces, config);
                times.push(time);
                events = count;
            }
        }
        let [deadlocks, all] = times.map(|mut times| {
            times.sort_unstable();
            times[TURNS / 2].as_secs_f64() * 1e3
        });
        println!("| {path} | {events} | {deadlocks:.2} | {all:.2} | {:.0} % |", (all / deadlocks - 1.0) * 100.0);
    }
}

fn once(traces: &[ProcessTrace], config: &Config) -> (Duration, u64) {
    let start = Instant::now();
    let analysis = analyze(traces, &Files, config);
    (start.elapsed(), analysis.stats.events)
}
