//! `conccheck rules`: the list of rules.

use clap::ValueEnum;
use conccheck_analyzer::RuleMeta;
use conccheck_analyzer::registry::RULES;
use serde::Serialize;

use crate::{ExitCode, Failure, output};

/// List the rules
#[derive(clap::Args)]
pub(super) struct Args {
    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// A table
    Human,
    /// An array of objects
    Json,
}

#[derive(Serialize)]
struct JsonRule {
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    since: &'static str,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let rules: Vec<&RuleMeta> = RULES.iter().map(|rule| rule.meta()).collect();
        let text = match self.format {
            Form::Human => table(&rules),
            Form::Json => json(&rules),
        };
        output::print(&text, false, None)?;
        Ok(ExitCode::Clean)
    }
}

fn table(rules: &[&RuleMeta]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    rules.iter().map(|rule| format!("{:width$}  {:8}  {}\n", rule.name, rule.severity.word(), rule.summary)).collect()
}

fn json(rules: &[&RuleMeta]) -> String {
    let rules: Vec<JsonRule> = rules
        .iter()
        .map(|rule| JsonRule { name: rule.name, severity: rule.severity.word(), summary: rule.summary, since: rule.since })
        .collect();
    let mut text = serde_json::to_string_pretty(&rules).expect("structs of strings");
    text.push('\n');
    text
}
