//! Prediction against published traces and against exhaustive search.

mod exhaustive;
mod published;
mod random_programs;
mod std_format;
