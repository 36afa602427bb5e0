//! Everything, for programs. The structs are the published form: fields are added, never renamed.

use std::fmt::{self, Write};

use conccheck_analyzer::PredictionCounts;
use conccheck_analyzer::finding::{Finding, Severity};
use serde::Serialize;

use super::Render;
use crate::exceptions::Suppressed;
use crate::report::Report;

/// Goes up when a field is removed or changes its meaning.
const SCHEMA_VERSION: u32 = 1;

pub(super) struct Json;

impl Render for Json {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        super::write_json(&document(report), out)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    findings: Vec<JsonFinding<'a>>,
    /// Findings that the configuration makes not count.
    suppressed: Vec<JsonSuppressed<'a>>,
    summary: Summary,
    /// Left out where there was no trace in the STD format.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<Prediction>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'static str,
    severity: &'static str,
    confidence: &'static str,
    message: &'a str,
    fingerprint: &'a str,
    objects: &'a [String],
    parties: Vec<JsonParty<'a>>,
    scenario: Vec<JsonScenarioStep<'a>>,
    evidence: &'a [String],
    help: &'a str,
    tests: &'a [String],
    occurrences: u64,
}

#[derive(Serialize)]
struct JsonSuppressed<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: JsonFinding<'a>,
}

#[derive(Serialize)]
struct JsonParty<'a> {
    thread: &'a str,
    steps: Vec<JsonStep<'a>>,
}

/// `file`, `line` and `column` are null where they are not known.
#[derive(Serialize)]
struct JsonStep<'a> {
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    text: &'a str,
    primary: bool,
}

#[derive(Serialize)]
struct JsonScenarioStep<'a> {
    /// Index into the finding's parties.
    party: usize,
    thread: Option<&'a str>,
    text: &'a str,
    blocks: bool,
}

#[derive(Serialize)]
struct Summary {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    suppressed: usize,
    in_baseline: usize,
    in_dependencies: usize,
    processes: usize,
    threads: usize,
    events: u64,
    locks: usize,
    lock_sites: usize,
    channels: usize,
    summarised: u64,
    lost: u64,
    tests: Option<Tests>,
    coverage: Option<Coverage>,
}

#[derive(Serialize)]
struct Prediction {
    events: u64,
    threads: usize,
    locks: usize,
    acquisitions: usize,
    abstract_acquisitions: usize,
    abstract_patterns: usize,
    concrete_patterns: u64,
    sync_preserving: usize,
    sync_preserving_locations: usize,
    by_reversal: usize,
    locations: usize,
}

#[derive(Serialize)]
struct Tests {
    passed: Option<u64>,
    failed: Option<u64>,
    command_failed: bool,
}

#[derive(Serialize)]
struct Coverage {
    instrumented: Vec<String>,
    not_instrumented: Vec<Gap>,
}

#[derive(Serialize)]
struct Gap {
    name: String,
    users: u64,
}

fn document<'a>(report: &'a Report<'_>) -> Document<'a> {
    Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "conccheck", version: env!("CARGO_PKG_VERSION") },
        findings: report.findings.iter().map(finding).collect(),
        suppressed: report.suppressed.iter().map(suppressed).collect(),
        summary: summary(report),
        prediction: report.prediction.as_ref().map(prediction),
        warnings: &report.warnings,
    }
}

fn finding(finding: &Finding) -> JsonFinding<'_> {
    let parties = finding.parties.iter().map(|party| {
        let steps = party.steps.iter().map(|step| JsonStep {
            file: step.site.as_ref().map(|site| site.file.as_str()),
            line: step.site.as_ref().map(|site| site.line).filter(|&line| line > 0),
            column: step.site.as_ref().map(|site| site.column).filter(|&column| column > 0),
            text: &step.text,
            primary: step.primary,
        });
        JsonParty { thread: &party.thread, steps: steps.collect() }
    });
    let scenario = finding.scenario.iter().map(|step| JsonScenarioStep {
        party: step.party,
        thread: finding.parties.get(step.party).map(|party| party.thread.as_str()),
        text: &step.text,
        blocks: step.blocks,
    });
    JsonFinding {
        rule: finding.rule.name,
        severity: finding.severity.word(),
        confidence: finding.confidence.word(),
        message: &finding.message,
        fingerprint: &finding.fingerprint,
        objects: &finding.objects,
        parties: parties.collect(),
        scenario: scenario.collect(),
        evidence: &finding.evidence,
        help: &finding.help,
        tests: &finding.tests,
        occurrences: finding.occurrences,
    }
}

fn prediction(counts: &PredictionCounts) -> Prediction {
    Prediction {
        events: counts.events,
        threads: counts.threads,
        locks: counts.locks,
        acquisitions: counts.acquisitions,
        abstract_acquisitions: counts.abstract_acquisitions,
        abstract_patterns: counts.abstract_patterns,
        concrete_patterns: counts.concrete_patterns,
        sync_preserving: counts.sync_preserving,
        sync_preserving_locations: counts.sync_preserving_locations,
        by_reversal: counts.by_reversal,
        locations: counts.locations,
    }
}

fn suppressed(suppressed: &Suppressed) -> JsonSuppressed<'_> {
    JsonSuppressed { reason: &suppressed.reason, finding: finding(&suppressed.finding) }
}

fn summary(report: &Report<'_>) -> Summary {
    let stats = &report.stats;
    let tests = report.facts.tests.map(|tests| Tests {
        passed: tests.passed,
        failed: tests.failed,
        command_failed: tests.command_failed,
    });
    let coverage = report.facts.coverage.as_ref().map(|coverage| Coverage {
        instrumented: coverage.instrumented.clone(),
        not_instrumented: coverage.not_instrumented.iter().map(|gap| Gap { name: gap.name.clone(), users: gap.users }).collect(),
    });
    Summary {
        critical: report.count(Severity::Critical),
        high: report.count(Severity::High),
        medium: report.count(Severity::Medium),
        low: report.count(Severity::Low),
        suppressed: report.suppressed.len(),
        in_baseline: report.in_baseline,
        in_dependencies: report.in_dependencies,
        processes: stats.processes,
        threads: stats.threads,
        events: stats.events,
        locks: stats.locks,
        lock_sites: stats.lock_sites,
        channels: stats.channels,
        summarised: stats.summarised,
        lost: stats.lost,
        tests,
        coverage,
    }
}
