//! Which test a finding belongs to, where tests run at the same time.

use serde_json::Value;

use crate::cargo_tree::{Tree, expect, manifest};

/// Two tests that are both within their work at one moment. Each takes two locks of its own in both orders, one of them in a thread of
/// a thread; which comes first is said through a pipe, which is not recorded.
const TESTS: &str = r"
use std::io::{Read, Write, pipe};
use std::sync::{Barrier, Mutex};
use std::thread;

static BOTH: Barrier = Barrier::new(2);
static ACCOUNTS: Mutex<u32> = Mutex::new(0);
static AUDIT: Mutex<u32> = Mutex::new(0);
static STOCK: Mutex<u32> = Mutex::new(0);
static ORDERS: Mutex<u32> = Mutex::new(0);

/// `below` runs in a thread of a thread, `after` in another once it is done.
fn both(below: impl FnOnce() + Send + 'static, after: impl FnOnce() + Send + 'static) {
    let (mut is_done, mut done) = pipe().unwrap();
    BOTH.wait();
    let below = move || {
        below();
        done.write_all(&[1]).unwrap();
    };
    let one = thread::spawn(move || thread::spawn(below).join().unwrap());
    let other = thread::spawn(move || {
        is_done.read_exact(&mut [0]).unwrap();
        after();
    });
    one.join().unwrap();
    other.join().unwrap();
    BOTH.wait();
}

#[test]
fn books() {
    both(
        || drop((ACCOUNTS.lock().unwrap(), AUDIT.lock().unwrap())),
        || drop((AUDIT.lock().unwrap(), ACCOUNTS.lock().unwrap())),
    );
}

#[test]
fn sends() {
    both(
        || drop((STOCK.lock().unwrap(), ORDERS.lock().unwrap())),
        || drop((ORDERS.lock().unwrap(), STOCK.lock().unwrap())),
    );
}
";

#[test]
fn what_threads_of_threads_do_belongs_to_the_test_that_started_them() {
    let tree = Tree::new(&[("Cargo.toml", &manifest("shop", "2024", "")), ("src/lib.rs", TESTS)]);
    let (ended, report) = tree.report(&["test", "--lib", "--", "--test-threads=2"]);
    expect(&ended, 66);
    let findings = report["findings"].as_array().expect("a list");
    let cycles: Vec<&Value> = findings.iter().filter(|finding| finding["rule"] == "lock-order-cycle").collect();
    let mut of: Vec<(bool, &Value)> =
        cycles.iter().map(|cycle| (cycle["message"].to_string().contains("ACCOUNTS"), &cycle["tests"])).collect();
    of.sort_by_key(|(is_first, _)| !is_first);
    assert_eq!(of, [(true, &serde_json::json!(["books"])), (false, &serde_json::json!(["sends"]))], "{report:#}");
}
