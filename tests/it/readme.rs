//! The commands of the README and of the guide: each is run, and prints what the page says it prints.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use conccheck_tests::{Ended, Tool, repository, run, text};

const LIMIT: Duration = Duration::from_secs(300);

/// The pages with examples. They share what was built and recorded.
const PAGES: [&str; 3] = ["README.md", "docs/getting-started.md", "docs/reading-a-finding.md"];

/// How the README starts `cargo conccheck` from the repository.
const FROM_SOURCE: &str = "cargo run -q -p conccheck-cli --bin cargo-conccheck -- conccheck ";

/// A command of a `console` block and the lines that it prints.
struct Example<'a> {
    command: &'a str,
    printed: Vec<&'a str>,
}

fn examples(block: &str) -> Vec<Example<'_>> {
    let mut examples = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push(Example { command, printed: Vec::new() }),
            (None, Some(example)) => example.printed.push(line),
            (None, None) => panic!("a console block starts with a command, not with: {line}"),
        }
    }
    examples
}

/// The tool's process for a command line of the README.
fn command(tool: &Tool, line: &str) -> Command {
    let (mut command, arguments) = if let Some(arguments) = line.strip_prefix(FROM_SOURCE) {
        (tool.cargo_conccheck(), arguments)
    } else if let Some(arguments) = line.strip_prefix("cargo conccheck ") {
        (tool.cargo_conccheck(), arguments)
    } else if let Some(arguments) = line.strip_prefix("conccheck ") {
        (tool.conccheck(), arguments)
    } else {
        panic!("the README's `{line}` can't be tested: put it into a block that is not `console`");
    };
    command.args(arguments.split_whitespace());
    command
}

/// Whether the lines were printed, in order. A line `...` stands for any lines.
fn matches(expected: &[&str], printed: &str) -> bool {
    let mut printed: VecDeque<String> = printed.lines().map(redact).collect();
    let mut skips = false;
    for line in expected {
        if *line == "..." {
            skips = true;
            continue;
        }
        let line = redact(line);
        while skips && printed.front().is_some_and(|printed| *printed != line) {
            printed.pop_front();
        }
        if printed.pop_front() != Some(line) {
            return false;
        }
        skips = false;
    }
    skips || printed.is_empty()
}

/// A line without what differs from run to run: durations, numbers of events, the folder of a trace, space at the end.
fn redact(line: &str) -> String {
    let mut words: Vec<&str> = line.trim_end().split(' ').collect();
    for at in 0..words.len() {
        let next = words.get(at + 1).map_or("", |next| next.trim_matches(|c: char| !c.is_alphanumeric()));
        let number = words[at].trim_start_matches('(');
        let is_number =
            number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_number && ["ns", "µs", "ms", "s", "event", "events", "k", "M"].contains(&next) {
            words[at] = "[number]";
        }
        if words[at] == "Trace" {
            words.truncate(at + 1);
            break;
        }
    }
    words.join(" ")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable folder");
    for entry in fs::read_dir(from).expect("a readable folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() && entry.file_name() != "target" {
            copy(&from, &to);
        } else if from.is_file() {
            fs::copy(&from, &to).expect("a writable folder");
        }
    }
}

#[test]
fn every_command_of_the_readme_and_the_guide_prints_what_they_say() {
    let tool = Tool::get();
    let folder = tool.scratch("readme");
    copy(&repository().join("fixtures/bank"), &folder.join("fixtures/bank"));
    for page in PAGES {
        // Commands on what was recorded see the run before them, not those of other pages or days.
        let _ = fs::remove_dir_all(folder.join("target/conccheck/runs"));
        let text = fs::read_to_string(repository().join(page)).expect("a page");
        let mut last: Option<Ended> = None;
        let mut tested = 0;
        for example in text::blocks(&text, "console").into_iter().flat_map(examples) {
            let printed = if example.command == "echo $?" {
                let code = last.as_ref().expect("a command before").code;
                code.map(|code| code.to_string()).unwrap_or_default()
            } else {
                let mut command = command(tool, example.command);
                let ended = run(command.current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")), LIMIT);
                let printed = ended.stdout.clone();
                last = Some(ended);
                printed
            };
            let stderr = last.as_ref().map_or("", |ended| &ended.stderr);
            assert!(matches(&example.printed, &printed), "{page}: $ {}\n{printed}\n--- besides:\n{stderr}", example.command);
            tested += 1;
        }
        assert!(tested >= 1, "{page} has no examples");
    }
}

#[test]
fn three_dots_stand_for_any_lines_and_times_may_differ() {
    assert!(matches(&["a", "...", "took 3.5 ms"], "a\nb\nc\ntook 12 ms\n"));
    assert!(matches(&["..."], ""));
    assert!(!matches(&["a"], "a\nb\n"));
    assert!(!matches(&["...", "z"], "a\nb\n"));
}
