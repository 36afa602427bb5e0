//! Reads JSON reports.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A finding of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The rule.
    pub rule: String,
    /// The severity's word.
    pub severity: String,
    /// The first line.
    pub message: String,
}

impl Found {
    /// Whether it makes a run fail unless told otherwise.
    pub fn is_loud(&self) -> bool {
        matches!(self.severity.as_str(), "critical" | "high")
    }
}

/// Reads the findings of a report.
pub(crate) fn read(report: &Path) -> Result<Vec<Found>, String> {
    let text = fs::read_to_string(report).map_err(|error| error.to_string())?;
    let document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let findings = document["findings"].as_array().ok_or("no field `findings`")?;
    let field = |finding: &Value, name: &str| match finding[name].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("a finding without `{name}`")),
    };
    findings
        .iter()
        .map(|finding| {
            Ok(Found {
                rule: field(finding, "rule")?,
                severity: field(finding, "severity")?,
                message: field(finding, "message")?,
            })
        })
        .collect()
}
