//! `conccheck checklist`: the practices behind the rules, each passed, failed or not exercised by a run.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::table::{self, Align};
use crate::tables::checklist::{ChecklistRow, counts, rows};
use crate::{ExitCode, Failure, JudgingOptions, ReportOptions, RunFacts, output, reporting};

/// Show which practices a run keeps to: PASS, FAIL or NOT EXERCISED, with the evidence
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run; several are joined
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the checklist
    #[arg(long, value_enum, default_value = "human")]
    format: Form,

    #[command(flatten)]
    judging: JudgingOptions,
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

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Args { traces, format, judging } = self;
        let settings = ReportOptions::from(judging).settings()?;
        let known = settings.known()?;
        let facts = RunFacts::default();
        reporting::judge(&traces, &facts, &settings, known.as_ref(), |report| {
            output::print(&format.render(&rows(report)), false, None)?;
            reporting::verdict(report, &traces, &facts)
        })
    }
}

impl Form {
    fn render(self, rows: &[ChecklistRow]) -> String {
        match self {
            Form::Human => human(rows),
            Form::Json => serde_json::to_string_pretty(rows).expect("structs of texts and numbers") + "\n",
            Form::Markdown => markdown(rows),
        }
    }
}

fn human(rows: &[ChecklistRow]) -> String {
    let head = ["verdict", "severity", "practice", "evidence", "conccheck explain …"].map(|name| (name, Align::Left));
    let cells = |row: &ChecklistRow| {
        let words = [row.verdict, row.severity, row.practice, &row.evidence].map(str::to_owned);
        words.into_iter().chain([row.look_at().join(", ")]).collect()
    };
    let table = table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>());
    format!("{table}\n{}\n", counts(rows))
}

fn markdown(rows: &[ChecklistRow]) -> String {
    let mut text = format!("## Checklist: {}\n\n", counts(rows));
    text += "| | practice | severity | passes when | evidence | rules |\n|---|---|---|---|---|---|\n";
    for row in rows {
        let rules: Vec<String> = row.look_at().iter().map(|rule| format!("`{rule}`")).collect();
        let ChecklistRow { verdict, practice, severity, passes_when, evidence, .. } = row;
        text += &format!("| **{verdict}** | {practice} | {severity} | {passes_when} | {evidence} | {} |\n", rules.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::checklist::{Exercise, checklist};
    use conccheck_analyzer::{Config, NoSources, analyze};

    use super::*;
    use crate::tables::checklist::row;

    fn of(trace: &str) -> Vec<ChecklistRow> {
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
        let rows: Vec<ChecklistRow> = checklist(&Exercise::default(), &[]).iter().map(row).collect();
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
