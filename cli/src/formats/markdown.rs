//! Markdown, for a job's summary or a merge request's comment: a table, then each finding with its scenario and its graph.

use std::fmt::{self, Write};

use conccheck_analyzer::finding::{Finding, Severity};

use super::{Render, graph, scenario, summary};
use crate::report::{Report, first_look};
use crate::words;

/// GitHub refuses summaries of more than 1 MiB.
const MAX_BYTES: usize = 1_000_000;

pub(super) struct Markdown;

impl Render for Markdown {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        // The first one is the head; the others say what was looked at, and what could not be.
        let lines = summary::lines(report);
        writeln!(out, "## conccheck: {}\n\n{}\n", escaped(&lines[0]), escaped(&lines[1..].join(" · ")))?;
        let mut written = 0;
        for (number, finding) in report.findings.iter().enumerate() {
            let mut section = String::new();
            write_finding(finding, report, &mut section)?;
            written += section.len();
            if written > MAX_BYTES {
                return writeln!(out, "…and {} more, left out here for their size.", report.findings.len() - number);
            }
            out.write_str(&section)?;
        }
        for warning in &report.warnings {
            writeln!(out, "> **Warning:** {}\n", escaped(warning))?;
        }
        Ok(())
    }
}

fn write_finding(finding: &Finding, report: &Report<'_>, out: &mut String) -> fmt::Result {
    let mark = if finding.severity >= Severity::High { "🔴" } else { "🟡" };
    writeln!(out, "### {mark} {}: {}\n", finding.rule.name, escaped(&finding.message))?;
    write!(out, "{} · {}", finding.severity.word(), finding.confidence.word())?;
    if let Some((_, _, site)) = first_look(finding) {
        write!(out, " · {}", code(&super::place(site)))?;
    }
    writeln!(out, "\n\n| thread | what | where |\n|---|---|---|")?;
    for party in &finding.parties {
        for step in &party.steps {
            let place = step.site.as_ref().map_or_else(String::new, |site| code(&super::place(site)));
            writeln!(out, "| {} | {} | {place} |", code(&party.thread), escaped(&step.text))?;
        }
    }
    let lines = scenario::lines(finding);
    if !lines.is_empty() {
        let fence = fence(&lines);
        writeln!(out, "\n{fence}text\n{}\n{fence}", lines.join("\n"))?;
    }
    mermaid(finding, out)?;
    if !finding.evidence.is_empty() {
        writeln!(out, "\nEvidence: {}", escaped(&finding.evidence.join("; ")))?;
    }
    if !finding.tests.is_empty() {
        let tests: Vec<String> = finding.tests.iter().map(|test| code(test)).collect();
        writeln!(out, "\nSeen in {}", words::list(&tests, 4))?;
    }
    writeln!(out, "\n**Help:** {}\n", escaped(&finding.help))?;
    if report.in_full {
        writeln!(out, "Fingerprint {}\n", code(&finding.fingerprint))?;
    }
    Ok(())
}

fn mermaid(finding: &Finding, out: &mut String) -> fmt::Result {
    let edges = graph::edges(finding);
    if edges.is_empty() {
        return Ok(());
    }
    let id = |object: &str| finding.objects.iter().position(|known| known == object).unwrap_or(0);
    writeln!(out, "\n```mermaid\ngraph LR")?;
    for edge in edges {
        let (held, wanted) = (mermaid_text(edge.held), mermaid_text(edge.wanted));
        let thread = mermaid_text(&edge.party.thread);
        writeln!(out, "    o{}[\"{held}\"] -->|\"{thread}\"| o{}[\"{wanted}\"]", id(edge.held), id(edge.wanted))?;
    }
    writeln!(out, "```")
}

/// Mermaid has no escapes but entities.
fn mermaid_text(text: &str) -> String {
    let special = |c: char| matches!(c, '"' | '#' | '<' | '>' | '&' | '`' | ';' | '|' | '[' | ']');
    text.chars().map(|c| if special(c) { format!("#{};", u32::from(c)) } else { c.to_string() }).collect()
}

/// A fence that no line can close.
fn fence(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

/// A code span, in a table or elsewhere.
fn code(text: &str) -> String {
    let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", text.replace('|', "\\|"))
}

/// A sentence: code spans stay, what would be HTML, a table's end or an image does not.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        in_code ^= c == '`';
        match c {
            '|' => escaped.push_str("\\|"),
            '<' if !in_code => escaped.push_str("&lt;"),
            '[' | '!' | '*' | '_' if !in_code => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}
