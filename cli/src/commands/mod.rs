//! The subcommands of `conccheck`, one file each.

mod baseline;
mod channels;
mod checklist;
mod completions;
mod convert;
mod diff;
mod explain;
mod graph;
mod init;
mod locks;
mod man;
mod merge;
mod report;
mod rules;
mod run;
mod schema;
mod show_config;
mod suppress;
mod tasks;

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};
use conccheck_analyzer::Config;
use conccheck_analyzer::model::Model;
use serde::Serialize;

use crate::sources::SourceCache;
use crate::tables::Row;
use crate::{ExitCode, Failure, diagnostic, output, reporting, tables, traces};

/// Finds deadlocks, leaked threads and misused locks and channels in recorded runs of Rust programs
#[derive(Parser)]
#[command(name = "conccheck", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "To record and check a cargo project, use `cargo conccheck test` or `cargo conccheck run`.")]
pub(crate) struct Cli {
    /// Say on standard error how the work goes; also CONCCHECK_VERBOSE=1
    #[arg(short, long, global = true)]
    verbose: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(report::Args),
    Run(run::Args),
    Explain(explain::Args),
    Rules(rules::Args),
    Suppress(suppress::Args),
    Baseline(baseline::Args),
    Diff(diff::Args),
    Init(init::Args),
    ShowConfig(show_config::Args),
    Checklist(checklist::Args),
    Locks(locks::Args),
    Channels(channels::Args),
    Tasks(tasks::Args),
    Graph(graph::Args),
    Convert(convert::Args),
    Merge(merge::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command of this process's command line.
pub(crate) fn main() -> Result<ExitCode, Failure> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(command) = of_cargo(&error) {
                let failure = Failure::usage(format!("there is no `conccheck {command}`"));
                return Err(failure.help(format!("that is a command of cargo conccheck: cargo conccheck {command}")));
            }
            // Help and version come as errors too; a closed pipe is no reason to complain.
            let _ = error.print();
            return Ok(if error.use_stderr() { ExitCode::Usage } else { ExitCode::Clean });
        }
    };
    if cli.verbose {
        crate::failure::be_verbose();
    }
    match cli.command {
        Command::Report(args) => args.run(),
        Command::Run(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Rules(args) => args.run(),
        Command::Suppress(args) => args.run(),
        Command::Baseline(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Init(args) => args.run(),
        Command::ShowConfig(args) => args.run(),
        Command::Checklist(args) => args.run(),
        Command::Locks(args) => args.run(),
        Command::Channels(args) => args.run(),
        Command::Tasks(args) => args.run(),
        Command::Graph(args) => args.run(),
        Command::Convert(args) => args.run(),
        Command::Merge(args) => args.run(),
        Command::Schema(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }
}

/// Whether `conccheck` has a subcommand of this name.
pub(crate) fn is_command(name: &str) -> bool {
    Cli::command().get_subcommands().any(|command| command.get_name() == name)
}

/// The subcommand that was asked for, if it is one of `cargo conccheck` alone.
fn of_cargo(error: &clap::Error) -> Option<&str> {
    let unknown = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(unknown)) => unknown.as_str(),
        _ => return None,
    };
    ["build", "test", "bench", "nextest", "doctor"].contains(&unknown).then_some(unknown)
}

/// What a list looks like.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A table
    Human,
    /// An array of objects
    Json,
}

/// Prints a table.
fn print_table<R: Row + Serialize>(form: Form, rows: &[R]) -> Result<ExitCode, Failure> {
    print_rows(form, rows, tables::human)
}

/// Prints a list.
fn print_rows<R: Serialize>(form: Form, rows: &[R], human: impl Fn(&[R]) -> String) -> Result<ExitCode, Failure> {
    let text = match form {
        Form::Human => human(rows),
        Form::Json => serde_json::to_string_pretty(rows).expect("structs of texts and numbers") + "\n",
    };
    output::print(&text, false, None)?;
    Ok(ExitCode::Clean)
}

/// Shows the models of the recorded processes.
fn with_models<T>(paths: &[PathBuf], then: impl FnOnce(&[Model<'_>]) -> T) -> Result<T, Failure> {
    let processes = traces::load(paths)?;
    for warning in processes.iter().flat_map(|process| &process.warnings) {
        diagnostic(format_args!("warning: {warning}"));
    }
    let folders = reporting::source_folders(&processes);
    let sources = SourceCache::new(folders.iter().map(PathBuf::as_path), None);
    let config = Config::default();
    let models: Vec<Model<'_>> = processes.iter().map(|process| Model::new(process, &sources, &config)).collect();
    Ok(then(&models))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(command: &clap::Command, path: &str, complaints: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        let mut check = |what: String, help: Option<String>| match help {
            None => complaints.push(format!("{what}: no help")),
            Some(help) if help.ends_with('.') => complaints.push(format!("{what}: short help ends in a full stop")),
            Some(help) if !help.starts_with(char::is_uppercase) => complaints.push(format!("{what}: not capitalised")),
            Some(_) => {}
        };
        check(path.clone(), command.get_about().map(ToString::to_string));
        for arg in command.get_arguments() {
            check(format!("{path} {}", arg.get_id()), arg.get_help().map(ToString::to_string));
            for value in arg.get_possible_values().iter().filter(|_| arg.get_action().takes_values()) {
                // Possible values of shells are clap_complete's own.
                if path.ends_with("completions") {
                    continue;
                }
                check(format!("{path} {} {}", arg.get_id(), value.get_name()), value.get_help().map(ToString::to_string));
            }
        }
        for sub in command.get_subcommands() {
            sweep(sub, &path, complaints);
        }
    }

    #[test]
    fn every_command_and_option_has_a_capitalised_help_without_full_stop() {
        Cli::command().debug_assert();
        let mut complaints = Vec::new();
        sweep(&Cli::command(), "", &mut complaints);
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}
