//! How a program is told to record.

use std::num::NonZeroU32;
use std::process::Command;

/// The seeds of so many runs with perturbed schedules; one run without a seed where none were asked for.
pub(crate) fn seeds(runs: Option<NonZeroU32>) -> Vec<Option<u32>> {
    runs.map_or_else(|| vec![None], |runs| (1..=runs.get()).map(Some).collect())
}

/// Lets a program's threads pause here and there, as the seed says. Without one, what the environment says stays.
pub(crate) fn perturb(program: &mut Command, seed: Option<u32>) {
    if let Some(seed) = seed {
        program.env("CONCCHECK_PERTURB", seed.to_string());
    }
}
