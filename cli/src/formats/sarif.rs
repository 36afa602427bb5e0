//! SARIF 2.1.0, the small part of it that findings need: one thread flow a thread.

use std::fmt::{self, Write};

use conccheck_analyzer::finding::{Confidence, Finding, Party, Severity};
use conccheck_analyzer::{RuleMeta, Step};
use conccheck_trace::SiteDef;
use serde::Serialize;

use super::Render;
use crate::exceptions::Suppressed;
use crate::report::{Report, first_look};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) struct Sarif;

impl Render for Sarif {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        super::write_json(&log(report), out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    rank: f64,
    message: Text,
    locations: Vec<Location>,
    code_flows: Vec<CodeFlow>,
    partial_fingerprints: Fingerprints,
    occurrence_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Justification>,
    properties: ResultProperties,
}

/// Why a result does not count.
#[derive(Serialize)]
struct Justification {
    kind: &'static str,
    justification: String,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "conccheck/v1")]
    value: String,
}

#[derive(Serialize)]
struct ResultProperties {
    severity: &'static str,
    confidence: &'static str,
    tests: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: Vec<ThreadFlow>,
}

#[derive(Serialize)]
struct ThreadFlow {
    id: String,
    locations: Vec<ThreadFlowLocation>,
}

#[derive(Serialize)]
struct ThreadFlowLocation {
    importance: &'static str,
    location: Location,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
}

fn log(report: &Report<'_>) -> Log {
    let rules = report.rules();
    let counting = report.findings.iter().map(|finding| result(finding, &rules, report));
    let suppressed = report.suppressed.iter().map(|Suppressed { finding, reason }| SarifResult {
        suppressions: vec![Justification { kind: "external", justification: reason.clone() }],
        ..result(finding, &rules, report)
    });
    let notifications =
        report.warnings.iter().map(|warning| Notification { level: "warning", message: Text { text: warning.clone() } });
    let driver = Driver {
        name: "conccheck",
        version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: rules.iter().map(|meta| rule(meta)).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation { execution_successful: true, tool_execution_notifications: notifications.collect() }],
        results: counting.chain(suppressed).collect(),
    };
    Log { schema: SCHEMA, version: "2.1.0", runs: [run] }
}

fn rule(meta: &RuleMeta) -> Rule {
    Rule {
        id: meta.name,
        short_description: Text { text: meta.summary.to_owned() },
        help: Help { text: meta.page, markdown: meta.page },
        default_configuration: Configuration { level: level(meta.severity) },
        properties: RuleProperties { tags: ["concurrency"] },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// From 0 to 100, by severity and then by confidence.
fn rank(finding: &Finding) -> f64 {
    let severity = match finding.severity {
        Severity::Critical => 80.0,
        Severity::High => 60.0,
        Severity::Medium => 40.0,
        Severity::Low => 20.0,
    };
    let confidence = match finding.confidence {
        Confidence::Manifest => 15.0,
        Confidence::Proven => 10.0,
        Confidence::Possible => 5.0,
        Confidence::Advice => 0.0,
    };
    severity + confidence
}

fn result(finding: &Finding, rules: &[&RuleMeta], report: &Report<'_>) -> SarifResult {
    let place = first_look(finding).map(|(_, _, site)| physical(site, report));
    let flows: Vec<ThreadFlow> = finding.parties.iter().filter_map(|party| thread_flow(party, report)).collect();
    SarifResult {
        rule_id: finding.rule.name,
        rule_index: rules.iter().position(|rule| rule.name == finding.rule.name).unwrap_or(0),
        level: level(finding.severity),
        rank: rank(finding),
        message: Text { text: super::prose(finding) },
        locations: place.into_iter().map(|place| Location { physical_location: Some(place), message: None }).collect(),
        code_flows: if flows.is_empty() { Vec::new() } else { vec![CodeFlow { thread_flows: flows }] },
        partial_fingerprints: Fingerprints { value: finding.fingerprint.clone() },
        occurrence_count: finding.occurrences,
        suppressions: Vec::new(),
        properties: ResultProperties {
            severity: finding.severity.word(),
            confidence: finding.confidence.word(),
            tests: finding.tests.clone(),
        },
    }
}

/// A flow must have a location, so a thread without steps has none.
fn thread_flow(party: &Party, report: &Report<'_>) -> Option<ThreadFlow> {
    let location = |step: &Step| ThreadFlowLocation {
        importance: if step.primary { "essential" } else { "important" },
        location: Location {
            physical_location: step.site.as_ref().map(|site| physical(site, report)),
            message: Some(Text { text: format!("{} {}", super::thread(&party.thread), step.text) }),
        },
    };
    let locations: Vec<_> = party.steps.iter().map(location).collect();
    (!locations.is_empty()).then(|| ThreadFlow { id: party.thread.clone(), locations })
}

fn physical(site: &SiteDef, report: &Report<'_>) -> PhysicalLocation {
    let path = report.sources.repository_path(&site.file);
    let region = Region { start_line: site.line, start_column: Some(site.column).filter(|&column| column > 0) };
    PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(&path) }, region: (site.line > 0).then_some(region) }
}

/// A relative path stays a relative reference, an absolute one becomes a file URI.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}
