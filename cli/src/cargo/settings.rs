//! What `cargo conccheck` tells the wrappers that cargo starts for it: environment variables, set for cargo alone.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const RUNTIME: &str = "CONCCHECK_WRAP_RUNTIME";
const UNITS: &str = "CONCCHECK_WRAP_UNITS";
const BUILD_FAILED: &str = "CONCCHECK_WRAP_BUILD_FAILED";
const RUSTC_WRAPPER: &str = "CONCCHECK_WRAP_RUSTC_WRAPPER";
const RUSTDOC: &str = "CONCCHECK_WRAP_RUSTDOC";

/// What a wrapper needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// Folder of the compiled runtime; one folder a target in it.
    pub(super) runtime: PathBuf,
    /// Folder under which it is noted how each crate was compiled.
    pub(super) units: PathBuf,
    /// File to create when a crate does not compile.
    pub(super) build_failed: PathBuf,
    /// The user's own wrapper around `rustc`.
    pub(super) rustc_wrapper: Option<OsString>,
    /// The user's `rustdoc`.
    pub(super) rustdoc: OsString,
}

impl Settings {
    /// The settings of the `cargo conccheck` that started this process, if one did.
    pub(super) fn from_env() -> Option<Settings> {
        Some(Settings {
            runtime: env::var_os(RUNTIME)?.into(),
            units: env::var_os(UNITS)?.into(),
            build_failed: env::var_os(BUILD_FAILED)?.into(),
            rustc_wrapper: env::var_os(RUSTC_WRAPPER),
            rustdoc: env::var_os(RUSTDOC)?,
        })
    }

    /// Hands them on to a cargo.
    pub(super) fn set_for(&self, cargo: &mut Command) {
        cargo
            .env(RUNTIME, &self.runtime)
            .env(UNITS, &self.units)
            .env(BUILD_FAILED, &self.build_failed)
            .env(RUSTDOC, &self.rustdoc);
        match &self.rustc_wrapper {
            Some(wrapper) => cargo.env(RUSTC_WRAPPER, wrapper),
            None => cargo.env_remove(RUSTC_WRAPPER),
        };
    }

    /// The runtime's hash: the name of its folder.
    pub(super) fn runtime_hash(&self) -> &str {
        self.runtime.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The runtime's folder for a target, if it was built for it.
    pub(super) fn runtime_for(&self, target: &str) -> Option<PathBuf> {
        Some(self.runtime.join(target_folder(target))).filter(|folder| folder.is_dir())
    }
}

/// cargo's folder name for a target: the triple, or the stem of a target description's file.
pub(super) fn target_folder(target: &str) -> &str {
    match target.strip_suffix(".json") {
        Some(_) => Path::new(target).file_stem().and_then(|stem| stem.to_str()).unwrap_or(target),
        None => target,
    }
}
