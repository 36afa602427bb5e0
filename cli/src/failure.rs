//! Expected failures: what went wrong, which exit code it means, and what to do.

use std::fmt;
use std::io::Write as _;
use std::panic::{self, Location};
use std::path::PathBuf;
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::exit_code::ExitCode;
use crate::terminal::Safe;

/// Why a command can't do what it was asked to. Not a bug: those panic.
#[derive(Debug)]
pub struct Failure {
    code: ExitCode,
    message: String,
    help: Option<String>,
    /// Where in the source it was made: told with `--verbose`, and by which a test knows that it has seen every failure.
    made_at: &'static Location<'static>,
}

impl Failure {
    /// A failure with a message: lower case, no full stop, names the file or command concerned.
    #[track_caller]
    pub fn new(code: ExitCode, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), help: None, made_at: Location::caller() }
    }

    /// The command line asks for something that does not exist or can't be done.
    #[track_caller]
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(ExitCode::Usage, message)
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// What the process should exit with.
    pub fn code(&self) -> ExitCode {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Safe(&self.message))?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", Safe(help))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Runs a whole command: says expected failures and panics on standard error and turns both into the exit status.
pub fn run_to_exit(command: impl FnOnce() -> Result<ExitCode, Failure> + panic::UnwindSafe) -> process::ExitCode {
    run_to_code(command).into()
}

fn run_to_code(command: impl FnOnce() -> Result<ExitCode, Failure> + panic::UnwindSafe) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        diagnostic(format_args!(
            "internal error: {message}{place}\n  help: this is a bug in conccheck: please report it, with the trace if you can, at {}/issues",
            env!("CARGO_PKG_REPOSITORY"),
        ));
    }));
    match panic::catch_unwind(command) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            detail(format_args!("failed at {}:{}", failure.made_at.file(), failure.made_at.line()));
            diagnostic(format_args!("error: {failure}"));
            failure.code
        }
        Err(_) => ExitCode::Internal,
    }
}

/// Says something to the user beside the report, on standard error. A closed standard error is no reason to stop.
pub fn diagnostic(message: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "conccheck: {message}");
}

/// Whether [`detail`] says anything.
static IS_VERBOSE: AtomicBool = AtomicBool::new(false);

/// From now on, says how the work goes, as with `--verbose`.
pub(crate) fn be_verbose() {
    IS_VERBOSE.store(true, Ordering::Relaxed);
}

/// Says how the work goes, on standard error, to those who asked for it: by `--verbose`, or by `CONCCHECK_VERBOSE=1`.
pub(crate) fn detail(message: fmt::Arguments<'_>) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let is_asked = || std::env::var_os("CONCCHECK_VERBOSE").is_some_and(|value| !value.is_empty() && value != "0");
    let start = *START;
    if IS_VERBOSE.load(Ordering::Relaxed) || is_asked() {
        diagnostic(format_args!("{:.3} s: {}", start.elapsed().as_secs_f64(), Safe(&message.to_string())));
    }
}

/// The folder that this process runs in.
///
/// # Errors
/// It was removed, or can't be read.
pub(crate) fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("the current folder can't be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_its_code_and_a_panic_is_an_internal_error() {
        let hook = panic::take_hook();
        let codes = [
            run_to_code(|| Ok(ExitCode::Findings)),
            run_to_code(|| Err(Failure::new(ExitCode::BadTrace, "x"))),
            run_to_code(|| panic!("this panic is part of a test")),
        ];
        panic::set_hook(hook);
        assert_eq!(codes, [ExitCode::Findings, ExitCode::BadTrace, ExitCode::Internal]);
    }

    #[test]
    fn a_message_can_not_control_the_terminal() {
        let failure = Failure::usage("no file `a\u{1b}[31m`").help("try `b\u{7}`");
        assert_eq!(failure.to_string(), "no file `a\\u{1b}[31m`\n  help: try `b\\u{7}`");
    }
}
