//! The packages that become part of the project's programs.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, PackageId, Target};

use super::Version;
use crate::Failure;
use crate::cargo::args::CommandLine;
use crate::cargo::project::{self, Project};
use crate::cargo::units::Unit;

/// A package that is linked into one of the project's programs.
pub(super) struct Package {
    /// The name of its library, as the compiler knows it.
    pub(super) crate_name: String,
    pub(super) version: String,
    /// The names of the packages that depend on it.
    used_by: BTreeSet<String>,
}

impl Package {
    pub(super) fn version(&self, recorded: bool, why: String) -> Version {
        Version { version: self.version.clone(), recorded, why, used_by: self.used_by.iter().cloned().collect() }
    }

    /// Whether this is a note on a build of the package's library.
    pub(super) fn is(&self, unit: &Unit) -> bool {
        unit.name == self.crate_name && unit.version == self.version && !unit.program
    }
}

/// The project's packages and all that they depend on, by name and version. What only build scripts and procedural macros use is not
/// among them: it is not instrumented, and needs not be.
///
/// # Errors
/// cargo can't read the project.
pub(super) fn packages(project: &Project, line: &CommandLine) -> Result<Vec<Package>, Failure> {
    let mut command = project::metadata_command(&project.cargo, line);
    let mut options: Vec<String> = project::config_options(line);
    options.extend(project.targets.iter().flat_map(|target| ["--filter-platform".to_owned(), target.clone()]));
    options.extend(resolution_flags(line));
    let metadata = project::metadata(command.other_options(options))?;
    Ok(linked(&metadata))
}

/// Those of cargo's flags that decide which packages there are.
fn resolution_flags(line: &CommandLine) -> Vec<String> {
    let mut flags = Vec::new();
    let mut args = line.cargo_args.iter().filter_map(|arg| arg.to_str());
    while let Some(arg) = args.next() {
        match arg {
            "--all-features" | "--no-default-features" | "--offline" | "--locked" | "--frozen" => flags.push(arg.to_owned()),
            "--features" | "-F" => flags.extend([Some("--features"), args.next()].into_iter().flatten().map(str::to_owned)),
            _ if arg.starts_with("--features=") => flags.push(arg.to_owned()),
            _ => {}
        }
    }
    flags
}

fn linked(metadata: &Metadata) -> Vec<Package> {
    let Some(resolve) = &metadata.resolve else { return Vec::new() };
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let packages: BTreeMap<&PackageId, _> = metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let mut users: BTreeMap<&PackageId, BTreeSet<String>> = BTreeMap::new();
    let mut found: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
    let mut todo: Vec<&PackageId> = found.iter().copied().collect();
    while let Some(id) = todo.pop() {
        let (Some(node), Some(package)) = (nodes.get(id), packages.get(id)) else { continue };
        for dependency in &node.deps {
            let is_linked = |kind: DependencyKind| matches!(kind, DependencyKind::Normal | DependencyKind::Development);
            let is_macro = packages.get(&dependency.pkg).is_some_and(|package| package.targets.iter().any(Target::is_proc_macro));
            if is_macro || !dependency.dep_kinds.iter().any(|kind| is_linked(kind.kind)) {
                continue;
            }
            users.entry(&dependency.pkg).or_default().insert(package.name.to_string());
            if found.insert(&dependency.pkg) {
                todo.push(&dependency.pkg);
            }
        }
    }
    let mut linked: Vec<Package> = found
        .into_iter()
        .filter_map(|id| {
            let package = packages.get(id)?;
            let library = package.targets.iter().find(|target| target.is_lib() || target.is_rlib())?;
            let crate_name = library.name.replace('-', "_");
            Some(Package { crate_name, version: package.version.to_string(), used_by: users.remove(id).unwrap_or_default() })
        })
        .collect();
    linked.sort_by(|a, b| (&a.crate_name, version(&a.version)).cmp(&(&b.crate_name, version(&b.version))));
    linked
}

fn version(text: &str) -> Option<cargo_metadata::semver::Version> {
    text.parse().ok()
}
