//! The configuration and what it decides, with the real tool: levels, suppressions, baselines, comparisons, first steps.

use std::time::Duration;

use conccheck_cli::ExitCode;
use conccheck_tests::{Ended, HandMade, run};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// Two locks taken in opposite orders, and a lock held for long.
const BOTH: &str = "
    main spawn t @bank.rs:1; main spawn u @bank.rs:2
    t lock accounts @bank.rs:10; t lock audit @bank.rs:11; t unlock audit; t unlock accounts
    u lock audit @bank.rs:20; u lock accounts @bank.rs:21; u unlock accounts; u unlock audit
    u lock mail @bank.rs:30; u unlock mail +200ms
    t end; u end; main join t; main join u";

/// The second of them alone.
const LONG: &str = "
    main spawn u @bank.rs:2
    u lock mail @bank.rs:30; u unlock mail +200ms
    u end; main join u";

fn project() -> HandMade {
    let project = HandMade::default();
    project.trace("both.json", BOTH);
    project.trace("long.json", LONG);
    project
}

fn conccheck(project: &HandMade, args: &[&str]) -> Ended {
    run(&mut project.conccheck(args), LIMIT)
}

/// What a report must say and how it must end.
fn expect(project: &HandMade, args: &[&str], code: ExitCode, words: &[&str]) -> Ended {
    let ended = conccheck(project, args);
    assert_eq!(ended.code, Some(i32::from(code.code())), "{args:?}: {ended:?}");
    for words in words {
        assert!(ended.stdout.contains(words) || ended.stderr.contains(words), "{args:?}: no `{words}` in {ended:#?}");
    }
    ended
}

fn json(project: &HandMade, args: &[&str]) -> Value {
    let ended = conccheck(project, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {ended:?}"))
}

fn fingerprint(project: &HandMade, rule: &str) -> String {
    let report = json(project, &["report", "both.json"]);
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["rule"] == rule).expect("a finding");
    finding["fingerprint"].as_str().expect("a text").to_owned()
}

const REPORT: [&str; 4] = ["report", "both.json", "--format", "short"];

#[test]
fn levels_thresholds_and_fail_on_decide_the_verdict() {
    let project = project();
    expect(&project, &REPORT, ExitCode::Findings, &["critical[lock-order-cycle]", "medium[long-critical-section]"]);
    project.write("conccheck.toml", "[rules]\nlock-order-cycle = \"medium\"\nlong-critical-section.hold = \"1s\"\n");
    let ended = expect(&project, &REPORT, ExitCode::Clean, &["medium[lock-order-cycle]", "0 critical, 0 high, 1 medium"]);
    assert!(!ended.stdout.contains("long-critical-section"), "{}", ended.stdout);
    project.write("conccheck.toml", "[rules]\nlock-order-cycle = \"off\"\n[profile.ci]\nfail-on = \"medium\"\n");
    expect(&project, &REPORT, ExitCode::Clean, &["1 medium"]);
    let junit = conccheck(&project, &["report", "both.json", "--format", "junit"]).stdout;
    assert!(junit.contains("\"deadlock\"") && !junit.contains("lock-order-cycle"), "a rule that is off did not pass: {junit}");
    expect(&project, &[&REPORT as &[&str], &["--config-profile", "ci"]].concat(), ExitCode::Findings, &["1 medium"]);
    let by_variable = run(project.conccheck(&REPORT).env("CONCCHECK_PROFILE", "ci"), LIMIT);
    assert_eq!(by_variable.code, Some(i32::from(ExitCode::Findings.code())), "{by_variable:?}");
}

#[test]
fn a_mistake_in_the_configuration_ends_with_its_place_before_anything_is_read() {
    let project = project();
    project.write(".config/conccheck.toml", "[profile.ci]\nfail-on = \"high\"\nbase-line = \"x\"\n");
    let words = ["conccheck.toml:3:1", "there is no key `base-line` in `profile.ci`", "did you mean `baseline`?"];
    expect(&project, &["report", "missing.json"], ExitCode::Usage, &words);
    project.write(".config/conccheck.toml", "");
    expect(&project, &["report", "both.json", "--config-profile", "c"], ExitCode::Usage, &["no profile `c`"]);
    expect(&project, &["report", "both.json", "--config-file", "no.toml"], ExitCode::Usage, &["can't read `no.toml`"]);
}

#[test]
fn what_a_finding_says_suppresses_it_and_it_is_still_counted() {
    let project = project();
    project.write("conccheck.toml", "# Ours.\n[profile.default]\nfail-on = \"high\" # as ever\n");
    let report = conccheck(&project, &["report", "both.json"]).stdout;
    let command = report.lines().find_map(|line| line.trim().strip_prefix("= suppress: conccheck ")).expect("the command");
    let args: Vec<&str> = command.split_whitespace().take(2).chain(["--reason", "the teller is gone by then"]).collect();
    expect(&project, &args, ExitCode::Clean, &["added to"]);
    let file = project.read("conccheck.toml");
    assert!(file.starts_with("# Ours.\n[profile.default]\nfail-on = \"high\" # as ever\n\n[[suppress]]\n"), "{file}");

    let ended = expect(&project, &REPORT, ExitCode::Clean, &["1 medium (1 suppressed, 0 in the baseline)"]);
    assert!(!ended.stdout.contains("lock-order-cycle") && !ended.stderr.contains("warning"), "{ended:?}");
    let report = json(&project, &["report", "both.json"]);
    assert_eq!(report["suppressed"][0]["reason"], "the teller is gone by then", "{report:#}");
    assert_eq!((&report["suppressed"][0]["rule"], &report["summary"]["suppressed"]), (&"lock-order-cycle".into(), &1.into()));
    let sarif = conccheck(&project, &["report", "both.json", "--format", "sarif"]).stdout;
    let sarif: Value = serde_json::from_str(&sarif).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let reasons: Vec<&Value> = results.iter().filter_map(|result| result.get("suppressions")).collect();
    assert!(reasons.len() == 1 && reasons[0][0]["justification"] == "the teller is gone by then", "{sarif:#}");

    for args in
        [&["suppress", "9f3a", "--reason", "x"] as &[&str], &["suppress", "9f3ab2"], &["suppress", "9f3ab2", "--reason", " "]]
    {
        expect(&project, args, ExitCode::Usage, &[]);
    }
}

#[test]
fn expired_and_unused_suppressions_are_said() {
    let project = project();
    let suppress = |expires: &str| {
        let rule = "rule = \"lock-order-cycle\"";
        project.write("conccheck.toml", &format!("[[suppress]]\n{rule}\nreason = \"later\"\nexpires = {expires}\n"));
    };
    suppress("2999-01-01");
    expect(&project, &REPORT, ExitCode::Clean, &["1 suppressed"]);
    suppress("2020-02-29");
    let words = ["conccheck.toml:1", "expired on 2020-02-29: 1 finding counts again", "(0 suppressed, 0 in the baseline)"];
    expect(&project, &REPORT, ExitCode::Findings, &words);
    suppress("2999-01-01");
    let unused = ["warning", "\"later\" covers nothing that was found"];
    expect(&project, &["report", "long.json"], ExitCode::Clean, &unused);
}

#[test]
fn findings_in_the_baseline_do_not_fail_and_new_ones_do() {
    let project = project();
    expect(&project, &["baseline", "write", "long.json"], ExitCode::Clean, &["1 finding in .conccheck/baseline.json"]);
    let against = |report| [report, "--format", "short", "--fail-on", "low", "--baseline", ".conccheck/baseline.json"];
    let report = |trace| [&["report"], &against(trace) as &[&str]].concat();
    expect(&project, &report("long.json"), ExitCode::Clean, &["no findings (0 suppressed, 1 in the baseline)"]);
    expect(&project, &report("both.json"), ExitCode::Findings, &["1 critical, 0 high (0 suppressed, 1 in the baseline)"]);

    expect(&project, &["baseline", "write", "both.json"], ExitCode::Clean, &["2 findings"]);
    expect(&project, &report("both.json"), ExitCode::Clean, &["2 in the baseline"]);
    expect(&project, &["baseline", "show"], ExitCode::Clean, &["lock-order-cycle", "long-critical-section"]);
    expect(&project, &["baseline", "prune", "long.json"], ExitCode::Clean, &["1 taken out, 1 finding left"]);
    expect(&project, &report("both.json"), ExitCode::Findings, &["1 critical", "1 in the baseline"]);

    project.write("conccheck.toml", "[profile.default]\nbaseline = \"known.json\"\n");
    expect(&project, &REPORT, ExitCode::Usage, &["known.json", "conccheck baseline write"]);
    expect(&project, &["baseline", "write", "both.json"], ExitCode::Clean, &["known.json"]);
    expect(&project, &REPORT, ExitCode::Clean, &["2 in the baseline"]);
    for broken in ["", "{}", "{\"schema_version\": 9, \"findings\": []}", "{\"schema_version\": 1, \"findings\": [{}]}"] {
        project.write("known.json", broken);
        expect(&project, &REPORT, ExitCode::Usage, &["known.json"]);
    }
}

#[test]
fn diff_compares_traces_reports_and_baselines_by_fingerprint() {
    let project = project();
    expect(&project, &["report", "long.json", "-o", "report.json"], ExitCode::Clean, &[]);
    let fingerprint = fingerprint(&project, "lock-order-cycle");
    let words = ["1 new, 0 fixed, 0 changed, 1 unchanged", &fingerprint];
    for old in ["long.json", "report.json"] {
        expect(&project, &["diff", old, "both.json"], ExitCode::Findings, &words);
    }
    expect(&project, &["diff", "report.json", "both.json", "--fail-on", "never"], ExitCode::Clean, &words);
    expect(&project, &["diff", "both.json", "report.json"], ExitCode::Clean, &["0 new, 1 fixed, 0 changed, 1 unchanged"]);
    project.write("report.json", &project.read("report.json").replace("\"medium\"", "\"low\""));
    let changed = json(&project, &["diff", "report.json", "long.json"]);
    assert_eq!((&changed["changed"][0]["old"]["severity"], &changed["unchanged"]), (&"low".into(), &0.into()), "{changed:#}");
    expect(&project, &["diff", "both.json", "missing.json"], ExitCode::BadTrace, &["missing.json"]);
}

#[test]
fn init_writes_what_the_tool_understands_and_leaves_what_is_there() {
    let project = project();
    expect(&project, &["init", "--ci", "github"], ExitCode::Clean, &["wrote"]);
    assert!(project.read(".github/workflows/conccheck.yml").contains("cargo conccheck test"));
    expect(&project, &["show-config", "--config-profile", "ci"], ExitCode::Clean, &["report.sarif", "# profile `ci`"]);
    let ended =
        expect(&project, &["report", "both.json", "--config-profile", "ci"], ExitCode::Findings, &["error[lock-order-cycle]"]);
    assert!(ended.stdout.contains("Summary"), "{}", ended.stdout);
    for file in ["report.sarif", "report.junit.xml", "report.md"] {
        assert!(project.read(&format!("target/conccheck/{file}")).contains("lock-order-cycle"), "{file}");
    }

    project.write("conccheck.toml", "# mine\n");
    expect(&project, &["init", "--ci", "gitlab"], ExitCode::Clean, &["is there and stays"]);
    assert_eq!(project.read("conccheck.toml"), "# mine\n");
    assert!(project.read(".gitlab/conccheck.yml").contains("codequality"));
}

#[test]
fn the_schema_names_every_rule() {
    let project = HandMade::default();
    let schema = conccheck(&project, &["show-config", "--emit-schema"]).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let hold = &schema["properties"]["rules"]["properties"]["long-critical-section"]["anyOf"][1]["properties"]["hold"];
    assert_eq!(hold["type"], "string", "{schema:#}");
    for rule in conccheck_analyzer::registry::RULES {
        assert!(schema["properties"]["rules"]["properties"][rule.meta().name].is_object(), "{}", rule.meta().name);
    }
}
