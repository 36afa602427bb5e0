//! The project: its folders, its toolchain, and what its owner has set up around the compiler.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::MetadataCommand;

use super::args::CommandLine;
use super::config::Config;
use super::settings::target_folder;
use super::toolchain::Toolchain;
use crate::failure::current_folder;
use crate::{ExitCode, Failure};

/// Where and by what a project is built.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) cargo: OsString,
    pub(super) toolchain: Toolchain,
    /// `<target-dir>/conccheck`.
    pub(super) folder: PathBuf,
    /// The folder for intermediate files, where the user has one apart.
    build_dir: Option<PathBuf>,
    /// All targets that are built for.
    pub(super) targets: Vec<String>,
    /// Whether cargo must be told the target: the user names none.
    name_target: bool,
    pub(super) rustc_wrapper: Option<OsString>,
    pub(super) rustdoc: OsString,
}

impl Project {
    /// Finds out about the project that a command line is about.
    ///
    /// # Errors
    /// No project, or one that cargo can't read; no usable compiler.
    pub(super) fn find(line: &CommandLine) -> Result<Project, Failure> {
        let here = current_folder()?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let config = Config::load(&here, &line.config);
        let toolchain = Toolchain::ask(&config.program("RUSTC", "rustc").unwrap_or_else(|| "rustc".into()))?;

        let metadata = metadata(metadata_command(&cargo, line).no_deps().other_options(config_options(line)))?;
        let target_dir = line.target_dir.as_ref().map(|folder| here.join(folder));
        let folder = target_dir.unwrap_or_else(|| metadata.target_directory.clone().into_std_path_buf()).join("conccheck");
        let build_dir = metadata.build_directory.filter(|build| *build != metadata.target_directory);

        let configured = if line.targets.is_empty() { config.targets() } else { Vec::new() };
        let name_target = line.targets.is_empty() && configured.is_empty();
        let mut targets: Vec<String> = line.targets.iter().chain(&configured).cloned().collect();
        targets.extend(name_target.then(|| toolchain.host.clone()));
        for target in &mut targets {
            if target == "host-tuple" {
                target.clone_from(&toolchain.host);
            }
        }
        Ok(Project {
            cargo,
            folder,
            build_dir: build_dir.map(|build| build.join("conccheck").into_std_path_buf()),
            targets,
            name_target,
            rustc_wrapper: config.program("RUSTC_WRAPPER", "rustc-wrapper"),
            rustdoc: config.program("RUSTDOC", "rustdoc").unwrap_or_else(|| "rustdoc".into()),
            toolchain,
        })
    }

    /// A cargo that compiles through `wrapper`. Its own flags follow the verb directly, since `cargo run` has the program's at the
    /// end.
    ///
    /// The wrapper is given by `--config`, and the variables that would beat it are taken away, so that a test which starts a
    /// compiler of its own gets an ordinary one.
    pub(super) fn cargo(&self, verb: &[&str], wrapper: &str) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.args(verb).arg("--target-dir").arg(&self.folder);
        let quoted = toml::Value::from(wrapper);
        for key in ["rustc-wrapper", "rustdoc"] {
            cargo.arg("--config").arg(format!("build.{key}={quoted}"));
        }
        if let Some(build_dir) = &self.build_dir {
            cargo.arg("--config").arg(format!("build.build-dir={}", toml::Value::from(build_dir.display().to_string())));
        }
        if self.name_target {
            cargo.args(["--target", &self.toolchain.host]);
        }
        for variable in ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER", "RUSTDOC", "CARGO_BUILD_RUSTDOC"] {
            cargo.env_remove(variable);
        }
        cargo
    }

    /// The folder of all runtimes.
    pub(super) fn runtimes(&self) -> PathBuf {
        self.folder.join("runtime")
    }

    /// The folders with the notes on how crates were compiled.
    pub(super) fn notes(&self) -> Vec<PathBuf> {
        self.targets.iter().map(|target| self.folder.join(target_folder(target)).join("instrumented")).collect()
    }
}

/// A question to cargo about the project.
pub(super) fn metadata_command(cargo: &OsString, line: &CommandLine) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command.cargo_path(cargo);
    if let Some(manifest) = &line.manifest_path {
        command.manifest_path(manifest);
    }
    command
}

/// The flags by which a command line changes cargo's configuration.
pub(super) fn config_options(line: &CommandLine) -> Vec<String> {
    line.config.iter().flat_map(|value| ["--config".to_owned(), value.clone()]).collect()
}

/// cargo's own view of the project.
///
/// # Errors
/// cargo can't read it.
pub(super) fn metadata(command: &MetadataCommand) -> Result<cargo_metadata::Metadata, Failure> {
    let cargo = command.cargo_command().get_program().to_owned();
    command.exec().map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => {
            Failure::new(ExitCode::BuildFailed, stderr.trim_start_matches("error: ").trim_end())
        }
        cargo_metadata::Error::Io(error) => {
            Failure::new(ExitCode::BuildFailed, format!("can't start `{}`: {error}", cargo.display()))
        }
        other => Failure::new(ExitCode::BuildFailed, format!("cargo metadata: {other}")),
    })
}
