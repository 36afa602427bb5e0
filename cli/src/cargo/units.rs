//! Notes on how each crate was compiled, and the coverage that follows for the programs that ran.
//!
//! A note is a small file `<target-dir>/conccheck/<triple>/instrumented/<crate>-<hash>.json`, written whenever the crate is
//! compiled. cargo's hash tells its versions and builds apart, and the names of its dependencies make a graph of the notes, so
//! that of all that was ever built only what is linked into a program is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use serde::{Deserialize, Serialize};

use super::plan::needs_facade;
use crate::{Coverage, Gap};

/// How a crate was compiled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Unit {
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) version: String,
    /// Why it was not instrumented; nothing: it was.
    pub(super) not_instrumented: Option<String>,
    /// Whether its facade took its place.
    #[serde(default)]
    pub(super) facade: bool,
    /// Whether it is a program: a binary, a test, an example.
    pub(super) program: bool,
    /// The crates given to it.
    pub(super) dependencies: Vec<String>,
}

/// Writes a note. What can't be written is missing in the coverage, which is no reason to fail a build.
pub(super) fn note(folder: &Path, id: &str, unit: &Unit) {
    let staged = folder.join(format!(".{id}-{}", process::id()));
    let text = serde_json::to_vec(unit).unwrap_or_default();
    if fs::create_dir_all(folder).and_then(|()| fs::write(&staged, text)).is_ok() {
        let _ = fs::rename(&staged, folder.join(format!("{id}.json")));
    }
}

/// Reads the note of one unit.
pub(super) fn of(folder: &Path, id: &str) -> Option<Unit> {
    serde_json::from_slice(&fs::read(folder.join(format!("{id}.json"))).ok()?).ok()
}

/// What was instrumented in the programs of these paths, or in all programs noted if none is known.
pub(super) fn coverage(folders: &[PathBuf], programs: &[PathBuf]) -> Option<Coverage> {
    let units: BTreeMap<String, Unit> = folders.iter().flat_map(|folder| all(folder)).collect();
    let mut linked: Vec<&String> = roots(&units, programs);
    let mut seen: BTreeSet<&String> = linked.iter().copied().collect();
    while let Some(id) = linked.pop() {
        let dependencies = units.get(id).map(|unit| unit.dependencies.as_slice()).unwrap_or_default();
        for dependency in dependencies {
            if units.contains_key(dependency) && seen.insert(dependency) {
                linked.push(dependency);
            }
        }
    }
    (!seen.is_empty()).then(|| summary(&units, &seen))
}

/// All notes in a folder, with their units' names.
pub(super) fn all(folder: &Path) -> Vec<(String, Unit)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
    ids.filter_map(|id| Some((id.clone(), of(folder, &id)?))).collect()
}

/// The programs' units, or those of all programs if none is found.
fn roots<'a>(units: &'a BTreeMap<String, Unit>, programs: &[PathBuf]) -> Vec<&'a String> {
    let found: BTreeSet<&String> = programs.iter().flat_map(|program| units_of(program, units)).collect();
    if found.is_empty() {
        units.iter().filter(|(_, unit)| unit.program).map(|(id, _)| id).collect()
    } else {
        found.into_iter().collect()
    }
}

/// The unit of a program. A test has its unit's name. cargo links other programs to their plain name, beside or above the file with
/// the unit's name; where it had to copy them, all units of that name may be meant.
fn units_of<'a>(program: &Path, units: &'a BTreeMap<String, Unit>) -> Vec<&'a String> {
    let Some(stem) = program.file_stem().and_then(|stem| stem.to_str()) else { return Vec::new() };
    if let Some((id, _)) = units.get_key_value(stem) {
        return vec![id];
    }
    let name = stem.replace('-', "_");
    let named: Vec<&String> = units.iter().filter(|(_, unit)| unit.program && unit.name == name).map(|(id, _)| id).collect();
    let linked: Vec<&String> = named.iter().copied().filter(|id| is_link_to(program, id)).collect();
    if linked.is_empty() { named } else { linked }
}

/// Whether a program is the same file as its unit's, by size and time.
fn is_link_to(program: &Path, id: &str) -> bool {
    let identity = |path: &Path| fs::metadata(path).and_then(|data| Ok((data.len(), data.modified()?))).ok();
    let Some(own) = identity(program) else { return false };
    let folder = program.parent().unwrap_or(program);
    [folder.join("deps").join(id), folder.join(id)].iter().any(|path| identity(path) == Some(own))
}

fn summary(units: &BTreeMap<String, Unit>, linked: &BTreeSet<&String>) -> Coverage {
    let mut instrumented = BTreeSet::new();
    // By name: the units that it is, of which several versions may be linked.
    let mut gaps: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for id in linked {
        let Some(unit) = units.get(*id) else { continue };
        if unit.not_instrumented.is_none() {
            instrumented.insert(unit.name.clone());
        }
        if unit.not_instrumented.is_some() || !unit.facade && !unit.program && needs_facade(&unit.name) {
            gaps.entry(&unit.name).or_default().insert(id);
        }
    }
    let users = |ids: &BTreeSet<&String>| {
        let uses = |id: &&&String| units.get(**id).is_some_and(|unit| unit.dependencies.iter().any(|used| ids.contains(used)));
        linked.iter().filter(uses).count() as u64
    };
    let not_instrumented = gaps.iter().map(|(name, ids)| Gap { name: (*name).to_owned(), users: users(ids) }).collect();
    Coverage { instrumented: instrumented.into_iter().collect(), not_instrumented }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn unit(name: &str, program: bool, why: Option<&str>, dependencies: &[&str]) -> Unit {
        Unit {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            not_instrumented: why.map(str::to_owned),
            facade: false,
            program,
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn only_what_is_linked_into_the_program_is_counted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        note(folder.path(), "app-1", &unit("app", true, None, &["lib-1", "parking_lot-1"]));
        note(folder.path(), "lib-1", &unit("lib", false, None, &["plain-1"]));
        note(folder.path(), "plain-1", &unit("plain", false, Some("it does not compile"), &[]));
        note(folder.path(), "parking_lot-1", &unit("parking_lot", false, None, &[]));
        note(folder.path(), "stale-0", &unit("stale", false, Some("it does not compile"), &[]));
        note(folder.path(), "other-1", &unit("other", true, None, &["stale-0"]));
        let folders = [folder.path().to_owned()];
        let coverage = coverage(&folders, &[PathBuf::from("/t/debug/app")]).expect("a program is noted");
        assert_eq!(coverage.instrumented, ["app", "lib", "parking_lot"]);
        let gap = |name: &str, users| Gap { name: name.to_owned(), users };
        assert_eq!(coverage.not_instrumented, [gap("parking_lot", 1), gap("plain", 1)]);
    }

    #[test]
    fn of_several_builds_of_a_program_the_one_that_ran_is_counted() {
        let notes = tempfile::tempdir().expect("a temporary folder");
        note(notes.path(), "app-1", &unit("app", true, None, &[]));
        note(notes.path(), "app-2", &unit("app", true, Some("it does not compile"), &[]));
        let build = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(build.path().join("deps")).expect("a writable folder");
        fs::write(build.path().join("deps/app-1"), "program").expect("a writable folder");
        fs::hard_link(build.path().join("deps/app-1"), build.path().join("app")).expect("a folder with links");
        fs::write(build.path().join("deps/app-2"), "another program").expect("a writable folder");
        let coverage = coverage(&[notes.path().to_owned()], &[build.path().join("app")]).expect("a program is noted");
        assert_eq!(coverage.instrumented, ["app"]);
        assert!(coverage.not_instrumented.is_empty());
    }

    #[test]
    fn without_any_note_nothing_is_known() {
        assert!(coverage(&[PathBuf::from("/nowhere")], &[]).is_none());
    }
}
