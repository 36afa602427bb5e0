//! The few values of cargo's configuration that must be known before cargo runs.
//!
//! cargo has no stable command that tells them. They are read as it reads them: a `--config` beats the environment, that beats
//! the `.cargo/config.toml` files from the current folder upwards, and those beat the one in cargo's home.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// cargo's configuration, the strongest source first.
#[derive(Debug, Default)]
pub(super) struct Config {
    command_line: Vec<Source>,
    files: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    values: Table,
    /// What relative paths in it are relative to.
    base: PathBuf,
}

impl Config {
    /// Reads the configuration that holds in a folder. What can't be read is left to cargo to complain about.
    pub(super) fn load(folder: &Path, command_line: &[String]) -> Config {
        let command_line = command_line.iter().rev().filter_map(|argument| from_argument(argument, folder)).collect();
        let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
        let mut folders: Vec<PathBuf> = folder.ancestors().map(|above| above.join(".cargo")).collect();
        folders.extend(home.filter(|home| !folders.contains(home)));
        let file =
            |folder: &PathBuf| ["config", "config.toml"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        Config { command_line, files: folders.iter().filter_map(file).filter_map(|path| from_file(&path)).collect() }
    }

    /// A program: of the variable `NAME`, or else of `build.KEY`. An empty variable means none, whatever the files say.
    pub(super) fn program(&self, variable: &str, key: &str) -> Option<OsString> {
        if let Some(value) = env::var_os(variable) {
            return Some(value).filter(|value| !value.is_empty());
        }
        self.get(key, |source| {
            let program = source.values.get("build")?.get(key)?.as_str()?;
            // A name alone is searched for in PATH; anything else is a path.
            let is_path = program.contains(['/', '\\']);
            Some(if is_path { source.base.join(program).into() } else { OsString::from(program) })
        })
        .filter(|program| !program.is_empty())
    }

    /// `build.target`: the targets that cargo builds for where no `--target` is given.
    pub(super) fn targets(&self) -> Vec<String> {
        let one = |value: &Value, base: &Path| {
            let target = value.as_str()?;
            Some(if target.ends_with(".json") { base.join(target).display().to_string() } else { target.to_owned() })
        };
        self.get("target", |source| match source.values.get("build")?.get("target")? {
            Value::Array(targets) => Some(targets.iter().filter_map(|target| one(target, &source.base)).collect()),
            target => Some(one(target, &source.base).into_iter().collect::<Vec<_>>()),
        })
        .unwrap_or_default()
    }

    /// The value of the strongest source that has one.
    fn get<T>(&self, key: &str, read: impl Fn(&Source) -> Option<T>) -> Option<T> {
        let variable = format!("CARGO_BUILD_{}", key.to_uppercase().replace('-', "_"));
        let from_variable = || {
            let value = Value::from(env::var(variable).ok()?);
            let build = Table::from_iter([(key.to_owned(), value)]);
            read(&Source { values: Table::from_iter([("build".to_owned(), build.into())]), base: env::current_dir().ok()? })
        };
        self.command_line.iter().find_map(&read).or_else(from_variable).or_else(|| self.files.iter().find_map(&read))
    }
}

/// `--config` takes a file or `key=value`.
fn from_argument(argument: &str, folder: &Path) -> Option<Source> {
    let path = folder.join(argument);
    if path.is_file() {
        return Some(Source { values: fs::read_to_string(&path).ok()?.parse().ok()?, base: path.parent()?.to_owned() });
    }
    Some(Source { values: argument.parse().ok()?, base: folder.to_owned() })
}

/// Paths in `FOLDER/.cargo/config.toml` are relative to FOLDER.
fn from_file(path: &Path) -> Option<Source> {
    let base = path.parent()?.parent()?.to_owned();
    Some(Source { values: fs::read_to_string(path).ok()?.parse().ok()?, base })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_files_and_the_command_line_win() {
        let outer = tempfile::tempdir().expect("a temporary folder");
        let inner = outer.path().join("inner");
        for (folder, text) in [
            (outer.path(), "[build]\nrustc-wrapper = \"tools/outer\"\nrustdoc = \"my-doc\"\ntarget = [\"a\", \"b\"]"),
            (&inner, "build.rustc-wrapper = \"inner\""),
        ] {
            fs::create_dir_all(folder.join(".cargo")).expect("a writable folder");
            fs::write(folder.join(".cargo/config.toml"), text).expect("a writable folder");
        }
        // A variable that no test environment has: the files decide.
        let program = |config: &Config, key| config.program("CONCCHECK_TEST_UNSET", key);
        let config = Config::load(&inner, &[]);
        assert_eq!(program(&config, "rustc-wrapper"), Some("inner".into()));
        assert_eq!(program(&config, "rustdoc"), Some("my-doc".into()));
        assert_eq!(config.targets(), ["a", "b"]);
        let above = Config::load(outer.path(), &[]);
        assert_eq!(program(&above, "rustc-wrapper"), Some(outer.path().join("tools/outer").into()));
        let config = Config::load(&inner, &["build.rustc-wrapper='sccache'".to_owned()]);
        assert_eq!(program(&config, "rustc-wrapper"), Some("sccache".into()));
    }
}
