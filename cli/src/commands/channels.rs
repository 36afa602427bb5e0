//! `conccheck channels`: how full channels got and who waited.

use std::path::PathBuf;

use super::Form;
use crate::tables::channels;
use crate::{ExitCode, Failure};

/// Show the channels of a run: messages, backlog, waits
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
        let rows = super::with_models(&self.traces, |models| channels::rows(models))?;
        super::print_table(self.format, &rows)
    }
}
