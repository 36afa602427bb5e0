//! The checklist: the practices behind the rules, each passed, failed or not exercised.

use conccheck_analyzer::checklist::{Entry, Verdict, checklist};
use serde::Serialize;

use crate::report::Report;
use crate::words;

/// A practice. The names are those of the JSON form.
#[derive(Serialize)]
pub(crate) struct ChecklistRow {
    pub(crate) practice: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) passes_when: &'static str,
    /// How often it was exercised.
    pub(crate) exercised: u64,
    /// The same in words.
    pub(crate) evidence: String,
    pub(crate) rules: Vec<RuleRow>,
}

#[derive(Serialize)]
pub(crate) struct RuleRow {
    pub(crate) rule: &'static str,
    pub(crate) findings: usize,
    /// The command that prints its page.
    pub(crate) explain: String,
}

/// All practices, in the order of the guides.
pub(crate) fn rows(report: &Report<'_>) -> Vec<ChecklistRow> {
    checklist(&report.stats.exercise, &report.findings).iter().map(row).collect()
}

pub(crate) fn row(entry: &Entry) -> ChecklistRow {
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
    ChecklistRow {
        practice: practice.name,
        severity: practice.severity.word(),
        verdict: entry.verdict.words(),
        passes_when: practice.passes_when,
        exercised: entry.exercised,
        evidence,
        rules: practice.known_rules().map(rule).collect(),
    }
}

impl ChecklistRow {
    /// The rules to look at: those that found something, or all of them.
    pub(crate) fn look_at(&self) -> Vec<&'static str> {
        let found: Vec<_> = self.rules.iter().filter(|rule| rule.findings > 0).map(|rule| rule.rule).collect();
        if found.is_empty() { self.rules.iter().map(|rule| rule.rule).collect() } else { found }
    }
}

/// "12 passed, 1 failed, 4 not exercised".
pub(crate) fn counts(rows: &[ChecklistRow]) -> String {
    let count = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict.words()).count();
    let [passed, failed, others] = [Verdict::Pass, Verdict::Fail, Verdict::NotExercised].map(count);
    format!("{passed} passed, {failed} failed, {others} not exercised")
}
