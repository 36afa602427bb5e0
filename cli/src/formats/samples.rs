//! Hand-made analyses for the tests of the formats.

use conccheck_analyzer::finding::{Finding, Party, ScenarioStep, Step};
use conccheck_analyzer::{Analysis, Confidence, RuleMeta, Severity, Stats};
use conccheck_trace::SiteDef;
use conccheck_trace::read::ProcessTrace;

static CYCLE: RuleMeta = RuleMeta {
    name: "lock-order-cycle",
    summary: "locks acquired in inconsistent order",
    severity: Severity::Critical,
    since: "0.1.0",
    page: "## What it does\nReports cycles in the lock-order graph.\n",
};
static DEADLOCK: RuleMeta = RuleMeta {
    name: "deadlock",
    summary: "tasks that wait for one another",
    severity: Severity::Critical,
    since: "0.1.0",
    page: "## What it does\nReports tasks that wait for one another at the end of the trace.\n",
};
static LEAK: RuleMeta = RuleMeta {
    name: "leaked-task",
    summary: "a task that nobody can wake",
    severity: Severity::High,
    since: "0.1.0",
    page: "## What it does\nReports tasks that nobody can wake.\n",
};
static LONG: RuleMeta = RuleMeta {
    name: "long-critical-section",
    summary: "a lock held for long",
    severity: Severity::Medium,
    since: "0.1.0",
    page: "## What it does\nReports locks that are held for long.\n",
};

/// Traces, each with its name: what was recorded, for the formats that show it.
pub(super) fn traces() -> Vec<(&'static str, ProcessTrace)> {
    let parsed = |text: &str| conccheck_trace::text::parse(text).unwrap_or_else(|error| panic!("{error}"));
    vec![
        // A lock goes from thread to thread; sections that overlap instead of nesting; a sleep.
        (
            "locks",
            parsed(
                "main spawn worker @bank.rs:3; main lock a @bank.rs:5; worker request a @bank.rs:9
                 main unlock a +2ms; worker lock a; worker lock b @bank.rs:10; worker unlock a +1ms; worker unlock b; worker sleep 5ms
                 worker write r @bank.rs:20; worker unlock r; main read r @bank.rs:21; main unlock r +1ms; worker end
                 main join worker @bank.rs:30; main end",
            ),
        ),
        // A bounded channel that is full, one that is never read to its end, and a thread that is blocked when the trace ends.
        (
            "channels",
            parsed(
                "main channel full 1 @pipe.rs:1; main channel left @pipe.rs:2; main spawn reader @pipe.rs:3
                 main send full @pipe.rs:5; main request-send full @pipe.rs:6; reader recv full @pipe.rs:10 +1ms; main send full
                 main send left @pipe.rs:7; main send left @pipe.rs:7; reader recv left @pipe.rs:11 +20us
                 reader recv full @pipe.rs:10; reader request-recv full @pipe.rs:10; main sleep 2ms; main end",
            ),
        ),
        // Everything else that threads wait for, and a lock under another, in both orders.
        (
            "orders",
            parsed(
                "object first mutex @m.rs:1 First; object second mutex @m.rs:2 Second<T>
                 main spawn one @m.rs:5; main spawn two @m.rs:6
                 one lock first @m.rs:10; one lock second @m.rs:11 +1ms; one unlock second; one unlock first
                 two lock second @m.rs:20; two lock first @m.rs:21 +3us; two unlock first; two unlock second
                 one once-begin o @m.rs:30; two once-request o @m.rs:31; one once-end o +1ms; two once-get o
                 one barrier-wait b 2 @m.rs:40; two barrier-wait b 2 @m.rs:40 +1ms; one barrier-pass b; two barrier-pass b
                 one lock first; one wait cv first @m.rs:50; two notify cv @m.rs:51 +1ms; one wake cv; one unlock first
                 one park @m.rs:60; two unpark one @m.rs:61 +1ms; one unparked; one end; two end
                 main join one; main join two; main end",
            ),
        ),
    ]
}

/// All rules of these analyses.
pub(super) static RULES: [&RuleMeta; 4] = [&DEADLOCK, &LEAK, &CYCLE, &LONG];

/// The analyses, each with its name.
pub(super) fn all() -> Vec<(&'static str, Analysis)> {
    vec![
        ("cycle", analysis(vec![cycle()])),
        ("deadlock", analysis(vec![deadlock()])),
        ("advice", analysis(vec![long("src/bank.rs", 14, 12)])),
        ("nothing", analysis(Vec::new())),
        ("dependencies", analysis(vec![cycle(), leak()])),
    ]
}

fn analysis(findings: Vec<Finding>) -> Analysis {
    let stats = Stats {
        processes: 2,
        threads: 9,
        events: 1_912_345,
        starts_and_ends: 18,
        locks: 12,
        lock_sites: 132,
        channels: 1,
        contexts: 40,
        tests: 48,
        summarised: 0,
        lost: 3,
        exercise: Default::default(),
    };
    Analysis { findings, stats, prediction: None, warnings: vec!["run/7.cct: cut off at byte 4096: read up to there".to_owned()] }
}

fn step(file: &str, line: u32, column: u32, text: &str, primary: bool) -> Step {
    Step { site: Some(SiteDef { file: file.to_owned(), line, column }), text: text.to_owned(), primary, is_call: false }
}

fn scenario(steps: &[(usize, &str, bool)]) -> Vec<ScenarioStep> {
    steps.iter().map(|&(party, text, blocks)| ScenarioStep { party, text: text.to_owned(), blocks }).collect()
}

/// Two files, tabs, a chain over several lines.
pub(super) fn cycle() -> Finding {
    Finding {
        rule: &CYCLE,
        severity: Severity::Critical,
        confidence: Confidence::Proven,
        message: "potential deadlock between `Bank.accounts` and `Bank.audit`".to_owned(),
        objects: vec!["Bank.accounts".to_owned(), "Bank.audit".to_owned()],
        parties: vec![
            Party {
                thread: "worker-1".to_owned(),
                steps: vec![
                    step("src/bank.rs", 5, 42, "holds `Bank.accounts` from here", false),
                    step("src/bank.rs", 6, 36, "waits for `Bank.audit` here", true),
                ],
            },
            Party {
                thread: "flusher".to_owned(),
                steps: vec![
                    step("src/flusher.rs", 4, 25, "holds `Bank.audit` from here", false),
                    step("src/flusher.rs", 8, 14, "waits for `Bank.accounts` here", true),
                ],
            },
        ],
        scenario: scenario(&[
            (0, "lock(Bank.accounts)", false),
            (1, "lock(Bank.audit)", false),
            (0, "lock(Bank.audit)", true),
            (1, "lock(Bank.accounts)", true),
        ]),
        evidence: vec!["a reordering of this run reaches it".to_owned(), "seen 3 times".to_owned()],
        help: "take `Bank.accounts` before `Bank.audit` everywhere, or release `Bank.audit` first".to_owned(),
        tests: vec!["bank::tests::flush_while_transfer".to_owned(), "bank::tests::transfer".to_owned()],
        occurrences: 3,
        fingerprint: "9f3ab20011223344".to_owned(),
    }
}

/// Three threads, hostile names, a missing file, a line beyond the file, a column beyond the line, a step without a site.
fn deadlock() -> Finding {
    let party = |thread: &str, steps| Party { thread: thread.to_owned(), steps };
    Finding {
        rule: &DEADLOCK,
        severity: Severity::Critical,
        confidence: Confidence::Manifest,
        message: "3 threads wait for one another: `a\u{1b}[31m`, `b`, `c`".to_owned(),
        objects: vec!["a\u{1b}[31m".to_owned(), "b".to_owned(), "c".to_owned()],
        parties: vec![
            party(
                "evil\u{1b}[2J\nname",
                vec![
                    step("src/gone.rs", 7, 3, "holds `b` since here", false),
                    step("src/bank.rs", 99, 1, "waits for `c` here", true),
                ],
            ),
            party(
                "<i>two</i> | & \"quoted\"",
                vec![
                    step("src/bank.rs", 13, 400, "holds `c` since here", false),
                    step("src/bank.rs", 14, 5, "waits for `d` here", true),
                ],
            ),
            party(
                "thread 3",
                vec![Step { site: None, text: "waits for the end of thread `x`".to_owned(), primary: true, is_call: false }],
            ),
        ],
        scenario: scenario(&[(0, "lock(b)", false), (0, "lock(c)", true), (1, "lock(d)", true), (2, "join(x)", true)]),
        evidence: Vec::new(),
        help: "break the circle: a thread should not wait while it holds what others wait for".to_owned(),
        tests: Vec::new(),
        occurrences: 1,
        fingerprint: "0000000000000001".to_owned(),
    }
}

/// One thread, advice only; `line` and `column` may be anything.
pub(super) fn long(file: &str, line: u32, column: u32) -> Finding {
    Finding {
        rule: &LONG,
        severity: Severity::Medium,
        confidence: Confidence::Advice,
        message: "`Bank.audit` is held for up to 48 ms".to_owned(),
        objects: vec!["Bank.audit".to_owned()],
        parties: vec![Party { thread: "main".to_owned(), steps: vec![step(file, line, column, "holds it here", true)] }],
        scenario: Vec::new(),
        evidence: vec!["p99 of the hold time 41 ms in 120 critical sections".to_owned()],
        help: "copy what you need and release the lock before the work".to_owned(),
        tests: vec!["bank::tests::history".to_owned()],
        occurrences: 120,
        fingerprint: "00000000000000aa".to_owned(),
    }
}

/// All of it in a dependency.
fn leak() -> Finding {
    let file = "/home/user/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pool-1.0.0/src/lib.rs";
    Finding {
        rule: &LEAK,
        severity: Severity::High,
        confidence: Confidence::Manifest,
        message: "thread `pool-1` waits for ever".to_owned(),
        objects: vec!["channel of `pool`".to_owned()],
        parties: vec![Party { thread: "pool-1".to_owned(), steps: vec![step(file, 88, 13, "waits for a message here", true)] }],
        scenario: scenario(&[(0, "recv(channel)", true)]),
        evidence: vec!["no sender is left that anybody uses".to_owned()],
        help: "drop the senders before the end".to_owned(),
        tests: Vec::new(),
        occurrences: 4,
        fingerprint: "00000000000000bb".to_owned(),
    }
}
