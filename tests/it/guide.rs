//! The user guide: its chapters are listed, its rules are those that exist, its links lead somewhere, its commands exist.

use std::fs;
use std::path::PathBuf;

use conccheck_analyzer::registry::RULES;
use conccheck_tests::{repository, text};

fn docs() -> PathBuf {
    repository().join("docs")
}

fn read(name: &str) -> String {
    fs::read_to_string(docs().join(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// The targets of a page's links, `[text](target)`, that are files.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

#[test]
fn every_page_is_a_chapter_and_every_chapter_a_page() {
    let summary = read("SUMMARY.md");
    let mut chapters: Vec<String> = links(&summary).into_iter().map(str::to_owned).collect();
    let mut pages: Vec<String> = Vec::new();
    for folder in ["", "rules/"] {
        let entries = fs::read_dir(docs().join(folder)).expect("a readable folder").flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.ends_with(".md"));
        pages.extend(names.filter(|name| name != "SUMMARY.md").map(|name| format!("{folder}{name}")));
    }
    chapters.sort();
    pages.sort();
    assert_eq!(chapters, pages);
}

#[test]
fn every_rule_has_a_chapter_that_shows_its_page() {
    let mut table = String::from("| rule | severity | what it finds |\n|---|---|---|\n");
    for rule in RULES {
        let meta = rule.meta();
        table += &format!("| [`{0}`](rules/{0}.md) | {1} | {2} |\n", meta.name, meta.severity.word(), meta.summary);
        let page = meta.name.replace('-', "_");
        // mdBook puts the page in.
        let chapter = format!("# {}\n\n{{{{#include ../../analyzer/src/rules/{page}.md}}}}\n", meta.name);
        assert_eq!(read(&format!("rules/{}.md", meta.name)), chapter);
        assert!(repository().join(format!("analyzer/src/rules/{page}.md")).is_file(), "{page}");
    }
    assert!(read("rules.md").contains(&table), "docs/rules.md must contain:\n{table}");
}

#[test]
fn every_link_of_the_guide_leads_to_a_page_and_a_heading() {
    for name in links(&read("SUMMARY.md")).into_iter().filter(|name| !name.starts_with("rules/")) {
        let page = read(name);
        for link in links(&page) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = docs().join(file);
            assert!(target.is_file(), "docs/{name}: {link}");
            let target = fs::read_to_string(target).expect("text");
            let headings = target.lines().filter(|line| line.starts_with('#')).map(text::anchor);
            assert!(heading.is_empty() || headings.into_iter().any(|known| known == heading), "docs/{name}: {link}");
        }
    }
}
