//! From traces to a verdict: the way that every command takes which reports.

use std::path::{Path, PathBuf};

use conccheck_analyzer::{Config, analyze};
use conccheck_trace::read::ProcessTrace;

use crate::report::Report;
use crate::sources::{SourceCache, repository};
use crate::terminal::one_line;
use crate::{ExitCode, Failure, ReportOptions, RunFacts, diagnostic, output, traces};

/// Reads the traces (files, or folders with the traces of a run), analyses them and writes the reports.
///
/// The verdict: [`ExitCode::TestsFailed`] if `facts` say so, else [`ExitCode::Findings`] or [`ExitCode::Clean`].
///
/// # Errors
/// No trace, or none with an event ([`ExitCode::NothingRecorded`]); a trace that can't be read ([`ExitCode::BadTrace`]); a report
/// that can't be written ([`ExitCode::Usage`]).
pub fn report_run(traces: &[PathBuf], facts: &RunFacts, options: &ReportOptions) -> Result<ExitCode, Failure> {
    options.outputs()?;
    let tests_failed = facts.tests.is_some_and(|tests| tests.command_failed);
    let processes = match traces::load(traces) {
        // Tests that fail before they record anything have failed first of all.
        Err(failure) if tests_failed && failure.code() == ExitCode::NothingRecorded => {
            diagnostic(format_args!("warning: {failure}"));
            return Ok(ExitCode::TestsFailed);
        }
        loaded => loaded?,
    };
    let folders = source_folders(&processes);
    let folders = || folders.iter().map(PathBuf::as_path);
    let sources = SourceCache::new(folders(), repository(folders()));
    let analysis = analyze(&processes, &sources, &Config::default());
    let recorded_nothing = analysis.stats.events == 0;
    let report = Report::new(analysis, facts, &sources, options);
    for warning in &report.warnings {
        diagnostic(format_args!("warning: {warning}"));
    }
    output::write(&report, options)?;
    if tests_failed {
        Ok(ExitCode::TestsFailed)
    } else if recorded_nothing {
        let names: Vec<String> = traces.iter().map(|path| format!("`{}`", one_line(&path.display().to_string()))).collect();
        Err(Failure::new(ExitCode::NothingRecorded, format!("no event in {}: nothing was checked", names.join(", "))))
    } else if report.fails() {
        Ok(ExitCode::Findings)
    } else {
        Ok(ExitCode::Clean)
    }
}

/// Where the recorded processes ran, then where this one does: traces are also read elsewhere.
fn source_folders(processes: &[ProcessTrace]) -> Vec<PathBuf> {
    let recorded = processes.iter().map(|process| Path::new(&process.header.working_dir).to_owned());
    let mut folders: Vec<PathBuf> = recorded.chain(std::env::current_dir()).collect();
    folders.dedup();
    folders
}
