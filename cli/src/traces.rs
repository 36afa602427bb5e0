//! Reads the traces that a command was given.

use std::path::PathBuf;

use conccheck_trace::read::{self, Error, ProcessTrace};

use crate::{ExitCode, Failure};

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
    let code = match error {
        Error::NoTraceIn { .. } => ExitCode::NothingRecorded,
        _ => ExitCode::BadTrace,
    };
    Failure::new(code, error.to_string())
}
