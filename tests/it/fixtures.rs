//! The systems in `fixtures`: what `cargo conccheck test` says of each before and after its repair.

use std::collections::BTreeSet;
use std::fs;

use conccheck_analyzer::registry;
use conccheck_tests::{Found, Tool, repository, text};

/// The rules that `fixtures/expected.tsv` names for a system, as far as this version has them. Of `a|b`, the first that it has.
fn expected(system: &str) -> BTreeSet<String> {
    let table = fs::read_to_string(repository().join("fixtures/expected.tsv")).expect("the table of expected rules");
    let rows = text::rows(&table);
    let row = rows.iter().find(|row| row[0].1 == system).unwrap_or_else(|| panic!("{system} is not in the table"));
    let present = |names: &str| names.split('|').find(|name| registry::rule(name).is_some()).map(str::to_owned);
    row[1].1.split(' ').filter_map(present).collect()
}

fn check(system: &str, version: &str, expected: &BTreeSet<String>) {
    let manifest = repository().join("fixtures").join(system).join(version).join("Cargo.toml");
    let (ended, found) = Tool::get().test(&manifest, &[]);
    let rules: BTreeSet<String> = found.iter().map(|found| found.rule.clone()).collect();
    let said: String = found.iter().map(|found| format!("{}: {}\n", found.rule, found.message)).collect();
    assert_eq!(&rules, expected, "{system} {version}:\n{said}{}", ended.stderr);
    let code = if found.iter().any(Found::is_loud) { 66 } else { 0 };
    assert_eq!(ended.code, Some(code), "{system} {version}:\n{said}{}", ended.stderr);
}

/// A module a system, with a test for each version; and the list of them.
macro_rules! systems {
    ($($module:ident = $system:literal,)*) => {
        const SYSTEMS: &[&str] = &[$($system),*];
        $(mod $module {
            #[test]
            fn before_the_repair_the_expected_rules_are_reported_and_no_others() {
                super::check($system, "before", &super::expected($system));
            }

            #[test]
            fn after_the_repair_nothing_is_reported() {
                super::check($system, "after", &Default::default());
            }
        })*
    };
}

systems! {
    bank = "bank",
    event_bus = "event-bus",
    process_manager = "process-manager",
    log_store = "log-store",
    proxy = "proxy",
    process_runner = "process-runner",
    error_collector = "error-collector",
    lifecycle = "lifecycle",
    log_buffer = "log-buffer",
    chat_stream = "chat-stream",
    lazy_logger = "lazy-logger",
}

#[test]
fn every_system_of_the_table_is_tested_and_has_both_versions() {
    let fixtures = repository().join("fixtures");
    let table = fs::read_to_string(fixtures.join("expected.tsv")).expect("the table of expected rules");
    let listed: Vec<&str> = text::rows(&table).iter().map(|row| row[0].1).collect();
    assert_eq!(listed, SYSTEMS);
    let folders = fs::read_dir(&fixtures).expect("a readable folder").flatten().filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().expect("plain names")).collect();
    assert_eq!(folders, SYSTEMS.iter().map(|&system| system.to_owned()).collect());
    for system in SYSTEMS {
        for version in ["before", "after"] {
            assert!(fixtures.join(system).join(version).join("Cargo.toml").is_file(), "{system} {version}");
        }
    }
}

#[test]
fn the_stress_test_of_the_event_bus_passes_only_after_the_repair() {
    let run = |version: &str| {
        let manifest = repository().join("fixtures/event-bus").join(version).join("Cargo.toml");
        Tool::get().test(&manifest, &["--test", "stress", "--", "--ignored"])
    };
    let (before, _) = run("before");
    assert_eq!(before.code, Some(100), "{}", before.stderr);
    let (after, found) = run("after");
    assert!(!found.iter().any(Found::is_loud), "{found:?}");
    assert_eq!(after.code, Some(0), "{}", after.stderr);
}
