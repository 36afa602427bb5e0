//! The commands around a report: running a program, tables, conversion, rules, shells' completions.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use conccheck_cli::ExitCode;
use conccheck_tests::{Ended, Project, Tool, run};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// Leaves a thread behind that waits for ever, prints, and ends with the status that it is given.
const STUCK: &str = r#"
use std::sync::{Arc, Mutex, mpsc};

fn main() {
    let total = Arc::new(Mutex::new(0));
    let (sender, receiver) = mpsc::channel::<u64>();
    let adder = Arc::clone(&total);
    let stuck = std::thread::Builder::new().name("adder".into());
    let ready = mpsc::channel();
    let handle = stuck.spawn(move || {
        ready.0.send(()).unwrap();
        for number in receiver {
            *adder.lock().unwrap() += number;
        }
    });
    ready.1.recv().unwrap();
    println!("total {}", total.lock().unwrap());
    // Until the system says that the thread sleeps.
    let is_adder = |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "adder\n");
    let tasks = || std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let adder = tasks().find(|task| is_adder(task)).unwrap();
    while !std::fs::read_to_string(adder.join("stat")).unwrap().contains(") S ") {
        std::thread::yield_now();
    }
    std::mem::forget((sender, handle));
    std::process::exit(std::env::args().nth(1).map_or(0, |code| code.parse().unwrap()));
}
"#;

/// Does nothing wrong and ends with the status that it is given.
const FINE: &str = r#"
use std::sync::{Arc, Mutex};

fn main() {
    let total = Arc::new(Mutex::new(0));
    let adder = Arc::clone(&total);
    std::thread::spawn(move || *adder.lock().unwrap() += 1).join().unwrap();
    println!("total {}", total.lock().unwrap());
    std::process::exit(std::env::args().nth(1).map_or(0, |code| code.parse().unwrap()));
}
"#;

/// The folder of the instrumented programs.
fn programs() -> PathBuf {
    let mut project = Project::new("report-commands", "2024");
    project.add("stuck", STUCK);
    project.add("fine", FINE);
    project.build(Tool::get())
}

fn conccheck(args: &[&str]) -> Ended {
    run(Tool::get().conccheck().args(args), LIMIT)
}

#[test]
fn run_keeps_the_programs_output_and_says_how_it_ended() {
    let programs = programs();
    let (stuck, fine) = (programs.join("stuck"), programs.join("fine"));
    let (stuck, fine) = (stuck.to_str().expect("UTF-8"), fine.to_str().expect("UTF-8"));
    let code = |code: ExitCode| Some(i32::from(code.code()));

    let ended = conccheck(&["run", "--", fine]);
    assert_eq!(ended.code, code(ExitCode::Clean), "{ended:?}");
    assert!(ended.stdout.starts_with("total 1\n") && ended.stdout.contains("no findings"), "{}", ended.stdout);

    let ended = conccheck(&["run", "--", fine, "3"]);
    assert_eq!(ended.code, code(ExitCode::TestsFailed), "a program that fails does not pass: {ended:?}");
    assert!(ended.stderr.contains("exit status: 3"), "{}", ended.stderr);

    let ended = conccheck(&["run", "--", stuck, "3"]);
    assert_eq!(ended.code, code(ExitCode::Findings), "{ended:?}");
    assert!(ended.stdout.starts_with("total 0\n") && ended.stdout.contains("error[leaked-task]"), "{}", ended.stdout);
    assert!(ended.stderr.contains("exit status: 3"), "{}", ended.stderr);
}

#[test]
fn kept_traces_are_converted_and_shown_in_tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let program = programs().join("fine");
    let traces = path("traces");
    let ended = conccheck(&["run", "--keep", &traces, "--", program.to_str().expect("UTF-8")]);
    assert!(ended.code == Some(0) && ended.stdout.contains(&traces), "{ended:?}");
    let again = conccheck(&["run", "--keep", &traces, "--", "true"]);
    assert!(again.code == Some(2) && again.stderr.contains("not empty"), "{again:?}");

    for (from, to) in [(&traces, path("a.json")), (&path("a.json"), path("b.cct")), (&path("b.cct"), path("c.json"))] {
        let ended = conccheck(&["convert", from, &to]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{from} to {to}");
    }
    let read = |name| fs::read_to_string(path(name)).expect("a trace");
    assert!(read("a.json") == read("c.json"), "there and back again");

    let rows = |args: &[&str]| -> Value { serde_json::from_str(&conccheck(args).stdout).expect("JSON") };
    let locks = rows(&["locks", "--format", "json", &traces]);
    assert_eq!(locks[0]["lock"], "total", "{locks:#}");
    assert_eq!(locks[0]["acquisitions"], 2);
    let tasks = rows(&["tasks", "--format", "json", &traces]);
    assert!(tasks.as_array().is_some_and(|tasks| tasks.iter().any(|task| task["end"] == "joined")), "{tasks:#}");
    assert!(conccheck(&["channels", &traces]).stdout.starts_with("channel"));
}

#[test]
fn the_checklist_says_what_a_run_kept_to_and_with_what_evidence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = |program: &str| {
        let traces = folder.path().join(program).to_str().expect("UTF-8").to_owned();
        let program = programs().join(program);
        conccheck(&["run", "--keep", &traces, "--", program.to_str().expect("UTF-8")]);
        traces
    };
    let (stuck, fine) = (trace("stuck"), trace("fine"));

    let ended = conccheck(&["checklist", "--format", "json", &stuck]);
    assert_eq!(ended.code, Some(66), "as a report: {ended:?}");
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).expect("JSON");
    let row = |practice: &str| rows.iter().find(|row| row["practice"] == practice).unwrap_or_else(|| panic!("{practice}"));
    let leaks = row("No leaked tasks");
    assert_eq!((&leaks["verdict"], &leaks["evidence"]), (&"FAIL".into(), &"1 finding; 1 thread started".into()));
    assert_eq!(leaks["rules"][0]["explain"], "conccheck explain leaked-task");
    assert_eq!(row("Bounded workers instead of a task per event")["verdict"], "PASS");
    let panics = row("Panics in tasks are observed");
    assert_eq!((&panics["verdict"], &panics["evidence"]), (&"NOT EXERCISED".into(), &"no panic".into()));

    let ended = conccheck(&["checklist", &fine]);
    let line = |practice: &str| ended.stdout.lines().find(|line| line.contains(practice)).unwrap_or_default().to_owned();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(line("Protect shared state with a lock").starts_with("PASS"), "{}", ended.stdout);
    assert!(line("Communicate by channels").starts_with("PASS"), "{}", ended.stdout);
    assert!(line("Close channels from the producer").starts_with("NOT EXERCISED"), "{}", ended.stdout);

    let ended = conccheck(&["checklist", "--format", "markdown", "--fail-on", "never", &stuck]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("| **FAIL** | No leaked tasks | high |"), "{}", ended.stdout);
}

#[test]
fn every_listed_rule_can_be_explained() {
    let rules: Value = serde_json::from_str(&conccheck(&["rules", "--format", "json"]).stdout).expect("JSON");
    let names: Vec<&str> = rules.as_array().expect("a list").iter().filter_map(|rule| rule["name"].as_str()).collect();
    assert!(names.contains(&"lock-order-cycle"), "{names:?}");
    for name in names {
        let ended = conccheck(&["explain", name]);
        assert!(ended.code == Some(0) && ended.stdout.contains("## What it does"), "{name}: {ended:?}");
    }
}

#[test]
fn the_tool_describes_itself() {
    for (args, words) in [
        (&["--help"] as &[&str], "Usage: conccheck"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "complete"),
        (&["man"], ".TH"),
        (&["man", "report"], "fail"),
    ] {
        let ended = conccheck(args);
        assert!(ended.code == Some(0) && ended.stdout.contains(words), "{args:?}: {ended:?}");
    }
}
