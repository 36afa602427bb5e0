//! `conccheck merge`: the traces of several runs in one folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::run::make_empty;
use crate::{ExitCode, Failure, diagnostic, traces, words};

/// What lies beside a trace and belongs to it: the live part of a log, and the log of a process that did not come to write its JSON.
const BESIDE: [&str; 3] = [".live", ".cct", ".cct.live"];

/// Put the traces of several runs, such as the shards of a pipeline, into one folder
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// The folder to put them into, which must be new or empty
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        // Read first, so that what is no trace is refused before anything is written.
        let mut files = BTreeSet::new();
        for process in traces::load(&self.traces)? {
            for warning in &process.warnings {
                diagnostic(format_args!("warning: {warning}"));
            }
            files.insert(fs::canonicalize(&process.path).unwrap_or(process.path));
        }
        make_empty(&self.output)?;
        let mut folders: Vec<&Path> = Vec::new();
        for file in &files {
            // Files of one name in two runs stay apart: each folder becomes one with a number.
            let folder = file.parent().unwrap_or(Path::new(""));
            let number = folders.iter().position(|known| *known == folder).unwrap_or_else(|| {
                folders.push(folder);
                folders.len() - 1
            });
            copy(file, &self.output.join((number + 1).to_string()))?;
        }
        let count = |number: usize, noun| words::count(number as u64, noun);
        let (processes, runs) = (count(files.len(), "trace"), count(folders.len(), "folder"));
        diagnostic(format_args!("{processes} of {runs}; to report: conccheck report {}", self.output.display()));
        Ok(ExitCode::Clean)
    }
}

/// Copies a trace with all that belongs to it.
fn copy(file: &Path, folder: &Path) -> Result<(), Failure> {
    let beside = BESIDE.iter().map(|end| {
        let mut path = file.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    });
    for path in [file.to_owned()].into_iter().chain(beside.filter(|path| path.is_file())) {
        let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(&path, folder.join(path.file_name().unwrap_or_default())));
        copied.map_err(|error| Failure::usage(format!("can't copy `{}` to `{}`: {error}", path.display(), folder.display())))?;
    }
    Ok(())
}
