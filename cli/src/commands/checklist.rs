//! `conccheck checklist`: the practices behind the rules, each passed, failed or not exercised by a run.

use std::path::PathBuf;

use clap::ValueEnum;
use conccheck_analyzer::checklist::{Entry, Verdict, checklist};
use serde::Serialize;

use crate::options::{ConfigOptions, FailOn};
use crate::report::Report;
use crate::table::{self, Align};
use crate::{ExitCode, Failure, ReportOptions, RunFacts, output, reporting, words};

/// Show which practices a run keeps to: PASS, FAIL or NOT EXERCISED, with the evidence
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run; several are joined
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the checklist
    #[arg(long, value_enum, default_value = "human")]
    format: Form,

    /// Lowest severity of a finding that makes the command fail (default: high)
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<FailOn>,

    /// Judge findings that lie in dependencies only as well
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    config: ConfigOptions,
}

/// What the checklist looks like.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// A table
    Human,
    /// An array of objects
    Json,
    /// A Markdown table
    Markdown,
}

/// A practice. The names are those of the JSON form.
#[derive(Serialize)]
struct Row {
    practice: &'static str,
    severity: &'static str,
    verdict: &'static str,
    passes_when: &'static str,
    /// How often it was exercised.
    exercised: u64,
    /// The same in words.
    evidence: String,
    rules: Vec<RuleRow>,
}

#[derive(Serialize)]
struct RuleRow {
    rule: &'static str,
    findings: usize,
    /// The command that prints its page.
    explain: String,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Args { traces, format, fail_on, all, config } = self;
        let settings = ReportOptions { fail_on, all, config, ..ReportOptions::default() }.settings()?;
        let known = settings.known()?;
        let facts = RunFacts::default();
        reporting::judge(&traces, &facts, &settings, known.as_ref(), |report| {
            output::print(&format.render(&rows(report)), false, None)?;
            reporting::verdict(report, &traces, &facts)
        })
    }
}

fn rows(report: &Report<'_>) -> Vec<Row> {
    checklist(&report.stats.exercise, &report.findings).iter().map(row).collect()
}

fn row(entry: &Entry) -> Row {
    let practice = entry.practice;
    let findings = |rule| entry.found.iter().find(|(name, _)| *name == rule).map_or(0, |(_, count)| *count);
    let rule = |name| RuleRow { rule: name, findings: findings(name), explain: format!("conccheck explain {name}") };
    let (noun, rest) = practice.exercised_by.noun();
    let mut evidence = match entry.exercised {
        0 => format!("no {noun}{rest}"),
        count => words::count(count, noun) + rest,
    };
    let found: usize = entry.found.iter().map(|(_, count)| count).sum();
    if entry.verdict != Verdict::NotExercised && practice.known_rules().next().is_some() {
        evidence = format!("{}; {evidence}", words::count(found as u64, "finding"));
    }
    Row {
        practice: practice.name,
        severity: practice.severity.word(),
        verdict: entry.verdict.words(),
        passes_when: practice.passes_when,
        exercised: entry.exercised,
        evidence,
        rules: practice.known_rules().map(rule).collect(),
    }
}

impl Row {
    /// The rules to look at: those that found something, or all of them.
    fn look_at(&self) -> Vec<&'static str> {
        let found: Vec<_> = self.rules.iter().filter(|rule| rule.findings > 0).map(|rule| rule.rule).collect();
        if found.is_empty() { self.rules.iter().map(|rule| rule.rule).collect() } else { found }
    }
}

impl Form {
    fn render(self, rows: &[Row]) -> String {
        match self {
            Form::Human => human(rows),
            Form::Json => serde_json::to_string_pretty(rows).expect("structs of texts and numbers") + "\n",
            Form::Markdown => markdown(rows),
        }
    }
}

fn human(rows: &[Row]) -> String {
    let head = ["verdict", "severity", "practice", "evidence", "conccheck explain …"].map(|name| (name, Align::Left));
    let cells = |row: &Row| {
        let words = [row.verdict, row.severity, row.practice, &row.evidence].map(str::to_owned);
        words.into_iter().chain([row.look_at().join(", ")]).collect()
    };
    let table = table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>());
    format!("{table}\n{}\n", counts(rows))
}

fn markdown(rows: &[Row]) -> String {
    let mut text = format!("## Checklist: {}\n\n", counts(rows));
    text += "| | practice | severity | passes when | evidence | rules |\n|---|---|---|---|---|---|\n";
    for row in rows {
        let rules: Vec<String> = row.look_at().iter().map(|rule| format!("`{rule}`")).collect();
        let Row { verdict, practice, severity, passes_when, evidence, .. } = row;
        text += &format!("| **{verdict}** | {practice} | {severity} | {passes_when} | {evidence} | {} |\n", rules.join(", "));
    }
    text
}

/// "12 passed, 1 failed, 4 not exercised".
fn counts(rows: &[Row]) -> String {
    let count = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict.words()).count();
    let [passed, failed, others] = [Verdict::Pass, Verdict::Fail, Verdict::NotExercised].map(count);
    format!("{passed} passed, {failed} failed, {others} not exercised")
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::checklist::Exercise;
    use conccheck_analyzer::{Config, NoSources, analyze};

    use super::*;

    fn of(trace: &str) -> Vec<Row> {
        let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
        let analysis = analyze(&[trace], &NoSources, &Config::default());
        checklist(&analysis.stats.exercise, &analysis.findings).iter().map(row).collect()
    }

    #[test]
    fn a_failed_practice_shows_the_rules_that_found_it() {
        let rows = of("main spawn t1; t1 lock a; t1 request a");
        let failed: Vec<_> = rows.iter().filter(|row| row.verdict == "FAIL").map(|row| (row.practice, row.look_at())).collect();
        assert_eq!(failed, [("Consistent lock order", vec!["double-lock"])]);
        assert!(human(&rows).contains("1 finding; 1 way to take a lock under another"), "{}", human(&rows));
    }

    #[test]
    fn every_practice_is_a_line_of_every_form() {
        let rows: Vec<Row> = checklist(&Exercise::default(), &[]).iter().map(row).collect();
        let json: serde_json::Value = serde_json::from_str(&Form::Json.render(&rows)).expect("JSON");
        assert_eq!(json.as_array().map(Vec::len), Some(rows.len()));
        for row in &rows {
            for form in [Form::Human, Form::Markdown] {
                assert!(form.render(&rows).contains(row.practice), "{}", row.practice);
            }
        }
        assert!(human(&rows).ends_with("0 passed, 0 failed, 17 not exercised\n"), "{}", human(&rows));
    }
}
