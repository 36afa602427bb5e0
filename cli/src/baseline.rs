//! Findings by fingerprint, as files keep them: baselines, and the JSON reports that are compared with one another.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use conccheck_analyzer::{Finding, Severity};
use serde::{Deserialize, Serialize};

use crate::{Failure, output};

/// Where a baseline lies if nothing is said.
pub(crate) const DEFAULT_FILE: &str = ".conccheck/baseline.json";

/// How to come by one.
const MAKE_ONE: &str = "to make one: conccheck baseline write TRACE…";

/// Goes up when a field is removed or changes its meaning. The same as a JSON report's, of which a baseline is the essence.
const SCHEMA_VERSION: u32 = 1;

/// Within so many bytes a file has its version: traces are large, and not to be read to find out that they are none of these.
const START: u64 = 4096;

/// Known findings.
#[derive(Serialize, Deserialize)]
pub(crate) struct Baseline {
    schema_version: u32,
    findings: Vec<Entry>,
}

/// What is kept of a finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) fingerprint: String,
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) confidence: String,
    pub(crate) message: String,
}

impl Default for Baseline {
    fn default() -> Baseline {
        Baseline { schema_version: SCHEMA_VERSION, findings: Vec::new() }
    }
}

impl Baseline {
    /// The essence of findings, in their order.
    pub(crate) fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Baseline {
        let entry = |finding: &Finding| Entry {
            fingerprint: finding.fingerprint.clone(),
            rule: finding.rule.name.to_owned(),
            severity: finding.severity.word().to_owned(),
            confidence: finding.confidence.word().to_owned(),
            message: finding.message.clone(),
        };
        Baseline { schema_version: SCHEMA_VERSION, findings: findings.into_iter().map(entry).collect() }
    }

    /// Reads a baseline or a JSON report.
    ///
    /// # Errors
    /// It can't be read, or is something else.
    pub(crate) fn read(file: &Path) -> Result<Baseline, Failure> {
        let text = fs::read_to_string(file).map_err(|error| {
            let failure = Failure::usage(format!("can't read the findings in `{}`: {error}", file.display()));
            failure.help(MAKE_ONE)
        })?;
        Baseline::parse(&text).map_err(|error| {
            let message = format!("`{}` is neither a baseline nor a JSON report: {error}", file.display());
            Failure::usage(message).help(MAKE_ONE)
        })
    }

    /// Whether a file begins like a baseline or JSON report. A trace in JSON has no version of this kind.
    pub(crate) fn is_one(file: &Path) -> bool {
        let mut start = Vec::new();
        let read = File::open(file).and_then(|file| file.take(START).read_to_end(&mut start));
        read.is_ok()
            && start.trim_ascii_start().starts_with(b"{")
            && String::from_utf8_lossy(&start).contains("\"schema_version\"")
    }

    fn parse(text: &str) -> Result<Baseline, String> {
        let baseline: Baseline = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.schema_version != SCHEMA_VERSION {
            return Err(format!("version {} is unknown, {SCHEMA_VERSION} is known", baseline.schema_version));
        }
        Ok(baseline)
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).expect("structs of texts and numbers") + "\n";
        output::write_new_file(file, text.as_bytes())
    }

    /// Whether a finding is known.
    pub(crate) fn has(&self, fingerprint: &str) -> bool {
        self.findings.iter().any(|entry| entry.fingerprint == fingerprint)
    }

    /// The findings.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.findings
    }

    /// Adds what is not yet known.
    pub(crate) fn join(&mut self, other: Baseline) {
        let new: Vec<Entry> = other.findings.into_iter().filter(|entry| !self.has(&entry.fingerprint)).collect();
        self.findings.extend(new);
    }

    /// Forgets what is not in `found`. Returns how many that were.
    pub(crate) fn prune(&mut self, found: &Baseline) -> usize {
        let before = self.findings.len();
        self.findings.retain(|entry| found.has(&entry.fingerprint));
        before - self.findings.len()
    }
}

/// What differs between two sets of findings.
pub(crate) struct Difference<'b> {
    pub(crate) new: Vec<&'b Entry>,
    pub(crate) fixed: Vec<&'b Entry>,
    /// Before and after; of another severity or confidence.
    pub(crate) changed: Vec<(&'b Entry, &'b Entry)>,
    pub(crate) same: usize,
}

impl<'b> Difference<'b> {
    /// Compares by fingerprint.
    pub(crate) fn between(old: &'b Baseline, new: &'b Baseline) -> Difference<'b> {
        let before: BTreeMap<&str, &Entry> = old.findings.iter().map(|entry| (entry.fingerprint.as_str(), entry)).collect();
        let mut difference = Difference { new: Vec::new(), fixed: Vec::new(), changed: Vec::new(), same: 0 };
        for entry in &new.findings {
            match before.get(entry.fingerprint.as_str()) {
                None => difference.new.push(entry),
                Some(old) if (&old.severity, &old.confidence) != (&entry.severity, &entry.confidence) => {
                    difference.changed.push((old, entry));
                }
                Some(_) => difference.same += 1,
            }
        }
        difference.fixed = old.findings.iter().filter(|entry| !new.has(&entry.fingerprint)).collect();
        difference
    }
}

impl Entry {
    /// The severity; `None`: of a later version.
    pub(crate) fn severity(&self) -> Option<Severity> {
        let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        all.into_iter().find(|severity| severity.word() == self.severity)
    }
}
