//! Cargo projects made for one test of `cargo conccheck`, apart from everything else.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use conccheck_tests::{Ended, Tool, run};
use serde_json::Value;
use tempfile::TempDir;

/// A command that takes longer hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// Ends a source text: a function that tells whether the crate was compiled against the facade of std.
pub(crate) const INSTRUMENTED: &str = "\n#[allow(dead_code)] pub fn instrumented() -> bool { ::std::any::type_name::<::std::sync::Mutex<()>>().contains(\"conccheck\") }\n";

/// Ends a source text: a test that locks something and asserts that the crate is instrumented.
pub(crate) const TESTED: &str = "
#[cfg(test)]
mod tests {
    #[test]
    fn is_instrumented() {
        let lock = ::std::sync::Mutex::new(1);
        *lock.lock().unwrap() += 1;
        assert!(::std::any::type_name::<::std::sync::Mutex<()>>().contains(\"conccheck\"));
    }
}
";

/// A manifest without dependencies.
pub(crate) fn manifest(name: &str, edition: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n{more}\n")
}

/// A project in a temporary folder.
pub(crate) struct Tree {
    folder: TempDir,
    target: PathBuf,
}

impl Tree {
    /// Writes the files. All such projects share a target folder, so that the runtime is compiled once: packages need names of
    /// their own.
    pub(crate) fn new(files: &[(&str, &str)]) -> Tree {
        let tree = Tree { folder: tempfile::tempdir().expect("a temporary folder"), target: Tool::get().scratch("cargo") };
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    /// The same with a target folder of its own, at the place where cargo puts it by itself.
    pub(crate) fn alone(files: &[(&str, &str)]) -> Tree {
        let tree = Tree::new(files);
        Tree { target: tree.path("target"), ..tree }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("files lie in folders")).expect("a writable temporary folder");
        fs::write(path, text).expect("a writable temporary folder");
    }

    /// A script that can be run.
    #[cfg(unix)]
    pub(crate) fn write_script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("an own file");
    }

    /// `cargo conccheck ARGS` in the project, to be changed before it runs.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Tool::get().cargo_conccheck();
        command.args(args).current_dir(self.folder.path());
        self.plain_environment(&mut command);
        command
    }

    /// `cargo ARGS` in the project, without conccheck.
    pub(crate) fn cargo(&self, args: &[&str]) -> Ended {
        let mut command = Command::new("cargo");
        command.args(args).current_dir(self.folder.path());
        self.plain_environment(&mut command);
        run(&mut command, LIMIT)
    }

    /// Takes away what the cargo that runs this test has set, and whatever asks for colours.
    fn plain_environment(&self, command: &mut Command) {
        for (name, _) in env::vars_os() {
            let name_text = name.to_string_lossy();
            let is_of_this_cargo = name_text.starts_with("CARGO") && name_text != "CARGO_HOME";
            if is_of_this_cargo || name_text.starts_with("RUST_") || name_text == "RUSTFLAGS" {
                command.env_remove(&name);
            }
        }
        if self.target != self.path("target") {
            command.env("CARGO_TARGET_DIR", &self.target);
        }
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_COLOR", "never");
    }

    /// Runs `cargo conccheck ARGS`.
    pub(crate) fn conccheck(&self, args: &[&str]) -> Ended {
        run(&mut self.command(args), LIMIT)
    }

    /// Runs it and reads the JSON report as well.
    pub(crate) fn report(&self, args: &[&str]) -> (Ended, Value) {
        let file = self.path("report.json");
        let mut words = vec![args[0], "--format", "json", "--output", file.to_str().expect("a plain path")];
        words.extend(&args[1..]);
        let ended = self.conccheck(&words);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("no report: {error}\n{}", ended.stderr));
        (ended, serde_json::from_str(&text).expect("a JSON report"))
    }

    /// All files but those of builds, with their content.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
                match entry.path() {
                    path if path.ends_with("target") => {}
                    path if path.is_dir() => folders.push(path),
                    path => drop(contents.insert(path.clone(), fs::read(path).expect("a readable file"))),
                }
            }
        }
        contents
    }
}

/// Asserts an exit code, and shows what was said if it is another.
#[track_caller]
pub(crate) fn expect(ended: &Ended, code: i32) {
    assert_eq!(ended.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", ended.stdout, ended.stderr);
}

/// How often a text says that so many tests passed.
pub(crate) fn passed(ended: &Ended) -> u32 {
    let counts = ended.stdout.split("test result: ok. ").skip(1);
    counts.filter_map(|rest| rest.split(' ').next()?.parse::<u32>().ok()).sum()
}

/// The triple that cargo builds for.
pub(crate) fn host() -> String {
    let version = run(Command::new("rustc").arg("-vV"), LIMIT);
    version.stdout.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says its host").to_owned()
}
