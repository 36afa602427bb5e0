//! What stands between cargo and `rustdoc`: doc tests are compiled against the facades too, as the library they use was.

use std::ffi::OsString;
use std::path::Path;
use std::process::{self, Command};

use super::invocation::Invocation;
use super::plan::{injection, search_path};
use super::settings::{Settings, target_folder};
use super::units;
use super::wrapper::{not_started, passed_on};
use crate::Failure;

/// Runs `rustdoc` for cargo.
pub(super) fn rustdoc(settings: &Settings, args: &[OsString]) -> Result<process::ExitCode, Failure> {
    let mut rustdoc = Command::new(&settings.rustdoc);
    rustdoc.args(args).args(flags(&Invocation::read(args), settings));
    let status = rustdoc.status().map_err(|error| not_started(&rustdoc, &error))?;
    Ok(passed_on(status))
}

fn flags(invocation: &Invocation, settings: &Settings) -> Vec<String> {
    let (true, Some(target)) = (invocation.test, &invocation.target) else { return Vec::new() };
    let Some(libraries) = settings.runtime_for(target) else { return Vec::new() };
    let folder = settings.units.join(target_folder(target)).join("instrumented");
    if library_is_plain(invocation, &folder) { search_path(&libraries) } else { injection(settings.runtime_hash(), &libraries) }
}

/// Whether the library whose examples these are was compiled without the facades.
fn library_is_plain(invocation: &Invocation, folder: &Path) -> bool {
    invocation.documented().and_then(|unit| units::of(folder, &unit)).is_some_and(|unit| unit.not_instrumented.is_some())
}
