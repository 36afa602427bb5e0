//! Which crates are compiled how. To add a facade is to add a line to a table here.

use std::env;
use std::path::PathBuf;

use cargo_metadata::semver::{Version, VersionReq};

use super::invocation::Invocation;
use super::settings::Settings;

/// A crate of the runtime, compiled from the sources in this binary.
pub(super) struct RuntimeCrate {
    /// Its folder among the embedded sources.
    pub(super) folder: &'static str,
    pub(super) name: &'static str,
    /// The crates of the runtime that it uses, itself built before.
    pub(super) uses: &'static [&'static str],
    /// The name under which it is given to every crate of the user, if it is a facade of one of the compiler's crates.
    pub(super) injected_as: Option<&'static str>,
}

/// The runtime, in the order in which it is built.
pub(super) const RUNTIME: [RuntimeCrate; 3] = [
    RuntimeCrate { folder: "trace", name: "conccheck_trace", uses: &[], injected_as: None },
    RuntimeCrate { folder: "rt", name: "conccheck_rt", uses: &["conccheck_trace"], injected_as: None },
    RuntimeCrate { folder: "std", name: "conccheck_std", uses: &["conccheck_rt", "conccheck_trace"], injected_as: Some("std") },
];

/// The crate that users name when they swap types by hand. Told so by a `--cfg`, it hands out what is injected, so that nothing is
/// recorded twice.
const UMBRELLA: &str = "conccheck";
/// That `--cfg`.
const SUBSTITUTED: &str = "conccheck_substituted";

/// Crates with synchronisation of their own, beside that of std, which no facade records yet. What they do by std is recorded.
const UNRECORDED: &[&str] = &[
    "async_broadcast",
    "async_channel",
    "async_lock",
    "async_std",
    "crossfire",
    "flume",
    "futures_channel",
    "futures_util",
    "kanal",
    "loole",
    "oneshot",
    "postage",
    "scc",
    "smol",
    "spin",
    "thingbuf",
    "tokio",
];

/// Whether a crate has synchronisation of its own that no facade records.
pub(super) fn is_unrecorded(name: &str) -> bool {
    UNRECORDED.contains(&name)
}

/// Whether a crate has synchronisation that is seen by a facade of it alone.
pub(super) fn needs_facade(name: &str) -> bool {
    is_unrecorded(name) || FACADES.iter().any(|facade| facade.name == name)
}

/// A crate that cargo finds for the user, and the facade that takes its place.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Facade {
    /// The crate's name, as the compiler knows it.
    pub(super) name: &'static str,
    /// The versions that it stands for, as cargo reads a requirement: `1.2` is 1.2.0 and all that are compatible with it.
    pub(super) versions: &'static [&'static str],
    /// The folder of its sources within `shim`.
    pub(super) folder: &'static str,
    /// Versions that added something which the facade wraps. Compiled for one before it, the facade leaves that out:
    /// `cfg(conccheck_before = "…")`.
    pub(super) milestones: &'static [&'static str],
}

impl Facade {
    /// The milestones that a version of its crate has not reached.
    pub(super) fn ahead(&self, version: &str) -> impl Iterator<Item = &'static str> {
        let version = Version::parse(version).ok();
        let is_ahead = move |milestone: &&str| {
            version.as_ref().zip(Version::parse(milestone).ok()).is_some_and(|(version, milestone)| *version < milestone)
        };
        self.milestones.iter().copied().filter(is_ahead)
    }

    /// By which of its requirements it stands for this version of its crate, if it does.
    pub(super) fn version(&self, version: &str) -> Option<&'static str> {
        let version = Version::parse(version).ok()?;
        let covers = |covered: &&str| VersionReq::parse(covered).is_ok_and(|covered| covered.matches(&version));
        self.versions.iter().copied().find(covers)
    }
}

/// The facades. To add one is to add a line here and a folder to `shim`.
pub(super) const FACADES: &[Facade] = &[
    Facade { name: "crossbeam_channel", versions: &["0.4", "0.5"], folder: "crossbeam-channel", milestones: &["0.5.0"] },
    Facade { name: "crossbeam_utils", versions: &["0.7", "0.8"], folder: "crossbeam-utils", milestones: &["0.8.0"] },
    Facade {
        name: "lock_api",
        versions: &["0.3.4", "0.4", "0.5"],
        folder: "lock_api",
        milestones: &["0.4.0", "0.4.1", "0.4.3", "0.4.6", "0.4.7", "0.4.9", "0.4.10", "0.4.11"],
    },
    Facade { name: "once_cell", versions: &["1"], folder: "once_cell", milestones: &["1.1.0", "1.2.0", "1.4.0", "1.12.0"] },
    Facade {
        name: "parking_lot",
        versions: &["0.9", "0.10", "0.11", "0.12", "0.13"],
        folder: "parking_lot",
        milestones: &["0.10.1", "0.12.1"],
    },
];

/// Crates that the originals of facades are made of: what they do is recorded by the facade, and is compiled as the originals are.
const INNER: [&str; 1] = ["parking_lot_core"];

/// How to compile a crate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Plan {
    /// As cargo asks, and not worth a note: it does not become part of a program under test.
    Untouched,
    /// As cargo asks, although it becomes part of the program. The text says why.
    Plain {
        /// Folder of the runtime's libraries, which its dependencies may need.
        libraries: PathBuf,
        why: &'static str,
    },
    /// As cargo asks: all that it does is recorded by facades of the crates that use it.
    Inner {
        /// Folder of the runtime's libraries, which its dependencies may need.
        libraries: PathBuf,
    },
    /// Against the facades.
    Instrumented {
        /// Folder of the runtime's libraries.
        libraries: PathBuf,
        /// Further arguments.
        flags: Vec<String>,
        /// What takes its place, if there is a facade of this crate itself.
        facade: Option<&'static Facade>,
    },
}

impl Plan {
    /// Decides for one call of the compiler.
    pub(super) fn of(invocation: &Invocation, settings: &Settings) -> Plan {
        let (Some(name), Some(target)) = (&invocation.crate_name, &invocation.target) else { return Plan::Untouched };
        // Only what cargo compiles has metadata. Probes of build scripts and cargo's own (`___`) ask what the compiler can do.
        if invocation.metadata.is_none() || invocation.crate_types.iter().any(|kind| kind == "proc-macro") {
            return Plan::Untouched;
        }
        // A cargo that was started by a build script for some other target, such as WebAssembly.
        let Some(libraries) = settings.runtime_for(target) else { return Plan::Untouched };
        if INNER.contains(&name.as_str()) {
            return Plan::Inner { libraries };
        }
        if RUNTIME.iter().any(|own| own.name == name) {
            return Plan::Plain { libraries, why: "it is conccheck's own" };
        }
        if invocation.externs.iter().any(|(name, _)| name == "std") {
            return Plan::Plain { libraries, why: "std is built from source" };
        }
        let mut flags = injection(settings.runtime_hash(), &libraries);
        if name == UMBRELLA {
            flags.extend(["--cfg".to_owned(), SUBSTITUTED.to_owned()]);
        }
        let is_library = !invocation.test && invocation.crate_types.iter().all(|kind| kind == "lib" || kind == "rlib");
        let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
        let facade = FACADES.iter().find(|facade| is_library && facade.name == name && facade.version(&version).is_some());
        Plan::Instrumented { libraries, flags, facade }
    }
}

/// The arguments that put the facades under a crate.
pub(super) fn injection(hash: &str, libraries: &std::path::Path) -> Vec<String> {
    let mut flags = search_path(libraries);
    for facade in &RUNTIME {
        if let Some(original) = facade.injected_as {
            let library = libraries.join(format!("lib{}-{hash}.rlib", facade.name));
            flags.extend(["--extern".to_owned(), format!("{original}={}", library.display())]);
        }
    }
    flags
}

/// The argument by which the facades' own dependencies are found. Some `no_std` crates need it although they name no facade.
pub(super) fn search_path(libraries: &std::path::Path) -> Vec<String> {
    vec!["-L".to_owned(), format!("dependency={}", libraries.display())]
}
