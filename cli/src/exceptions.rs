//! Takes suppressed findings out, and says which suppressions are of no use.

use conccheck_analyzer::Finding;

use crate::config::{Date, Settings, Suppression};
use crate::words;

/// A finding that does not count.
pub(crate) struct Suppressed {
    pub(crate) finding: Finding,
    /// Why, in the configuration's words.
    pub(crate) reason: String,
}

/// Findings, sorted by whether they count.
pub(crate) struct Sorted {
    pub(crate) findings: Vec<Finding>,
    pub(crate) suppressed: Vec<Suppressed>,
}

/// Sorts findings. A suppression is unused if it is neither about one of them nor about one of the `others`.
pub(crate) fn sort(findings: Vec<Finding>, others: &[Finding], settings: &Settings, warnings: &mut Vec<String>) -> Sorted {
    let today = Date::today();
    for suppression in &settings.suppressions {
        let covered = findings.iter().chain(others).filter(|finding| suppression.covers(finding)).count();
        warnings.extend(complaint(suppression, covered, today, settings));
    }
    let mut sorted = Sorted { findings: Vec::new(), suppressed: Vec::new() };
    let in_force: Vec<&Suppression> = settings.suppressions.iter().filter(|known| known.expired(today).is_none()).collect();
    for finding in findings {
        match in_force.iter().find(|suppression| suppression.covers(&finding)) {
            Some(suppression) => sorted.suppressed.push(Suppressed { finding, reason: suppression.reason.clone() }),
            None => sorted.findings.push(finding),
        }
    }
    sorted
}

fn complaint(suppression: &Suppression, covered: usize, today: Date, settings: &Settings) -> Option<String> {
    let file = settings.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let which = format!("{file}:{}: the suppression \"{}\"", suppression.line, suppression.reason);
    match (suppression.expired(today), covered) {
        (Some(day), 0) => Some(format!("{which} expired on {day}, and nothing is found that it covers: remove it")),
        (Some(day), covered) => Some(format!("{which} expired on {day}: {} again", counts(covered))),
        (None, 0) => Some(format!("{which} covers nothing that was found")),
        (None, _) => None,
    }
}

fn counts(findings: usize) -> String {
    let verb = if findings == 1 { "counts" } else { "count" };
    format!("{} {verb}", words::count(findings as u64, "finding"))
}
