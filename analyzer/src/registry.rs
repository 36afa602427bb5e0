//! The list of all rules.

use crate::rule::Rule;
use crate::rules;

/// All rules, sorted by name.
pub static RULES: &[&(dyn Rule + Sync)] = &[
    &rules::atomicity_violation::AtomicityViolation,
    &rules::deadlock::Deadlock,
    &rules::double_lock::DoubleLock,
    &rules::dropped_messages::DroppedMessages,
    &rules::guard_leak::GuardLeak,
    &rules::held_across_blocking::HeldAcrossBlocking,
    &rules::hold_and_wait_cycle::HoldAndWaitCycle,
    &rules::ignored_cancellation::IgnoredCancellation,
    &rules::initialization_cycle::InitializationCycle,
    &rules::leaked_task::LeakedTask,
    &rules::lock_contention::LockContention,
    &rules::lock_order_cycle::LockOrderCycle,
    &rules::long_critical_section::LongCriticalSection,
    &rules::lost_wakeup::LostWakeup,
    &rules::mutex_as_queue::MutexAsQueue,
    &rules::order_violation::OrderViolation,
    &rules::oversized_buffer::OversizedBuffer,
    &rules::poisoned_lock::PoisonedLock,
    &rules::racy_initialization::RacyInitialization,
    &rules::read_mostly_mutex::ReadMostlyMutex,
    &rules::recursive_read::RecursiveRead,
    &rules::send_after_close::SendAfterClose,
    &rules::shutdown_order::ShutdownOrder,
    &rules::spawn_burst::SpawnBurst,
    &rules::timeout_fallback::TimeoutFallback,
    &rules::unbounded_backlog::UnboundedBacklog,
    &rules::undersized_buffer::UndersizedBuffer,
    &rules::unjoined_task::UnjoinedTask,
    &rules::unobserved_panic::UnobservedPanic,
    &rules::unused_lock_mode::UnusedLockMode,
    &rules::write_heavy_rwlock::WriteHeavyRwlock,
];

/// The rule of that name.
pub fn rule(name: &str) -> Option<&'static (dyn Rule + Sync)> {
    RULES.iter().copied().find(|rule| rule.meta().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [&str; 8] = [
        "What it does",
        "Why it is a defect",
        "Example",
        "Use instead",
        "How it is detected",
        "False positives and negatives",
        "Configuration",
        "References",
    ];

    #[test]
    fn names_are_kebab_case_unique_and_sorted() {
        let names: Vec<_> = RULES.iter().map(|rule| rule.meta().name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for name in names {
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !name.starts_with('-') && !name.ends_with('-'),
                "{name}"
            );
            assert_eq!(rule(name).map(|rule| rule.meta().name), Some(name));
        }
    }

    #[test]
    fn every_rule_file_has_its_page_and_is_registered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
        let entries = std::fs::read_dir(folder).expect("the folder of the rules").filter_map(Result::ok);
        let mut files: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        files.sort();
        let stems = |end: &str| -> Vec<String> {
            let stems = files
                .iter()
                .filter_map(|file| file.strip_suffix(end))
                .filter(|stem| !["contended", "mod", "statement", "waits"].contains(stem));
            stems.map(|stem| stem.replace('_', "-")).collect()
        };
        let names: Vec<_> = RULES.iter().map(|rule| rule.meta().name.to_owned()).collect();
        assert_eq!(stems(".rs"), names);
        assert_eq!(stems(".md"), names);
    }

    #[test]
    fn pages_have_the_fixed_headings_and_two_programs() {
        for rule in RULES {
            let meta = rule.meta();
            let headings: Vec<_> = meta.page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
            assert_eq!(headings, HEADINGS, "{}", meta.name);
            for heading in ["Example", "Use instead"] {
                let section = meta.page.split("## ").find(|section| section.starts_with(heading)).unwrap_or_default();
                assert_eq!(section.matches("```rust").count(), 1, "{}: {heading}", meta.name);
                assert!(section.contains("fn main()"), "{}: {heading}", meta.name);
            }
            assert!(!meta.summary.ends_with('.') && meta.summary.starts_with(char::is_lowercase), "{}", meta.name);
        }
    }
}
