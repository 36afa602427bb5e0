//! `cargo conccheck doctor`: what of a project will be recorded, what not and why, and with what it is built.

mod text;
mod tree;

use std::process::Command;

use serde::Serialize;

use super::args::CommandLine;
use super::plan::{FACADES, Facade, RUNTIME, is_unrecorded};
use super::project::Project;
use super::settings::target_folder;
use super::units::{self, Unit};
use super::{runtime, toolchain};
use crate::{ExitCode, Failure, Format, output};
use tree::Package;

/// The version of the JSON text. It changes when something that was there means something else.
const SCHEMA_VERSION: u32 = 1;

/// All that the doctor found out.
#[derive(Serialize)]
struct Facts {
    schema_version: u32,
    conccheck: &'static str,
    /// What the compiler calls itself.
    toolchain: String,
    targets: Vec<Target>,
    /// What cargo-nextest calls itself, where it is installed.
    nextest: Option<String>,
    crates: Vec<Crate>,
}

/// A target that is built for.
#[derive(Serialize)]
struct Target {
    target: String,
    /// Whether its std is installed.
    has_std: bool,
    /// Folder of the runtime's libraries.
    runtime: String,
    /// Whether they are there already: the first build compiles them.
    runtime_is_built: bool,
}

/// A crate that has a facade or needs one, and its versions among the project's dependencies.
#[derive(Serialize)]
struct Crate {
    name: String,
    /// The versions that its facade stands for; none: it has no facade.
    facade_for: Vec<&'static str>,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    version: String,
    recorded: bool,
    why: String,
    /// The packages that depend on it.
    used_by: Vec<String>,
}

/// Finds out and says it.
///
/// # Errors
/// No project, or one that cargo can't read; no usable compiler; a target without std; a format that is for findings.
pub(super) fn run(line: &CommandLine) -> Result<ExitCode, Failure> {
    let places = line.report.outputs()?.unwrap_or_else(|| vec![(Format::Human, None)]);
    if let Some((format, _)) = places.iter().find(|(format, _)| !matches!(format, Format::Human | Format::Json)) {
        return Err(Failure::usage(format!("the doctor has no findings to write as {}", format.name()))
            .help("cargo conccheck doctor --format human|json"));
    }
    let facts = Facts::of(line)?;
    for (format, file) in &places {
        let text = if *format == Format::Json {
            format!("{}\n", serde_json::to_string_pretty(&facts).unwrap_or_default())
        } else {
            text::of(&facts)
        };
        match file {
            Some(file) => output::write_new_file(file, text.as_bytes())?,
            None => output::print(&text, false, None)?,
        };
    }
    match facts.targets.iter().find(|target| !target.has_std) {
        Some(Target { target, .. }) => Err(Failure::usage(format!("there is no std for the target {target}"))
            .help(format!("install it (rustup target add {target}); targets without std can't be instrumented"))),
        None => Ok(ExitCode::Clean),
    }
}

impl Facts {
    fn of(line: &CommandLine) -> Result<Facts, Failure> {
        let project = Project::find(line)?;
        let packages = tree::packages(&project, line)?;
        let notes: Vec<Unit> = project.notes().iter().flat_map(|folder| units::all(folder)).map(|(_, unit)| unit).collect();
        Ok(Facts {
            schema_version: SCHEMA_VERSION,
            conccheck: env!("CARGO_PKG_VERSION"),
            toolchain: project.toolchain.verbose_version.lines().next().unwrap_or_default().to_owned(),
            targets: project.targets.iter().map(|target| Target::of(&project, target)).collect(),
            nextest: nextest(&project),
            crates: crates(&project, &packages, &notes),
        })
    }
}

impl Target {
    fn of(project: &Project, target: &str) -> Target {
        let folder = runtime::folder(&project.runtimes(), &project.toolchain).join(target_folder(target));
        Target {
            target: target.to_owned(),
            has_std: project.toolchain.has_std(target),
            runtime: folder.display().to_string(),
            runtime_is_built: folder.is_dir(),
        }
    }
}

fn nextest(project: &Project) -> Option<String> {
    let output = Command::new(&project.cargo).args(["nextest", "--version"]).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}

/// The table: std, the facades, then crates that would need one, and all that was not instrumented when it was built.
fn crates(project: &Project, packages: &[Package], notes: &[Unit]) -> Vec<Crate> {
    let mut table: Vec<Crate> = RUNTIME.iter().filter_map(|part| part.injected_as).map(|name| std(name, project)).collect();
    table.extend(FACADES.iter().map(|facade| {
        let found = packages.iter().filter(|package| package.crate_name == facade.name);
        Crate {
            name: facade.name.to_owned(),
            facade_for: facade.versions.to_vec(),
            versions: found.map(|package| substituted(facade, package, notes)).collect(),
        }
    }));
    for package in packages.iter().filter(|package| FACADES.iter().all(|facade| facade.name != package.crate_name)) {
        let Some(why) = plain(package, notes) else { continue };
        let version = package.version(false, why);
        match table.iter_mut().find(|known| known.name == package.crate_name) {
            Some(known) => known.versions.push(version),
            None => {
                table.push(Crate { name: package.crate_name.clone(), facade_for: Vec::new(), versions: vec![version] });
            }
        }
    }
    table
}

fn std(name: &str, project: &Project) -> Crate {
    let release = project.toolchain.release().to_owned();
    let version = Version { version: release, recorded: true, why: "by its facade".to_owned(), used_by: Vec::new() };
    Crate { name: name.to_owned(), facade_for: vec![toolchain::OLDEST_NAME], versions: vec![version] }
}

/// What becomes of a crate that has a facade.
fn substituted(facade: &Facade, package: &Package, notes: &[Unit]) -> Version {
    if facade.version(&package.version).is_none() {
        return package.version(false, format!("its facade stands for {} only", facade.versions.join(", ")));
    }
    let mut builds = notes.iter().filter(|unit| package.is(unit)).peekable();
    if builds.peek().is_some() && builds.all(|unit| !unit.facade) {
        return package.version(false, "its facade did not compile with it when it was built".to_owned());
    }
    package.version(true, "by its facade".to_owned())
}

/// Why a crate without facade is not recorded, or not all that it does.
fn plain(package: &Package, notes: &[Unit]) -> Option<String> {
    if is_unrecorded(&package.crate_name) {
        return Some("it synchronises by itself, which no facade records yet; what it does by std is recorded".to_owned());
    }
    notes.iter().find(|unit| package.is(unit)).and_then(|unit| unit.not_instrumented.clone())
}
