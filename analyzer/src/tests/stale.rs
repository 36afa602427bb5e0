//! Writes that rely on what was read before, as the trace and the source show it.

use super::Lines;
use crate::{Confidence, Config, Severity, analyze};

/// What is found where a thread reads at line `read`, another one writes, and the first writes at line `write`.
fn findings(lines: &[&'static str], read: usize, write: usize, type_name: &str) -> Vec<(Confidence, Severity)> {
    let trace = format!(
        "object a mutex {type_name}; main spawn t1; main spawn t2
        t1 lock a @x.rs:{read}; t1 unlock a read-only; t2 lock a @x.rs:{write}; t2 unlock a; t1 lock a @x.rs:{write}; t1 unlock a
        t1 end; t2 end; main join t1; main join t2"
    );
    let trace = conccheck_trace::text::parse(&trace).expect("a well-formed trace");
    let findings = analyze(&[trace], &Lines(lines.to_vec()), &Config::default()).findings;
    findings.iter().map(|finding| (finding.confidence, finding.severity)).collect()
}

/// Whether a read in the first line and a write in line `write` are surely reported.
fn is_reported(lines: &[&'static str], write: usize) -> bool {
    findings(lines, 1, write, "app::State") == [(Confidence::Manifest, Severity::High)]
}

#[test]
fn a_write_that_relies_on_a_stale_read_is_told_from_one_that_looks_again() {
    let trace = "main spawn t1; main spawn t2
        t1 lock a @x.rs:1; t1 unlock a read-only; t2 lock a @x.rs:1; t2 unlock a read-only
        t1 lock a @x.rs:2; t1 unlock a; t2 lock a @x.rs:2; t2 unlock a; t1 end; t2 end; main join t1; main join t2";
    let found = |lines: &[&'static str]| {
        let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
        analyze(&[trace], &Lines(lines.to_vec()), &Config::default()).findings.len()
    };
    assert_eq!(found(&["let v = *m.lock().unwrap();", "*m.lock().unwrap() = v + 1;"]), 1);
    assert_eq!(found(&["if m.lock().unwrap().is_empty() {", "m.lock().unwrap().push(1);"]), 1);
    assert_eq!(found(&["if *m.lock().unwrap() >= price {", "let mut left = m.lock().unwrap();", "*left -= price;"]), 1);
    assert_eq!(found(&["let v = *m.lock().unwrap();", "*m.lock().unwrap() += 1;"]), 0, "an update");
    assert_eq!(found(&["let hit = m.lock().unwrap().get(&7).copied();", "*m.lock().unwrap().entry(7).or_insert(49)"]), 0);
    assert_eq!(
        found(&[
            "if m.lock().unwrap().is_none() {",
            "let mut slot = m.lock().unwrap();",
            "if slot.is_none() {",
            "*slot = Some(1);"
        ]),
        0
    );
    assert_eq!(found(&["println!(\"{}\", m.lock().unwrap());", "*m.lock().unwrap() = 1;"]), 0);
    assert_eq!(
        found(&["let n = m.lock().unwrap().len();", "m.lock().unwrap().push(n);"]),
        0,
        "an update of what is there by then"
    );
}

#[test]
fn what_a_write_relies_on_is_seen_over_several_lines_and_functions() {
    let found = findings;
    let sure = [(Confidence::Manifest, Severity::High)];
    let chain = [
        "let current = self",
        ".value",
        ".lock()",
        ".unwrap()",
        ".clone();",
        "*self",
        ".value",
        ".lock()",
        ".unwrap() = current + 1;",
    ];
    assert_eq!(found(&chain, 3, 8, "u64"), sure);
    let named = [
        "let known = rows.read().unwrap().get(name).copied();",
        "if let Some(id) = known {",
        "return id;",
        "}",
        "let mut rows = rows.write().expect(\"whole\");",
        "let id = rows.len();",
        "rows.insert(name, id);",
    ];
    assert_eq!(found(&named, 1, 5, "u64"), sure);
    let again = [
        "let known = rows.read().unwrap().get(name).copied();",
        "if let Some(id) = known {",
        "return id;",
        "}",
        "let mut rows = rows.write().unwrap();",
        "if let Some(id) = rows.get(name) { return *id; }",
        "rows.insert(name, id);",
    ];
    assert_eq!(found(&again, 1, 5, "u64"), []);
    let methods = [
        "fn get(&self) -> u64 {",
        "*self.v.lock().unwrap()",
        "}",
        "fn set(&self, v: u64) {",
        "*self.v.lock().unwrap() = v;",
        "}",
    ];
    assert_eq!(found(&methods, 2, 5, "u64"), [(Confidence::Possible, Severity::Medium)]);
    assert_eq!(found(&methods, 2, 5, "app::Status"), [], "a state is often set whatever it was");
    let in_a_line = [
        "fn get(&self) -> u64 { *self.v.lock().unwrap() }",
        "fn set(&self, v: u64) { *self.v.lock().unwrap() = v; }",
        "fn add(&self) {",
        "let v = self.get();",
        "*self.v.lock().unwrap() = v + 1;",
        "}",
    ];
    assert_eq!(found(&in_a_line, 1, 2, "u64"), [(Confidence::Possible, Severity::Medium)]);
    assert_eq!(found(&in_a_line, 1, 5, "u64"), sure);
    let hit = ["fn get(&self) -> u64 {", "*self.v.lock().unwrap()", "}", "fn hit(&self) {", "*self.v.lock().unwrap() += 1;", "}"];
    assert_eq!(found(&hit, 2, 5, "u64"), [], "an update");
}

#[test]
fn a_wait_looks_again_at_what_was_read_before_it() {
    let trace = "main spawn t1; main spawn t2
        t1 lock a @x.rs:1; t1 wait cv a @x.rs:2; t2 lock a @x.rs:4; t2 unlock a; t2 notify cv; t1 wake cv; t1 unlock a
        t1 end; t2 end; main join t1; main join t2";
    let lines =
        ["let mut n = m.lock().unwrap();", "while *n == 0 { n = cv.wait(n).unwrap(); }", "*n -= 1;", "*m.lock().unwrap() = 1;"];
    let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
    let findings = analyze(&[trace], &Lines(lines.to_vec()), &Config::default()).findings;
    assert!(findings.iter().all(|finding| finding.rule.name != "atomicity-violation"), "{findings:?}");
}

#[test]
fn a_field_that_was_not_read_may_be_written() {
    let stop = "if c.lock().unwrap().stop {";
    assert!(!is_reported(&[stop, "return;", "}", "c.lock().unwrap().progress += 1;"], 4));
    assert!(is_reported(&[stop, "return;", "}", "c.lock().unwrap().stop = true;"], 4));
    assert!(is_reported(&[stop, "return;", "}", "*c.lock().unwrap() = State::default();"], 4), "the whole");
    assert!(!is_reported(&["if C.lock().unwrap().0 {", "return;", "}", "C.lock().unwrap().1 += 1;"], 4));
    assert!(!is_reported(&["if c.lock().a.b {", "return;", "}", "c.lock().a.c += 1;"], 4));
    assert!(is_reported(&["if c.lock().a.b > 1 {", "return;", "}", "c.lock().a = A::default();"], 4), "it is a part of that");
    let guards =
        |write| ["let state = c.lock();", "if state.stop {", "return;", "}", "drop(state);", "let mut state = c.lock();", write];
    assert!(!is_reported(&guards("state.progress += 1;"), 6));
    assert!(is_reported(&guards("state.stop = true;"), 6));
    let moved = ["let n = c.lock().unwrap().total;", "let rest = 100 - n;", "c.lock().unwrap().left = rest;"];
    assert!(is_reported(&moved, 3), "one field is made of the other");
}

#[test]
fn what_was_read_has_to_reach_the_write_or_a_decision_around_it() {
    let name = "let name = s.lock().unwrap().clone();";
    assert!(!is_reported(&[name, "println!(\"hello {name}\");", "*s.lock().unwrap() = now;"], 3));
    assert!(is_reported(&[name, "let next = format!(\"{name}!\");", "*s.lock().unwrap() = next;"], 3));
    assert!(!is_reported(&[name, "let name = other();", "*s.lock().unwrap() = name;"], 3), "another name");
    assert!(is_reported(&[name, "let next = State {", "name,", "};", "*s.lock().unwrap() = next;"], 5));
    assert!(is_reported(&[name, "let mut all = Vec::new();", "all.push(name);", "*s.lock().unwrap() = all;"], 4));
    assert!(is_reported(&[name, "fill(&mut new, name);", "*s.lock().unwrap() = new;"], 3));
    let scan = ["let best = find(|s| s.lock().unwrap().load);", "let label = round.to_string();", "*s.lock().unwrap() = label;"];
    let scans = [&["for round in 0..5 {"][..], &scan, &["}"]].concat();
    assert_eq!(findings(&scans, 2, 4, "app::State"), [], "it is a round's, not of what was read");
    let told = ["if s.lock().unwrap().is_empty() {", "println!(\"empty\");", "}", "s.lock().unwrap().push(1);"];
    assert!(!is_reported(&told, 4), "it is written either way");
    let found = ["let n = s.lock().unwrap().len();", "let mut full = false;", "if n > 3 {", "full = true;", "}", "if full {"];
    assert!(is_reported(&[&found[..], &["s.lock().unwrap().clear();", "}"]].concat(), 7));
    assert!(is_reported(&["while s.lock().unwrap().is_some() {", "yield_now();", "}", "*s.lock().unwrap() = Some(1);"], 4));
    assert!(is_reported(&["if *m.lock().unwrap() == 0 { *m.lock().unwrap() = 1; }"], 1));
}

#[test]
fn a_write_whose_own_outcome_is_used_relies_on_nothing_read_before() {
    let look = ["if !m.read().unwrap().contains_key(&id) {", "return;", "}"];
    let then = |write| is_reported(&[look[0], look[1], look[2], write, "}"], 4);
    assert!(!then("match m.write().unwrap().remove(&id) {"));
    assert!(!then("if !m.write().unwrap().insert(id) {"));
    assert!(!then("let old = m.write().unwrap().remove(&id);"));
    assert!(!then("m.write().unwrap().remove(&id).is_some()"));
    assert!(!then("return m.write().unwrap().remove(&id);"));
    assert!(then("m.write().unwrap().insert(id, name);"));
    assert!(then("let _ = m.write().unwrap().insert(id, name);"));
    assert!(then("drop(m.write().unwrap().remove(&id));"));
    assert!(then("let gone = m.write().unwrap().remove(&id).unwrap();"), "it has to be there");
    let pops = ["while !q.lock().unwrap().is_empty() {", "let Some(job) = q.lock().unwrap().pop() else { break };", "}"];
    assert!(!is_reported(&pops, 2));
    let guarded = [look[0], look[1], look[2], "let mut m = m.write().unwrap();", "let old = m.remove(&id);"];
    assert!(!is_reported(&guarded, 4));
    let list = ["if v.lock().unwrap().is_empty() {", "return;", "}", "let first = v.lock().unwrap().remove(0);"];
    let in_list = |lines: &[&'static str]| !findings(lines, 1, 4, "alloc::vec::Vec<u8>").is_empty();
    assert!(in_list(&list), "a list's element has to be there");
}

#[test]
fn a_value_that_is_computed_of_what_the_second_guard_gives_is_decided_again() {
    let raise = |write| is_reported(&["if *max.lock() >= v {", "return;", "}", "let mut m = max.lock();", write], 4);
    assert!(!raise("*m = (*m).max(v);"));
    assert!(!raise("*m = m.checked_sub(v);"));
    assert!(raise("*m = v;"));
    assert!(raise("*m = *m - v;"), "an update, as `-=` is");
    let now = ["if *max.lock() >= v {", "return;", "}", "let mut m = max.lock();", "let now = *m;", "*m = now.max(v);"];
    assert!(!is_reported(&now, 4));
}

#[test]
fn what_was_read_is_gone_when_the_same_place_reads_another_lock() {
    let round = |from: &str, to: &str| {
        format!("t1 lock {from} @x.rs:1; t1 unlock {from} read-only; t1 lock {to} @x.rs:2; t1 unlock {to}; ")
    };
    let found = |rounds: &str, lines: [&'static str; 2]| {
        let trace = format!("main spawn t1; main spawn t2; {rounds}t1 end; t2 end; main join t1; main join t2");
        let trace = conccheck_trace::text::parse(&trace).expect("a well-formed trace");
        analyze(&[trace], &Lines(lines.to_vec()), &Config::default()).findings.len()
    };
    let other = "t2 lock a @x.rs:2; t2 unlock a; ";
    let lines = ["let v = from.lock()[i];", "to.lock()[i] = v + 1;"];
    assert_eq!(found(&(round("a", "b") + other + &round("b", "a")), lines), 0);
    assert_eq!(
        found(
            &(round("b", "c") + "t1 lock a @x.rs:1; t1 unlock a read-only; " + other + "t1 lock a @x.rs:2; t1 unlock a; "),
            lines
        ),
        1
    );
    let nested = "t1 lock a @x.rs:1; t1 unlock a read-only; t2 lock a @x.rs:2; t2 unlock a
        t1 lock b @x.rs:1; t1 lock a @x.rs:2; t1 unlock a; t1 unlock b read-only; ";
    assert_eq!(found(nested, lines), 0);
    let all = ["let v = locks.iter().map(|lock| lock.lock()[i]).sum();", "to.lock()[i] = v + 1;"];
    assert_eq!(found(&(round("a", "b") + other + &round("b", "a")), all), 1, "one statement reads them all");
}

#[test]
fn a_value_that_a_function_gives_back_is_followed_to_its_caller() {
    let shop = |getter, sells: [&'static str; 3]| {
        let lines =
            ["fn stock(&self, what: &str) -> u32 {", getter, "}", "fn sell(&self) -> bool {", sells[0], sells[1], sells[2], "}"];
        findings(&lines, 2, 7, "app::State")
    };
    let sure = [(Confidence::Manifest, Severity::High)];
    let get = "self.stock.lock().unwrap().get(what).copied().unwrap_or(0)";
    let sold = "self.stock.lock().unwrap().insert(what, n - 1);";
    assert_eq!(shop(get, ["match self.stock(what) {", "n => {", sold]), sure);
    assert_eq!(shop("self.stock.lock().unwrap().contains_key(what)", ["if self.stock(what) {", "pause();", sold]), sure);
    assert_eq!(shop(get, ["println!(\"{}\", self.stock(what));", "let n = 3;", sold]), []);
    assert_eq!(shop(get, ["let n = shelf.stock(what);", "if n > 3 {", sold]), [], "another one's");
    assert_eq!(shop(get, ["let n = self.other(what);", "if n > 3 {", sold]), [], "what was read elsewhere");
}
