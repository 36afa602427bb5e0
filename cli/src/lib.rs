//! What `conccheck` and `cargo conccheck` do: read traces, have them analysed, and show what was found.
//!
//! Only this crate renders, and only the binaries' `main` exits.
#![forbid(unsafe_code)]

mod baseline;
mod calls;
pub mod cargo;
mod commands;
mod config;
mod exceptions;
mod exit_code;
mod failure;
mod formats;
mod interrupt;
mod lock_graph;
mod nearest;
mod options;
mod output;
mod progress;
mod recorded;
mod recording;
mod report;
mod reporting;
mod run_facts;
mod sources;
mod table;
mod tables;
mod terminal;
mod timeline;
mod traces;
mod words;

pub use config::threshold_table;
pub use exit_code::ExitCode;
pub use failure::{Failure, diagnostic, run_to_exit};
pub use formats::Format;
pub use interrupt::leave_to_child as leave_interrupts_to_child;
pub use options::{Color, ConfigOptions, FailOn, JudgingOptions, Output, ReportOptions};
pub use reporting::report_run;
pub use run_facts::{Coverage, Gap, RunFacts, Tests};

/// The whole `conccheck` command.
pub fn conccheck() -> std::process::ExitCode {
    run_to_exit(commands::main)
}
