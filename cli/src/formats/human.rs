//! For people: snippets, the scenario, what speaks for it, what to do; then a summary.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use conccheck_analyzer::finding::{Finding, Party, Severity, Step};

use super::snippets::{self, Label, Section, Tone};
use super::{Render, links, scenario, summary};
use crate::report::{Report, first_look};
use crate::words;

pub(super) struct Human;

impl Render for Human {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        for finding in &report.findings {
            let sections = match finding.severity {
                _ if report.in_full => full(finding, usize::MAX),
                Severity::Critical | Severity::High => full(finding, MAX_PARTIES),
                Severity::Medium | Severity::Low => brief(finding),
            };
            let text = snippets::render(&sections, report.sources);
            let sites: Vec<_> = sections.iter().flat_map(|section| &section.labels).filter_map(|label| label.site).collect();
            writeln!(out, "{}", links::link_origins(&text, &sites, report))?;
        }
        write_summary(report, out)
    }
}

/// More threads than this are only named: the first ones show what it is about.
const MAX_PARTIES: usize = 6;

/// Longer lines wrap on most terminals.
const MAX_LINE: usize = 80;

/// Everything: one section of snippets a thread, for so many threads.
fn full(finding: &Finding, max_parties: usize) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for party in finding.parties.iter().take(max_parties) {
        let title = if sections.is_empty() { finding.message.clone() } else { other_side(finding, party) };
        sections.push(section(finding, title, labels(party), sections.is_empty()));
    }
    if sections.is_empty() {
        sections.push(section(finding, finding.message.clone(), Vec::new(), true));
    }
    if let Some(last) = sections.last_mut() {
        let others: Vec<String> = finding.parties.iter().skip(max_parties).map(|party| super::thread(&party.thread)).collect();
        if !others.is_empty() {
            last.notes.push(("as well", words::list(&others, MAX_PARTIES)));
        }
        let lines = scenario::lines(finding);
        if !lines.is_empty() {
            last.notes.push(("scenario", lines.join("\n")));
        }
        last.notes.push(("evidence", evidence(finding)));
        if !finding.tests.is_empty() {
            last.notes.push(("tests", words::list(&quoted(&finding.tests), 4)));
        }
    }
    let explain = format!("conccheck explain {}    (fingerprint {})", finding.rule.name, finding.fingerprint);
    sections.push(help(finding, vec![("explain", explain), ("suppress", suppress(finding))]));
    sections
}

/// Where to look first, why, and what to do.
fn brief(finding: &Finding) -> Vec<Section<'_>> {
    let label = first_look(finding).map(|(thread, step, site)| Label {
        site: Some(site),
        text: format!("{} {}", super::thread(thread), step.text),
        primary: true,
    });
    let mut first = section(finding, finding.message.clone(), label.into_iter().collect(), true);
    first.notes.push(("evidence", evidence(finding)));
    vec![first, help(finding, vec![("suppress", suppress(finding))])]
}

/// The command that makes it not count any more.
fn suppress(finding: &Finding) -> String {
    format!("conccheck suppress {} --reason \"…\"", finding.fingerprint)
}

fn section<'a>(finding: &'a Finding, title: String, labels: Vec<Label<'a>>, is_first: bool) -> Section<'a> {
    let tone = match finding.severity {
        _ if !is_first => Tone::Note,
        Severity::Critical | Severity::High => Tone::Error,
        Severity::Medium | Severity::Low => Tone::Warning,
    };
    Section { tone, id: is_first.then_some(finding.rule.name), title, labels, notes: Vec::new() }
}

fn help<'a>(finding: &'a Finding, notes: Vec<(&'static str, String)>) -> Section<'a> {
    Section { tone: Tone::Help, id: None, title: finding.help.clone(), labels: Vec::new(), notes }
}

fn other_side(finding: &Finding, party: &Party) -> String {
    let side = if finding.parties.len() == 2 { "the other side" } else { "another side" };
    format!("{side}: {}", super::thread(&party.thread))
}

/// The thread is named once and further steps continue the sentence, unless they are not shown in this order: then each names it.
fn labels(party: &Party) -> Vec<Label<'_>> {
    let is_sentence = party.steps.is_sorted_by_key(|step| shown(party, step));
    let text = |index: usize, text: &str| {
        if index == 0 || !is_sentence { format!("{} {text}", super::thread(&party.thread)) } else { format!("and {text}") }
    };
    let steps = party.steps.iter().enumerate();
    steps.map(|(index, step)| Label { site: step.site.as_ref(), text: text(index, &step.text), primary: step.primary }).collect()
}

/// By what snippets put the steps in order: the file to look at first, then the others as they come, each by lines.
fn shown(party: &Party, step: &Step) -> (bool, usize, u32) {
    let Some(site) = &step.site else { return (true, usize::MAX, 0) };
    let is_there = |other: &&Step| other.site.as_ref().is_some_and(|other| other.file == site.file);
    let is_first = party.steps.iter().filter(is_there).any(|other| other.primary);
    let file = party.steps.iter().position(|other| is_there(&other)).unwrap_or(usize::MAX);
    (!is_first, file, site.line)
}

/// How sure it is, and why: in one line if that is not too long, else in a line each.
fn evidence(finding: &Finding) -> String {
    let word = finding.confidence.word();
    let length: usize = finding.evidence.iter().map(|fact| fact.chars().count()).sum();
    match finding.evidence.join(if length > MAX_LINE { ";\n" } else { "; " }) {
        facts if facts.is_empty() => word.to_owned(),
        facts => format!("{word}: {facts}"),
    }
}

fn quoted(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

fn write_summary(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let bold = Style::new().bold();
    let is_bad = report.is_empty() || report.findings.iter().any(|finding| finding.severity >= Severity::High);
    let color = if is_bad {
        AnsiColor::Red
    } else if report.findings.is_empty() {
        AnsiColor::Green
    } else {
        AnsiColor::Yellow
    };
    let head = bold.fg_color(Some(color.into()));
    for (index, line) in summary::lines(report).iter().enumerate() {
        let name = if index == 0 { "Summary" } else { "" };
        writeln!(out, "{head}{name:>8}{head:#} {line}")?;
    }
    let facts = report.facts;
    let again = [("Trace", facts.kept_traces.as_ref().map(|path| path.display().to_string())), ("Repeat", facts.command.clone())];
    for (name, text) in again {
        if let Some(text) = text {
            writeln!(out, "{bold}{name:>8}{bold:#} {}", crate::terminal::one_line(&text))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use conccheck_trace::SiteDef;

    use super::*;

    #[test]
    fn labels_make_a_sentence_only_where_they_are_shown_in_its_order() {
        let texts = |places: [(&str, u32); 2]| {
            let step = |at: usize, text: &str| {
                let site = Some(SiteDef { file: places[at].0.into(), line: places[at].1, column: 1 });
                Step { site, text: text.into(), primary: at == 1, is_call: false }
            };
            let party =
                Party { thread: "main".into(), steps: vec![step(0, "holds `a` from here"), step(1, "waits for `b` here")] };
            labels(&party).into_iter().map(|label| label.text).collect::<Vec<_>>()
        };
        let sentence = ["thread `main` holds `a` from here", "and waits for `b` here"];
        let apart = ["thread `main` holds `a` from here", "thread `main` waits for `b` here"];
        assert_eq!(texts([("a.rs", 3), ("a.rs", 7)]), sentence);
        assert_eq!(texts([("a.rs", 7), ("a.rs", 3)]), apart);
        assert_eq!(texts([("a.rs", 3), ("b.rs", 7)]), apart, "the file to look at first is shown first");
    }
}
