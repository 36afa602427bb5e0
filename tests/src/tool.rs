//! The tool under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::report::{Found, read};
use crate::run::{Ended, run};

/// Longest time for one build or one run of a program under the tool.
const LIMIT: Duration = Duration::from_secs(300);

/// The repository's root.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the repository").to_owned()
}

/// The two binaries, built as this test was built.
pub struct Tool {
    binaries: PathBuf,
    target: PathBuf,
}

impl Tool {
    /// Builds the tool, once in this process.
    ///
    /// # Panics
    /// If it does not build.
    pub fn get() -> &'static Tool {
        static TOOL: OnceLock<Tool> = OnceLock::new();
        TOOL.get_or_init(Tool::build)
    }

    fn build() -> Tool {
        // <target>/<profile>/deps/it-0123…
        let test = env::current_exe().expect("a test knows its own path");
        let binaries = test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps").to_owned();
        let target = binaries.parent().expect("profiles lie in a target folder").to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "conccheck-cli", "--bins", "--target-dir"]).arg(&target);
        if binaries.ends_with("release") {
            cargo.arg("--release");
        }
        let built = run(cargo.current_dir(repository()), LIMIT);
        assert_eq!(built.code, Some(0), "the tool does not build:\n{}", built.stderr);
        Tool { binaries, target }
    }

    /// The command `conccheck`.
    pub fn conccheck(&self) -> Command {
        self.command("conccheck")
    }

    /// The command `cargo conccheck`, as cargo would start it.
    pub fn cargo_conccheck(&self) -> Command {
        let mut command = self.command("cargo-conccheck");
        command.arg("conccheck");
        command
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        // A panic that prints a backtrace takes many times longer, and programs would end in its midst.
        command.env("RUST_BACKTRACE", "0");
        command
    }

    /// The folder with the two binaries.
    pub fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// A folder of this name that stays from run to run, so that what is built in it is not built again.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.target.join("it").join(name)
    }

    /// The target folder for the projects that the tests build. One for all of them: the runtime is built once for each.
    pub fn projects(&self) -> PathBuf {
        self.scratch("target")
    }

    /// Runs `cargo conccheck test` on a project with further arguments, and reads the report.
    ///
    /// # Panics
    /// If there is no report.
    pub fn test(&self, manifest: &Path, args: &[&str]) -> (Ended, Vec<Found>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = folder.path().join("report.json");
        let mut command = self.cargo_conccheck();
        command.args(["test", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(self.projects());
        command.args(["--format", "json", "--output"]).arg(&report).args(args);
        let ended = run(&mut command, LIMIT);
        let found =
            read(&report).unwrap_or_else(|error| panic!("no report of {}: {error}\n{}", manifest.display(), ended.stderr));
        (ended, found)
    }

    /// Runs an instrumented program and reads the report.
    ///
    /// # Errors
    /// It says why there is no report.
    pub fn judge(&self, program: &Path, limit: Duration) -> Result<Vec<Found>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let report = folder.path().join("report.json");
        let mut command = self.conccheck();
        command.args(["run", "--format", "json", "--output"]).arg(&report).arg("--").arg(program).current_dir(folder.path());
        let ended = run(&mut command, limit);
        let Some(code) = ended.code else { return Err(format!("no answer in {} s", limit.as_secs())) };
        read(&report).map_err(|error| format!("exit {code}, no report ({error}): {}", ended.stderr.trim()))
    }
}
