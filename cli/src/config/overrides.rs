//! Levels of rules for some findings only: those at a place, in a test, about a lock.

use std::fmt::Write as _;

use conccheck_analyzer::Finding;

use super::document::Item;
use super::rules::{Level, RuleSettings, word};
use super::selector::Selector;
use crate::Failure;

/// The keys of an `[[override]]`.
pub(super) const KEYS: [&str; 6] = ["locks", "objects", "fingerprint", "site", "test", "rules"];

/// Levels that hold for some findings.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    what: Selector,
    levels: Vec<(&'static str, Level)>,
}

impl Override {
    pub(super) fn read(item: Item<'_>) -> Result<Override, Failure> {
        let nothing_said = item.failure("this would hold for every finding");
        let no_rules = item.failure("an override needs `rules`").help("add `rules.RULE = \"LEVEL\"`");
        let section = item.section()?;
        section.check_keys(&KEYS)?;
        let rules = section.get("rules").ok_or(no_rules)?;
        let thresholds = rules.failure("an override has levels, no thresholds").help("thresholds hold for all of a run: [rules]");
        let levels = RuleSettings::read(&rules.section()?)?.only_levels().ok_or(thresholds)?;
        let what = Selector::read(&section)?;
        if what.is_empty() {
            return Err(nothing_said.help("say for which: site, test, locks or fingerprint; or put it into [rules]"));
        }
        Ok(Override { what, levels })
    }

    /// The level that it gives a finding, if it says one.
    pub(super) fn level(&self, finding: &Finding) -> Option<Level> {
        let level = self.levels.iter().find(|(rule, _)| *rule == finding.rule.name).map(|(_, level)| *level);
        level.filter(|_| self.what.covers(finding))
    }

    /// Whether it turns a rule on, in case that it is off elsewhere.
    pub(super) fn turns_on(&self, rule: &str) -> bool {
        self.levels.iter().any(|(known, level)| *known == rule && level.is_some())
    }

    /// The table that says it.
    pub(super) fn written(&self) -> String {
        let mut text = format!("[[override]]\n{}", self.what.written());
        for (rule, level) in &self.levels {
            let _ = writeln!(text, "rules.{rule} = \"{}\"", word(*level));
        }
        text
    }
}
