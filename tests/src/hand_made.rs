//! A project without a build: sources, and the trace of a run that is written by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use conccheck_trace::convert::{Format, write};
use conccheck_trace::text;
use tempfile::TempDir;

use crate::tool::Tool;

/// The folder of such a project.
pub struct HandMade {
    folder: TempDir,
}

impl Default for HandMade {
    fn default() -> Self {
        HandMade { folder: tempfile::tempdir().expect("a temporary folder") }
    }
}

impl HandMade {
    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and its folder.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("a writable folder");
        fs::write(path, content).expect("a writable folder");
    }

    /// The content of a file.
    ///
    /// # Panics
    /// If there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a trace in JSON, given in the form of [`conccheck_trace::text`].
    ///
    /// # Panics
    /// If it is not understood or can't be written.
    pub fn trace(&self, name: &str, events: &str) {
        let trace = text::parse(events).unwrap_or_else(|error| panic!("{error}\n{events}"));
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("a writable folder");
        let mut file = File::create(path).expect("a writable folder");
        write(&trace, Format::Json, &mut file).expect("a writable folder");
    }

    /// The command `conccheck` in this folder, with nothing set in its environment.
    pub fn conccheck(&self, args: &[&str]) -> Command {
        let mut command = Tool::get().conccheck();
        for variable in ["PROFILE", "FAIL_ON", "OUTPUTS", "BASELINE", "CONFIG_FILE"] {
            command.env_remove(format!("CONCCHECK_{variable}"));
        }
        command.args(args).current_dir(self.folder.path());
        command
    }
}
