//! What the user may choose about a report.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use conccheck_analyzer::config::IgnoredTask;
use conccheck_analyzer::finding::Severity;

use crate::formats::Format;
use crate::nearest::nearest;

/// How findings are shown and judged; the same for every command that reports.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Report")]
pub struct ReportOptions {
    /// Format of the report; may be given several times, each with its own file
    #[arg(long, value_name = "FORMAT[=FILE]", long_help = Output::help())]
    pub format: Vec<Output>,

    /// File for the report (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// File of known findings, which are counted but don't fail; see `conccheck baseline`
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// When to use colours (default: NO_COLOR, CLICOLOR_FORCE and CARGO_TERM_COLOR decide, else whether it is a terminal)
    #[arg(long, value_name = "WHEN", value_enum)]
    pub color: Option<Color>,

    /// What counts.
    #[command(flatten)]
    pub judging: JudgingOptions,
}

/// Which findings count; the same for every command that judges.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Judging")]
pub struct JudgingOptions {
    /// Lowest severity of a finding that makes the command fail (default: high)
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,

    /// Show and judge findings that lie in dependencies only as well, and show all in full
    #[arg(long)]
    pub all: bool,

    /// Task that may be left behind: `name=log-*`, `site=src/pool.rs:12` (where it waits) or `creator=src/main.rs`; may be given
    /// several times
    #[arg(long, value_name = "BY=WHAT")]
    pub ignore_task: Vec<IgnoredTask>,

    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigOptions,
}

impl From<JudgingOptions> for ReportOptions {
    fn from(judging: JudgingOptions) -> ReportOptions {
        ReportOptions { judging, ..ReportOptions::default() }
    }
}

/// Which configuration; the same for every command that has one.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigOptions {
    /// Profile of the configuration (default: CONCCHECK_PROFILE, else `default`)
    #[arg(long, value_name = "NAME")]
    pub config_profile: Option<String>,

    /// Configuration (default: the nearest conccheck.toml, .config/conccheck.toml or Cargo.toml that has one)
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// Folder from which to look for a configuration upwards; `None`: the current one.
    #[arg(skip)]
    pub project: Option<PathBuf>,
}

/// A format and where it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// What to write.
    pub format: Format,
    /// Where; `None`: the file of `--output`, or else standard output.
    pub file: Option<PathBuf>,
}

impl Output {
    fn help() -> String {
        format!(
            "Format of the report, one of {}; may be given several times. All but one need a file of their own: \
             `--format human --format sarif=findings.sarif`",
            Format::names().join(", ")
        )
    }
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file after `=`".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::from_str(name, false).map_err(|_| no_format(name))?;
        Ok(Output { format, file })
    }
}

/// Why there is no format of that name: what was probably meant, or what there is.
fn no_format(name: &str) -> String {
    let names = Format::names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match nearest(name, &names)[..] {
        [] => format!("the formats are {}", names.join(", ")),
        [best, ..] => format!("did you mean `{best}`? the formats are {}", names.join(", ")),
    }
}

/// From which severity on a finding makes the command fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum FailOn {
    /// Only critical findings
    Critical,
    /// High and above
    #[default]
    High,
    /// Medium and above
    Medium,
    /// Any finding
    Low,
    /// No finding
    Never,
}

impl FailOn {
    /// Whether a finding of this severity makes the command fail.
    pub fn includes(self, severity: Severity) -> bool {
        let lowest = match self {
            FailOn::Critical => Severity::Critical,
            FailOn::High => Severity::High,
            FailOn::Medium => Severity::Medium,
            FailOn::Low => Severity::Low,
            FailOn::Never => return false,
        };
        severity >= lowest
    }
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
