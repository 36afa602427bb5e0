//! From traces to a verdict: the way that every command takes which reports.

use std::path::{Path, PathBuf};

use conccheck_analyzer::analyze;
use conccheck_trace::read::ProcessTrace;

use crate::baseline::Baseline;
use crate::config::Settings;
use crate::progress::Progress;
use crate::recorded::Recorded;
use crate::report::Report;
use crate::sources::{SourceCache, listed_folder, repository};
use crate::{Coverage, ExitCode, Failure, ReportOptions, RunFacts, diagnostic, output, traces, words};

/// Reads the traces (files, or folders with the traces of a run), analyses them and writes the reports.
///
/// The verdict: [`ExitCode::TestsFailed`] if `facts` say so, else [`ExitCode::Findings`] or [`ExitCode::Clean`].
///
/// # Errors
/// No trace, or none with an event ([`ExitCode::NothingRecorded`]); a trace that can't be read ([`ExitCode::BadTrace`]); a report
/// that can't be written ([`ExitCode::Usage`]).
pub fn report_run(traces: &[PathBuf], facts: &RunFacts, options: &ReportOptions) -> Result<ExitCode, Failure> {
    // What is wrong with the options should be said before a long analysis.
    let settings = options.settings()?;
    let known = settings.known()?;
    let tests_failed = facts.tests.is_some_and(|tests| tests.command_failed);
    match check(traces, facts, &settings, known.as_ref()) {
        // Tests that fail before they record anything have failed first of all.
        Err(failure) if tests_failed && failure.code() == ExitCode::NothingRecorded => {
            diagnostic(format_args!("warning: {failure}"));
            Ok(ExitCode::TestsFailed)
        }
        Ok(_) if tests_failed => Ok(ExitCode::TestsFailed),
        verdict => verdict,
    }
}

impl Settings {
    /// The findings that are known.
    ///
    /// # Errors
    /// The baseline is missing or broken: without it, what is known would count as new.
    pub(crate) fn known(&self) -> Result<Option<Baseline>, Failure> {
        self.baseline().map(Baseline::read).transpose()
    }
}

/// The verdict on what was recorded, whatever became of the tests.
fn check(traces: &[PathBuf], facts: &RunFacts, settings: &Settings, known: Option<&Baseline>) -> Result<ExitCode, Failure> {
    judge(traces, facts, settings, known, |report| {
        output::write(report, settings)?;
        verdict(report, traces, facts)
    })
}

/// What a report comes to.
///
/// # Errors
/// Nothing was recorded.
pub(crate) fn verdict(report: &Report<'_>, traces: &[PathBuf], facts: &RunFacts) -> Result<ExitCode, Failure> {
    if report.is_empty() {
        Err(nothing_recorded(traces, facts))
    } else if report.fails() {
        Ok(ExitCode::Findings)
    } else {
        Ok(ExitCode::Clean)
    }
}

/// Reads and analyses traces, says what may be wrong with them, and hands the report on.
///
/// # Errors
/// Those of [`report_run`] before anything is written, and those of `then`.
pub(crate) fn judge<T>(
    traces: &[PathBuf],
    facts: &RunFacts,
    settings: &Settings,
    known: Option<&Baseline>,
    then: impl FnOnce(&Report<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let progress = Progress::start("reading traces");
    let processes = traces::load(traces).map_err(|failure| match failure.code() {
        ExitCode::NothingRecorded if facts.command.is_some() => nothing_recorded(traces, facts),
        _ => failure,
    })?;
    let folders = source_folders(&processes);
    let folders = || folders.iter().map(PathBuf::as_path);
    let sources = SourceCache::new(folders(), repository(folders()));
    let config = settings.rules.config();
    let events = processes.iter().map(ProcessTrace::event_count).sum();
    progress.now(format!("analysing {} of {}", words::count(events, "event"), words::count(processes.len() as u64, "trace")));
    let analysis = analyze(&processes, &sources, &config);
    let recorded = Recorded::new(&processes, &sources, &config);
    let has_links = supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    let report = Report { recorded, has_links, ..Report::new(analysis, facts, &sources, settings, known) };
    drop(progress);
    for warning in &report.warnings {
        diagnostic(format_args!("warning: {warning}"));
    }
    then(&report)
}

/// What is found in traces, or was found according to JSON reports and baselines.
///
/// # Errors
/// Those of [`judge`]; traces in which nothing was recorded.
pub(crate) fn found(paths: &[PathBuf], settings: &Settings) -> Result<Baseline, Failure> {
    let (reports, traces): (Vec<PathBuf>, Vec<PathBuf>) = paths.iter().cloned().partition(|path| Baseline::is_one(path));
    let mut all = Baseline::default();
    for report in &reports {
        all.join(Baseline::read(report)?);
    }
    if !traces.is_empty() {
        let facts = RunFacts::default();
        all.join(judge(&traces, &facts, settings, None, |report| {
            if report.is_empty() { Err(nothing_recorded(&traces, &facts)) } else { Ok(Baseline::of(&report.findings)) }
        })?);
    }
    Ok(all)
}

fn nothing_recorded(paths: &[PathBuf], facts: &RunFacts) -> Failure {
    let (what, mut help) = match &facts.command {
        Some(command) => {
            (format!("`{command}` recorded nothing"), "no test ran, or nothing that ran uses synchronisation".to_owned())
        }
        None => {
            let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
            (format!("no synchronisation in {}", names.join(", ")), traces::RECORD.to_owned())
        }
    };
    let gaps = facts.coverage.as_ref().map(Coverage::gaps).unwrap_or_default();
    if !gaps.is_empty() {
        help += &format!("; not instrumented: {gaps}");
    }
    Failure::new(ExitCode::NothingRecorded, format!("{what}: nothing was checked")).help(help)
}

/// Where sources may lie: where cargo says that they do, above the recorded programs (target folders lie in workspaces), where they
/// ran, and where this process runs, since traces are also read elsewhere.
pub(crate) fn source_folders(processes: &[ProcessTrace]) -> Vec<PathBuf> {
    let programs = || processes.iter().map(|process| Path::new(&process.header.program));
    let listed = programs().filter_map(listed_folder);
    let ran = processes.iter().map(|process| PathBuf::from(&process.header.working_dir));
    let built = programs().filter_map(|program| Some(program.parent()?.to_owned()));
    let mut folders: Vec<PathBuf> = listed.chain(built).chain(ran).chain(std::env::current_dir()).collect();
    folders.dedup();
    folders
}
