//! `conccheck report`: analyses recorded traces.

use std::path::PathBuf;

use crate::{ExitCode, Failure, ReportOptions, RunFacts, report_run};

/// Analyse traces and report what is found
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run; several are joined
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    #[command(flatten)]
    options: ReportOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        report_run(&self.traces, &RunFacts::default(), &self.options)
    }
}
