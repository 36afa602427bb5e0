//! What stands in a configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use conccheck_analyzer::config::IgnoredTask;

use super::document::{Document, Item, Section, hint};
use super::find;
use super::overrides::Override;
use super::recording::Stacks;
use super::rules::RuleSettings;
use super::suppression::Suppression;
use crate::{FailOn, Failure, Output};

/// The tables of a configuration, and the keys of a profile.
pub(super) const KEYS: [&str; 6] = ["stacks", "profile", "rules", "override", "ignore-tasks", "suppress"];
pub(super) const PROFILE_KEYS: [&str; 6] = ["inherits", "fail-on", "outputs", "baseline", "rules", "override"];

/// Profiles that need not be written down.
pub(super) const DEFAULT: &str = "default";
pub(super) const CI: &str = "ci";

/// A configuration as it is written.
#[derive(Default)]
pub(super) struct ConfigFile {
    pub(super) stacks: Option<Stacks>,
    profiles: BTreeMap<String, Profile>,
    pub(super) rules: RuleSettings,
    pub(super) overrides: Vec<Override>,
    pub(super) ignored_tasks: Vec<IgnoredTask>,
    pub(super) suppressions: Vec<Suppression>,
}

/// A profile as it is written.
#[derive(Default)]
pub(super) struct Profile {
    pub(super) name: String,
    inherits: Option<String>,
    pub(super) fail_on: Option<FailOn>,
    pub(super) outputs: Option<Vec<Output>>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) rules: RuleSettings,
    pub(super) overrides: Vec<Override>,
}

impl ConfigFile {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It can't be read, or says what does not exist.
    pub(super) fn read(path: &Path) -> Result<ConfigFile, Failure> {
        ConfigFile::of(&Document::read(path)?)
    }

    /// Understands a configuration.
    ///
    /// # Errors
    /// It says what does not exist.
    pub(super) fn of(document: &Document) -> Result<ConfigFile, Failure> {
        let Some(section) = find::table(document)? else { return Ok(ConfigFile::default()) };
        section.check_keys(&KEYS)?;
        let mut file = ConfigFile { rules: rules(&section)?, overrides: overrides(&section)?, ..ConfigFile::default() };
        file.stacks = section.get("stacks").map(|item| item.one_of(&Stacks::WORDS)).transpose()?;
        if let Some(profiles) = section.get("profile") {
            let profiles = profiles.section()?;
            for (name, _, item) in profiles.entries() {
                file.profiles.insert(name.clone(), Profile::read(name, item)?);
            }
            for (name, _, item) in profiles.entries() {
                file.check_ancestry(&name, item)?;
            }
        }
        if let Some(tasks) = section.get("ignore-tasks") {
            file.ignored_tasks = tasks.list()?.iter().map(ignored_task).collect::<Result<_, _>>()?;
        }
        if let Some(suppressions) = section.get("suppress") {
            file.suppressions = suppressions.list()?.into_iter().map(Suppression::read).collect::<Result<_, _>>()?;
        }
        Ok(file)
    }

    fn check_ancestry(&self, name: &str, item: Item<'_>) -> Result<(), Failure> {
        let Some(inherits) = item.section()?.get("inherits") else { return Ok(()) };
        let above = inherits.text()?;
        if !self.names().contains(&above) {
            let failure = inherits.failure(format_args!("there is no profile `{above}`"));
            return Err(failure.help(hint(above, &self.names(), "profiles")));
        }
        // A profile that inherits from itself would have more ancestors than there are profiles.
        if self.ancestry(name).count() > self.profiles.len() + 2 {
            return Err(inherits.failure(format_args!("profile `{name}` inherits from itself")));
        }
        Ok(())
    }

    /// The names of all profiles.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.profiles.keys().map(String::as_str).chain([DEFAULT, CI]).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A profile and those that it inherits from, nearest first. All inherit from the default one in the end.
    fn ancestry<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let above = |name: &&'a str| match self.profiles.get(*name).and_then(|profile| profile.inherits.as_deref()) {
            None => (*name != DEFAULT).then_some(DEFAULT),
            above => above,
        };
        std::iter::successors(Some(name), above).take(self.profiles.len() + 3)
    }

    /// The profiles that make up the one of that name, nearest first.
    ///
    /// # Errors
    /// There is none of that name.
    pub(super) fn profiles<'a>(&'a self, name: &'a str) -> Result<Vec<&'a Profile>, Failure> {
        if !self.names().contains(&name) {
            return Err(Failure::usage(format!("there is no profile `{name}`")).help(hint(name, &self.names(), "profiles")));
        }
        Ok(self.ancestry(name).filter_map(|name| self.profiles.get(name)).collect())
    }
}

impl Profile {
    fn read(name: String, item: Item<'_>) -> Result<Profile, Failure> {
        let section = item.section()?;
        section.check_keys(&PROFILE_KEYS)?;
        Ok(Profile {
            name,
            inherits: section.get("inherits").map(|item| item.text().map(str::to_owned)).transpose()?,
            fail_on: section.get("fail-on").map(|item| item.one_of(&fail_on_words())).transpose()?,
            outputs: section.get("outputs").map(|item| outputs(&item)).transpose()?,
            baseline: section.get("baseline").map(|item| item.text().map(PathBuf::from)).transpose()?,
            rules: rules(&section)?,
            overrides: overrides(&section)?,
        })
    }
}

fn rules(section: &Section<'_>) -> Result<RuleSettings, Failure> {
    section.get("rules").map_or_else(|| Ok(RuleSettings::default()), |item| RuleSettings::read(&item.section()?))
}

fn overrides(section: &Section<'_>) -> Result<Vec<Override>, Failure> {
    let Some(overrides) = section.get("override") else { return Ok(Vec::new()) };
    overrides.list()?.into_iter().map(Override::read).collect()
}

fn ignored_task(item: &Item<'_>) -> Result<IgnoredTask, Failure> {
    item.text()?.parse().map_err(|error| item.failure(error))
}

fn outputs(item: &Item<'_>) -> Result<Vec<Output>, Failure> {
    let output = |item: &Item<'_>| {
        let text = item.text()?;
        Output::from_str(text).map_err(|error| item.failure(format_args!("`{text}` is no output: {error}")))
    };
    item.list()?.iter().map(output).collect()
}

/// What `fail-on` can be.
pub(super) fn fail_on_words() -> [(&'static str, FailOn); 5] {
    [FailOn::Critical, FailOn::High, FailOn::Medium, FailOn::Low, FailOn::Never].map(|value| (value.word(), value))
}

impl FailOn {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            FailOn::Critical => "critical",
            FailOn::High => "high",
            FailOn::Medium => "medium",
            FailOn::Low => "low",
            FailOn::Never => "never",
        }
    }
}

/// The setting that a text stands for, where it is one.
pub(super) fn parse_fail_on(text: &str) -> Result<FailOn, Failure> {
    FailOn::from_str(text, false).map_err(|_| {
        let known = fail_on_words().map(|(word, _)| word);
        Failure::usage(format!("`CONCCHECK_FAIL_ON` can't be `{text}`")).help(hint(text, &known, "values"))
    })
}
