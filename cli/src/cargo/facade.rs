//! Substitution of a crate by its facade: the original is compiled as `<name>_orig`, then the facade under the original's name.
//!
//! Originals are compiled against the real std and the originals of their dependencies, so that nothing they do inside is recorded
//! a second time. Of what the compiler announces, cargo hears only what the facade's compilation does: its files are those of the
//! crate that cargo asked for.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::invocation::{Invocation, expand};
use super::plan::{FACADES, Facade, RUNTIME, search_path};
use super::wrapper::{Held, is_artifact, not_started, run_held};
use crate::Failure;

/// What distinguishes the original's name.
const ORIGINAL: &str = "_orig";

/// One substitution.
pub(super) struct Substitution<'a> {
    pub(super) facade: &'static Facade,
    pub(super) invocation: &'a Invocation,
    /// cargo's arguments for the compiler.
    pub(super) args: &'a [OsString],
    /// Folder of the runtime's libraries, and of all its sources.
    pub(super) libraries: &'a Path,
    pub(super) hash: &'a str,
}

impl Substitution<'_> {
    /// Compiles both. `None`: one of them did not compile, and nothing was announced.
    ///
    /// # Errors
    /// The compiler can't be started.
    pub(super) fn compile(&self, compiler: impl Fn() -> Command) -> Result<Option<ExitStatus>, Failure> {
        let Some(out) = self.out_dir() else { return Ok(None) };
        let mut original = compiler();
        let output = original.args(self.of_original()).output().map_err(|error| not_started(&original, &error))?;
        if !output.status.success() {
            return Ok(None);
        }
        pass_on_diagnostics(&output.stderr);
        match run_held(compiler().args(self.of_facade(&out)))? {
            Held::Refused => Ok(None),
            Held::Done(status) => {
                self.tell_dependencies(&out);
                Ok(Some(status))
            }
        }
    }

    /// The files' name, without prefix and extension.
    fn stem(&self, suffix: &str) -> String {
        format!("{}{suffix}{}", self.facade.name, self.invocation.extra_filename)
    }

    fn out_dir(&self) -> Option<PathBuf> {
        let args = expand(self.args);
        let at = args.iter().position(|arg| arg == "--out-dir")?;
        args.get(at + 1).map(PathBuf::from)
    }

    fn of_original(&self) -> Vec<String> {
        let mut args = expand(self.args);
        for at in 0..args.len() {
            if at > 0 && args[at - 1] == "--crate-name" {
                args[at] += ORIGINAL;
            }
            if at > 0 && args[at - 1] == "--extern" {
                args[at] = against_original(&args[at]);
            }
        }
        args.extend(search_path(self.libraries));
        args
    }

    fn of_facade(&self, out: &Path) -> Vec<String> {
        let sources = self.libraries.join("src");
        let mut args = expand(self.args);
        let previous_is_flag =
            |at: usize, args: &[String]| at > 0 && args[at - 1].starts_with('-') && !args[at - 1].contains('=');
        if let Some(source) = (0..args.len()).find(|&at| args[at].ends_with(".rs") && !previous_is_flag(at, &args)) {
            args[source] = sources.join(self.facade.folder).join("lib.rs").display().to_string();
        }
        args.retain(|arg| !arg.starts_with("--edition="));
        args.push("--edition=2024".to_owned());
        if !args.iter().any(|arg| arg.starts_with("--cap-lints")) {
            args.push("--cap-lints=allow".to_owned());
        }
        args.push(format!("--remap-path-prefix={}=conccheck-runtime", sources.display()));
        let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
        if let Some(original) = self.facade.version(&version) {
            args.extend(["--cfg".to_owned(), format!("conccheck_original=\"{original}\"")]);
        }
        for milestone in self.facade.ahead(&version) {
            args.extend(["--cfg".to_owned(), format!("conccheck_before=\"{milestone}\"")]);
        }
        let original = ["rlib", "rmeta"]
            .map(|extension| out.join(format!("lib{}.{extension}", self.stem(ORIGINAL))))
            .into_iter()
            .find(|file| file.exists())
            .unwrap_or_default();
        args.extend(["--extern".to_owned(), format!("{}{ORIGINAL}={}", self.facade.name, original.display())]);
        for part in &RUNTIME {
            let library = self.libraries.join(format!("lib{}-{}.rlib", part.name, self.hash));
            args.extend(["--extern".to_owned(), format!("{}={}", part.name, library.display())]);
        }
        args.extend(search_path(self.libraries));
        args
    }

    /// Tells cargo what the crate depends on: the original's sources, which the user may change.
    fn tell_dependencies(&self, out: &Path) {
        let (from, to) = (self.stem(ORIGINAL), self.stem(""));
        if let Ok(text) = fs::read_to_string(out.join(format!("{from}.d"))) {
            // Without it cargo compiles the crate again next time.
            let _ = fs::write(out.join(format!("{to}.d")), text.replace(&from, &to));
        }
    }
}

/// The value of an `--extern`, changed to the original where the library is a facade.
fn against_original(value: &str) -> String {
    let Some((name, path)) = value.split_once('=') else { return value.to_owned() };
    let path = Path::new(path);
    let Some(file) = path.file_name().and_then(OsStr::to_str) else { return value.to_owned() };
    let original = FACADES.iter().find_map(|facade| {
        let rest = file.strip_prefix("lib")?.strip_prefix(facade.name)?.strip_prefix('-')?;
        Some(path.with_file_name(format!("lib{}{ORIGINAL}-{rest}", facade.name)))
    });
    match original.filter(|path| path.exists()) {
        Some(path) => format!("{name}={}", path.display()),
        None => value.to_owned(),
    }
}

/// Passes the compiler's messages on but for those on files, which are not those that cargo waits for.
fn pass_on_diagnostics(messages: &[u8]) {
    for line in messages.split_inclusive(|&byte| byte == b'\n').filter(|line| !is_artifact(line)) {
        // If cargo is gone, nobody needs them.
        let _ = io::stderr().write_all(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_original_is_compiled_under_another_name_and_the_facade_in_its_place() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().display().to_string();
        let args = args(&format!(
            "--crate-name lock_api --edition=2021 /r/lock_api/src/lib.rs --crate-type lib --emit=dep-info,metadata,link \
             -C metadata=0af -C extra-filename=-77cc --out-dir {out} --extern scopeguard={out}/libscopeguard-1.rmeta --cap-lints allow"
        ));
        let invocation = Invocation::read(&args);
        let facade = FACADES.iter().find(|facade| facade.name == "lock_api").expect("it is one");
        let libraries = Path::new("/runtime");
        let substitution = Substitution { facade, invocation: &invocation, args: &args, libraries, hash: "h" };
        let original = Invocation::read(&substitution.of_original().iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(original.unit().as_deref(), Some("lock_api_orig-77cc"));
        fs::write(folder.path().join("liblock_api_orig-77cc.rlib"), "").expect("a writable folder");
        let text = substitution.of_facade(folder.path());
        assert!(
            text.contains(&"/runtime/src/lock_api/lib.rs".to_owned()) && !text.contains(&"/r/lock_api/src/lib.rs".to_owned())
        );
        assert!(text.contains(&format!("lock_api_orig={out}/liblock_api_orig-77cc.rlib")));
        assert_eq!(text.iter().filter(|arg| arg.starts_with("--edition")).collect::<Vec<_>>(), ["--edition=2024"]);
        assert_eq!(text.iter().filter(|arg| arg.starts_with("--cap-lints")).count(), 1);
        assert_eq!(facade.ahead("0.4.9").collect::<Vec<_>>(), ["0.4.10", "0.4.11"]);
        assert_eq!(facade.ahead("0.4.14").count(), 0);
        let used = format!("lock_api={out}/liblock_api-77cc.rmeta");
        assert_eq!(against_original(&used), used);
        fs::write(folder.path().join("liblock_api_orig-77cc.rmeta"), "").expect("a writable folder");
        assert_eq!(against_original(&used), format!("lock_api={out}/liblock_api_orig-77cc.rmeta"));
    }
}
