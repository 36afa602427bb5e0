//! `conccheck baseline`: the findings that were there when the tool came, and are to be counted only.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::Form;
use crate::baseline::{Baseline, DEFAULT_FILE, Entry};
use crate::config::Settings;
use crate::table::{self, Align};
use crate::{ConfigOptions, ExitCode, Failure, JudgingOptions, ReportOptions, diagnostic, reporting, words};

/// Keep known findings in a file, so that only new ones fail
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write the findings of traces or JSON reports to the baseline; what it held before is replaced
    Write(Found),
    /// Take out of the baseline what is no longer found
    Prune(Found),
    /// Show what is in the baseline
    Show {
        /// Form of the list
        #[arg(long, value_enum, default_value = "human")]
        format: Form,

        #[command(flatten)]
        place: Place,
    },
}

#[derive(clap::Args)]
struct Found {
    /// Traces, folders with the traces of a run, or JSON reports
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Findings that lie in dependencies only as well
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
struct Place {
    /// The baseline (default: the one of the configuration, else .conccheck/baseline.json)
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Write(found) => {
                let (settings, file) = found.place.settings(found.all)?;
                let baseline = reporting::found(&found.traces, &settings)?;
                baseline.write(&file)?;
                let count = words::count(baseline.entries().len() as u64, "finding");
                diagnostic(format_args!("{count} in {}; to use it: --baseline {0}, or `baseline` in a profile", file.display()));
            }
            Action::Prune(found) => {
                let (settings, file) = found.place.settings(found.all)?;
                let mut baseline = Baseline::read(&file)?;
                let gone = baseline.prune(&reporting::found(&found.traces, &settings)?);
                baseline.write(&file)?;
                let left = words::count(baseline.entries().len() as u64, "finding");
                diagnostic(format_args!("{}: {gone} taken out, {left} left", file.display()));
            }
            Action::Show { format, place } => {
                let (_, file) = place.settings(false)?;
                return super::print_rows(format, Baseline::read(&file)?.entries(), human);
            }
        }
        Ok(ExitCode::Clean)
    }
}

impl Place {
    /// The settings to find things with, and the baseline's file.
    fn settings(&self, all: bool) -> Result<(Settings, PathBuf), Failure> {
        let judging = JudgingOptions { all, config: self.config.clone(), ..JudgingOptions::default() };
        let settings = ReportOptions { baseline: self.baseline.clone(), ..judging.into() }.settings()?;
        let file = settings.baseline().unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        Ok((settings, file))
    }
}

fn human(entries: &[Entry]) -> String {
    let head = ["fingerprint", "severity", "rule", "finding"].map(|name| (name, Align::Left));
    let cells = |entry: &Entry| {
        [&entry.fingerprint, &entry.severity, &entry.rule, &entry.message].map(|text| crate::terminal::one_line(text)).to_vec()
    };
    table::render(&head, &entries.iter().map(cells).collect::<Vec<_>>())
}
