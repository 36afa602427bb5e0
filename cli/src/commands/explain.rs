//! `conccheck explain`: a rule's page.

use conccheck_analyzer::registry::{RULES, rule};

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

/// Up to three names that are close enough to have been meant, the closest first.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names.iter().map(|known| (strsim::jaro_winkler(name, known), *known)).collect();
    scored.retain(|&(score, _)| score > 0.8);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_rule_has_near_names() {
        let names = ["deadlock", "double-lock", "lock-order-cycle", "leaked-task"];
        assert_eq!(nearest("lock-order-cyle", &names)[0], "lock-order-cycle");
        assert_eq!(nearest("dedlock", &names)[0], "deadlock");
        assert!(nearest("xyz", &names).is_empty());
    }
}
