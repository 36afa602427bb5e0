//! `conccheck schema`: what the files of conccheck look like, for editors and programs.

use clap::ValueEnum;

use crate::formats::report_schema;
use crate::{ExitCode, Failure, config, output};

/// Print the JSON schema of a file that conccheck reads or writes
#[derive(clap::Args)]
pub(super) struct Args {
    /// The file
    #[arg(value_enum)]
    of: Of,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// The report in JSON
    Report,
    /// The configuration, conccheck.toml
    Config,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let schema = match self.of {
            Of::Report => report_schema(),
            Of::Config => config::schema(),
        };
        output::print(&format!("{schema:#}\n"), false, None)?;
        Ok(ExitCode::Clean)
    }
}
