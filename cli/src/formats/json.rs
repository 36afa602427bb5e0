//! Everything, for programs. The structs are the published form: fields are added, never renamed.

use std::fmt::{self, Write};

use conccheck_analyzer::PredictionCounts;
use conccheck_analyzer::finding::{Finding, Severity};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

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

#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    /// Goes up when a field is removed or changes its meaning; fields may be added at any time.
    schema_version: u32,
    tool: Tool,
    /// Most severe first, then surest, then by fingerprint.
    findings: Vec<JsonFinding<'a>>,
    /// Findings that the configuration makes not count.
    suppressed: Vec<JsonSuppressed<'a>>,
    summary: Summary,
    /// Figures by which tools are compared; left out where there was no trace in the STD format.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<Prediction>,
    /// What may be wrong or incomplete.
    warnings: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct JsonFinding<'a> {
    /// Name of the rule; `conccheck explain` prints its page.
    rule: &'static str,
    /// `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// `advice`, `possible`, `proven` or `manifest`.
    confidence: &'static str,
    message: &'a str,
    /// Names the finding across runs: 16 hexadecimal digits.
    fingerprint: &'a str,
    /// Names of the locks, channels and other objects concerned.
    objects: &'a [String],
    /// The threads concerned.
    parties: Vec<JsonParty<'a>>,
    /// The interleaving that goes wrong, in order.
    scenario: Vec<JsonScenarioStep<'a>>,
    /// What speaks for it.
    evidence: &'a [String],
    /// What to write instead.
    help: &'a str,
    /// The tests it was seen in.
    tests: &'a [String],
    /// How often it was seen.
    occurrences: u64,
}

#[derive(Serialize, JsonSchema)]
struct JsonSuppressed<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: JsonFinding<'a>,
}

#[derive(Serialize, JsonSchema)]
struct JsonParty<'a> {
    thread: &'a str,
    steps: Vec<JsonStep<'a>>,
}

/// What a thread did at a place; `file`, `line` and `column`, from 1, are null where they are not known.
#[derive(Serialize, JsonSchema)]
struct JsonStep<'a> {
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    text: &'a str,
    /// Whether this is the step to look at first.
    primary: bool,
}

#[derive(Serialize, JsonSchema)]
struct JsonScenarioStep<'a> {
    /// Index into the finding's parties.
    party: usize,
    thread: Option<&'a str>,
    text: &'a str,
    /// Whether the thread blocks here for good.
    blocks: bool,
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
struct Tests {
    passed: Option<u64>,
    failed: Option<u64>,
    command_failed: bool,
}

#[derive(Serialize, JsonSchema)]
struct Coverage {
    instrumented: Vec<String>,
    not_instrumented: Vec<Gap>,
}

#[derive(Serialize, JsonSchema)]
struct Gap {
    name: String,
    users: u64,
}

/// The JSON schema of the report.
pub(crate) fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document<'_>);
    schema.insert("title".to_owned(), "Report of conccheck".into());
    schema.insert(
        "description".to_owned(),
        format!("Written by `conccheck report --format json`, version {SCHEMA_VERSION}").into(),
    );
    schema.to_value()
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
