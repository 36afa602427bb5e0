//! The list of all rules.

use crate::rule::Rule;

/// All rules, sorted by name.
pub static RULES: &[&(dyn Rule + Sync)] = &[];

/// The rule of that name.
pub fn rule(name: &str) -> Option<&'static (dyn Rule + Sync)> {
    RULES.iter().copied().find(|rule| rule.meta().name == name)
}
