//! The findings: each with its lines, its scenario and its cycle drawn.

use std::fmt::{self, Display, Write};

use conccheck_analyzer::finding::{Finding, Party, Step};

use super::Escaped;
use crate::formats::{drawing, expression, graph, place, thread};
use crate::lock_graph::LockGraph;
use crate::report::Report;

/// Findings that are shown; a page with more could not be read.
const MAX_FINDINGS: usize = 300;

/// All findings, and the pages of their rules.
pub(super) fn write(report: &Report<'_>, graph: &LockGraph, out: &mut dyn Write) -> fmt::Result {
    if report.findings.is_empty() {
        let text = if report.is_empty() { "Nothing was recorded." } else { "Nothing was found." };
        return writeln!(out, "<p>{text}</p>");
    }
    contents(report, out)?;
    for finding in report.findings.iter().take(MAX_FINDINGS) {
        article(finding, report, graph, out)?;
    }
    if report.findings.len() > MAX_FINDINGS {
        writeln!(out, "<p>{} more are in the other formats.</p>", report.findings.len() - MAX_FINDINGS)?;
    }
    for rule in report.rules() {
        let (name, page) = (rule.name, Escaped(rule.page));
        writeln!(out, "<details id=\"rule-{name}\"><summary>About {name}</summary><pre>{page}</pre></details>")?;
    }
    Ok(())
}

fn contents(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    if report.findings.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<nav class=\"contents\" aria-label=\"Findings\">\n<ol>")?;
    for finding in report.findings.iter().take(MAX_FINDINGS) {
        let (severity, rule) = (finding.severity.word(), finding.rule.name);
        let link =
            format_args!("<a href=\"#{}\">{rule}: {}</a>", Escaped(&finding.fingerprint), Sentence(&finding.message)).to_string();
        writeln!(out, "<li class=\"{severity}\"><span class=\"tag severity\">{severity}</span>{link}</li>")?;
    }
    writeln!(out, "</ol>\n</nav>")
}

fn article(finding: &Finding, report: &Report<'_>, lock_graph: &LockGraph, out: &mut dyn Write) -> fmt::Result {
    let (severity, confidence) = (finding.severity.word(), finding.confidence.word());
    let fingerprint = Escaped(&finding.fingerprint);
    writeln!(out, "<article id=\"{fingerprint}\" class=\"{severity}\" tabindex=\"-1\">")?;
    writeln!(out, "<h3>{}</h3>", Sentence(&finding.message))?;
    write!(out, "<p><span class=\"tag severity\">{severity}</span><span class=\"tag\">{confidence}</span>")?;
    let rule = finding.rule.name;
    writeln!(out, "<a class=\"tag\" href=\"#rule-{rule}\">{rule}</a></p>")?;
    write!(out, "<p class=\"links\"><a href=\"#{fingerprint}\">Link to this finding</a>")?;
    if lock_graph.edges.iter().any(|edge| edge.findings.contains(&finding.fingerprint)) {
        write!(out, " <a href=\"#graph={fingerprint}\">Show the cycle in the lock graph</a>")?;
    }
    writeln!(out, " <a class=\"scripted\" href=\"#timeline={fingerprint}\">Show in the timeline</a></p>")?;
    for party in &finding.parties {
        writeln!(out, "<h4>{}</h4>", Sentence(&thread(&party.thread)))?;
        for step in &party.steps {
            write_step(step, report, out)?;
        }
    }
    scenario(finding, out)?;
    drawing::svg(&finding.fingerprint, &graph::edges(finding), out)?;
    if !finding.evidence.is_empty() {
        writeln!(out, "<p><strong>Evidence:</strong> {}</p>", Sentence(&finding.evidence.join("; ")))?;
    }
    if !finding.tests.is_empty() {
        let tests: Vec<String> = finding.tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(out, "<p><strong>Seen in</strong> {}</p>", Sentence(&tests.join(", ")))?;
    }
    writeln!(out, "<p><strong>Help:</strong> {}</p>", Sentence(&finding.help))?;
    writeln!(out, "<details><summary>Suppress</summary><p>If this is no defect, say so in <code>conccheck.toml</code>:</p>")?;
    let block = format!("[[suppress]]\nfingerprint = \"{}\"\nreason = \"…\"", finding.fingerprint);
    writeln!(out, "<pre>{}</pre></details>\n</article>", Escaped(&block))
}

fn write_step(step: &Step, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let Some(site) = &step.site else { return writeln!(out, "<p>{}</p>", Sentence(&step.text)) };
    writeln!(out, "<p>{} <code class=\"place\">{}</code></p>", Sentence(&step.text), Escaped(&place(site)))?;
    let file = report.sources.file(&site.file);
    let Some(line) = file.as_ref().and_then(|file| file.line(site.line)) else { return Ok(()) };
    let span = expression::around(line, site.column).unwrap_or(0..line.len());
    let class = if step.primary { " class=\"primary\"" } else { "" };
    let number = site.line;
    let (before, marked, after) = (Escaped(&line[..span.start]), Escaped(&line[span.clone()]), Escaped(&line[span.end..]));
    writeln!(out, "<pre{class}><span class=\"number\">{number} | </span>{before}<mark>{marked}</mark>{after}</pre>")
}

fn scenario(finding: &Finding, out: &mut dyn Write) -> fmt::Result {
    if finding.scenario.is_empty() {
        return Ok(());
    }
    let heads = |party: &Party| format!("<th>{}</th>", Escaped(&party.thread));
    writeln!(out, "<h4>How it happens</h4>\n<table>")?;
    writeln!(out, "<tr>{}</tr>", finding.parties.iter().map(heads).collect::<String>())?;
    for step in &finding.scenario {
        write!(out, "<tr>{}", "<td></td>".repeat(step.party))?;
        let (class, dots) = if step.blocks { (" blocks", " …") } else { ("", "") };
        writeln!(out, "<td class=\"step{class}\">{}{dots}</td></tr>", Escaped(&step.text))?;
    }
    writeln!(out, "</table>")
}

/// A sentence with names in backquotes, as HTML.
pub(super) struct Sentence<'a>(pub(super) &'a str);

impl Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        for (index, part) in parts.iter().enumerate() {
            // A backquote without its pair is only a backquote.
            let is_closed = index + 1 < parts.len();
            match (index % 2, is_closed) {
                (1, true) => write!(f, "<code>{}</code>", Escaped(part))?,
                (1, false) => write!(f, "`{}", Escaped(part))?,
                _ => write!(f, "{}", Escaped(part))?,
            }
        }
        Ok(())
    }
}
