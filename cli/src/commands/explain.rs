//! `conccheck explain`: a rule's page.

use conccheck_analyzer::registry::{RULES, rule};

use crate::nearest::nearest;
use crate::{ExitCode, Failure, output};

/// Explain a rule: what it finds, why it matters, an example and its repair
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the rule, as it stands in brackets in a finding
    #[arg(value_name = "RULE")]
    rule: String,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let meta = rule(self.rule.trim()).ok_or_else(|| unknown(&self.rule))?.meta();
        let head = format!("# {}\n\n{} ({}, since {})\n\n", meta.name, meta.summary, meta.severity.word(), meta.since);
        output::print(&format!("{head}{}\n", meta.page.trim()), false, None)?;
        Ok(ExitCode::Clean)
    }
}

fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.meta().name).collect();
    let near = nearest(name, &names);
    let failure = Failure::usage(format!("there is no rule `{name}`"));
    if near.is_empty() {
        failure.help(format!("the rules are {}", names.join(", ")))
    } else {
        failure.help(format!("did you mean {}? `conccheck rules` lists all", near.join(" or ")))
    }
}
