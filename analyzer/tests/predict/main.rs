//! Prediction against published traces and against exhaustive search.

mod exhaustive;
mod machine;
mod programs;
mod published;
mod random_programs;
mod standing;
mod std_format;
mod waiting;
