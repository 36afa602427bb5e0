//! End-to-end tests.

mod corpus;
mod fixtures;
mod pages;
mod readme;
mod report_input;
mod tidy;
