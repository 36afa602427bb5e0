//! Snapshots of every format for the same analyses, and what holds for any of them.

use std::path::Path;

use clap::ValueEnum;
use conccheck_analyzer::{Analysis, Config};
use conccheck_trace::read::ProcessTrace;

use super::{Format, perfetto, samples};
use crate::config::Settings;
use crate::recorded::Recorded;
use crate::report::Report;
use crate::run_facts::{Coverage, Gap, RunFacts, Tests};
use crate::sources::SourceCache;

fn facts() -> RunFacts {
    RunFacts {
        tests: Some(Tests { passed: Some(47), failed: Some(1), command_failed: true }),
        coverage: Some(Coverage {
            instrumented: (0..14).map(|number| format!("crate{number}")).collect(),
            not_instrumented: vec![Gap { name: "tokio".to_owned(), users: 2 }, Gap { name: "parking_lot".to_owned(), users: 1 }],
        }),
        ..RunFacts::default()
    }
}

fn sources() -> SourceCache {
    SourceCache::new([Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"))], None)
}

pub(super) fn render(format: Format, analysis: &Analysis, all: bool) -> String {
    let (facts, sources) = (facts(), sources());
    let mut settings = Settings::default();
    settings.all = all;
    let mut report = Report::new(analysis.clone(), &facts, &sources, &settings, None);
    // The list of all rules grows; what a format makes of it is the same for these.
    report.known_rules = samples::RULES.to_vec();
    String::from_utf8(format.render(&report)).expect("UTF-8")
}

/// What `then` makes of a report on what was recorded.
pub(super) fn with_recorded<T>(
    processes: &[ProcessTrace],
    analysis: Analysis,
    config: &Config,
    then: impl FnOnce(&Report<'_>) -> T,
) -> T {
    let (facts, sources, settings) = (RunFacts::default(), sources(), Settings::default());
    let recorded = Recorded::new(processes, &sources, config);
    then(&Report { recorded, ..Report::new(analysis, &facts, &sources, &settings, None) })
}

/// The formats that are text.
fn texts() -> impl Iterator<Item = Format> {
    Format::value_variants().iter().copied().filter(|format| !format.is_binary())
}

/// A page without its style and its script, and without the hashes that they have in its policy.
fn without_code(text: &str) -> String {
    let mut text = text.to_owned();
    for (begin, end) in [("<style>", "</style>"), ("<script>", "</script>"), ("'sha256-", "'")] {
        let mut from = 0;
        while let Some(at) = text[from..].find(begin).map(|at| from + at + begin.len()) {
            let length = text[at..].find(end).expect("an end");
            text.replace_range(at..at + length, "…");
            from = at;
        }
    }
    text
}

#[test]
fn every_format_of_every_analysis() {
    // A timeline shows no findings; there are traces for it below.
    for format in texts().filter(|format| *format != Format::Chrome) {
        for (name, analysis) in samples::all() {
            let text = without_code(&anstream::adapter::strip_str(&render(format, &analysis, false)).to_string());
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(format!("{}@{name}", format.name()), text);
            });
        }
    }
}

#[test]
fn the_human_report_has_colours_and_shows_dependencies_with_all() {
    let (_, analysis) = samples::all().pop().expect("the last one");
    let text = render(Format::Human, &analysis, true);
    assert!(text.contains("\u{1b}["), "colours");
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.contains("error[leaked-task]") && !text.contains("in dependencies only"), "{text}");
}

#[test]
fn no_format_lets_a_control_character_through() {
    let (_, deadlock) = samples::all().swap_remove(1);
    for format in texts() {
        let text = anstream::adapter::strip_str(&render(format, &deadlock, true)).to_string();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{format:?}: {text:?}");
    }
}

#[test]
fn snippets_survive_every_position_in_and_around_a_file() {
    for file in ["src/bank.rs", "src/flusher.rs", "src/empty.rs", "src", "", "/", "a\u{1b}b"] {
        for line in 0..20 {
            for column in (0..90).chain([u32::MAX]) {
                let analysis = Analysis { findings: vec![samples::long(file, line, column)], ..Analysis::default() };
                assert!(render(Format::Human, &analysis, false).contains("long-critical-section"));
            }
        }
    }
}

#[test]
fn the_same_analysis_gives_the_same_bytes() {
    for format in texts() {
        for (_, analysis) in samples::all() {
            assert_eq!(render(format, &analysis, false), render(format, &analysis, false));
        }
    }
}

#[test]
fn every_format_that_shows_what_was_recorded_of_every_trace() {
    for (name, trace) in samples::traces() {
        let processes = [trace];
        let render = |format: Format| {
            with_recorded(&processes, Analysis::default(), &Config::default(), |report| match format {
                Format::Perfetto => perfetto::as_text(&format.render(report)),
                _ => String::from_utf8(format.render(report)).expect("UTF-8"),
            })
        };
        // One event a line: what the viewer reads, and still to be read here.
        let document: serde_json::Value = serde_json::from_str(&render(Format::Chrome)).expect("JSON");
        let events = document["traceEvents"].as_array().expect("events").iter().map(ToString::to_string);
        let chrome = events.collect::<Vec<_>>().join("\n");
        let html = without_code(&render(Format::Html));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("chrome@{name}"), chrome);
            insta::assert_snapshot!(format!("html@{name}"), html);
            insta::assert_snapshot!(format!("perfetto@{name}"), render(Format::Perfetto));
        });
    }
}

#[test]
fn places_are_links_where_the_terminal_takes_them() {
    let (facts, sources, settings) = (facts(), sources(), Settings::default());
    let analysis = Analysis { findings: vec![samples::cycle()], ..Analysis::default() };
    let report = Report { has_links: true, ..Report::new(analysis, &facts, &sources, &settings, None) };
    for format in [Format::Human, Format::Short] {
        let text = String::from_utf8(format.render(&report)).expect("UTF-8");
        let start = text.find("\u{1b}]8;;file:///").expect("a link");
        let link = "/testdata/src/bank.rs\u{1b}\\src/bank.rs:6:";
        assert!(text[start..].contains(link), "{format:?}: {text:?}");
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(!plain.contains("file://") && plain.contains("src/bank.rs:6:"), "{plain}");
    }
}
