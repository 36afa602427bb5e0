//! GitLab's code quality report.

use std::fmt::{self, Write};

use conccheck_analyzer::finding::{Finding, Severity};
use serde::Serialize;

use super::Render;
use crate::report::{Report, first_look};

pub(super) struct GitLab;

impl Render for GitLab {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        let issues: Vec<Issue> = report.findings.iter().map(|finding| issue(finding, report)).collect();
        super::write_json(&issues, out)
    }
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

fn issue(finding: &Finding, report: &Report<'_>) -> Issue {
    // GitLab drops the whole report if one issue has no place.
    let (path, begin) = match first_look(finding) {
        Some((_, _, site)) => (report.sources.repository_path(&site.file), site.line.max(1)),
        None => ("Cargo.toml".to_owned(), 1),
    };
    Issue {
        description: format!("{} ({})", finding.message, finding.confidence.word()),
        check_name: finding.rule.name,
        fingerprint: finding.fingerprint.clone(),
        severity: match finding.severity {
            Severity::Critical => "critical",
            Severity::High => "major",
            Severity::Medium => "minor",
            Severity::Low => "info",
        },
        location: Location { path, lines: Lines { begin } },
    }
}
