//! What a call of `rustc` or `rustdoc` asks for, as far as the wrappers must know.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

/// The arguments of interest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Invocation {
    pub(super) crate_name: Option<String>,
    pub(super) crate_types: Vec<String>,
    pub(super) target: Option<String>,
    /// `-C metadata`: cargo gives one to every crate that it compiles, build scripts' probes give none.
    pub(super) metadata: Option<String>,
    pub(super) extra_filename: String,
    /// `--extern`: the name and the file's path, which may be empty.
    pub(super) externs: Vec<(String, String)>,
    /// `--test`: a program that runs tests; of `rustdoc`: that it runs doc tests.
    pub(super) test: bool,
    /// `-vV`: asks for the version.
    pub(super) version: bool,
}

impl Invocation {
    /// Reads a command line, without the compiler's own name. `@file` arguments are read too.
    pub(super) fn read(args: &[OsString]) -> Invocation {
        let mut invocation = Invocation::default();
        let mut args = expand(args).into_iter();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| args.next()).unwrap_or_default();
            match name {
                "--crate-name" => invocation.crate_name = Some(value()),
                "--crate-type" => invocation.crate_types.extend(value().split(',').map(str::to_owned)),
                "--target" => invocation.target = Some(value()),
                "--extern" => invocation.externs.push(external(&value())),
                "-C" | "--codegen" => invocation.codegen(&value()),
                "--test" => invocation.test = true,
                "-vV" => invocation.version = true,
                _ => {
                    if let Some(option) = name.strip_prefix("-C") {
                        invocation.codegen(option);
                    }
                }
            }
        }
        invocation
    }

    fn codegen(&mut self, option: &str) {
        match option.split_once('=') {
            Some(("metadata", value)) => self.metadata = Some(value.to_owned()),
            Some(("extra-filename", value)) => value.clone_into(&mut self.extra_filename),
            _ => {}
        }
    }

    /// The name under which the crate's files lie: what tells it from other versions and other builds of it.
    pub(super) fn unit(&self) -> Option<String> {
        Some(format!("{}{}", self.crate_name.as_ref()?, self.extra_filename))
    }

    /// The units it was given as dependencies.
    pub(super) fn dependencies(&self) -> Vec<String> {
        self.externs.iter().filter_map(|(_, path)| unit_of(Path::new(path))).collect()
    }

    /// The unit of the library that the crate's doc tests are about.
    pub(super) fn documented(&self) -> Option<String> {
        self.externs
            .iter()
            .find(|(name, _)| Some(name) == self.crate_name.as_ref())
            .and_then(|(_, path)| unit_of(Path::new(path)))
    }
}

/// The unit that a library file belongs to.
fn unit_of(library: &Path) -> Option<String> {
    let stem = library.file_stem()?.to_str()?;
    Some(stem.strip_prefix("lib").unwrap_or(stem).to_owned())
}

/// `options:name=path`, of which options and path may be missing.
fn external(value: &str) -> (String, String) {
    let (name, path) = value.split_once('=').unwrap_or((value, ""));
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    (name.to_owned(), path.to_owned())
}

/// The arguments as text, `@file` replaced by the file's lines. What is no Unicode can't be an argument of interest.
pub(super) fn expand(args: &[OsString]) -> Vec<String> {
    let mut expanded = Vec::with_capacity(args.len());
    for arg in args {
        match arg.to_str().and_then(|arg| arg.strip_prefix('@')).map(fs::read_to_string) {
            Some(Ok(file)) => expanded.extend(file.lines().map(str::to_owned)),
            _ => expanded.push(arg.to_string_lossy().into_owned()),
        }
    }
    expanded
}

/// Splits off the programs at the front of a wrapped command line: the compiler, or a workspace's wrapper and the compiler.
pub(super) fn split_programs(command: &[OsString]) -> (&[OsString], &[OsString]) {
    let is_flag = |arg: &OsStr| arg.to_str().is_some_and(|arg| arg.starts_with('-') || arg.starts_with('@'));
    let programs = command.iter().take(2).position(|arg| is_flag(arg)).unwrap_or(2.min(command.len()));
    command.split_at(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn cargos_call_is_understood() {
        let line = "--crate-name foo --edition=2021 src/lib.rs --error-format=json --crate-type lib --emit=dep-info,metadata,link \
                    -C embed-bitcode=no -C metadata=0af -C extra-filename=-77cc --out-dir /t --target x86_64-unknown-linux-gnu \
                    -L dependency=/t --extern bar=/t/libbar-11.rmeta --extern noprelude:std --cap-lints allow";
        let read = Invocation::read(&words(line));
        assert_eq!(read.unit().as_deref(), Some("foo-77cc"));
        assert_eq!(read.target.as_deref(), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(read.metadata.as_deref(), Some("0af"));
        assert_eq!(read.crate_types, ["lib"]);
        assert_eq!(read.dependencies(), ["bar-11"]);
        assert_eq!(read.externs[1], ("std".to_owned(), String::new()));
        assert!(!read.test && !read.version);
    }

    #[test]
    fn arguments_in_a_file_are_understood() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("args");
        fs::write(&file, "--crate-name\nfoo\n--target=t\n-Cextra-filename=-1\n--test\n").expect("a writable file");
        let read = Invocation::read(&[OsString::from(format!("@{}", file.display()))]);
        assert_eq!((read.unit().as_deref(), read.target.as_deref(), read.test), (Some("foo-1"), Some("t"), true));
    }

    #[test]
    fn a_workspace_wrapper_before_the_compiler_is_split_off() {
        let line = words("/bin/clippy-driver /bin/rustc --crate-name a");
        assert_eq!(split_programs(&line).0.len(), 2);
        assert_eq!(split_programs(&line[1..]).0.len(), 1);
        // A probe reads the source from standard input: `rustc - --crate-name ___`.
        assert_eq!(split_programs(&words("rustc - --crate-name ___")).0.len(), 1);
    }
}
