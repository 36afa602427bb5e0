//! Support for the end-to-end tests: builds the tool, makes projects, runs programs with a time limit, reads reports.

mod browser;
pub mod generated;
mod hand_made;
mod project;
mod report;
mod run;
pub mod text;
mod tool;

pub use browser::Browser;
pub use hand_made::HandMade;
pub use project::Project;
pub use report::Found;
pub use run::{Ended, run};
pub use tool::{Tool, repository};
