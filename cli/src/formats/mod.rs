//! The formats of a report, one file each.

use clap::ValueEnum;

/// What a report looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people, with code snippets
    Human,
    /// One line a finding
    Short,
    /// Everything, for programs
    Json,
}

impl Format {
    /// The names of all formats.
    pub fn names() -> Vec<String> {
        Format::value_variants().iter().filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned())).collect()
    }
}
