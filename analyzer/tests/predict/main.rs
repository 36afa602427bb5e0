//! Prediction against published traces and against exhaustive search.

mod published;
mod std_format;
