//! The formats of a report, one file each.

#[cfg(test)]
mod consumers;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

mod chrome;
mod dot;
mod drawing;
mod escaped;
mod expression;
mod github;
mod gitlab;
mod graph;
mod html;
mod human;
mod json;
mod junit;
mod links;
mod markdown;
mod perfetto;
mod sarif;
mod scenario;
mod short;
mod snippets;
mod summary;

use std::fmt;

use clap::ValueEnum;
use conccheck_analyzer::finding::{Finding, Severity};
use conccheck_trace::SiteDef;
use serde::Serialize;

use crate::report::Report;

pub(crate) use dot::quoted as dot_quoted;
pub(crate) use escaped::Escaped;
pub(crate) use graph::edges as cycle_edges;
pub(crate) use json::schema as report_schema;

/// What a report looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people, with code snippets
    Human,
    /// One line a finding
    Short,
    /// Everything, for programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit, for test dashboards
    Junit,
    /// GitHub annotations
    Github,
    /// GitLab code quality
    Gitlab,
    /// Markdown, for job summaries
    Markdown,
    /// One page for a browser
    Html,
    /// The cycles as a Graphviz graph
    Dot,
    /// A timeline in Chrome's trace format
    Chrome,
    /// A timeline in Perfetto's own format, with counters; binary
    Perfetto,
}

/// Turns a report into text.
pub(crate) trait Render {
    /// Writes the whole report. Colours may be ANSI sequences: they are taken out where they are not wanted.
    ///
    /// # Errors
    /// Only those of `out`.
    fn render(&self, report: &Report<'_>, out: &mut dyn fmt::Write) -> fmt::Result;
}

impl Format {
    /// The names of all formats.
    pub fn names() -> Vec<String> {
        Format::value_variants().iter().map(|format| format.name()).collect()
    }

    /// The name, as on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The format that a file name asks for by its ending, where that is clear.
    pub fn of_file_name(name: &str) -> Option<Format> {
        let ending = name.rsplit_once('.')?.1;
        Some(match ending {
            "json" => Format::Json,
            "sarif" => Format::Sarif,
            "html" => Format::Html,
            "md" => Format::Markdown,
            "dot" | "gv" => Format::Dot,
            "pftrace" | "perfetto-trace" => Format::Perfetto,
            _ => return None,
        })
    }

    /// The file for it where none is named; `None`: it belongs on standard output.
    pub(crate) fn default_file(self) -> Option<&'static str> {
        Some(match self {
            Format::Human | Format::Short | Format::Github => return None,
            Format::Json => "report.json",
            Format::Sarif => "report.sarif",
            Format::Junit => "report.junit.xml",
            Format::Gitlab => "report.gitlab.json",
            Format::Markdown => "report.md",
            Format::Html => "report.html",
            Format::Dot => "report.dot",
            Format::Chrome => "report.trace.json",
            Format::Perfetto => "report.pftrace",
        })
    }

    /// Whether people read it on a terminal.
    pub(crate) fn is_for_terminals(self) -> bool {
        matches!(self, Format::Human | Format::Short)
    }

    /// Whether it is no text.
    pub(crate) fn is_binary(self) -> bool {
        self == Format::Perfetto
    }

    /// The whole report in this format. What is for terminals has colours as ANSI sequences.
    pub(crate) fn render(self, report: &Report<'_>) -> Vec<u8> {
        let renderer: &dyn Render = match self {
            Format::Human => &human::Human,
            Format::Short => &short::Short,
            Format::Json => &json::Json,
            Format::Sarif => &sarif::Sarif,
            Format::Junit => &junit::JUnit,
            Format::Github => &github::GitHub,
            Format::Gitlab => &gitlab::GitLab,
            Format::Markdown => &markdown::Markdown,
            Format::Html => &html::Html,
            Format::Dot => &dot::Dot,
            Format::Chrome => &chrome::Chrome,
            Format::Perfetto => return perfetto::render(report),
        };
        let mut text = String::new();
        renderer.render(report, &mut text).expect("a String takes every text");
        text.into_bytes()
    }
}

/// "1 critical, 0 high, 2 medium (0 suppressed, 3 in the baseline)"; the two lowest only where there are any. What does not count is
/// always counted, so that nothing is hidden in silence. An empty run must not read like a clean one.
pub(crate) fn counts(report: &Report<'_>) -> String {
    if report.is_empty() {
        return "nothing was recorded".to_owned();
    }
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let shown = severities.map(|severity| (severity, report.count(severity)));
    let shown = shown.iter().filter(|&&(severity, count)| severity >= Severity::High || count > 0);
    let counted = match report.findings[..] {
        [] => "no findings".to_owned(),
        _ => shown.map(|(severity, count)| format!("{count} {}", severity.word())).collect::<Vec<_>>().join(", "),
    };
    format!("{counted} ({} suppressed, {} in the baseline)", report.suppressed.len(), report.in_baseline)
}

/// "src/bank.rs:44:21", without what is not known.
pub(crate) fn place(site: &SiteDef) -> String {
    match (site.line, site.column) {
        (0, _) => site.file.clone(),
        (line, 0) => format!("{}:{line}", site.file),
        (line, column) => format!("{}:{line}:{column}", site.file),
    }
}

/// "thread `worker-1`", "thread 7" where it has no name.
fn thread(name: &str) -> String {
    let is_number = name.strip_prefix("thread ").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    if is_number { name.to_owned() } else { format!("thread `{name}`") }
}

/// All of a finding as plain text, for formats that have one field for it.
fn prose(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    for party in &finding.parties {
        for step in &party.steps {
            let at = step.site.as_ref().map_or_else(String::new, |site| format!(" ({})", place(site)));
            lines.push(format!("{} {}{at}", thread(&party.thread), step.text));
        }
    }
    let evidence = [finding.confidence.word().to_owned()].into_iter().chain(finding.evidence.iter().cloned());
    lines.push(format!("evidence: {}", evidence.collect::<Vec<_>>().join("; ")));
    lines.push(format!("help: {}", finding.help));
    lines.join("\n")
}

fn write_json(value: &impl Serialize, out: &mut dyn fmt::Write) -> fmt::Result {
    // Maps with keys that are no strings are what serde_json fails on; these structs have none.
    let text = serde_json::to_string_pretty(value).map_err(|_| fmt::Error)?;
    writeln!(out, "{text}")
}
