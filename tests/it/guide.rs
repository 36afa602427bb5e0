//! The user guide: its chapters are listed, its rules are those that exist, its links lead somewhere, its commands exist.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use conccheck_analyzer::registry::RULES;
use conccheck_cli::ExitCode;
use conccheck_tests::{HandMade, generated, repository, run, text};

const LIMIT: Duration = Duration::from_secs(60);

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
fn every_rule_has_a_chapter_and_lists_have_what_there_is() {
    let head = "| rule | severity | what it finds |\n|---|---|---|\n";
    let (mut readme, mut list, mut chapters) = (head.to_owned(), head.to_owned(), "- [The rules](rules.md)\n".to_owned());
    for rule in RULES {
        let meta = rule.meta();
        let (name, severity, summary) = (meta.name, meta.severity.word(), meta.summary);
        readme += &format!("| `{name}` | {severity} | {summary} |\n");
        list += &format!("| [`{name}`](rules/{name}.md) | {severity} | {summary} |\n");
        chapters += &format!("  - [{name}](rules/{name}.md)\n");
        let page = name.replace('-', "_");
        assert!(repository().join(format!("analyzer/src/rules/{page}.md")).is_file(), "{page}");
        // mdBook puts the page in.
        let chapter = format!("# {name}\n\n{{{{#include ../../analyzer/src/rules/{page}.md}}}}\n");
        generated::file(&format!("docs/rules/{name}.md"), &chapter);
    }
    generated::part("README.md", "|", &readme);
    generated::part("README.md", "|", &ExitCode::table());
    generated::part("docs/rules.md", "|", &list);
    generated::part("docs/SUMMARY.md", "  - ", &chapters);
    generated::part("docs/configuration.md", "|", &conccheck_cli::threshold_table());
}

#[test]
fn every_configuration_in_the_guide_is_one() {
    let project = HandMade::default();
    let page = read("configuration.md");
    let blocks = text::blocks(&page, "toml");
    assert!(blocks.len() > 2, "{blocks:?}");
    for block in blocks {
        project.write("conccheck.toml", block);
        let ended = run(&mut project.conccheck(&["show-config"]), LIMIT);
        assert_eq!(ended.code, Some(0), "{block}\n{}", ended.stderr);
    }
}

#[test]
fn every_link_of_the_guide_leads_to_a_page_and_a_heading() {
    for name in links(&read("SUMMARY.md")).into_iter().filter(|name| !name.starts_with("rules/")) {
        let page = read(name);
        for link in links(&page) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            assert!(!link.starts_with(".."), "docs/{name}: {link}: not in the book");
            let target = docs().join(file);
            assert!(target.is_file(), "docs/{name}: {link}");
            // Pictures have no headings.
            if !heading.is_empty() {
                let target = fs::read_to_string(target).expect("text");
                let mut headings = target.lines().filter(|line| line.starts_with('#')).map(text::anchor);
                assert!(headings.any(|known| known == heading), "docs/{name}: {link}");
            }
        }
    }
}
