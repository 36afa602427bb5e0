//! `conccheck man`: the manual page.

use clap::CommandFactory;

use super::Cli;
use crate::nearest::nearest;
use crate::{ExitCode, Failure, output};

/// Print the manual page, for `man -l -`
#[derive(clap::Args)]
pub(super) struct Args {
    /// Page of this subcommand (default: of the whole command)
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut cli = Cli::command();
        cli.build();
        let page = match &self.command {
            None => cli,
            Some(name) => {
                let sub = cli.find_subcommand(name).cloned();
                sub.ok_or_else(|| {
                    let names: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
                    let near = nearest(name, &names);
                    let help = if near.is_empty() {
                        format!("the commands are {}", names.join(", "))
                    } else {
                        format!("did you mean {}?", near.join(" or "))
                    };
                    Failure::usage(format!("there is no command `conccheck {name}`")).help(help)
                })?
            }
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text).expect("a Vec takes everything");
        output::print(&String::from_utf8_lossy(&text), false, None)?;
        Ok(ExitCode::Clean)
    }
}
