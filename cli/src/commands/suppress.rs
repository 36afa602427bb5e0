//! `conccheck suppress`: makes a finding not count any more.

use std::path::PathBuf;

use crate::config::{self, Date};
use crate::failure::current_folder;
use crate::{ConfigOptions, ExitCode, Failure, JudgingOptions, ReportOptions, diagnostic};

/// Make a finding not count any more: adds it to the configuration, with the reason
#[derive(clap::Args)]
pub(super) struct Args {
    /// Fingerprint of the finding, or at least its first six digits
    #[arg(value_name = "FINGERPRINT", value_parser = fingerprint)]
    fingerprint: String,

    /// Why this is no defect here
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,

    /// Last day, such as 2027-03-01; after it, the finding counts again
    #[arg(long, value_name = "DATE", value_parser = date)]
    expires: Option<Date>,

    /// Configuration to add it to (default: the nearest one, or a new conccheck.toml in the workspace)
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let here = current_folder()?;
        let known = match &self.config_file {
            Some(file) if !file.exists() => None,
            _ => {
                let config = ConfigOptions { config_file: self.config_file.clone(), ..ConfigOptions::default() };
                ReportOptions::from(JudgingOptions { config, ..JudgingOptions::default() }).settings()?.file
            }
        };
        let file = known.or(self.config_file).unwrap_or_else(|| config::root(&here).join("conccheck.toml"));
        config::append_suppression(&file, &self.fingerprint, &self.reason, self.expires)?;
        diagnostic(format_args!("added to {}", file.display()));
        Ok(ExitCode::Clean)
    }
}

fn fingerprint(text: &str) -> Result<String, String> {
    let is_one = config::is_fingerprint(text);
    is_one.then(|| text.to_owned()).ok_or_else(|| "a fingerprint has 6 to 16 digits from 0 to 9 and a to f".to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    let is_one = !text.trim().is_empty() && text.trim() != "…";
    is_one.then(|| text.to_owned()).ok_or_else(|| "say why this is no defect here".to_owned())
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "not a date such as 2027-03-01".to_owned())
}
