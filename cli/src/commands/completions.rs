//! `conccheck completions`: what shells need to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::{ExitCode, Failure, output};

/// Print a shell's completions
#[derive(clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "conccheck", &mut script);
        output::print(&String::from_utf8_lossy(&script), false, None)?;
        Ok(ExitCode::Clean)
    }
}
