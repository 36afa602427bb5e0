//! Which crates are compiled how. To add a facade is to add a line to a table here.

use std::path::PathBuf;

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
pub(super) const UNRECORDED: [&str; 13] = [
    "async_channel",
    "async_lock",
    "async_std",
    "crossbeam_channel",
    "flume",
    "futures_channel",
    "futures_util",
    "kanal",
    "lock_api",
    "parking_lot",
    "smol",
    "spin",
    "tokio",
];

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
    /// Against the facades.
    Instrumented {
        /// Folder of the runtime's libraries.
        libraries: PathBuf,
        /// Further arguments.
        flags: Vec<String>,
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
        Plan::Instrumented { libraries, flags }
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
