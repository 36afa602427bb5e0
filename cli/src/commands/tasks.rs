//! `conccheck tasks`: the threads of a run and how they ended.

use std::path::PathBuf;

use super::Form;
use crate::tables::tasks;
use crate::{ExitCode, Failure};

/// Show the threads of a run: where they were started, how they ended
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let rows = super::with_models(&self.traces, |models| tasks::rows(models))?;
        super::print_table(self.format, &rows)
    }
}
