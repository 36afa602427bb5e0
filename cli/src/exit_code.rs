//! What the exit status means.

use std::process;

/// What a run of `conccheck` or `cargo conccheck` came to. The README's table is generated from this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitCode {
    /// Nothing at or above `--fail-on`.
    Clean = 0,
    /// The command line or the configuration asks for something that does not exist. clap's own code for it.
    Usage = 2,
    /// Nothing was recorded. An error of its own, since a check that saw nothing must never look green.
    NothingRecorded = 4,
    /// A trace can't be read. `EX_DATAERR` of sysexits.h.
    BadTrace = 65,
    /// Findings. A code that neither cargo nor the shell uses, so a pipeline can tell them from a failure of anything else.
    Findings = 66,
    /// A bug in conccheck. `EX_SOFTWARE` of sysexits.h.
    Internal = 70,
    /// The user's tests failed. The code of `cargo nextest`; findings are listed all the same.
    TestsFailed = 100,
    /// The build failed. cargo's own code.
    BuildFailed = 101,
}

impl ExitCode {
    /// All codes, in order.
    pub const ALL: [ExitCode; 8] = [
        ExitCode::Clean,
        ExitCode::Usage,
        ExitCode::NothingRecorded,
        ExitCode::BadTrace,
        ExitCode::Findings,
        ExitCode::Internal,
        ExitCode::TestsFailed,
        ExitCode::BuildFailed,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// When it is returned, as in the README.
    pub const fn meaning(self) -> &'static str {
        match self {
            ExitCode::Clean => "nothing found at or above `--fail-on`",
            ExitCode::Usage => "wrong usage or configuration, or a file that can't be written",
            ExitCode::NothingRecorded => "nothing was recorded: no test ran, or the program is not instrumented",
            ExitCode::BadTrace => "a trace can't be read, or has an unknown version",
            ExitCode::Findings => "findings at or above `--fail-on`",
            ExitCode::Internal => "a bug in conccheck",
            ExitCode::TestsFailed => "the program's own tests failed (findings are listed too)",
            ExitCode::BuildFailed => "the build failed",
        }
    }

    /// The README's table.
    pub fn table() -> String {
        let mut table = String::from("| code | when |\n|---|---|\n");
        for code in ExitCode::ALL {
            table += &format!("| {} | {} |\n", code.code(), code.meaning());
        }
        table
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> process::ExitCode {
        process::ExitCode::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let codes = ExitCode::ALL.map(ExitCode::code);
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
