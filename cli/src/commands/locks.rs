//! `conccheck locks`: how long locks were held and waited for.

use std::path::PathBuf;

use clap::ValueEnum;

use super::Form;
use crate::tables::locks;
use crate::{ExitCode, Failure};

/// Show the locks of a run: acquisitions, waits, hold times
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// What to sort by, largest first
    #[arg(long, value_enum, default_value = "wait")]
    sort: Key,

    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Key {
    /// Time spent waiting
    Wait,
    /// Longest hold
    Hold,
    /// Number of acquisitions
    Acquisitions,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut rows = super::with_models(&self.traces, |models| locks::rows(models))?;
        rows.sort_by_key(|row| {
            std::cmp::Reverse(match self.sort {
                Key::Wait => row.total_wait,
                Key::Hold => row.longest_hold,
                Key::Acquisitions => row.acquisitions,
            })
        });
        super::print_table(self.format, &rows)
    }
}
