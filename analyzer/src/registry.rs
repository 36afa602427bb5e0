//! The list of all rules.

use crate::rule::Rule;
use crate::rules::{deadlock, double_lock, leaked_task, lock_order_cycle, long_critical_section};

/// All rules, sorted by name.
pub static RULES: &[&(dyn Rule + Sync)] = &[
    &deadlock::Deadlock,
    &double_lock::DoubleLock,
    &leaked_task::LeakedTask,
    &lock_order_cycle::LockOrderCycle,
    &long_critical_section::LongCriticalSection,
];

/// The rule of that name.
pub fn rule(name: &str) -> Option<&'static (dyn Rule + Sync)> {
    RULES.iter().copied().find(|rule| rule.meta().name == name)
}
