//! The runtime: unpacked from this binary and compiled once per toolchain and target.
//!
//! It lies in `<target-dir>/conccheck/runtime/<hash>/<target>/`, where the hash is of the compiler and of the sources. A folder
//! with its final name is complete, since it is built under another name and then renamed.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::folders;
use super::plan::{RUNTIME, RuntimeCrate, search_path};
use super::settings::target_folder;
use super::toolchain::Toolchain;
use crate::{ExitCode, Failure};

/// Path and text of each source file.
static SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runtime_sources.rs"));

/// How it is compiled: optimised even under debug builds, with lines for backtraces, and the same bytes wherever it is built.
const FLAGS: [&str; 12] = [
    "--edition=2024",
    "--crate-type=rlib",
    "--emit=link",
    "-Copt-level=3",
    "-Ccodegen-units=1",
    "-Cdebuginfo=1",
    "-Coverflow-checks=off",
    "-Cdebug-assertions=off",
    "--cap-lints=allow",
    "--color=never",
    "--error-format=human",
    "--remap-path-scope=all",
];

/// How many runtimes of other toolchains or versions are kept.
const KEPT: usize = 6;

/// Makes sure that the runtime is there for a toolchain and targets. Returns the folder of all its targets.
///
/// # Errors
/// The folder can't be written ([`ExitCode::Usage`]); a target's std is missing ([`ExitCode::Usage`]); it does not compile
/// ([`ExitCode::Internal`]).
pub(super) fn ensure(root: &Path, toolchain: &Toolchain, targets: &[String]) -> Result<PathBuf, Failure> {
    let hash = hash(toolchain);
    let runtime = folder(root, toolchain);
    for target in targets {
        let finished = runtime.join(target_folder(target));
        if !finished.is_dir() {
            folders::create(&runtime)?;
            // Another `cargo conccheck` may be building it right now. The lock goes when the file is closed, also by a crash.
            let lock_path = root.join("lock");
            let lock = File::create(&lock_path).map_err(|error| folders::unwritable(&lock_path, &error))?;
            lock.lock().map_err(|error| folders::unwritable(&lock_path, &error))?;
            if !finished.is_dir() {
                folders::prune(root, KEPT, &runtime);
                build(&runtime, &finished, &hash, toolchain, target)?;
            }
        }
    }
    Ok(runtime)
}

/// The folder of a toolchain's runtime, for all targets, whether it is there or not.
pub(super) fn folder(root: &Path, toolchain: &Toolchain) -> PathBuf {
    root.join(hash(toolchain))
}

/// Tells this runtime from every other: by compiler, sources, flags, and which crates it is put under in what way.
fn hash(toolchain: &Toolchain) -> String {
    let mut hasher = DefaultHasher::new();
    // What was decided about a crate is decided anew by another version of the decision.
    let decisions = [include_str!("plan.rs"), include_str!("facade.rs")];
    (&toolchain.verbose_version, env!("CARGO_PKG_VERSION"), SOURCES, FLAGS, decisions).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn build(runtime: &Path, finished: &Path, hash: &str, toolchain: &Toolchain, target: &str) -> Result<(), Failure> {
    eprintln!("{:>12} conccheck's runtime for {target} (once per toolchain)", "Compiling");
    let staging = runtime.join(format!(".{}-{}", target_folder(target), process::id()));
    let _ = fs::remove_dir_all(&staging);
    for (path, text) in SOURCES {
        let path = staging.join("src").join(path);
        folders::create(path.parent().unwrap_or(&staging))?;
        fs::write(&path, text).map_err(|error| folders::unwritable(&path, &error))?;
    }
    let built = RUNTIME.iter().try_for_each(|part| compile(part, &staging, hash, toolchain, target));
    let moved = built.and_then(|()| fs::rename(&staging, finished).map_err(|error| folders::unwritable(finished, &error)));
    if moved.is_err() {
        let _ = fs::remove_dir_all(&staging);
    }
    moved
}

fn compile(part: &RuntimeCrate, staging: &Path, hash: &str, toolchain: &Toolchain, target: &str) -> Result<(), Failure> {
    let mut rustc = Command::new(&toolchain.rustc);
    rustc
        .args(FLAGS)
        .args(["--crate-name", part.name, "--target", target])
        .arg(format!("-Cmetadata={hash}"))
        .arg(format!("-Cextra-filename=-{hash}"))
        // Neither the folder it is built in nor the process that builds it may show in the result: it must be the same when rebuilt.
        .arg(format!("--remap-path-prefix={}=conccheck-runtime", staging.join("src").display()))
        .arg("--out-dir")
        .arg(staging)
        .args(search_path(staging))
        .arg(staging.join("src").join(part.folder).join("lib.rs"))
        .env("CARGO_PKG_NAME", part.name)
        .env("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION"))
        .env("CARGO_CRATE_NAME", part.name)
        // What traces name as the compiler.
        .env("RUSTC_VERSION", toolchain.name());
    for used in part.uses {
        rustc.arg("--extern").arg(format!("{used}={}", staging.join(format!("lib{used}-{hash}.rlib")).display()));
    }
    let output = rustc.output().map_err(|error| {
        Failure::new(ExitCode::BuildFailed, format!("can't start the compiler `{}`: {error}", toolchain.rustc.display()))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("E0463") {
        return Err(Failure::usage(format!(
            "there is no std for the target {target}: {}",
            said.lines().next().unwrap_or_default()
        ))
        .help(format!("install it (rustup target add {target}); targets without std can't be instrumented")));
    }
    if said.contains("could not find specification for target") || said.contains("error loading target specification") {
        return Err(Failure::usage(format!("the compiler does not know the target {target}")).help("rustc --print target-list"));
    }
    let version = toolchain.verbose_version.lines().next().unwrap_or_default();
    Err(Failure::new(ExitCode::Internal, format!("conccheck's runtime does not compile with {version} for {target}\n{said}"))
        .help("this is a bug in conccheck, unless the toolchain is newer than it; another toolchain: cargo +stable conccheck …"))
}
