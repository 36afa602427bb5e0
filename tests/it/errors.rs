//! Every way in which a command can fail: what it says and how it ends, for all of them in one place.
//!
//! The messages are in `snapshots/it__errors__messages.snap`, to be read as users read them. With `CONCCHECK_VERBOSE` a failure tells
//! where in the source it was made; what the source has and no case brings about is complained about here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use conccheck_analyzer::registry::RULES;
use conccheck_tests::{HandMade, Tool, repository, run};
use conccheck_trace::version::CURRENT;

/// Of the whole; what needs the runtime may have to wait until another test has compiled it.
const LIMIT: Duration = Duration::from_secs(300);

/// Commands for the shell, in a folder with the files below.
const CASES: &str = r#"
conccheck frobnicate
conccheck reprot run.json
conccheck test
conccheck report
conccheck report run.json --frmat json
conccheck report run.json --format
conccheck report run.json --format jsn
conccheck report run.json --format pdf
conccheck report run.json --format json=
conccheck report run.json --format human --format json
conccheck report run.json --format json=a --format short=a
conccheck report run.json --format json=a -o b
conccheck report run.json --fail-on hihg
conccheck report run.json --color sometimes
conccheck report run.json --ignore-task worker
conccheck report run.json --ignore-task thread=7
conccheck report run.json -o /proc/none/report.html
conccheck report run.json >/dev/full
conccheck report missing.json
conccheck report run.json/inside
conccheck report no-runs
conccheck report nothing.json
conccheck report empty.json
conccheck report other.json
conccheck report report.html
conccheck report later.json
conccheck report newer.json
conccheck report older.json
conccheck report malformed.json
conccheck report malformed.std
conccheck convert run.json cut.cct && head -c 20 cut.cct >start.cct && conccheck report start.cct
CONCCHECK_FAIL_ON=hihg conccheck report run.json
CONCCHECK_STACKS=edge conccheck report run.json
CONCCHECK_OUTPUTS=human,srif=x conccheck report run.json
CONCCHECK_OUTPUTS=human,json conccheck report run.json
CONCCHECK_PROFILE=c conccheck report run.json
conccheck report run.json --config-profile nightly
conccheck report run.json --config-file missing.toml
cd two && conccheck report ../run.json
mkdir gone && cd gone && rmdir ../gone && conccheck show-config
conccheck report run.json --baseline missing.json
conccheck report run.json --baseline run.json
conccheck report run.json --baseline later.json
conccheck baseline show --baseline missing.json
conccheck baseline write run.json --baseline /proc/none/baseline.json
conccheck diff run.json missing.json
conccheck checklist nothing.json
conccheck graph nothing.json
conccheck graph run.json -o /proc/none/graph.svg
conccheck locks missing.json
conccheck explain lock-order-cyle
conccheck explain nonsense
conccheck suppress 9f3a --reason x
conccheck suppress 9f3ab2 --reason " "
conccheck suppress 9f3ab2 --reason x --expires soon
conccheck suppress 9f3ab2 --reason x --config-file list.toml
conccheck suppress 9f3ab2 --reason x --config-file /proc/none/conccheck.toml
conccheck convert run.json run.xml
conccheck convert runs one.json
conccheck convert run.json /proc/none/run.cct
conccheck merge run.json -o runs
conccheck merge run.json -o run.json/inside
conccheck man reprot
conccheck completions tcsh
conccheck schema everything
conccheck init --ci jenkins
conccheck run -- ./missing
conccheck run -- true
conccheck run -- sh -c 'exit 3'
conccheck run --keep runs -- true
conccheck run --timeout soon -- true
conccheck run true
TMPDIR=/nowhere conccheck run -- true
cargo conccheck
cargo conccheck tset
cargo conccheck report run.json
cargo conccheck --release test
cargo conccheck +nightly test
cargo conccheck clippy
cargo conccheck nonsense
cargo conccheck nextest list
cargo conccheck test --no-reprot
cargo conccheck test --fail-on hihg
cargo conccheck test
cargo conccheck test --manifest-path missing/Cargo.toml
cargo conccheck test --manifest-path broken/Cargo.toml
cargo conccheck test --manifest-path crate/Cargo.toml --target-dir run.json
cargo conccheck test --manifest-path crate/Cargo.toml --target nonsense
cargo conccheck test --manifest-path crate/Cargo.toml --target thumbv6m-none-eabi
cargo conccheck test --manifest-path crate/Cargo.toml --config-file missing.toml
cargo conccheck doctor --manifest-path crate/Cargo.toml --format sarif
cargo conccheck doctor --manifest-path crate/Cargo.toml -o /proc/none/doctor
cargo conccheck doctor --manifest-path crate/Cargo.toml --target thumbv6m-none-eabi
RUSTC=./missing cargo conccheck test --manifest-path crate/Cargo.toml
RUSTC=./mute cargo conccheck test --manifest-path crate/Cargo.toml
RUSTC=./old cargo conccheck test --manifest-path crate/Cargo.toml
RUSTC=./once cargo conccheck test --manifest-path crate/Cargo.toml
RUSTC=./crashing cargo conccheck test --manifest-path crate/Cargo.toml
CARGO=./missing cargo-conccheck conccheck test --manifest-path crate/Cargo.toml
CARGO=./mute cargo-conccheck conccheck test --manifest-path crate/Cargo.toml
CARGO=./no-nextest cargo-conccheck conccheck nextest run --manifest-path crate/Cargo.toml --target-dir "$PROJECTS"
d=$(printf 'f\377'); mkdir $d; cp $(command -v cargo-conccheck) $d; $d/cargo-conccheck conccheck build --manifest-path crate/Cargo.toml --target-dir "$PROJECTS"
"#;

/// Configurations with one mistake each; a report is asked for with each.
const CONFIGURATIONS: &[&str] = &[
    "a = ",
    "[rule]",
    "rules = 3",
    "profile = []",
    "suppress = \"all\"",
    "ignore-tasks = [\"worker\"]",
    "[profile.ci]\nfail_on = \"high\"",
    "[profile.ci]\nfail-on = \"hihg\"",
    "[profile.ci]\nbaseline = 3",
    "[profile.ci]\ninherits = \"c\"",
    "[profile.x]\ninherits = \"x\"",
    "[profile.ci]\noutputs = [\"srif\"]",
    "[profile.default]\noutputs = [\"human\", \"short\"]",
    "[rules]\nlock-order-cyle = \"off\"",
    "[rules]\ndeadlock = \"of\"",
    "[rules]\ndeadlock = 3",
    "[rules]\ndeadlock = { hold = \"5ms\" }",
    "[rules]\nlong-critical-section.hold = \"50\"",
    "[rules]\nundersized-buffer.share = 1.5",
    "[rules]\nundersized-buffer.share = \"half\"",
    "[rules]\noversized-buffer.times = 0",
    "[[override]]\nsite = \"benches/\"",
    "[[override]]\nrules.deadlock = \"low\"",
    "[[override]]\nsite = \"benches/\"\nrules.spawn-burst.threads = 3",
    "[[suppress]]\nrule = \"deadlock\"",
    "[[suppress]]\nreason = \"x\"",
    "[[suppress]]\nreason = \"x\"\nrule = \"dedlock\"",
    "[[suppress]]\nreason = \"x\"\nfingerprint = \"xyz\"",
    "[[suppress]]\nreason = \"x\"\nlocks = \"Bank.audit\"",
    "[[suppress]]\nreason = \"x\"\nrule = \"deadlock\"\nexpires = \"soon\"",
    "[[suppress]]\r\nresaon = \"x\"\r\n",
];

/// Failures that no case here brings about: a part of the line that makes them, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("standard output is a terminal", "there is none here"),
    ("can't copy `", "a disk that is full"),
    ("can't find cargo-conccheck's own file", "a system that does not tell"),
    ("no compiler to run", "cargo always names one"),
    ("can't start `{}`: {error}\", name.display()", "told by a compiler's wrapper, whose exit code is cargo's affair"),
];

/// Two locks in both orders.
const TRACE: &str = "main spawn t @bank.rs:1; main spawn u @bank.rs:2
    t lock accounts @bank.rs:10; t lock audit @bank.rs:11; t unlock audit; t unlock accounts
    u lock audit @bank.rs:20; u lock accounts @bank.rs:21; u unlock accounts; u unlock audit
    t end; u end; main join t; main join u; main end";

fn folder() -> HandMade {
    let folder = HandMade::default();
    for name in ["run.json", "runs/one.json", "runs/two.json"] {
        folder.trace(name, TRACE);
    }
    let other_version = |version: &str| {
        let trace = folder.read("run.json");
        let (_, rest) = trace.split_once("\"conccheck-trace\":\"").expect("a version");
        let (_, rest) = rest.split_once('"').expect("its end");
        format!("{{\"conccheck-trace\":\"{version}\"{rest}")
    };
    let files = [
        ("no-runs/readme.txt", ""),
        ("nothing.json", "{\"conccheck-trace\":\"1.0\",\"header\":{\"program\":\"x\"},\"entries\":[]}"),
        ("empty.json", ""),
        ("other.json", "{\"a\":1}"),
        ("report.html", "<!doctype html>\n<html></html>\n"),
        ("newer.json", &other_version("99.0")),
        ("older.json", &other_version("0.9")),
        ("malformed.json", "{\"conccheck-trace\":\"1.0\",\"header\":{\"program\":\"x\"},\"entries\":[\n{\"thread\":1}\n]}"),
        ("malformed.std", "T0|acq(L1)|1\nT0|frobnicate(L1)|2\n"),
        ("later.json", "{\"schema_version\": 9, \"findings\": []}"),
        ("list.toml", "suppress = [{ rule = \"deadlock\", reason = \"x\" }]"),
        ("two/conccheck.toml", ""),
        ("two/.config/conccheck.toml", ""),
        ("crate/Cargo.toml", "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n"),
        ("crate/src/lib.rs", ""),
        ("broken/Cargo.toml", "[package"),
    ];
    for (name, text) in files {
        folder.write(name, text);
    }
    let version =
        |release: &str| format!("echo 'rustc {release}'; echo 'release: {release}'; echo 'host: x86_64-unknown-linux-gnu'");
    let scripts = [
        ("mute", String::new()),
        ("old", version("1.70.0")),
        ("once", format!("rm \"$0\"; {}", version("1.95.0"))),
        ("crashing", format!("[ \"$1\" = -vV ] || {{ echo 'out of order' >&2; exit 1; }}; {}", version("1.95.0"))),
        ("no-nextest", "[ \"$1\" = nextest ] && exit 101; exec cargo \"$@\"".to_owned()),
    ];
    for (script, text) in scripts {
        folder.write(script, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(folder.path(script), fs::Permissions::from_mode(0o755)).expect("a file of ours");
    }
    folder
}

/// Runs a command for the shell. Returns what there is to read, and where its failure was made.
fn tried(folder: &HandMade, command: &str) -> (String, BTreeSet<String>) {
    let tool = Tool::get().binaries().display().to_string();
    let path = format!("{tool}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(folder.path("."))
        .env("PATH", path)
        .env("CONCCHECK_VERBOSE", "1")
        .env("PROJECTS", Tool::get().projects());
    for variable in [
        "CONCCHECK_PROFILE",
        "CONCCHECK_FAIL_ON",
        "CONCCHECK_OUTPUTS",
        "CONCCHECK_STACKS",
        "RUSTC",
        "CARGO",
        "CARGO_TARGET_DIR",
        "RUST_BACKTRACE",
    ] {
        shell.env_remove(variable);
    }
    let ended = run(&mut shell, LIMIT);
    let (mut said, mut made_at) = (String::new(), BTreeSet::new());
    for line in ended.stderr.lines() {
        // "conccheck: 0.003 s: failed at cli/src/output.rs:33"
        match line.strip_prefix("conccheck: ").and_then(|rest| rest.split_once(" s: ")) {
            Some((time, detail)) if time.parse::<f64>().is_ok() => {
                made_at.extend(detail.strip_prefix("failed at ").map(str::to_owned));
                made_at.extend(detail.strip_prefix("unreadable: ").and_then(|error| error.split(' ').next()).map(str::to_owned));
            }
            _ => said += &format!("{line}\n"),
        }
    }
    let said = without_what_changes(&said, folder);
    let code = ended.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    assert!(!said.contains("internal error"), "{command}: {said}");
    (format!("$ {command}\n{said}exit {code}\n\n"), made_at)
}

/// A text without what differs from run to run, or when a rule is added or the format of traces grows.
fn without_what_changes(said: &str, folder: &HandMade) -> String {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.meta().name).collect();
    let place = folder.path("").display().to_string();
    let said = said.replace(&rules.join(", "), "[rules]").replace(&format!(" {CURRENT}"), " [version]");
    let said = said.replace(&place, "[folder]/").replace(place.trim_end_matches('/'), "[folder]");
    // The runtime is compiled by who comes first; the end of a temporary folder's name is by chance.
    let lines = said.lines().filter(|line| !line.contains("Compiling conccheck's runtime"));
    lines.fold(String::new(), |text, line| text + line.split("/nowhere/").next().unwrap_or_default() + "\n")
}

/// The lines of the source that make failures: "cli/src/output.rs:33".
fn places(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            places(&path, found);
        }
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let name = path.strip_prefix(repository()).expect("a file of ours").display().to_string();
        let text = fs::read_to_string(&path).expect("text");
        let mut skipped_to = None;
        for (number, line) in text.lines().enumerate() {
            if line == "#[cfg(test)]" {
                break;
            }
            // Functions that make failures for those who call them.
            let indent = &line[..line.len() - line.trim_start().len()];
            match &skipped_to {
                Some(end) if line == end => skipped_to = None,
                None if line.trim() == "#[track_caller]" => skipped_to = Some(format!("{indent}}}")),
                _ => {}
            }
            let makes = ["Failure::usage(", "Failure::new(", ".failure(", ".wrong_type("].iter().any(|call| line.contains(call));
            if makes && skipped_to.is_none() && !line.trim_start().starts_with("//") {
                found.push((format!("{name}:{}", number + 1), line.trim().to_owned()));
            }
        }
    }
}

#[test]
fn every_failure_says_what_is_wrong_and_what_to_do() {
    let folder = folder();
    let (mut messages, mut made_at) = (String::new(), BTreeSet::new());
    let mut note = |(said, places): (String, BTreeSet<String>)| {
        messages += &said;
        made_at.extend(places);
    };
    CASES.lines().filter(|line| !line.is_empty()).for_each(|command| note(tried(&folder, command)));
    for text in CONFIGURATIONS {
        folder.write("conccheck.toml", text);
        note(tried(&folder, "conccheck report run.json"));
    }

    let mut all = Vec::new();
    places(&repository().join("cli/src"), &mut all);
    let mut untried = String::new();
    for (place, line) in all {
        let is_elsewhere = ELSEWHERE.iter().any(|(part, _)| line.contains(part));
        if made_at.contains(&place) == is_elsewhere {
            let _ = writeln!(untried, "{place}: {line}");
        }
    }
    for variant in trace_errors().into_iter().filter(|variant| !made_at.contains(variant)) {
        let _ = writeln!(untried, "conccheck_trace::read::Error::{variant}");
    }
    assert!(untried.is_empty(), "no case brings these about, or one does and they are in the list of exceptions:\n{untried}");
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("messages", messages);
    });
}

/// The kinds of errors with which a trace can't be read.
fn trace_errors() -> Vec<String> {
    let text = fs::read_to_string(repository().join("trace/src/read/error.rs")).expect("text");
    let variants = text.lines().skip_while(|line| *line != "pub enum Error {").take_while(|line| *line != "}");
    variants.filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {")).map(str::to_owned).collect()
}
