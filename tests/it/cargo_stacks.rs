//! Who called a helper that locks.

use crate::cargo_tree::{Tree, expect, manifest};

/// Two threads that take two locks in opposite orders, through one helper. The second runs when the first is done, as it hears
/// through a pipe, which is not recorded.
const PROGRAM: &str = r"
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::sync::Mutex;

static ACCOUNTS: Mutex<u32> = Mutex::new(0);
static AUDIT: Mutex<u32> = Mutex::new(0);

fn with_lock<R>(lock: &Mutex<u32>, body: impl FnOnce() -> R) -> R {
    let _held = lock.lock().unwrap();
    body()
}

fn transfer(mut done: PipeWriter) {
    with_lock(&ACCOUNTS, || with_lock(&AUDIT, || ()));
    done.write_all(&[1]).unwrap();
}

fn audit(mut done: PipeReader) {
    done.read_exact(&mut [0]).unwrap();
    with_lock(&AUDIT, || with_lock(&ACCOUNTS, || ()));
}

fn main() {
    let (is_done, done) = std::io::pipe().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| transfer(done));
        scope.spawn(|| audit(is_done));
    });
}
";

#[test]
fn the_callers_of_a_helper_that_locks_are_shown() {
    let tree = Tree::new(&[("Cargo.toml", &manifest("bank", "2021", "")), ("src/main.rs", PROGRAM)]);
    let (ended, report) = tree.report(&["run"]);
    expect(&ended, 66);
    let findings = report["findings"].as_array().expect("a list");
    let cycle = findings.iter().find(|finding| finding["rule"] == "lock-order-cycle").expect("it is found");
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let steps = |party: usize| cycle["parties"][party]["steps"].as_array().expect("a list").clone();
    for (caller, line) in [("`bank::transfer`", 14), ("`bank::audit`", 20)] {
        let is_call = |step: &serde_json::Value| {
            let text = step["text"].as_str().unwrap_or_default();
            text.contains("came there through") && text.contains(caller) && step["line"] == line && step["file"] == "src/main.rs"
        };
        assert!((0..2).flat_map(steps).any(|step| is_call(&step)), "{caller}: {cycle:#}");
    }
}
