//! `conccheck diff`: what was found anew, and what no longer is.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::Form;
use crate::baseline::{Difference, Entry};
use crate::config::Settings;
use crate::terminal::one_line;
use crate::{ExitCode, Failure, JudgingOptions, ReportOptions, output, reporting};

/// Compare findings: what is new, fixed or changed; new ones fail
#[derive(clap::Args)]
pub(super) struct Args {
    /// Before: a trace, a folder with the traces of a run, a JSON report or a baseline
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// After: the same
    #[arg(value_name = "NEW")]
    new: PathBuf,

    /// Form of the comparison
    #[arg(long, value_enum, default_value = "human")]
    format: Form,

    #[command(flatten)]
    judging: JudgingOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let settings = ReportOptions::from(self.judging).settings()?;
        let old = reporting::found(std::slice::from_ref(&self.old), &settings)?;
        let new = reporting::found(std::slice::from_ref(&self.new), &settings)?;
        let difference = Difference::between(&old, &new);
        let text = match self.format {
            Form::Human => human(&difference),
            Form::Json => json(&difference),
        };
        output::print(&text, false, None)?;
        Ok(if fails(&difference, &settings) { ExitCode::Findings } else { ExitCode::Clean })
    }
}

fn fails(difference: &Difference<'_>, settings: &Settings) -> bool {
    difference.new.iter().any(|entry| entry.severity().is_none_or(|severity| settings.fail_on().includes(severity)))
}

fn human(difference: &Difference<'_>) -> String {
    let mut text = String::new();
    let mut section = |name: &str, entries: &[String]| {
        for entry in entries {
            let _ = writeln!(text, "{name:<8} {entry}");
        }
    };
    let line = |entry: &&Entry| one_line(&format!("{}[{}] {}: {}", entry.severity, entry.rule, entry.fingerprint, entry.message));
    section("new", &difference.new.iter().map(line).collect::<Vec<_>>());
    section("fixed", &difference.fixed.iter().map(line).collect::<Vec<_>>());
    let changed = |(old, new): &(&Entry, &Entry)| {
        one_line(&format!("{} (before: {}, {}; now: {})", line(new), old.severity, old.confidence, new.confidence))
    };
    section("changed", &difference.changed.iter().map(changed).collect::<Vec<_>>());
    let Difference { new, fixed, changed, same } = difference;
    let _ = writeln!(text, "{} new, {} fixed, {} changed, {same} unchanged", new.len(), fixed.len(), changed.len());
    text
}

fn json(difference: &Difference<'_>) -> String {
    let changed = |(old, new): &(&Entry, &Entry)| json!({ "old": old, "new": new });
    let document = json!({
        "new": difference.new,
        "fixed": difference.fixed,
        "changed": difference.changed.iter().map(changed).collect::<Vec<_>>(),
        "unchanged": difference.same,
    });
    format!("{document:#}\n")
}
