//! What stands between cargo and `rustc`.
//!
//! A crate that does not compile against the facades is compiled as it is, and the note on it says so: a build fails with
//! conccheck only if it fails without it, and then with the very errors it has without it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{self, Command, ExitStatus, Stdio};

use super::facade::Substitution;
use super::invocation::{Invocation, split_programs};
use super::plan::{Plan, search_path};
use super::settings::{Settings, target_folder};
use super::units::{self, Unit};
use crate::{ExitCode, Failure};

/// Runs the compiler for cargo. The arguments are the compiler, perhaps after a workspace's own wrapper, and its arguments.
pub(super) fn rustc(settings: &Settings, command: &[OsString]) -> Result<process::ExitCode, Failure> {
    let (programs, args) = split_programs(command);
    let Some((first, others)) = programs.split_first() else { return Err(Failure::usage("no compiler to run")) };
    let program = || {
        let mut compiler = Command::new(settings.rustc_wrapper.as_deref().unwrap_or(first));
        if settings.rustc_wrapper.is_some() {
            compiler.arg(first);
        }
        compiler.args(others);
        compiler
    };
    let compiler = || {
        let mut compiler = program();
        compiler.args(args);
        compiler
    };
    let invocation = Invocation::read(args);
    if invocation.version {
        return version(compiler(), settings.runtime_hash());
    }
    let plain = |libraries: &Path| run(compiler().args(search_path(libraries)));
    let mut faced = false;
    let (status, not_instrumented) = match Plan::of(&invocation, settings) {
        Plan::Untouched => return Ok(passed_on(run(&mut compiler())?)),
        Plan::Plain { libraries, why } => (plain(&libraries)?, Some(why)),
        Plan::Inner { libraries } => (plain(&libraries)?, None),
        Plan::Instrumented { libraries, flags, facade } => {
            let hash = settings.runtime_hash();
            let substitution =
                facade.map(|facade| Substitution { facade, invocation: &invocation, args, libraries: &libraries, hash });
            let substituted = substitution.map(|both| both.compile(program)).transpose()?.flatten();
            faced = substituted.is_some();
            match substituted.map_or_else(|| run_held(compiler().args(flags)), |status| Ok(Held::Done(status)))? {
                Held::Done(status) => (status, None),
                Held::Refused => (plain(&libraries)?, Some("it does not compile against the facades")),
            }
        }
    };
    if status.success() {
        note(&invocation, settings, not_instrumented, faced);
    } else {
        // Only tells faster what `cargo conccheck` would find out by asking cargo again.
        let _ = fs::write(&settings.build_failed, "");
    }
    Ok(passed_on(status))
}

/// Answers `-vV` with a line more. cargo keeps it with each crate that it built, so that a changed runtime rebuilds them all.
fn version(mut compiler: Command, runtime: &str) -> Result<process::ExitCode, Failure> {
    let output = compiler.stderr(Stdio::inherit()).output().map_err(|error| not_started(&compiler, &error))?;
    let mut answer = output.stdout;
    if output.status.success() {
        answer.extend_from_slice(format!("conccheck-runtime: {runtime}\n").as_bytes());
    }
    // cargo that is gone does not need the answer.
    let _ = io::stdout().write_all(&answer);
    Ok(passed_on(output.status))
}

fn note(invocation: &Invocation, settings: &Settings, not_instrumented: Option<&str>, facade: bool) {
    let (Some(id), Some(name), Some(target)) = (invocation.unit(), &invocation.crate_name, &invocation.target) else { return };
    let unit = Unit {
        name: name.clone(),
        version: env::var("CARGO_PKG_VERSION").unwrap_or_default(),
        not_instrumented: not_instrumented.map(str::to_owned),
        facade,
        program: invocation.test || invocation.crate_types.iter().any(|kind| kind == "bin"),
        dependencies: invocation.dependencies(),
    };
    units::note(&settings.units.join(target_folder(target)).join("instrumented"), &id, &unit);
}

/// How a compiler ended whose messages were held back.
pub(super) enum Held {
    /// It made something. Its messages were passed on.
    Done(ExitStatus),
    /// It made nothing. Its messages were dropped.
    Refused,
}

/// Runs a compiler and holds its messages back until it announces its first result, from which on nothing but code generation or
/// linking can fail. The announcement itself is never delayed: cargo starts the dependants by it.
pub(super) fn run_held(compiler: &mut Command) -> Result<Held, Failure> {
    let mut child = compiler.stderr(Stdio::piped()).spawn().map_err(|error| not_started(compiler, &error))?;
    let mut messages = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut held = Vec::new();
    let mut line = Vec::new();
    let mut announced = false;
    while matches!(messages.read_until(b'\n', &mut line), Ok(1..)) {
        held.append(&mut line);
        announced = announced || is_result(&held);
        if announced {
            pass_on(&mut held);
        }
    }
    let status = child.wait().map_err(|error| not_started(compiler, &error))?;
    if !status.success() && !announced {
        return Ok(Held::Refused);
    }
    pass_on(&mut held);
    Ok(Held::Done(status))
}

/// Whether the last of these lines announces a library's metadata or a linked file.
fn is_result(lines: &[u8]) -> bool {
    let last = lines.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let has = |text: &str| last.windows(text.len()).any(|window| window == text.as_bytes());
    is_artifact(last) && (has("\"emit\":\"metadata\"") || has("\"emit\":\"link\""))
}

/// Whether this line announces a file.
pub(super) fn is_artifact(line: &[u8]) -> bool {
    line.starts_with(b"{\"$message_type\":\"artifact\"")
}

fn pass_on(held: &mut Vec<u8>) {
    // If cargo is gone, the compiler ends soon as well.
    let _ = io::stderr().write_all(held);
    held.clear();
}

fn run(compiler: &mut Command) -> Result<ExitStatus, Failure> {
    compiler.status().map_err(|error| not_started(compiler, &error))
}

pub(super) fn not_started(program: &Command, error: &io::Error) -> Failure {
    let name: &OsStr = program.get_program();
    Failure::new(ExitCode::BuildFailed, format!("can't start `{}`: {error}", name.display()))
}

/// The exit code that says the same. 101, as from a panicking compiler, where it was killed.
pub(super) fn passed_on(status: ExitStatus) -> process::ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::BuildFailed.into(), process::ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_end_the_holding_back() {
        assert!(!is_result(b"{\"$message_type\":\"artifact\",\"artifact\":\"a.d\",\"emit\":\"dep-info\"}\n"));
        assert!(!is_result(b"{\"$message_type\":\"diagnostic\",\"message\":\"\\\"emit\\\":\\\"link\\\"\"}\n"));
        assert!(is_result(
            b"{\"$message_type\":\"diagnostic\"}\n{\"$message_type\":\"artifact\",\"artifact\":\"a\",\"emit\":\"metadata\"}\n"
        ));
    }
}
