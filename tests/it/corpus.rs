//! The corpus: small programs with expected verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use conccheck_tests::{Found, Project, Tool, repository, text};

/// Crates that have no facade yet. Programs that use them are left out.
const WITHOUT_FACADE: [&str; 1] = ["tokio"];

/// How many programs run at once.
const WORKERS: usize = 2;

/// None of them takes a second by itself.
const LIMIT: Duration = Duration::from_secs(20);

/// The rules that are right for an expectation.
fn accepted(expectation: &str) -> Option<&'static [&'static str]> {
    Some(match expectation {
        "potential-deadlock" => {
            &["lock-order-cycle", "hold-and-wait-cycle", "recursive-read", "deadlock", "initialization-cycle"]
        }
        "actual-deadlock" => {
            &["deadlock", "hold-and-wait-cycle", "lock-order-cycle", "double-lock", "recursive-read", "initialization-cycle"]
        }
        "double-lock" => &["double-lock", "recursive-read"],
        "leaked-task" => &["leaked-task"],
        "lost-wakeup" => &["lost-wakeup"],
        "atomicity-violation" => &["atomicity-violation", "racy-initialization"],
        "data-race" => &["data-race"],
        "channel-misuse" => &[
            "send-after-close",
            "dropped-messages",
            "unbounded-backlog",
            "undersized-buffer",
            "oversized-buffer",
            "timeout-fallback",
            "order-violation",
        ],
        "guard-leak" => &["guard-leak"],
        "guard-across-await" => &["held-across-await"],
        "blocking-in-async" => &["blocking-in-async"],
        "futurelock" => &["futurelock"],
        _ => return None,
    })
}

struct Case {
    name: String,
    expectation: String,
    alternatives: Vec<String>,
}

impl Case {
    /// What is wrong with these findings, if anything is.
    fn complaint(&self, found: &[Found]) -> Option<String> {
        let names = |found: &mut dyn Iterator<Item = &Found>| {
            let names: BTreeSet<&str> = found.map(|found| found.rule.as_str()).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
        };
        if self.expectation == "clean" {
            let is_quiet = !found.iter().any(Found::is_loud);
            return (!is_quiet).then(|| format!("false alarm: {}", names(&mut found.iter().filter(|found| found.is_loud()))));
        }
        let is_right = |rule: &str| {
            let expectations = std::iter::once(&self.expectation).chain(&self.alternatives);
            expectations.into_iter().any(|expectation| match accepted(expectation) {
                Some(rules) => rules.contains(&rule),
                None => rule == expectation,
            })
        };
        let is_met = found.iter().any(|found| is_right(&found.rule));
        (!is_met).then(|| format!("expected {}, got {}", self.expectation, names(&mut found.iter())))
    }
}

/// The cases of the table that use only what is covered.
fn cases(corpus: &Path) -> Vec<Case> {
    let table = fs::read_to_string(corpus.join("expect.tsv")).expect("the table of expectations");
    let case = |row: &Vec<(&str, &str)>| {
        let cells: BTreeMap<&str, &str> = row.iter().copied().collect();
        (!WITHOUT_FACADE.contains(&cells["uses"])).then(|| Case {
            name: cells["id"].to_owned(),
            expectation: cells["expect"].to_owned(),
            alternatives: cells["also_accept"].split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    };
    text::rows(&table).iter().filter_map(case).collect()
}

/// What the corpus's programs depend on, as its manifest says it, without what is left out.
fn dependencies(corpus: &Path) -> String {
    let manifest = fs::read_to_string(corpus.join("Cargo.toml")).expect("the corpus's manifest");
    let (_, section) = manifest.split_once("[dependencies]\n").expect("it has dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let is_covered = |line: &&str| !WITHOUT_FACADE.iter().any(|name| line.split([' ', '=']).next() == Some(name));
    lines.filter(is_covered).map(|line| format!("{line}\n")).collect()
}

/// How the reason of a miss begins that depends on how the threads happen to run: such an entry may also be right.
const BY_CHANCE: &str = "in some runs";

/// The programs whose verdict is known to be wrong. A line each: name, then the reason.
fn known_misses(corpus: &Path) -> BTreeMap<String, String> {
    let list = fs::read_to_string(corpus.join("known-misses.txt")).expect("the list of known misses");
    let entries = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let entry = |line: &str| {
        let (name, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        assert!(!reason.trim().is_empty(), "known-misses.txt: {name} has no reason");
        (name.to_owned(), reason.trim().to_owned())
    };
    entries.map(entry).collect()
}

#[test]
fn every_program_of_the_corpus_gets_the_expected_verdict() {
    let tool = Tool::get();
    let corpus = repository().join("tests/corpus");
    let cases = cases(&corpus);
    let mut project = Project::new("corpus", "2021");
    project.depend_on(&dependencies(&corpus), &fs::read_to_string(corpus.join("Cargo.lock")).expect("the corpus's lock file"));
    for case in &cases {
        let source = corpus.join("src/bin").join(format!("{}.rs", case.name));
        project.add(&case.name, &fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display())));
    }
    let programs = project.build(tool);

    let (queue, wrong) = (Mutex::new(cases.iter()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else { break };
                    let complaint = match tool.judge(&programs.join(&case.name), LIMIT) {
                        Ok(found) => case.complaint(&found),
                        Err(error) => Some(error),
                    };
                    if let Some(complaint) = complaint {
                        wrong.lock().unwrap().insert(case.name.clone(), complaint);
                    }
                }
            });
        }
    });

    let (wrong, known) = (wrong.into_inner().unwrap(), known_misses(&corpus));
    let new = wrong.iter().filter(|(name, _)| !known.contains_key(*name)).map(|(name, why)| format!("{name}: {why}\n"));
    let outdated = known
        .iter()
        .filter(|(name, why)| !why.starts_with(BY_CHANCE) && !wrong.contains_key(*name))
        .map(|(name, _)| format!("{name}: right, yet a known miss\n"));
    let complaints: String = new.chain(outdated).collect();
    println!("{} of {} right", cases.len() - wrong.len(), cases.len());
    assert!(complaints.is_empty(), "{} of {} right\n{complaints}", cases.len() - wrong.len(), cases.len());
}
