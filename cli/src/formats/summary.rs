//! What was found and what was looked at, in a few lines.

use crate::report::Report;
use crate::words;

/// The lines, the one with the findings first.
pub(super) fn lines(report: &Report<'_>) -> Vec<String> {
    let mut lines = vec![findings(report)];
    lines.extend(tests(report));
    lines.push(looked_at(report));
    lines.extend(missing(report));
    lines.extend(prediction(report).into_iter().flatten());
    lines.extend(coverage(report));
    lines
}

fn findings(report: &Report<'_>) -> String {
    let mut text = super::counts(report);
    if report.in_dependencies > 0 {
        text += &format!("; {} in dependencies only, not judged (--all does)", report.in_dependencies);
    }
    text
}

fn tests(report: &Report<'_>) -> Option<String> {
    let tests = report.facts.tests?;
    let passed = tests.passed.map(|passed| format!("{} passed", words::count(passed, "test")));
    let failed = match tests.failed {
        Some(failed) if failed > 0 => Some(format!("{} FAILED", words::count(failed, "test"))),
        _ if tests.command_failed => Some("the tests FAILED".to_owned()),
        _ => None,
    };
    let parts: Vec<String> = passed.into_iter().chain(failed).collect();
    Some(if parts.is_empty() { "all tests passed".to_owned() } else { parts.join(", ") })
}

fn looked_at(report: &Report<'_>) -> String {
    let stats = &report.stats;
    let count = |number: usize, noun| words::count(number as u64, noun);
    let mut text = format!("{} of {}", words::count(stats.events, "event"), count(stats.threads, "thread"));
    if stats.tests > 0 {
        text += &format!(" in {}", count(stats.tests, "test"));
    }
    if stats.processes > 1 {
        let and = if stats.tests > 0 { "and" } else { "in" };
        text += &format!(" {and} {} processes", stats.processes);
    }
    text += &format!("; {} at {}", count(stats.locks, "lock"), count(stats.lock_sites, "site"));
    if stats.channels > 0 {
        text += &format!(", {}", count(stats.channels, "channel"));
    }
    text
}

fn missing(report: &Report<'_>) -> Option<String> {
    let stats = &report.stats;
    let summarised =
        (stats.summarised > 0).then(|| format!("{} counted, not recorded", words::count(stats.summarised, "acquisition")));
    let lost = (stats.lost > 0).then(|| format!("{} LOST", words::count(stats.lost, "event")));
    let parts: Vec<String> = summarised.into_iter().chain(lost).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// For traces in the STD format: the figures by which tools are compared on them.
fn prediction(report: &Report<'_>) -> Option<[String; 2]> {
    let counts = report.prediction?;
    let count = |number: usize, noun| words::count(number as u64, noun);
    let patterns = format!(
        "{}, {}; {}, {}",
        count(counts.acquisitions, "acquisition"),
        count(counts.abstract_acquisitions, "abstract acquisition"),
        count(counts.abstract_patterns, "abstract pattern"),
        words::count(counts.concrete_patterns, "concrete pattern"),
    );
    let deadlocks = format!(
        "{} at {}, {} by reversal; {} in all",
        count(counts.sync_preserving, "sync-preserving deadlock"),
        count(counts.sync_preserving_locations, "location tuple"),
        counts.by_reversal,
        count(counts.locations, "location tuple"),
    );
    Some([patterns, deadlocks])
}

fn coverage(report: &Report<'_>) -> Option<String> {
    let coverage = report.facts.coverage.as_ref()?;
    let mut text = format!("{} instrumented", words::count(coverage.instrumented.len() as u64, "crate"));
    if !coverage.not_instrumented.is_empty() {
        text += &format!("; not instrumented: {}", coverage.gaps());
    }
    Some(text)
}
