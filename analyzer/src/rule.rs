//! What a rule is.

use crate::finding::{Finding, Severity};

/// What is known of a rule without running it: the one source for `conccheck rules`, `explain`, the README's table and SARIF.
#[derive(Debug)]
pub struct RuleMeta {
    /// Stable, kebab-case, names the defect.
    pub name: &'static str,
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// First version that had it.
    pub since: &'static str,
    /// The page that `conccheck explain` prints (Markdown).
    pub page: &'static str,
}

/// A detector: sees the events of one process in an order that could have been, then says what it found.
pub trait Rule {
    /// What is known of it without running it.
    fn meta(&self) -> &'static RuleMeta;

    /// Judges the model of one process.
    fn check(&self, model: &crate::model::Model<'_>, out: &mut Vec<Finding>);
}
