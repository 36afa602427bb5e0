//! End-to-end tests.

mod cargo_attribution;
mod cargo_doctests;
mod cargo_doctor;
mod cargo_environment;
mod cargo_outcomes;
mod cargo_projects;
mod cargo_stacks;
mod cargo_tree;
mod config_cargo;
mod config_files;
mod config_fingerprints;
mod config_merge;
mod corpus;
mod errors;
mod fixtures;
mod guide;
mod pages;
mod readme;
mod report_browser;
mod report_commands;
mod report_input;
mod tidy;
