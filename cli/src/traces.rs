//! Reads the traces that a command was given.

use std::path::PathBuf;

use conccheck_trace::read::{self, Error, ProcessTrace};

use crate::baseline::Baseline;
use crate::failure::detail;
use crate::{ExitCode, Failure};

/// How to come by a trace.
pub(crate) const RECORD: &str = "record a run with `cargo conccheck test` or `cargo conccheck run`";

/// All traces at these paths, files or folders.
///
/// # Errors
/// One that can't be read, or nothing there at all.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Vec<ProcessTrace>, Failure> {
    let mut traces = Vec::new();
    for path in paths {
        traces.extend(read::open(path).map_err(|error| failure(&error))?);
    }
    Ok(traces)
}

fn failure(error: &Error) -> Failure {
    detail(format_args!("unreadable: {error:?}"));
    let code = match error {
        Error::NoTraceIn { .. } => ExitCode::NothingRecorded,
        _ => ExitCode::BadTrace,
    };
    let failure = Failure::new(code, error.to_string());
    match error {
        Error::NotFound { .. } => failure.help("what `cargo conccheck test` records lies in target/conccheck/runs"),
        Error::NoTraceIn { .. } => failure.help(RECORD),
        Error::NotATrace { path, .. } if Baseline::is_one(path) => failure
            .help("it is a report or a baseline, not a trace; `conccheck diff` and `conccheck baseline write` take those too"),
        _ => failure,
    }
}
