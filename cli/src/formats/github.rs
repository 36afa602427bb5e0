//! GitHub's workflow commands: annotations beside the code of a pull request.

use std::fmt::{self, Write};

use conccheck_analyzer::finding::{Finding, Severity};

use super::Render;
use crate::report::{Report, first_look};

/// GitHub shows so many annotations a level and step, and drops the others silently.
const MAX_OF_LEVEL: usize = 10;

pub(super) struct GitHub;

impl Render for GitHub {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        for level in ["error", "warning", "notice"] {
            // Findings come ranked, so the first ones are those that matter.
            let findings: Vec<&Finding> = report.findings.iter().filter(|finding| level_of(finding.severity) == level).collect();
            for finding in findings.iter().take(MAX_OF_LEVEL) {
                annotate(level, finding, report, out)?;
            }
            if findings.len() > MAX_OF_LEVEL {
                writeln!(out, "{} more of level {level} are not shown as annotations", findings.len() - MAX_OF_LEVEL)?;
            }
        }
        writeln!(out, "{}", super::counts(report))
    }
}

fn level_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "notice",
    }
}

fn annotate(level: &str, finding: &Finding, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "::{level} ")?;
    if let Some((_, _, site)) = first_look(finding) {
        write!(out, "file={},", property(&report.sources.repository_path(&site.file)))?;
        if site.line > 0 {
            write!(out, "line={},", site.line)?;
        }
        if site.line > 0 && site.column > 0 {
            write!(out, "col={},", site.column)?;
        }
    }
    write!(out, "title={}::", property(&format!("conccheck: {}", finding.rule.name)))?;
    writeln!(out, "{}", data(&super::prose(finding)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
