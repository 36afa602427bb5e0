//! How `cargo conccheck` ends: exit codes and messages.

use std::fs;
use std::process::Command;

use conccheck_tests::Tool;
use serde_json::Value;

use crate::cargo_tree::{TESTED, Tree, expect, host, manifest, passed};

/// Two locks in both orders, one thread after the other, as it hears through a pipe, which is not recorded: a potential deadlock that
/// never happens.
const INVERSION: &str = "
use std::{io::{Read, Write}, sync::{Arc, Mutex}};
pub fn inversion() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (mut is_done, mut done) = std::io::pipe().unwrap();
    let (a2, b2) = (a.clone(), b.clone());
    let first = std::thread::spawn(move || { { let _a = a2.lock(); let _b = b2.lock(); } done.write_all(&[1]).unwrap(); });
    let second = std::thread::spawn(move || { is_done.read_exact(&mut [0]).unwrap(); let _b = b.lock(); let _a = a.lock(); });
    first.join().unwrap();
    second.join().unwrap();
}
";

fn tree(name: &str, source: &str) -> Tree {
    Tree::new(&[("Cargo.toml", &manifest(name, "2021", "")), ("src/lib.rs", source)])
}

fn program(name: &str, source: &str) -> Tree {
    Tree::new(&[("Cargo.toml", &manifest(name, "2021", "")), ("src/main.rs", source)])
}

#[test]
fn a_build_that_fails_gives_101_and_the_errors_that_plain_cargo_gives() {
    let tree = tree("broken", "pub fn f() -> u32 { std::sync::Mutex::new(\"text\") }");
    let plain = tree.cargo(&["test", "--lib"]);
    let ended = tree.conccheck(&["test", "--lib"]);
    expect(&ended, 101);
    let errors = |text: &str| text.split("error").skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(errors(&ended.stderr), errors(&plain.stderr));
    // Whichever test is first compiles the runtime.
    let mut others = ended.stderr.lines().filter(|line| !line.contains("Compiling conccheck's runtime"));
    assert!(!others.any(|line| line.contains("conccheck")), "{}", ended.stderr);

    let manifest_is_wrong = tree.conccheck(&["build", "--manifest-path", "nowhere/Cargo.toml"]);
    expect(&manifest_is_wrong, 101);
    assert!(manifest_is_wrong.stderr.contains("nowhere/Cargo.toml"), "{}", manifest_is_wrong.stderr);
}

#[test]
fn a_build_script_that_fails_gives_101() {
    let tree = tree("broken-script", TESTED);
    tree.write("build.rs", "fn main() { std::process::exit(1) }");
    expect(&tree.conccheck(&["test"]), 101);
}

#[test]
fn failed_tests_give_100_and_the_report_is_there() {
    let tree = tree("failing", &format!("#[test] fn fails() {{ panic!(\"as it should\") }}{TESTED}"));
    let (ended, report) = tree.report(&["test"]);
    expect(&ended, 100);
    assert_eq!(report["summary"]["tests"]["command_failed"], true, "{report}");
    assert!(report["summary"]["events"].as_u64() > Some(0), "{report}");
}

#[test]
fn a_killed_test_gives_100_and_the_report_is_there() {
    let source = "#[test] fn dies() { let lock = std::sync::Mutex::new(1); let _held = lock.lock(); std::process::abort() }";
    let (ended, report) = tree("dying", source).report(&["test"]);
    expect(&ended, 100);
    assert!(report["summary"]["events"].as_u64() > Some(0), "{report}");
}

#[test]
fn findings_give_66_and_a_failed_test_beside_them_100() {
    let finds = format!("{INVERSION}#[test] fn finds() {{ inversion() }}");
    let (ended, report) = tree("finding", &finds).report(&["test"]);
    // A slow machine may add advice, such as on a lock that was held for long.
    let critical = |report: &Value| {
        let findings = report["findings"].as_array().expect("a list");
        findings
            .iter()
            .filter(|finding| finding["severity"] == "critical")
            .map(|finding| finding["rule"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(critical(&report), ["lock-order-cycle"], "{report}");
    expect(&ended, 66);
    let (ended, report) = tree("finding-failing", &format!("{finds}#[test] fn fails() {{ panic!() }}")).report(&["test"]);
    expect(&ended, 100);
    assert_eq!(critical(&report), ["lock-order-cycle"], "{report}");
}

#[test]
fn a_run_that_records_nothing_gives_4() {
    let ended = tree("idle", "#[test] fn adds() { assert_eq!(1 + 1, 2) }").conccheck(&["test"]);
    expect(&ended, 4);
    assert_eq!(passed(&ended), 1, "{}", ended.stdout);
}

#[test]
fn a_program_gets_its_arguments_and_its_failure_is_told() {
    let source = "fn main() { drop(std::sync::Mutex::new(1).lock()); let args: Vec<String> = std::env::args().skip(1).collect();\n\
                  println!(\"args {args:?}\"); std::process::exit(args.len() as i32) }";
    let tree = program("arguments", source);
    let ended = tree.conccheck(&["run", "--", "--target-dir", "x", "--help"]);
    expect(&ended, 100);
    assert!(ended.stdout.contains("args [\"--target-dir\", \"x\", \"--help\"]"), "{}", ended.stdout);
    expect(&tree.conccheck(&["run", "--no-report", "--quiet"]), 0);
    expect(&tree.conccheck(&["run", "--bin", "nonexistent"]), 101);
}

#[test]
fn build_tells_where_the_programs_are_and_they_can_be_run() {
    let tree = program("built", "fn main() { drop(std::sync::Mutex::new(1).lock()) }");
    let ended = tree.conccheck(&["build"]);
    expect(&ended, 0);
    let path = tree.target().join("conccheck").join(host()).join("debug/built");
    assert_eq!(ended.stdout.trim_end(), path.display().to_string());
    assert!(ended.stderr.contains(&format!("conccheck run -- {}", path.display())), "{}", ended.stderr);
    let status = Tool::get().conccheck().args(["run", "--"]).arg(&path).output().expect("it starts").status;
    assert_eq!(status.code(), Some(0));
}

#[test]
fn no_report_leaves_traces_and_says_where() {
    let ended = tree("unreported", TESTED).conccheck(&["test", "--lib", "--no-report"]);
    expect(&ended, 0);
    let folder = ended.stderr.split("conccheck report ").nth(1).expect("the command that reports").trim();
    let files: Vec<_> = fs::read_dir(folder).expect("the run's folder").map(|file| file.expect("readable").path()).collect();
    let log = files.iter().find(|path| path.extension().is_some_and(|extension| extension == "cct")).expect("a log");
    let header = String::from_utf8_lossy(&fs::read(log).expect("readable")).into_owned();
    assert!(header.contains("\nrustc=rustc 1."), "the compiler is named");
}

#[test]
fn perturbed_runs_make_one_report_and_show_what_the_first_that_fails_prints() {
    let source = "#[test] fn fails_by_the_second_seed() {
        drop(std::sync::Mutex::new(1).lock());
        let seed = std::env::var(\"CONCCHECK_PERTURB\").unwrap();
        assert_ne!(seed, \"2\", \"as it should\");
    }";
    let (ended, report) = tree("perturbed", source).report(&["test", "--lib", "--perturb", "3"]);
    expect(&ended, 100);
    assert_eq!(report["summary"]["processes"], 3, "{report}");
    assert!(ended.stdout.contains("as it should"), "{}", ended.stdout);
    for text in ["to repeat it: CONCCHECK_PERTURB=2", "seed 2: 0 passed, 1 failed", "seed 3: 1 passed, 0 failed"] {
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
    }
}

#[test]
fn an_unwritable_target_folder_gives_2_and_is_named() {
    let tree = tree("homeless", TESTED);
    tree.write("file", "");
    let ended = tree.conccheck(&["test", "--target-dir", "file/inside"]);
    expect(&ended, 2);
    assert!(ended.stderr.contains(&tree.path("file/inside").display().to_string()), "{}", ended.stderr);
}

#[test]
fn wrong_words_give_2_and_the_right_ones() {
    let tree = tree("mistyped", TESTED);
    for (args, right) in [(&["tset"][..], "test"), (&["test", "--no-reprot"], "--no-report"), (&["run", "--relase"], "--release")]
    {
        let ended = tree.conccheck(args);
        expect(&ended, 2);
        assert!(ended.stderr.contains(right), "{args:?}: {}", ended.stderr);
    }
    let help = tree.conccheck(&["test", "--help"]);
    expect(&help, 0);
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("cargo conccheck run --bin"), "{}", help.stdout);
}

#[test]
fn nextest_runs_the_tests_where_it_is_installed() {
    if !Command::new("cargo").args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no cargo-nextest");
        return;
    }
    let tree_ok = tree("nexted", TESTED);
    let (ended, report) = {
        let file = tree_ok.path("report.json");
        let ended = tree_ok.conccheck(&["nextest", "run", "--format", &format!("json={}", file.display())]);
        (ended, fs::read_to_string(file).unwrap_or_default())
    };
    expect(&ended, 0);
    assert!(report.contains("nexted"), "{report}");
    expect(&tree("nexted-failing", &format!("#[test] fn fails() {{ panic!() }}{TESTED}")).conccheck(&["nextest", "run"]), 100);
    expect(&tree("nexted-broken", "fn f() -> u32 {}").conccheck(&["nextest", "run"]), 101);
}
