//! Input that is not as it should be: each kind has its exit code and one clear message that names the file or command.

use std::fs;
use std::path::Path;
use std::time::Duration;

use conccheck_cli::ExitCode;
use conccheck_tests::{Ended, Tool, run};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// Two threads that take two locks in opposite orders, one after the other: nothing hangs, everything is there.
const INVERSION: &str = r#"{"conccheck-trace":"1.0","header":{"program":"bank","clean_end":true,"ticks_per_second":1000000000},"entries":[
{"string":1,"text":"u32"},
{"string":2,"text":"left"},
{"string":3,"text":"right"},
{"site":1,"file":"src/bank.rs","line":1,"column":9},
{"site":2,"file":"src/bank.rs","line":2,"column":9},
{"site":3,"file":"src/bank.rs","line":3,"column":9},
{"object":1,"kind":"mutex","created":1,"type_name":1},
{"object":2,"kind":"mutex","created":2,"type_name":1},
{"thread":1,"time":0,"event":"start","parent":0,"name":0},
{"thread":1,"time":1,"event":"spawn","child":2,"site":3,"scoped":false},
{"thread":1,"time":2,"event":"spawn","child":3,"site":3,"scoped":false},
{"thread":2,"time":10,"event":"start","parent":1,"name":2},
{"thread":2,"time":11,"event":"acquire","lock":1,"site":1,"mode":"exclusive","how":"blocking","order":1},
{"thread":2,"time":12,"event":"acquire","lock":2,"site":2,"mode":"exclusive","how":"blocking","order":1},
{"thread":2,"time":13,"event":"release","lock":2,"wrote":true,"unwinding":false},
{"thread":2,"time":14,"event":"release","lock":1,"wrote":true,"unwinding":false},
{"thread":2,"time":15,"event":"end","panicked":false},
{"thread":3,"time":20,"event":"start","parent":1,"name":3},
{"thread":3,"time":21,"event":"acquire","lock":2,"site":2,"mode":"exclusive","how":"blocking","order":2},
{"thread":3,"time":22,"event":"acquire","lock":1,"site":1,"mode":"exclusive","how":"blocking","order":2},
{"thread":3,"time":23,"event":"release","lock":1,"wrote":true,"unwinding":false},
{"thread":3,"time":24,"event":"release","lock":2,"wrote":true,"unwinding":false},
{"thread":3,"time":25,"event":"end","panicked":false},
{"thread":1,"time":30,"event":"join","child":2,"site":3,"took":true},
{"thread":1,"time":31,"event":"join","child":3,"site":3,"took":true},
{"thread":1,"time":32,"event":"end","panicked":false}
]}
"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    folder
}

fn conccheck(folder: &Path, args: &[&str]) -> Ended {
    run(Tool::get().conccheck().args(args).current_dir(folder).env_remove("NO_COLOR").env_remove("CARGO_TERM_COLOR"), LIMIT)
}

/// It ended with this code, said this on standard error, and neither panicked nor spoke of a bug.
fn expect(ended: &Ended, code: ExitCode, said: &[&str]) {
    assert_eq!(ended.code, Some(i32::from(code.code())), "{ended:?}");
    for words in said {
        assert!(ended.stderr.contains(words), "{words:?} is missing: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("bug in conccheck"), "{}", ended.stderr);
}

#[test]
fn an_inversion_that_never_hung_is_a_finding_with_both_sides() {
    let folder = folder(&[("trace.json", INVERSION)]);
    let ended = conccheck(folder.path(), &["report", "trace.json"]);
    expect(&ended, ExitCode::Findings, &[]);
    for part in ["error[lock-order-cycle]", "`left`", "`right`", "src/bank.rs", "1 critical"] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colours outside a terminal");
    expect(&conccheck(folder.path(), &["report", "trace.json", "--fail-on", "never"]), ExitCode::Clean, &[]);
}

#[test]
fn a_trace_that_was_cut_is_analysed_up_to_the_cut_with_a_warning() {
    let cut = INVERSION.split_once(r#"{"thread":1,"time":31"#).expect("the join").0;
    let folder = folder(&[("cut.json", cut)]);
    let ended = conccheck(folder.path(), &["report", "cut.json", "--format", "json"]);
    expect(&ended, ExitCode::Findings, &["warning: ", "cut.json"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(report["warnings"][0].as_str().is_some_and(|warning| warning.contains("cut.json")), "{report:#}");
    assert!(report["summary"]["events"].as_u64() > Some(0), "{report:#}");
}

#[test]
fn what_is_no_trace_is_said_by_name() {
    let newer = INVERSION.replace(r#""conccheck-trace":"1.0""#, r#""conccheck-trace":"99.0""#);
    let files = [("empty.json", ""), ("other.json", "{\"a\":1}"), ("text.cct", "hello"), ("newer.json", newer.as_str())];
    let folder = folder(&files);
    for (name, words) in
        [("empty.json", "empty"), ("other.json", "not a trace"), ("text.cct", "not a trace"), ("newer.json", "update")]
    {
        expect(&conccheck(folder.path(), &["report", name]), ExitCode::BadTrace, &[name, words]);
    }
    expect(&conccheck(folder.path(), &["report", "missing.json"]), ExitCode::BadTrace, &["missing.json"]);
}

#[test]
fn a_run_that_recorded_nothing_is_never_green() {
    let folder = folder(&[("none.json", r#"{"conccheck-trace":"1.0","header":{"program":"x"},"entries":[]}"#)]);
    fs::create_dir(folder.path().join("runs")).expect("a folder");
    let ended = conccheck(folder.path(), &["report", "none.json"]);
    expect(&ended, ExitCode::NothingRecorded, &["none.json"]);
    assert!(!ended.stdout.contains("no findings"), "{}", ended.stdout);
    expect(&conccheck(folder.path(), &["report", "runs"]), ExitCode::NothingRecorded, &["runs"]);
    expect(&conccheck(folder.path(), &["run", "--", "true"]), ExitCode::NothingRecorded, &["`true`", "not instrumented"]);
    let failed = conccheck(folder.path(), &["run", "--", "sh", "-c", "exit 3"]);
    expect(&failed, ExitCode::NothingRecorded, &["exit status: 3"]);
}

#[test]
fn a_program_beyond_its_time_limit_is_ended() {
    let folder = folder(&[]);
    let ended = conccheck(folder.path(), &["run", "--timeout", "0.1", "--", "sleep", "1000"]);
    expect(&ended, ExitCode::NothingRecorded, &["time limit", "`sleep`"]);
}

#[test]
fn wrong_usage_is_said_before_anything_is_done() {
    let folder = folder(&[("trace.json", INVERSION)]);
    let cases: [(&[&str], &str); 9] = [
        (&["report"], "TRACE"),
        (&["report", "trace.json", "--format", "pdf"], "pdf"),
        (&["report", "trace.json", "--format", "json="], "no file"),
        (&["report", "trace.json", "--format", "human", "--format", "json"], "json=FILE"),
        (&["report", "trace.json", "-o", "/proc/none/report"], "/proc/none/report"),
        (&["run", "--", "./missing"], "./missing"),
        (&["run", "--keep", "trace.json", "--", "true"], "trace.json"),
        (&["explain", "lock-order-cyle"], "lock-order-cycle"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (args, words) in cases {
        expect(&conccheck(folder.path(), args), ExitCode::Usage, &[words]);
    }
}

#[test]
fn several_formats_are_written_in_one_call_and_their_folders_made() {
    let folder = folder(&[("trace.json", INVERSION)]);
    let args =
        ["report", "trace.json", "--format", "short", "--format", "sarif=out/findings.sarif", "--format", "junit=out/junit.xml"];
    let ended = conccheck(folder.path(), &args);
    expect(&ended, ExitCode::Findings, &[]);
    assert!(ended.stdout.contains("critical[lock-order-cycle]"), "{}", ended.stdout);
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("a report");
    assert!(read("out/findings.sarif").contains("\"2.1.0\"") && read("out/junit.xml").contains("<testsuites"));
    let ended = conccheck(folder.path(), &["report", "trace.json", "-o", "report.json"]);
    expect(&ended, ExitCode::Findings, &["report.json", "1 critical"]);
    assert!(read("report.json").starts_with('{') && ended.stdout.is_empty(), "the ending says the format");
}

#[test]
fn colours_follow_the_flag_before_the_environment() {
    let folder = folder(&[("trace.json", INVERSION)]);
    let has_colors = |args: &[&str], variable: (&str, &str)| {
        let mut command = Tool::get().conccheck();
        command.args(["report", "trace.json"]).args(args).current_dir(folder.path());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR"] {
            command.env_remove(name);
        }
        run(command.env(variable.0, variable.1), LIMIT).stdout.contains('\u{1b}')
    };
    assert!(has_colors(&["--color", "always"], ("NO_COLOR", "1")));
    assert!(!has_colors(&["--color", "never"], ("CLICOLOR_FORCE", "1")));
    assert!(has_colors(&[], ("CLICOLOR_FORCE", "1")));
    assert!(has_colors(&[], ("CARGO_TERM_COLOR", "always")));
    assert!(!has_colors(&[], ("CARGO_TERM_COLOR", "auto")));
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_changes_no_verdict() {
    let folder = folder(&[("trace.json", INVERSION)]);
    let tool = Tool::get().conccheck();
    let script = format!("{{ '{}' report trace.json; echo $? >code; }} | true", tool.get_program().display());
    let ended = run(std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()), LIMIT);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(folder.path().join("code")).expect("a code").trim(), "66");
}
