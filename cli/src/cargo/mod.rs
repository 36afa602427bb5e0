//! `cargo conccheck`: builds and runs unmodified projects against the facades.
//!
//! One binary in three parts. As the user's command ([`session`]) it compiles the runtime ([`runtime`]) and starts cargo with itself
//! in place of `rustc` and `rustdoc`. As `rustc` ([`wrapper`]) it adds the facades to each crate that becomes part of a program under
//! test, or puts a facade in its place ([`plan`], [`facade`]), and notes how it went ([`units`]). As `rustdoc` ([`doctests`]) it does
//! so for doc tests. [`doctor`] tells beforehand what all this will come to.

mod args;
mod config;
mod doctests;
mod doctor;
mod facade;
mod folders;
mod invocation;
mod plan;
mod project;
mod runtime;
mod screen;
mod session;
mod settings;
mod tally;
mod toolchain;
mod units;
mod wrapper;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process;

use args::Request;
use settings::Settings;

use crate::{ExitCode, Failure, diagnostic, run_to_exit};

/// The whole `cargo-conccheck` binary.
pub fn cargo_conccheck() -> process::ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    match args.split_first() {
        // cargo runs `cargo-conccheck conccheck …`.
        Some((name, rest)) if name == "conccheck" => run_to_exit(|| command(rest)),
        _ => match Settings::from_env() {
            Some(settings) => wrapped(&settings, &args),
            None => run_to_exit(|| command(&args)),
        },
    }
}

/// The user's command.
fn command(args: &[OsString]) -> Result<ExitCode, Failure> {
    match args::parse(args)? {
        Request::Help => {
            say(&help());
            Ok(ExitCode::Clean)
        }
        Request::Version => {
            say(concat!("cargo-conccheck ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(ExitCode::Clean)
        }
        Request::Do(line) => session::execute(&line),
        Request::Doctor(line) => doctor::run(&line),
    }
}

/// cargo's call of a compiler: `rustc` comes with its path, `rustdoc` with flags only.
fn wrapped(settings: &Settings, args: &[OsString]) -> process::ExitCode {
    let starts_with_flag = args.first().and_then(|arg| arg.to_str()).is_none_or(|arg| arg.starts_with(['-', '@']));
    let done = if starts_with_flag { doctests::rustdoc(settings, args) } else { wrapper::rustc(settings, args) };
    done.unwrap_or_else(|failure| {
        diagnostic(format_args!("error: {failure}"));
        failure.code().into()
    })
}

/// Prints to standard output. That it is closed is no reason to complain.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn help() -> String {
    let mut help = include_str!("help.txt").to_owned();
    for code in ExitCode::ALL {
        help += &format!("  {:<3}  {}\n", code.code(), code.meaning());
    }
    help
}
