//! What is chosen about recording: it is told to the program that is run.

use std::process::Command;

use super::document::hint;
use super::file::ConfigFile;
use super::{Origin, Settings};
use crate::{Failure, ReportOptions};

/// The variable that the runtime looks at.
pub(super) const STACKS: &str = "CONCCHECK_STACKS";

/// Of which acquisitions the calls that led there are recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Stacks {
    /// Of none.
    None,
    /// Of those within others.
    #[default]
    Edges,
    /// Of all.
    All,
}

impl Stacks {
    /// What can be said.
    pub(super) const WORDS: [(&'static str, Stacks); 3] =
        [("none", Stacks::None), ("edges", Stacks::Edges), ("all", Stacks::All)];

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        Stacks::WORDS.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }

    /// What is in force.
    ///
    /// # Errors
    /// The variable says what does not exist.
    pub(super) fn decided(variable: Option<String>, file: &ConfigFile) -> Result<(Stacks, Origin), Failure> {
        let Some(text) = variable else { return Ok(file.stacks.map(|stacks| (stacks, Origin::File)).unwrap_or_default()) };
        let known = Stacks::WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, stacks)| (*stacks, Origin::Environment(STACKS))).ok_or_else(|| {
            let words = Stacks::WORDS.map(|(word, _)| word);
            Failure::usage(format!("`{STACKS}` can't be `{text}`")).help(hint(&text, &words, "values"))
        })
    }
}

impl ReportOptions {
    /// Tells a program that is to be recorded what the configuration says about that.
    ///
    /// # Errors
    /// Those of a configuration that can't be read or says what does not exist.
    pub(crate) fn configure_recording(&self, program: &mut Command) -> Result<(), Failure> {
        let Settings { stacks: (stacks, _), .. } = self.settings()?;
        program.env(STACKS, stacks.word());
        Ok(())
    }
}
