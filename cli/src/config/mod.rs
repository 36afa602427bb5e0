//! The configuration: what the command line, the environment and `conccheck.toml` say together.
//!
//! The command line goes first, then `CONCCHECK_*` variables, then overrides, then the chosen profile and those that it inherits from,
//! then defaults.

mod date;
mod document;
mod file;
mod find;
mod overrides;
mod recording;
mod rules;
mod schema;
mod selector;
mod suppression;
mod write;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub(crate) use date::Date;
use file::{ConfigFile, DEFAULT, Profile};
use recording::Stacks;
pub(crate) use rules::Rules;
pub use rules::threshold_table;
pub(crate) use schema::schema;
pub(crate) use selector::is_fingerprint;
pub(crate) use suppression::Suppression;
pub(crate) use write::{append_suppression, root, show};

use crate::failure::current_folder;
use crate::formats::Format;
use crate::options::{Color, FailOn, Output, ReportOptions};
use crate::{Failure, output};

/// All that was decided about a report.
#[derive(Default)]
pub(crate) struct Settings {
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// The profile, and who chose it.
    profile: (String, Origin),
    stacks: (Stacks, Origin),
    fail_on: (FailOn, Origin),
    outputs: (Vec<(Format, Option<PathBuf>)>, Origin),
    baseline: Option<(PathBuf, Origin)>,
    pub(crate) rules: Rules,
    pub(crate) suppressions: Vec<Suppression>,
    /// Whether to show and judge everything.
    pub(crate) all: bool,
    pub(crate) color: Option<Color>,
}

/// Who decided.
#[derive(Clone, Default)]
enum Origin {
    CommandLine,
    Environment(&'static str),
    /// The configuration, whatever the profile.
    File,
    Profile(String),
    #[default]
    Default,
}

impl ReportOptions {
    /// Puts these options together with the environment and the configuration.
    ///
    /// # Errors
    /// A configuration that can't be read or says what does not exist; two formats for one place.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        self.settings_in(&|name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    /// Finds out whether the configuration is in order, and the baseline where there is one: before a long build or run.
    ///
    /// # Errors
    /// Those that a report with these options would have for that reason.
    pub fn check(&self) -> Result<(), Failure> {
        self.settings()?.known().map(drop)
    }

    fn settings_in(&self, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Settings, Failure> {
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let path = match self.judging.config.config_file.clone().or_else(|| variable("CONCCHECK_CONFIG_FILE").map(PathBuf::from))
        {
            Some(path) => Some(path),
            None => find::find(&self.folder()?)?,
        };
        let file = path.as_deref().map_or_else(|| Ok(ConfigFile::default()), ConfigFile::read)?;
        let base = path.as_deref().map(find::base).unwrap_or_default();

        let profile = match (&self.judging.config.config_profile, text("CONCCHECK_PROFILE")) {
            (Some(name), _) => (name.clone(), Origin::CommandLine),
            (None, Some(name)) => (name, Origin::Environment("CONCCHECK_PROFILE")),
            (None, None) => (DEFAULT.to_owned(), Origin::Default),
        };
        let profiles = file.profiles(&profile.0)?;
        let mut rules = Rules::default();
        rules.apply(&file.rules);
        profiles.iter().rev().for_each(|profile| rules.apply(&profile.rules));
        rules.override_by(profiles.iter().flat_map(|profile| &profile.overrides).chain(&file.overrides).cloned());
        rules.ignore_tasks(file.ignored_tasks.iter().chain(&self.judging.ignore_task).cloned());

        let fail_on = match (self.judging.fail_on, text("CONCCHECK_FAIL_ON")) {
            (Some(value), _) => (value, Origin::CommandLine),
            (None, Some(value)) => (file::parse_fail_on(&value)?, Origin::Environment("CONCCHECK_FAIL_ON")),
            (None, None) => nearest(&profiles, |profile| profile.fail_on).unwrap_or_default(),
        };
        let outputs = match (self.outputs()?, text("CONCCHECK_OUTPUTS")) {
            (Some(outputs), _) => (outputs, Origin::CommandLine),
            (None, Some(list)) => (of_list(&list)?, Origin::Environment("CONCCHECK_OUTPUTS")),
            (None, None) => match nearest(&profiles, |profile| profile.outputs.clone()) {
                Some((outputs, origin)) => (output::beside(outputs, &base)?, origin),
                None => (vec![(Format::Human, None)], Origin::Default),
            },
        };
        let baseline = match (&self.baseline, variable("CONCCHECK_BASELINE")) {
            (Some(path), _) => Some((path.clone(), Origin::CommandLine)),
            (None, Some(path)) => Some((path.into(), Origin::Environment("CONCCHECK_BASELINE"))),
            (None, None) => {
                nearest(&profiles, |profile| profile.baseline.clone()).map(|(path, origin)| (base.join(path), origin))
            }
        };
        let stacks = Stacks::decided(text(recording::STACKS), &file)?;
        let suppressions = file.suppressions;
        Ok(Settings {
            file: path,
            profile,
            stacks,
            fail_on,
            outputs,
            baseline,
            rules,
            suppressions,
            all: self.judging.all,
            color: self.color,
        })
    }

    /// The folder for which to look for a configuration.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let here = current_folder()?;
        Ok(self.judging.config.project.as_ref().map_or_else(|| here.clone(), |project| here.join(project)))
    }
}

impl Settings {
    /// From which severity on a finding makes the command fail.
    pub(crate) fn fail_on(&self) -> FailOn {
        self.fail_on.0
    }

    /// Which formats to write where. `None` is standard output.
    pub(crate) fn outputs(&self) -> &[(Format, Option<PathBuf>)] {
        &self.outputs.0
    }

    /// The file of known findings, if one is asked for.
    pub(crate) fn baseline(&self) -> Option<&Path> {
        self.baseline.as_ref().map(|(path, _)| path.as_path())
    }
}

/// What the nearest profile that says something says.
fn nearest<T>(profiles: &[&Profile], value: impl Fn(&Profile) -> Option<T>) -> Option<(T, Origin)> {
    profiles.iter().find_map(|profile| Some((value(profile)?, Origin::Profile(profile.name.clone()))))
}

fn of_list(list: &str) -> Result<Vec<(Format, Option<PathBuf>)>, Failure> {
    let parse = |text: &str| {
        Output::from_str(text.trim()).map_err(|error| Failure::usage(format!("`CONCCHECK_OUTPUTS` can't have `{text}`: {error}")))
    };
    output::places(list.split(',').map(parse).collect::<Result<_, _>>()?, None)
}

#[cfg(test)]
mod tests;
