//! `conccheck init`: a configuration to start from, and a recipe for a pipeline.

use std::path::Path;

use crate::failure::current_folder;
use crate::{ExitCode, Failure, config, diagnostic, output};

/// Write a conccheck.toml to start from, and with --ci a recipe for a pipeline
#[derive(clap::Args)]
pub(super) struct Args {
    /// Write a recipe for this kind of pipeline as well
    #[arg(long, value_name = "KIND", value_enum)]
    ci: Option<Ci>,
}

/// Kinds of pipelines
#[derive(Clone, Copy, clap::ValueEnum)]
enum Ci {
    /// GitHub Actions: .github/workflows/conccheck.yml
    Github,
    /// GitLab CI: .gitlab/conccheck.yml, to be included
    Gitlab,
}

const CONFIGURATION: &str = include_str!("conccheck.toml");
const GITHUB: &str = include_str!("github.yml");
const GITLAB: &str = include_str!("gitlab.yml");

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let here = current_folder()?;
        let root = config::root(&here);
        let mut files = vec![("conccheck.toml", CONFIGURATION)];
        match self.ci {
            Some(Ci::Github) => files.push((".github/workflows/conccheck.yml", GITHUB)),
            Some(Ci::Gitlab) => files.push((".gitlab/conccheck.yml", GITLAB)),
            None => {}
        }
        for (name, text) in files {
            write(&root.join(name), text)?;
        }
        match self.ci {
            Some(Ci::Gitlab) => diagnostic(format_args!("add to .gitlab-ci.yml: include: .gitlab/conccheck.yml")),
            Some(Ci::Github) => {}
            None => diagnostic(format_args!("for a pipeline: conccheck init --ci github, or gitlab")),
        }
        Ok(ExitCode::Clean)
    }
}

/// Writes what is not there yet: what the user has written stays.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if file.exists() {
        diagnostic(format_args!("{} is there and stays as it is", file.display()));
        return Ok(());
    }
    output::write_new_file(file, text.as_bytes())?;
    diagnostic(format_args!("wrote {}", file.display()));
    Ok(())
}
