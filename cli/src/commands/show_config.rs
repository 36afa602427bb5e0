//! `conccheck show-config`: the settings that a report would have, and who decided them.

use crate::{ExitCode, Failure, ReportOptions, config, output};

/// Show the configuration that is in force, or its JSON schema
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: ReportOptions,

    /// Print the JSON schema of conccheck.toml instead
    #[arg(long)]
    emit_schema: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let text = if self.emit_schema { format!("{:#}\n", config::schema()) } else { config::show(&self.options.settings()?) };
        output::print(&text, false, None)?;
        Ok(ExitCode::Clean)
    }
}
