//! `conccheck convert`: a trace in another format.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use conccheck_trace::convert::{Format, write};
use conccheck_trace::read::ProcessTrace;

use crate::{ExitCode, Failure, diagnostic, traces, words};

/// Convert a trace; the file endings say the format: .cct (binary), .json, .std
#[derive(clap::Args)]
pub(super) struct Args {
    /// The trace, of any format
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The file to write
    #[arg(value_name = "OUT")]
    output: PathBuf,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let name = self.output.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let format = Format::of_name(&name).ok_or_else(|| {
            let message = format!("can't tell a format from the name `{}`", self.output.display());
            Failure::usage(message).help("names of traces end in .cct (binary), .json or .std")
        })?;
        let traces = traces::load(std::slice::from_ref(&self.input))?;
        let [trace] = traces.as_slice() else {
            let message = format!("`{}` holds the traces of {} processes", self.input.display(), traces.len());
            return Err(Failure::usage(message).help("convert them one by one"));
        };
        for warning in &trace.warnings {
            diagnostic(format_args!("warning: {warning}"));
        }
        let unsaid = replace(trace, format, &self.output)
            .map_err(|error| Failure::usage(format!("can't write `{}`: {error}", self.output.display())))?;
        if unsaid > 0 {
            diagnostic(format_args!("warning: the format has no words for {}, left out", words::count(unsaid, "event")));
        }
        Ok(ExitCode::Clean)
    }
}

/// Writes beside the file first: it may be the very trace that is read, or a good one that a full disk must not spoil.
fn replace(trace: &ProcessTrace, format: Format, file: &Path) -> std::io::Result<u64> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = File::create(&part).and_then(|mut out| write(trace, format, &mut out));
    let written = written.and_then(|unsaid| fs::rename(&part, file).map(|()| unsaid));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
