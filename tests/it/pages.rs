//! The examples of the rules' pages, which `conccheck explain` prints: they are programs, and they do what the page says.

use std::time::Duration;

use conccheck_analyzer::registry::RULES;
use conccheck_tests::{Found, Project, Tool, text};

const LIMIT: Duration = Duration::from_secs(30);

/// The one Rust program below a heading of a page.
fn program<'a>(rule: &str, page: &'a str, heading: &str) -> &'a str {
    let section = text::section(page, heading).unwrap_or_else(|| panic!("the page of {rule} has no section `{heading}`"));
    match text::blocks(section, "rust")[..] {
        [block] => block,
        ref blocks => panic!("the page of {rule} has {} Rust blocks under `{heading}`", blocks.len()),
    }
}

#[test]
fn the_example_of_every_page_yields_its_rule_once_and_the_repair_does_not() {
    let tool = Tool::get();
    let mut project = Project::new("pages", "2024");
    for rule in RULES {
        let meta = rule.meta();
        project.add(&format!("{}-example", meta.name), program(meta.name, meta.page, "## Example"));
        project.add(&format!("{}-instead", meta.name), program(meta.name, meta.page, "## Use instead"));
    }
    let programs = project.build(tool);
    let judge = |name: String| tool.judge(&programs.join(&name), LIMIT).map_err(|error| format!("{name}: {error}\n"));

    let mut complaints = String::new();
    for rule in RULES {
        let name = rule.meta().name;
        match judge(format!("{name}-example")) {
            Err(error) => complaints += &error,
            Ok(found) if found.iter().filter(|found| found.rule == name).count() == 1 => {}
            Ok(found) => complaints += &format!("{name}: the example yields {}\n", list(&found)),
        }
        match judge(format!("{name}-instead")) {
            Err(error) => complaints += &error,
            Ok(found) if !found.iter().any(|found| found.rule == name || found.is_loud()) => {}
            Ok(found) => complaints += &format!("{name}: the repaired example yields {}\n", list(&found)),
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

fn list(found: &[Found]) -> String {
    let rules: Vec<&str> = found.iter().map(|found| found.rule.as_str()).collect();
    if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") }
}
