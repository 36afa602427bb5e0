//! What the repository promises about itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use conccheck_tests::{Tool, repository, run, text};

const LIMIT: Duration = Duration::from_secs(60);

/// The folders whose Rust files are the project's own code, not material for its tests.
const CODE: [&str; 6] = ["trace", "shim", "analyzer", "cli", "tests/src", "tests/it"];

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files below a folder, outside target folders.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn own_code() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in CODE {
        rust_files(&repository().join(folder), &mut files);
    }
    let text = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable source file");
        (path, text)
    };
    files.into_iter().map(text).collect()
}

fn complain(what: &str, files: impl Iterator<Item = PathBuf>) {
    let files: Vec<String> = files.map(|path| path.display().to_string()).collect();
    assert!(files.is_empty(), "{what}: {files:#?}");
}

#[test]
fn every_module_opens_with_a_line_that_says_what_it_is() {
    let files = own_code().into_iter();
    complain("no `//!` on the first line", files.filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path));
}

#[test]
fn no_file_of_code_is_over_40_kb_or_unfinished() {
    let files = own_code();
    complain("over 40 kB", files.iter().filter(|(_, text)| text.len() > 40_000).map(|(path, _)| path.clone()));
    // Written in two parts, so that this file does not contain them.
    let marks = [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let is_unfinished = |text: &str| marks.iter().any(|mark| text.contains(mark));
    complain("unfinished", files.iter().filter(|(_, text)| is_unfinished(text)).map(|(path, _)| path.clone()));
}

#[test]
fn architecture_is_short_and_names_what_exists() {
    let architecture = read("ARCHITECTURE.md");
    assert!(architecture.lines().count() <= 150, "{} lines", architecture.lines().count());
    // Paths stand in backquotes and contain a slash; placeholders in angle brackets are not paths.
    let words = architecture.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = words.filter(|word| word.contains('/') && !word.contains(['<', ' ', ':', '*', '$'])).collect();
    assert!(paths.len() > 10, "the code map is missing");
    let missing = paths.iter().filter(|path| !repository().join(path).exists());
    complain("not there", missing.map(PathBuf::from));
    for folder in fs::read_dir(repository()).expect("a readable folder").flatten() {
        let name = folder.file_name().into_string().expect("plain names");
        let is_listed = architecture.contains(&format!("`{name}/"));
        assert!(
            !folder.path().is_dir() || name.starts_with('.') || name == "target" || is_listed,
            "{name}/ is not in ARCHITECTURE.md"
        );
    }
}

#[test]
fn the_readme_and_the_guide_name_only_commands_that_exist() {
    let tool = Tool::get();
    let subcommands = |mut command: Command| -> BTreeSet<String> {
        let help = run(command.arg("--help"), LIMIT).stdout;
        let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
        commands.filter_map(|line| line.split([' ', ',']).find(|word| !word.is_empty())).map(str::to_owned).collect()
    };
    let (own, of_cargo) = (subcommands(tool.conccheck()), subcommands(tool.cargo_conccheck()));
    assert!(own.contains("report") && of_cargo.contains("test"), "{own:?} {of_cargo:?}");
    let guide = fs::read_dir(repository().join("docs")).expect("a readable folder").flatten();
    let guide = guide.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    for page in guide.chain([repository().join("README.md")]) {
        let text = fs::read_to_string(&page).expect("a readable page");
        for line in text::blocks(&text, "sh").into_iter().flat_map(str::lines) {
            let known = match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["cargo", "conccheck", command, ..] => of_cargo.contains(command),
                ["conccheck", command, ..] => own.contains(command),
                _ => true,
            };
            assert!(known, "{}: `{line}`", page.display());
        }
    }
    let architecture = read("ARCHITECTURE.md");
    let unnamed: Vec<&String> =
        own.iter().filter(|name| *name != "help" && !architecture.contains(&format!("`{name}`"))).collect();
    assert!(unnamed.is_empty(), "ARCHITECTURE.md does not name the commands {unnamed:?}");
}

#[test]
fn the_runtime_has_no_third_party_dependency() {
    for package in ["conccheck-trace", "conccheck-rt", "conccheck-std"] {
        let mut tree = Command::new(env!("CARGO"));
        tree.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]).current_dir(repository());
        let tree = run(&mut tree, LIMIT);
        assert_eq!(tree.code, Some(0), "{}", tree.stderr);
        let foreign: Vec<&str> = tree.stdout.lines().filter(|line| !line.starts_with("conccheck-")).collect();
        assert!(foreign.is_empty(), "{package} depends on {foreign:?}");
    }
}

#[test]
fn every_known_miss_of_the_corpus_is_a_program_of_the_corpus() {
    let list = read("tests/corpus/known-misses.txt");
    let names = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next());
    let missing = names.filter(|name| !repository().join(format!("tests/corpus/src/bin/{name}.rs")).is_file());
    complain("no such program", missing.map(PathBuf::from));
}
