//! `conccheck run`: runs an instrumented program and reports on the run.

use std::ffi::OsString;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use crate::recording::{perturb, seeds};
use crate::{ExitCode, Failure, ReportOptions, RunFacts, diagnostic, report_run};

/// How often a program with a time limit is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Run an instrumented program, then report
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: ReportOptions,

    /// Keep the traces in this folder, which must be new or empty (default: they are thrown away)
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// End the program after this many seconds and report on what was recorded
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// Run it so many times, one after the other, with perturbed schedules (seeds 1 to N), and report on all runs together;
    /// CONCCHECK_PERTURB=SEED repeats one
    #[arg(long, value_name = "N")]
    perturb: Option<NonZeroU32>,

    /// The program and its arguments
    #[arg(required = true, last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        // What is wrong with the options should be said before a long run, not after it.
        self.options.check()?;
        let temporary;
        let folder = match &self.keep {
            Some(folder) => {
                make_empty(folder)?;
                folder.as_path()
            }
            None => {
                temporary = tempfile::Builder::new().prefix("conccheck-").tempdir();
                let temporary = temporary.as_ref();
                temporary.map_err(|error| Failure::usage(format!("can't make a folder for the traces: {error}")))?.path()
            }
        };
        // Relative paths would mean another folder to a program that changes its working directory.
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let mut failed = false;
        for seed in seeds(self.perturb) {
            let status = self.execute(&folder, seed)?;
            failed |= !status.success();
            if !status.success() {
                let with = seed.map(|seed| format!(" with CONCCHECK_PERTURB={seed}")).unwrap_or_default();
                diagnostic(format_args!("`{}` ended with {status}{with}", self.name()));
            }
        }
        let facts = RunFacts { kept_traces: self.keep.clone(), ..RunFacts::default() };
        let verdict = report_run(&[folder], &facts, &self.options).map_err(|failure| match failure.code() {
            ExitCode::NothingRecorded => self.not_instrumented(),
            _ => failure,
        })?;
        Ok(if verdict == ExitCode::Clean && failed { ExitCode::TestsFailed } else { verdict })
    }

    fn name(&self) -> String {
        self.program[0].to_string_lossy().into_owned()
    }

    fn execute(&self, folder: &Path, seed: Option<u32>) -> Result<ExitStatus, Failure> {
        crate::interrupt::leave_to_child();
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).env("CONCCHECK_TRACE", folder);
        self.options.configure_recording(&mut command)?;
        perturb(&mut command, seed);
        let failed = |error| Failure::usage(format!("can't run `{}`: {error}", self.name()));
        let mut child = command.spawn().map_err(failed)?;
        match self.timeout {
            Some(limit) => wait_up_to(&mut child, limit),
            None => child.wait(),
        }
        .map_err(failed)
    }

    fn not_instrumented(&self) -> Failure {
        let message = format!("`{}` recorded nothing: it is not instrumented, or uses no synchronisation", self.name());
        Failure::new(ExitCode::NothingRecorded, message)
            .help("`cargo conccheck build` builds it instrumented and says where it is")
    }
}

fn wait_up_to(child: &mut Child, limit: Duration) -> std::io::Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() >= limit {
            diagnostic(format_args!("the time limit of {} s is over: ending the program", limit.as_secs_f64()));
            child.kill()?;
            return child.wait();
        }
        thread::sleep(POLL);
    }
}

/// Makes a folder, or finds it empty.
///
/// # Errors
/// It can't be made, or is not empty.
pub(super) fn make_empty(folder: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::usage(format!("can't keep traces in `{}`: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(Failure::usage(format!("can't keep traces in `{}`: it is not empty", folder.display())));
    }
    Ok(())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
