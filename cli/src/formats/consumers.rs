//! What others make of the formats: each, of the same findings and traces, is given to a schema, a parser or a program that reads it.
//! The page is looked at by a browser in the end-to-end tests.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use conccheck_analyzer::{Analysis, Config, NoSources, Severity, analyze};
use serde_json::Value;

use super::tests::{render, with_recorded};
use super::{Format, samples};

/// Every sample in a format: findings made by hand, and traces with what is found in them.
fn all(format: Format) -> impl Iterator<Item = (&'static str, Analysis, String)> {
    let by_hand = samples::all().into_iter().map(move |(name, analysis)| {
        let text = render(format, &analysis, false);
        (name, analysis, text)
    });
    by_hand.chain(samples::traces().into_iter().map(move |(name, trace)| {
        let (processes, config) = ([trace], Config::default());
        let analysis = analyze(&processes, &NoSources, &config);
        let bytes = with_recorded(&processes, analysis.clone(), &config, |report| format.render(report));
        (name, analysis, String::from_utf8(bytes).expect("UTF-8"))
    }))
}

/// How many findings the JSON report of an analysis has.
fn count(analysis: &Analysis) -> usize {
    let report: Value = serde_json::from_str(&render(Format::Json, analysis, false)).expect("JSON");
    report["findings"].as_array().map_or(0, Vec::len)
}

fn complaints(schema: &Value, text: &str) -> Vec<String> {
    let schema = jsonschema::validator_for(schema).expect("a schema");
    let report: Value = serde_json::from_str(text).expect("JSON");
    schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path)).collect()
}

#[test]
fn sarif_follows_the_official_schema() {
    let schema: Value = serde_json::from_str(&official_sarif_schema()).expect("JSON");
    for (name, _, text) in all(Format::Sarif) {
        assert_eq!(complaints(&schema, &text), Vec::<String>::new(), "{name}");
    }
    assert!(!complaints(&schema, r#"{ "version": "2.1.0", "runs": [{}] }"#).is_empty(), "the schema is looked at");
}

/// The schema as published by OASIS, which the crate serde-sarif has in its package; cargo says where that lies.
fn official_sarif_schema() -> String {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo has it all");
    let package = metadata.packages.iter().find(|package| *package.name == "serde-sarif").expect("a dependency");
    let file: PathBuf = package.manifest_path.with_file_name("src").join("schema.json").into();
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn sarif_is_understood_by_a_reader_of_sarif() {
    for (name, analysis, text) in all(Format::Sarif) {
        let log: serde_sarif::sarif::Sarif = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(log.runs[0].results.as_ref().map(Vec::len), Some(count(&analysis)), "{name}");
    }
}

#[test]
fn json_follows_its_published_schema() {
    let schema = super::report_schema();
    for (name, _, text) in all(Format::Json) {
        assert_eq!(complaints(&schema, &text), Vec::<String>::new(), "{name}");
    }
    let (_, _, text) = all(Format::Json).next().expect("a sample");
    assert!(!complaints(&schema, &text.replace("schema_version", "version")).is_empty(), "the schema is looked at");
}

#[test]
fn junit_is_understood_by_a_reader_of_junit() {
    for (name, analysis, text) in all(Format::Junit) {
        let report = quick_junit::Report::deserialize_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let failed: usize = report.test_suites.iter().map(|suite| suite.failures).sum();
        let fails = analysis.findings.iter().any(|finding| finding.severity >= Severity::High);
        assert_eq!(failed > 0, fails, "{name}");
    }
}

#[test]
fn gitlab_and_github_get_what_they_ask_for() {
    for (name, analysis, text) in all(Format::Gitlab) {
        let report: Value = serde_json::from_str(&text).expect("JSON");
        let issues = report.as_array().expect("a list");
        assert_eq!(issues.len(), count(&analysis), "{name}");
        for issue in issues {
            for key in ["description", "check_name", "fingerprint", "severity"] {
                assert!(issue[key].is_string(), "{name}: {key}");
            }
            assert!(issue["location"]["path"].is_string() && issue["location"]["lines"]["begin"].is_number(), "{name}");
        }
    }
    for (name, analysis, text) in all(Format::Github) {
        // Everything else that is printed is only a line of the log.
        let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
        let is_annotation = |line: &&&str| ["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start));
        assert_eq!(commands.iter().filter(is_annotation).count(), commands.len(), "{name}: {text}");
        assert_eq!(commands.len(), count(&analysis), "{name}: {text}");
    }
}

#[test]
fn graphviz_draws_the_graph() {
    for (name, _, text) in all(Format::Dot) {
        let dot = Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut dot) = dot else {
            println!("not run: no dot (apt-get install graphviz)");
            return;
        };
        dot.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("dot reads");
        let drawn = dot.wait_with_output().expect("dot ends");
        let complaints = String::from_utf8_lossy(&drawn.stderr);
        assert!(drawn.status.success() && complaints.is_empty() && drawn.stdout.starts_with(b"<?xml"), "{name}: {complaints}");
    }
}

/// What the format's description asks for; Perfetto's own format is decoded where it is written.
#[test]
fn chrome_events_are_complete_and_nest() {
    let mut slices = 0;
    for (name, _, text) in all(Format::Chrome) {
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let mut open: BTreeMap<String, i64> = BTreeMap::new();
        let mut ends: BTreeMap<(u64, u64), Vec<f64>> = BTreeMap::new();
        for event in document["traceEvents"].as_array().expect("events") {
            let number = |key: &str| event[key].as_f64().unwrap_or_else(|| panic!("{name}: no {key}: {event}"));
            let (time, track) = (number("ts"), (number("pid") as u64, number("tid") as u64));
            assert!(event["name"].is_string(), "{name}: {event}");
            let pair = || format!("{} {}", event["cat"], event["id"]);
            match event["ph"].as_str().expect("a phase") {
                "X" => {
                    slices += 1;
                    let (end, ends) = (time + number("dur"), ends.entry(track).or_default());
                    ends.retain(|outer| *outer > time);
                    assert!(ends.iter().all(|outer| *outer >= end), "{name}: overlaps what is around it: {event}");
                    ends.push(end);
                }
                "b" | "s" => *open.entry(pair()).or_default() += 1,
                "e" | "f" => *open.entry(pair()).or_default() -= 1,
                phase => assert_eq!(phase, "M", "{name}: {event}"),
            }
        }
        assert!(open.values().all(|balance| *balance == 0), "{name}: {open:?}");
    }
    assert!(slices > 20, "{slices}");
}
