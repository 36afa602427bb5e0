//! The doctor's findings for people.

use std::fmt::Write as _;

use super::{Facts, Target};
use crate::cargo::toolchain::OLDEST_NAME;
use crate::table::{self, Align};

/// How many users of a crate are named.
const USERS: usize = 3;

pub(super) fn of(facts: &Facts) -> String {
    let mut text = format!("conccheck  {}\n", facts.conccheck);
    let _ = writeln!(text, "toolchain  {} (conccheck needs {OLDEST_NAME} or newer)", facts.toolchain);
    for target in &facts.targets {
        let Target { target, has_std, runtime, runtime_is_built } = target;
        let _ = writeln!(text, "target     {target}{}", if *has_std { "" } else { ", whose std is not installed" });
        let built = if *runtime_is_built { "" } else { " (not there yet: the first build compiles it)" };
        let _ = writeln!(text, "runtime    {runtime}{built}");
    }
    let nextest = facts.nextest.as_deref().unwrap_or("not installed: cargo install --locked cargo-nextest");
    let _ = writeln!(text, "nextest    {nextest}\n");

    let mut rows = Vec::new();
    for known in &facts.crates {
        for found in &known.versions {
            let recorded = if found.recorded { "yes" } else { "no" };
            rows.push(
                [&*known.name, &*found.version, recorded, &*found.why, &*users(&found.used_by)].map(str::to_owned).to_vec(),
            );
        }
        if known.versions.is_empty() {
            rows.push([&*known.name, "-", "-", "not used here", ""].map(str::to_owned).to_vec());
        }
    }
    let head = [
        ("crate", Align::Left),
        ("version", Align::Left),
        ("recorded", Align::Left),
        ("how, or why not", Align::Left),
        ("used by", Align::Left),
    ];
    text += &table::render(&head, &rows);
    let gaps = facts.crates.iter().flat_map(|known| &known.versions).filter(|found| !found.recorded).count();
    text += &match gaps {
        0 => "\nAll that synchronises is recorded.\n".to_owned(),
        1 => "\nOf one crate not everything is recorded.\n".to_owned(),
        _ => format!("\nOf {gaps} crates not everything is recorded.\n"),
    };
    text
}

fn users(names: &[String]) -> String {
    let named = names.iter().take(USERS).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(USERS) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
