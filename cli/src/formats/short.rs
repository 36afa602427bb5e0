//! One line a finding, in the form that editors and terminals make clickable.

use std::fmt::{self, Write};

use super::Render;
use super::links::linked_place;
use crate::report::{Report, first_look};

pub(super) struct Short;

impl Render for Short {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        for finding in &report.findings {
            if let Some((_, _, site)) = first_look(finding) {
                write!(out, "{}: ", linked_place(site, report))?;
            }
            let (severity, confidence) = (finding.severity.word(), finding.confidence.word());
            writeln!(out, "{severity}[{}]: {} ({confidence})", finding.rule.name, finding.message)?;
        }
        writeln!(out, "{}", super::counts(report))
    }
}
