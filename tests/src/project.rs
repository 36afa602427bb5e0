//! A cargo project of programs, made by a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::run::run;
use crate::tool::Tool;

/// Longest time to build all programs of a project.
const LIMIT: Duration = Duration::from_secs(1200);

/// The project: one source text a program.
pub struct Project {
    name: &'static str,
    edition: &'static str,
    programs: BTreeMap<String, String>,
    dependencies: String,
    /// The versions of the dependencies, as a `Cargo.lock`.
    versions: String,
}

impl Project {
    /// A project without programs and dependencies.
    pub fn new(name: &'static str, edition: &'static str) -> Self {
        Project { name, edition, programs: BTreeMap::new(), dependencies: String::new(), versions: String::new() }
    }

    /// Gives its programs dependencies, as in a manifest, of the versions in a lock file, which may name more.
    pub fn depend_on(&mut self, dependencies: &str, lock_file: &str) {
        self.dependencies = dependencies.to_owned();
        self.versions = lock_file.to_owned();
    }

    /// Adds a program.
    pub fn add(&mut self, name: &str, source: &str) {
        self.programs.insert(name.to_owned(), source.to_owned());
    }

    /// Builds all programs instrumented. Returns the folder in which they lie.
    ///
    /// # Panics
    /// If one does not build.
    pub fn build(&self, tool: &Tool) -> PathBuf {
        let folder = tool.scratch(self.name);
        self.write(&folder);
        // Where cargo puts it by default, so that sources are found from the programs upwards.
        let target = folder.join("target");
        let mut build = tool.cargo_conccheck();
        build.args(["build", "--bins", "--manifest-path"]).arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target);
        let built = run(&mut build, LIMIT);
        assert_eq!(built.code, Some(0), "{} does not build:\n{}", self.name, built.stderr);
        target.join("conccheck").join(host()).join("debug")
    }

    /// Writes the sources. A file that is as it should be stays untouched, so that it is not built again.
    fn write(&self, folder: &Path) {
        let programs = folder.join("src").join("bin");
        fs::create_dir_all(&programs).expect("a writable target folder");
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"{}\"\n\n[dependencies]\n{}\n[profile.dev]\ndebug = 1\n\n[workspace]\n",
            self.name, self.edition, self.dependencies
        );
        replace(&folder.join("Cargo.toml"), &manifest);
        if !self.versions.is_empty() {
            replace(&folder.join("Cargo.lock"), &self.versions);
        }
        for entry in fs::read_dir(&programs).expect("a folder just made").flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            if !name.strip_suffix(".rs").is_some_and(|name| self.programs.contains_key(name)) {
                fs::remove_file(entry.path()).expect("a writable target folder");
            }
        }
        for (name, source) in &self.programs {
            replace(&programs.join(format!("{name}.rs")), source);
        }
    }
}

fn replace(file: &Path, text: &str) {
    if fs::read_to_string(file).ok().as_deref() != Some(text) {
        fs::write(file, text).expect("a writable target folder");
    }
}

/// The target that the tool builds for when told nothing.
fn host() -> String {
    let version = run(Command::new("rustc").arg("-vV"), LIMIT);
    let host = version.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc says its host").to_owned()
}
