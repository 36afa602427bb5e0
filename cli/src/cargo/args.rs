//! The command line: ours, cargo's, and the program's own part.
//!
//! cargo's flags are passed on untouched, so that those of future cargos work too. Only the few that decide where things lie are
//! read as well.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{CommandFactory, Parser};

use crate::commands::is_command;
use crate::{Failure, ReportOptions};

/// What is asked of cargo.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    Build,
    Test,
    Run,
    Bench,
    Nextest,
}

impl Verb {
    /// cargo's own words for it.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Verb::Build => &["build"],
            Verb::Test => &["test"],
            Verb::Run => &["run"],
            Verb::Bench => &["bench"],
            Verb::Nextest => &["nextest", "run"],
        }
    }
}

/// What the user wants.
#[derive(Debug)]
pub(super) enum Request {
    Help,
    Version,
    Do(Box<CommandLine>),
    Doctor(Box<CommandLine>),
}

/// A command line, sorted.
#[derive(Clone, Debug)]
pub(super) struct CommandLine {
    pub(super) verb: Verb,
    /// cargo's arguments but for `--target-dir`, with all that follows `--`.
    pub(super) cargo_args: Vec<OsString>,
    /// Where in it the program's own arguments begin.
    pub(super) programs_args: Option<usize>,
    pub(super) targets: Vec<String>,
    pub(super) target_dir: Option<PathBuf>,
    pub(super) manifest_path: Option<PathBuf>,
    /// Values of `--config`.
    pub(super) config: Vec<String>,
    pub(super) message_format: bool,
    pub(super) no_run: bool,
    pub(super) no_report: bool,
    /// So many runs with perturbed schedules.
    pub(super) perturb: Option<NonZeroU32>,
    pub(super) report: ReportOptions,
}

/// Our own flags: all that is not cargo's.
#[derive(Parser, Debug)]
#[command(name = "cargo conccheck", no_binary_name = true, disable_help_flag = true)]
struct Own {
    #[arg(long)]
    no_report: bool,
    #[arg(long, value_name = "N")]
    perturb: Option<NonZeroU32>,
    #[command(flatten)]
    report: ReportOptions,
}

/// Their names, and whether a value follows. `--all` and `--color` are cargo's; the latter goes to both.
fn own_flags() -> Vec<(String, bool)> {
    let command = Own::command();
    let flags = command.get_arguments().filter(|flag| !["all", "color"].contains(&flag.get_id().as_str()));
    let named = flags.flat_map(|flag| {
        let names = flag.get_long().map(|name| format!("--{name}")).into_iter();
        let names = names.chain(flag.get_short().map(|name| format!("-{name}")));
        names.map(|name| (name, flag.get_action().takes_values()))
    });
    named.collect()
}

/// Flags of `cargo run` that take a value as a word of its own. After them, the first word that is no flag begins the program's
/// arguments.
const RUN_OPTIONS: [&str; 16] = [
    "--bin",
    "--example",
    "-p",
    "--package",
    "-F",
    "--features",
    "-j",
    "--jobs",
    "--profile",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--message-format",
    "--color",
    "--config",
    "-Z",
];

/// Reads the arguments after `cargo conccheck`.
///
/// # Errors
/// A subcommand or flag of ours that does not exist; a flag of ours with a wrong value.
pub(super) fn parse(args: &[OsString]) -> Result<Request, Failure> {
    let Some((first, mut rest)) = args.split_first() else {
        return Err(Failure::usage("say what to do: cargo conccheck build|test|run|bench|nextest run|doctor")
            .help("cargo conccheck --help"));
    };
    let verb = match first.to_str().unwrap_or_default() {
        "-h" | "--help" | "help" => return Ok(Request::Help),
        "-V" | "--version" => return Ok(Request::Version),
        "b" | "build" => Verb::Build,
        "t" | "test" => Verb::Test,
        "r" | "run" => Verb::Run,
        "bench" => Verb::Bench,
        "nextest" => match rest.split_first() {
            Some((word, after)) if word == "run" || word == "r" => {
                rest = after;
                Verb::Nextest
            }
            Some((word, _)) if word == "-h" || word == "--help" => return Ok(Request::Help),
            _ => {
                return Err(Failure::usage("of nextest's commands only `run` can be checked").help("cargo conccheck nextest run"));
            }
        },
        "doctor" => return Ok(as_doctor(sort(Verb::Build, rest)?)),
        other => return Err(unknown(other)),
    };
    sort(verb, rest)
}

/// The doctor takes what a build takes, since it tells about that build.
fn as_doctor(request: Request) -> Request {
    match request {
        Request::Do(line) => Request::Doctor(line),
        other => other,
    }
}

/// Sorts the arguments after the verb.
fn sort(verb: Verb, args: &[OsString]) -> Result<Request, Failure> {
    let mut line = CommandLine {
        verb,
        cargo_args: Vec::new(),
        programs_args: None,
        targets: Vec::new(),
        target_dir: None,
        manifest_path: None,
        config: Vec::new(),
        message_format: false,
        no_run: false,
        no_report: false,
        perturb: None,
        report: ReportOptions::default(),
    };
    let own_flags = own_flags();
    let mut own: Vec<OsString> = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str().unwrap_or_default();
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (text, None),
        };
        let takes_value = own_flags.iter().find(|(own, _)| own == name).map(|(_, takes_value)| *takes_value);
        match name {
            "-h" | "--help" => return Ok(Request::Help),
            _ if takes_value.is_some() => {
                own.push(arg.clone());
                if takes_value == Some(true) && inline.is_none() {
                    own.extend(args.next().cloned());
                }
            }
            "--target-dir" => line.target_dir = inline.map(PathBuf::from).or_else(|| args.next().map(PathBuf::from)),
            // `--` or, for `cargo run`, the first word that is no flag: the rest is the program's.
            _ if name == "--" || (verb == Verb::Run && !text.starts_with('-')) => {
                line.programs_args = Some(line.cargo_args.len());
                line.cargo_args.push(arg.clone());
                line.cargo_args.extend(args.by_ref().cloned());
            }
            _ => {
                mistyped(name, &own_flags)?;
                line.cargo_args.push(arg.clone());
                let takes_value = matches!(name, "--target" | "--manifest-path" | "--config" | "--color")
                    || (verb == Verb::Run && RUN_OPTIONS.contains(&name));
                let value = match inline {
                    Some(value) => Some(value.to_owned()),
                    None if takes_value => args.next().map(|value| {
                        line.cargo_args.push(value.clone());
                        value.to_string_lossy().into_owned()
                    }),
                    None => None,
                };
                match (name, value) {
                    ("--target", Some(value)) => line.targets.push(value),
                    ("--manifest-path", Some(value)) => line.manifest_path = Some(value.into()),
                    ("--config", Some(value)) => line.config.push(value),
                    ("--color", Some(value)) => own.push(format!("--color={value}").into()),
                    ("--message-format", _) => line.message_format = true,
                    ("--no-run", _) => line.no_run = true,
                    _ => {}
                }
            }
        }
    }
    let own = Own::try_parse_from(own).map_err(|error| {
        let message = error.to_string();
        Failure::usage(message.trim_start_matches("error: ").trim_end())
    })?;
    line.no_report = own.no_report;
    line.perturb = own.perturb;
    line.report = own.report;
    line.report.judging.config.project = line.manifest_path.as_ref().and_then(|manifest| Some(manifest.parent()?.to_owned()));
    Ok(Request::Do(Box::new(line)))
}

fn unknown(word: &str) -> Failure {
    let failure = Failure::usage(format!("there is no `cargo conccheck {word}`"));
    match word {
        _ if is_command(word) => failure.help(format!("that is a command of conccheck alone: conccheck {word}")),
        "check" | "clippy" | "c" => failure.help("to see whether it builds: cargo conccheck build"),
        _ if word.starts_with('+') => failure.help(format!("the toolchain goes first: cargo {word} conccheck …")),
        _ if word.starts_with('-') => failure.help(format!("the subcommand goes first: cargo conccheck test {word}")),
        _ => match nearest(word, &["build", "test", "run", "bench", "nextest", "doctor"]) {
            Some(near) => failure.help(format!("did you mean `cargo conccheck {near}`?")),
            None => failure.help("the subcommands are build, test, run, bench, nextest run and doctor"),
        },
    }
}

/// Refuses a flag that is nearly one of ours; cargo could only say that it does not know it.
fn mistyped(flag: &str, own: &[(String, bool)]) -> Result<(), Failure> {
    let own: Vec<&str> = own.iter().map(|(own, _)| own.as_str()).filter(|own| own.starts_with("--")).collect();
    match nearest(flag, &own) {
        Some(near) if flag.starts_with("--") => {
            Err(Failure::usage(format!("there is no flag `{flag}`")).help(format!("did you mean `{near}`?")))
        }
        _ => Ok(()),
    }
}

/// The word that differs in at most two letters.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &&&str| strsim::damerau_levenshtein(word, known);
    known.iter().min_by_key(distance).filter(|near| strsim::damerau_levenshtein(word, near) <= 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn sorted(line: &str) -> CommandLine {
        match parse(&words(line)).unwrap_or_else(|failure| panic!("{line}: {failure}")) {
            Request::Do(line) => *line,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        parse(&words(line)).expect_err(line).to_string()
    }

    #[test]
    fn cargos_flags_pass_through_and_ours_do_not() {
        let line = sorted(
            "test -p a --release --no-report --format json -o out.json --features x,y name -- --nocapture --format pretty",
        );
        assert_eq!(line.cargo_args, words("-p a --release --features x,y name -- --nocapture --format pretty"));
        assert!(line.no_report);
        assert_eq!(line.report.output, Some("out.json".into()));
        let line = sorted("test --ignore-task name=log-* --fail-on=low -p a");
        assert_eq!((line.cargo_args, line.report.judging.ignore_task.len()), (words("-p a"), 1));
        let line = sorted("test --perturb 5 -p a");
        assert_eq!((line.cargo_args, line.perturb.map(NonZeroU32::get)), (words("-p a"), Some(5)));
        assert!(refusal("test --perturb 0").contains("--perturb"));
    }

    #[test]
    fn the_help_names_every_flag_of_ours() {
        for (flag, _) in own_flags() {
            let named = [format!("{flag} "), format!("{flag}, ")].iter().any(|name| include_str!("help.txt").contains(name));
            assert!(named, "{flag}");
        }
    }

    #[test]
    fn flags_that_decide_where_things_lie_are_read_in_both_spellings() {
        for spelling in ["build --target t --target-dir d --manifest-path m", "build --target=t --target-dir=d --manifest-path=m"]
        {
            let line = sorted(spelling);
            assert_eq!(line.targets, ["t"]);
            assert_eq!((line.target_dir, line.manifest_path), (Some("d".into()), Some("m".into())));
            assert!(!line.cargo_args.iter().any(|arg| arg.to_string_lossy().contains("--target-dir")));
        }
    }

    #[test]
    fn the_programs_arguments_are_not_read_as_ours() {
        let line = sorted("run --bin x file --target-dir y --no-report");
        assert_eq!(line.cargo_args, words("--bin x file --target-dir y --no-report"));
        assert!(line.target_dir.is_none() && !line.no_report);
        let line = sorted("run -- --help");
        assert_eq!(line.cargo_args, words("-- --help"));
    }

    #[test]
    fn a_mistake_is_answered_with_the_right_word() {
        assert!(refusal("tset").contains("`cargo conccheck test`"));
        assert!(refusal("report x").contains("conccheck report"));
        assert!(refusal("+nightly test").contains("cargo +nightly conccheck"));
        assert!(refusal("nextest list").contains("nextest run"));
        assert!(refusal("test --no-reprot").contains("`--no-report`"));
        assert!(refusal("test --formt json").contains("`--format`"));
        assert!(refusal("test --format nonsense").contains("nonsense"));
    }

    #[test]
    fn help_is_found_wherever_it_stands_before_the_programs_arguments() {
        for line in ["--help", "test -h", "nextest --help", "nextest run --release --help"] {
            assert!(matches!(parse(&words(line)), Ok(Request::Help)), "{line}");
        }
    }
}
