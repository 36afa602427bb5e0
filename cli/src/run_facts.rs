//! What is known about a run beside its traces.

use std::path::PathBuf;

use crate::terminal::one_line;
use crate::words;

/// What the caller of [`report_run`](crate::report_run) knows about the run, where there was one just now.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// How the program's own tests ended; `None`: no tests were run.
    pub tests: Option<Tests>,
    /// What was instrumented; `None`: not known.
    pub coverage: Option<Coverage>,
    /// The command that repeats the run, to be shown where the user should run it again.
    pub command: Option<String>,
    /// Where the traces are kept, to be shown with the findings; `None`: they are thrown away.
    pub kept_traces: Option<PathBuf>,
}

/// How the program's own tests ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tests {
    /// How many passed; `None`: not counted.
    pub passed: Option<u64>,
    /// How many failed; `None`: not counted.
    pub failed: Option<u64>,
    /// Whether the command that ran them failed.
    pub command_failed: bool,
}

/// Which crates were built with instrumentation.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Names of the crates that were compiled against a facade.
    pub instrumented: Vec<String>,
    /// What uses synchronisation that is not recorded.
    pub not_instrumented: Vec<Gap>,
}

impl Coverage {
    /// What is not instrumented, in one line; empty if all is.
    pub(crate) fn gaps(&self) -> String {
        let gap = |gap: &Gap| {
            let users = if gap.users == 1 { "1 crate uses it".to_owned() } else { format!("{} crates use it", gap.users) };
            format!("{} ({users})", one_line(&gap.name))
        };
        words::list(&self.not_instrumented.iter().map(gap).collect::<Vec<_>>(), 6)
    }
}

/// A crate whose synchronisation is not recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Its name.
    pub name: String,
    /// How many crates use it.
    pub users: u64,
}
