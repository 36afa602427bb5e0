//! One HTML file without scripts and without the network: every finding with its lines, its scenario and its cycle drawn.

use std::fmt::{self, Display, Write};

use conccheck_analyzer::finding::{Finding, Party, Step};

use super::{Render, drawing, expression, graph, summary};
use crate::report::Report;

const CSS: &str = include_str!("html.css");

pub(super) struct Html;

impl Render for Html {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        // Names and lines of the program are shown here: nothing in them may run or load anything.
        writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")?;
        writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\">")?;
        writeln!(out, "<title>conccheck: {}</title>\n<style>\n{CSS}</style>\n</head>\n<body>", super::counts(report))?;
        let class = if report.findings.is_empty() && !report.is_empty() { " class=\"clean\"" } else { "" };
        let lines = summary::lines(report);
        writeln!(out, "<header>\n<h1{class}>conccheck: {}</h1>", Text(&lines[0]))?;
        for line in lines[1..].iter().chain(&report.warnings) {
            writeln!(out, "<p>{}</p>", Text(line))?;
        }
        writeln!(out, "</header>")?;
        contents(report, out)?;
        writeln!(out, "<main>")?;
        for finding in &report.findings {
            article(finding, report, out)?;
        }
        writeln!(out, "</main>\n</body>\n</html>")
    }
}

fn contents(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    if report.findings.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<nav aria-label=\"Findings\">\n<ol>")?;
    for finding in &report.findings {
        let (severity, rule) = (finding.severity.word(), finding.rule.name);
        let link =
            format_args!("<a href=\"#{}\">{rule}: {}</a>", Text(&finding.fingerprint), Sentence(&finding.message)).to_string();
        writeln!(out, "<li class=\"{severity}\"><span class=\"tag severity\">{severity}</span>{link}</li>")?;
    }
    writeln!(out, "</ol>\n</nav>")
}

fn article(finding: &Finding, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let (severity, confidence) = (finding.severity.word(), finding.confidence.word());
    writeln!(out, "<article id=\"{}\" class=\"{severity}\">", Text(&finding.fingerprint))?;
    writeln!(out, "<h2>{}</h2>", Sentence(&finding.message))?;
    write!(out, "<p><span class=\"tag severity\">{severity}</span><span class=\"tag\">{confidence}</span>")?;
    writeln!(out, "<span class=\"tag\">{}</span></p>", finding.rule.name)?;
    for party in &finding.parties {
        writeln!(out, "<h3>{}</h3>", Sentence(&super::thread(&party.thread)))?;
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
    let (rule, page) = (finding.rule.name, Text(finding.rule.page));
    writeln!(out, "<details><summary>About {rule}</summary><pre>{page}</pre></details>\n</article>")
}

fn write_step(step: &Step, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let Some(site) = &step.site else { return writeln!(out, "<p>{}</p>", Sentence(&step.text)) };
    writeln!(out, "<p>{} <code class=\"place\">{}</code></p>", Sentence(&step.text), Text(&super::place(site)))?;
    let file = report.sources.file(&site.file);
    let Some(line) = file.as_ref().and_then(|file| file.line(site.line)) else { return Ok(()) };
    let span = expression::around(line, site.column).unwrap_or(0..line.len());
    let class = if step.primary { " class=\"primary\"" } else { "" };
    let number = site.line;
    let (before, marked, after) = (Text(&line[..span.start]), Text(&line[span.clone()]), Text(&line[span.end..]));
    writeln!(out, "<pre{class}><span class=\"number\">{number} | </span>{before}<mark>{marked}</mark>{after}</pre>")
}

fn scenario(finding: &Finding, out: &mut dyn Write) -> fmt::Result {
    if finding.scenario.is_empty() {
        return Ok(());
    }
    let heads = |party: &Party| format!("<th>{}</th>", Text(&party.thread));
    writeln!(out, "<h3>How it happens</h3>\n<table>")?;
    writeln!(out, "<tr>{}</tr>", finding.parties.iter().map(heads).collect::<String>())?;
    for step in &finding.scenario {
        write!(out, "<tr>{}", "<td></td>".repeat(step.party))?;
        let (class, dots) = if step.blocks { (" blocks", " …") } else { ("", "") };
        writeln!(out, "<td class=\"step{class}\">{}{dots}</td></tr>", Text(&step.text))?;
    }
    writeln!(out, "</table>")
}

/// Text, as HTML.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Source lines come as they are.
                c if c.is_control() && !matches!(c, '\n' | '\t') => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A sentence with names in backquotes, as HTML.
struct Sentence<'a>(&'a str);

impl Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        for (index, part) in parts.iter().enumerate() {
            // A backquote without its pair is only a backquote.
            let is_closed = index + 1 < parts.len();
            match (index % 2, is_closed) {
                (1, true) => write!(f, "<code>{}</code>", Text(part))?,
                (1, false) => write!(f, "`{}", Text(part))?,
                _ => write!(f, "{}", Text(part))?,
            }
        }
        Ok(())
    }
}
