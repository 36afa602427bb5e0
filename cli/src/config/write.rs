//! What is written: the settings, for the user to see, and suppressions, into the configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use conccheck_analyzer::registry::RULES;
use toml::Value;

use super::document::Document;
use super::file::ConfigFile;
use super::rules::{THRESHOLDS, word};
use super::{Date, Origin, Settings, find};
use crate::{Failure, output};

/// The settings in the form of a configuration, each with who decided it.
pub(crate) fn show(settings: &Settings) -> String {
    let mut text = String::new();
    let config = settings.rules.config();
    if !config.ignored_tasks.is_empty() {
        let tasks: Vec<String> = config.ignored_tasks.iter().map(|task| Value::from(task.to_string()).to_string()).collect();
        let _ = writeln!(text, "ignore-tasks = [{}]\n", tasks.join(", "));
    }
    let mut line = |line: String, origin: &Origin| {
        let origin = match origin {
            Origin::CommandLine => "command line".to_owned(),
            Origin::Environment(name) => (*name).to_owned(),
            Origin::File => "conccheck.toml".to_owned(),
            Origin::Profile(name) => format!("profile `{name}`"),
            Origin::Default => "default".to_owned(),
        };
        let (gap, line) = line.strip_prefix('\n').map_or(("", line.as_str()), |line| ("\n", line));
        let _ = writeln!(text, "{gap}{line:<40}  # {origin}");
    };
    let (stacks, origin) = &settings.stacks;
    line(format!("stacks = \"{}\"", stacks.word()), origin);
    let (profile, origin) = &settings.profile;
    line(format!("\n[profile.{}]", key(profile)), origin);
    line(format!("fail-on = \"{}\"", settings.fail_on.0.word()), &settings.fail_on.1);
    let output = |(format, file): &output::Place| {
        let file = file.as_ref().map_or_else(String::new, |file| format!("={}", file.display()));
        Value::from(format!("{}{file}", format.name())).to_string()
    };
    let outputs: Vec<String> = settings.outputs.0.iter().map(output).collect();
    line(format!("outputs = [{}]", outputs.join(", ")), &settings.outputs.1);
    if let Some((file, origin)) = &settings.baseline {
        line(format!("baseline = {}", Value::from(file.display().to_string())), origin);
    }
    text += "\n[rules]\n";
    for meta in RULES.iter().map(|rule| rule.meta()) {
        let level = settings.rules.level(meta);
        let word = word(level);
        let thresholds = THRESHOLDS.iter().filter(|threshold| threshold.rule == meta.name);
        let thresholds: Vec<String> =
            thresholds.map(|threshold| format!(", {} = {}", threshold.key, threshold.written(&config))).collect();
        let value = if thresholds.is_empty() {
            format!("\"{word}\"")
        } else {
            format!("{{ level = \"{word}\"{} }}", thresholds.concat())
        };
        let _ = writeln!(text, "{} = {value}", meta.name);
    }
    for known in settings.rules.overrides() {
        let _ = write!(text, "\n{}", known.written());
    }
    text
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { Value::from(name).to_string() }
}

/// Adds a suppression at the end of a configuration, of which everything else stays as it is, or makes a new file.
///
/// # Errors
/// The configuration can't be read or written, or can't take it.
pub(crate) fn append_suppression(file: &Path, fingerprint: &str, reason: &str, expires: Option<Date>) -> Result<(), Failure> {
    let mut new = if file.exists() { Document::read(file)?.text } else { String::new() };
    if !new.is_empty() {
        new += if new.ends_with('\n') { "\n" } else { "\n\n" };
    }
    let tables = [find::tables(file), &["suppress"]].concat().join(".");
    let _ = write!(new, "[[{tables}]]\nfingerprint = {}\nreason = {}\n", Value::from(fingerprint), Value::from(reason));
    if let Some(expires) = expires {
        let _ = writeln!(new, "expires = {expires}");
    }
    let document = Document { path: file.to_owned(), text: new };
    // A list in brackets can't be continued by a table.
    if ConfigFile::of(&document).is_err() {
        let message = format!("can't add a table `[[{tables}]]` to `{}`", file.display());
        return Err(Failure::usage(message).help("write its suppressions as tables of their own, not as a list in brackets"));
    }
    output::write_new_file(file, document.text.as_bytes())
}

/// The workspace's root, or the folder itself where there is none.
pub(crate) fn root(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.join("Cargo.lock").exists()).unwrap_or(folder).to_owned()
}
