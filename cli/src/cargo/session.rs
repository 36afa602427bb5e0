//! One `cargo conccheck`: build, run, report.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use conccheck_trace::layout::{MAGIC, PREAMBLE};

use super::args::{CommandLine, Verb};
use super::folders;
use super::project::Project;
use super::runtime;
use super::settings::Settings;
use super::tally::{self, Harness, Tally};
use super::units;
use super::wrapper::not_started;
use crate::recording::{perturb, seeds};
use crate::{ExitCode, Failure, RunFacts, Tests, diagnostic, leave_interrupts_to_child, report_run};

/// How many runs are kept.
const KEPT_RUNS: usize = 10;

/// Does what a command line asks for.
pub(super) fn execute(line: &CommandLine) -> Result<ExitCode, Failure> {
    // What is wrong with the options should be said before a long build, not after it.
    line.report.check()?;
    let project = Project::find(line)?;
    folders::create(&project.folder)?;
    let runtime = runtime::ensure(&project.runtimes(), &project.toolchain, &project.targets)?;
    let run = Run::new(&project)?;
    let session = Session {
        line,
        settings: Settings {
            runtime,
            units: project.folder.clone(),
            build_failed: run.build_failed(),
            rustc_wrapper: project.rustc_wrapper.clone(),
            rustdoc: project.rustdoc.clone(),
        },
        wrapper: wrapper()?,
        project,
    };
    let recorded = line.verb != Verb::Build && !line.no_run;
    let outcome = if recorded { session.run_and_report(&run) } else { session.build() };
    run.tidy();
    outcome
}

/// This program, which is also the wrapper.
fn wrapper() -> Result<String, Failure> {
    let path = env::current_exe().map_err(|error| Failure::usage(format!("can't find cargo-conccheck's own file: {error}")))?;
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::usage(format!("cargo can't be given a path that is not Unicode: {}", path.display())))
}

struct Session<'a> {
    line: &'a CommandLine,
    project: Project,
    settings: Settings,
    wrapper: String,
}

impl Session<'_> {
    fn cargo(&self, verb: &[&str]) -> Command {
        let mut cargo = self.project.cargo(verb, &self.wrapper);
        self.settings.set_for(&mut cargo);
        cargo.env_remove("CONCCHECK_TRACE");
        cargo
    }

    /// Only builds, and says where the programs are.
    fn build(&self) -> Result<ExitCode, Failure> {
        let mut cargo = self.cargo(self.line.verb.words());
        let lists_programs = matches!(self.line.verb, Verb::Build | Verb::Test | Verb::Bench) && !self.line.message_format;
        if lists_programs {
            // Diagnostics still go to the terminal as usual; only the list of results is for us.
            cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
        }
        let mut child = cargo.args(&self.line.cargo_args).spawn().map_err(|error| not_started(&cargo, &error))?;
        let programs = child.stdout.take().map(programs_built).unwrap_or_default();
        let status = child.wait().map_err(|error| not_started(&cargo, &error))?;
        if !status.success() {
            return Ok(build_failure(status));
        }
        for program in &programs {
            // A closed standard output is no reason to stop.
            let _ = writeln!(io::stdout(), "{program}");
        }
        if let Some(program) = programs.first() {
            diagnostic(format_args!("built instrumented; to run and report: conccheck run -- {program}"));
        }
        Ok(ExitCode::Clean)
    }

    fn run_and_report(&self, run: &Run) -> Result<ExitCode, Failure> {
        leave_interrupts_to_child();
        folders::create(&run.traces)?;
        let seeds = seeds(self.line.perturb);
        let (mut status, mut tally) = self.run(run, seeds[0])?;
        if !status.success()
            && let Some(code) = self.not_the_programs_fault(status)?
        {
            return Ok(code);
        }
        for &seed in &seeds[1..] {
            let has_failed = !status.success();
            let (other, counted) = self.run_again(run, seed, has_failed)?;
            if !has_failed {
                (status, tally) = (other, counted);
            }
        }
        if self.line.no_report {
            diagnostic(format_args!("recorded; to report: conccheck report {}", run.traces.display()));
            return Ok(if status.success() { ExitCode::Clean } else { ExitCode::TestsFailed });
        }
        let is_test = self.line.verb != Verb::Run;
        let facts = RunFacts {
            tests: is_test.then(|| Tests {
                passed: tally.map(|tally| tally.passed),
                failed: tally.map(|tally| tally.failed),
                command_failed: !status.success(),
            }),
            coverage: units::coverage(&self.project.notes(), &programs_recorded(&run.traces)),
            command: Some(repeated()),
            kept_traces: Some(run.traces.clone()),
        };
        if !is_test && !status.success() {
            diagnostic(format_args!("the program ended with {status}"));
        }
        let verdict = report_run(std::slice::from_ref(&run.traces), &facts, &self.line.report)?;
        Ok(if verdict == ExitCode::Clean && !status.success() { ExitCode::TestsFailed } else { verdict })
    }

    /// Runs it, with a perturbed schedule where there is a seed.
    fn run(&self, run: &Run, seed: Option<u32>) -> Result<(ExitStatus, Option<Tally>), Failure> {
        let mut cargo = self.recording(run, seed)?;
        let ran = match self.harness() {
            Some(harness) => tally::run(&mut cargo, harness),
            None => cargo.status().map(|status| (status, None)),
        };
        ran.map_err(|error| not_started(&cargo, &error))
    }

    /// Runs it once more. Of tests only what the first run prints that fails is shown.
    fn run_again(&self, run: &Run, seed: Option<u32>, has_failed: bool) -> Result<(ExitStatus, Option<Tally>), Failure> {
        let Some((harness, seed)) = self.harness().zip(seed) else { return self.run(run, seed) };
        let mut cargo = self.recording(run, Some(seed))?;
        let (status, tally, printed) = tally::run_quietly(&mut cargo, harness).map_err(|error| not_started(&cargo, &error))?;
        let counted = tally.map(|tally| format!("{} passed, {} failed", tally.passed, tally.failed)).unwrap_or_default();
        if !status.success() && !has_failed {
            // A closed standard output is no reason to stop.
            let _ = io::stdout().write_all(&printed);
            diagnostic(format_args!("seed {seed} failed; to repeat it: CONCCHECK_PERTURB={seed}"));
        }
        diagnostic(format_args!("seed {seed}: {counted}"));
        Ok((status, tally))
    }

    /// The command that records.
    fn recording(&self, run: &Run, seed: Option<u32>) -> Result<Command, Failure> {
        let mut cargo = self.cargo(self.line.verb.words());
        cargo.args(&self.line.cargo_args).env("CONCCHECK_TRACE", &run.traces);
        self.line.report.configure_recording(&mut cargo)?;
        perturb(&mut cargo, seed);
        Ok(cargo)
    }

    /// Who runs the tests, if it is tests that are run.
    fn harness(&self) -> Option<Harness> {
        match self.line.verb {
            Verb::Test | Verb::Bench => Some(Harness::Standard),
            Verb::Nextest => Some(Harness::Nextest),
            Verb::Run | Verb::Build => None,
        }
    }

    /// Whether cargo failed before it ran anything. Both have one exit status, so what was built is asked for once more: if it is
    /// all there, what ran has failed.
    fn not_the_programs_fault(&self, status: ExitStatus) -> Result<Option<ExitCode>, Failure> {
        if self.settings.build_failed.exists() {
            return Ok(Some(ExitCode::BuildFailed));
        }
        if self.line.verb == Verb::Nextest {
            return self.nextest_failure(status);
        }
        let (words, more): (&[&str], &[&str]) =
            if self.line.verb == Verb::Run { (&["build"], &[]) } else { (self.line.verb.words(), &["--no-run"]) };
        let mut check = self.cargo(words);
        check.args(more).args(self.cargo_flags()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let built = check.status().map_err(|error| not_started(&check, &error))?;
        Ok((!built.success()).then(|| build_failure(built)))
    }

    /// cargo's own arguments, without those of the program.
    fn cargo_flags(&self) -> impl Iterator<Item = &OsStr> {
        let end = self.line.programs_args.unwrap_or(self.line.cargo_args.len());
        self.line.cargo_args[..end].iter().map(OsString::as_os_str)
    }

    /// nextest has an exit status for each.
    fn nextest_failure(&self, status: ExitStatus) -> Result<Option<ExitCode>, Failure> {
        match status.code() {
            Some(100) | None => Ok(None),
            Some(4) => Ok(Some(ExitCode::NothingRecorded)),
            Some(101) => {
                let mut check = Command::new(&self.project.cargo);
                check.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
                if check.status().is_ok_and(|status| status.success()) {
                    return Ok(Some(ExitCode::BuildFailed));
                }
                Err(Failure::usage("cargo-nextest is not installed")
                    .help("cargo install --locked cargo-nextest, or: cargo conccheck test"))
            }
            Some(_) => Ok(Some(ExitCode::Usage)),
        }
    }
}

/// cargo ends with 1 where it does not understand its arguments, and with 101 for all else.
fn build_failure(status: ExitStatus) -> ExitCode {
    if status.code() == Some(1) { ExitCode::Usage } else { ExitCode::BuildFailed }
}

/// The command as the user gave it.
fn repeated() -> String {
    let args = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let quoted = args.map(|arg| if arg.contains([' ', '"', '\'', '$', '*']) { format!("{arg:?}") } else { arg });
    format!("cargo {}", quoted.collect::<Vec<_>>().join(" "))
}

/// Reads cargo's messages and returns the paths of the programs that it built.
fn programs_built(messages: impl Read) -> Vec<String> {
    let lines = BufReader::new(messages).lines().map_while(Result::ok);
    let message = |line: String| serde_json::from_str::<serde_json::Value>(&line).ok();
    lines.filter_map(message).filter_map(|message| Some(message["executable"].as_str()?.to_owned())).collect()
}

/// The programs that left a trace.
fn programs_recorded(traces: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(traces).into_iter().flatten().flatten();
    files.filter_map(|file| program_of(&file.path())).collect()
}

/// The program named in the header of a log.
fn program_of(log: &Path) -> Option<PathBuf> {
    let mut file = File::open(log).ok()?;
    let mut preamble = [0; PREAMBLE];
    file.read_exact(&mut preamble).ok()?;
    let length = u32::from_le_bytes(preamble[PREAMBLE - 4..].try_into().ok()?);
    let mut text = String::new();
    file.take(length.into()).read_to_string(&mut text).ok()?;
    let program = text.lines().find_map(|line| line.strip_prefix("program="))?;
    preamble.starts_with(&MAGIC).then(|| PathBuf::from(program))
}

/// Where one run leaves what it makes.
struct Run {
    runs: PathBuf,
    traces: PathBuf,
}

impl Run {
    fn new(project: &Project) -> Result<Run, Failure> {
        let runs = project.folder.join("runs");
        folders::create(&runs)?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let traces = runs.join(format!("{seconds}-{}", process::id()));
        folders::prune(&runs, KEPT_RUNS, &traces);
        Ok(Run { runs, traces })
    }

    /// The file that a wrapper makes when a crate does not compile.
    fn build_failed(&self) -> PathBuf {
        self.runs.join(format!("build-failed-{}", process::id()))
    }

    /// Takes away what nobody will ask for.
    fn tidy(&self) {
        let _ = fs::remove_file(self.build_failed());
        // Only if it is empty.
        let _ = fs::remove_dir(&self.traces);
    }
}
